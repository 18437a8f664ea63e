// Owns the reading of one committed spool file. It must not know what a page holds.
import Base
import Columnar
import Sealing

/// A page's figures, known before it is read.
public struct SpoolPage: Hashable, Sendable {
  public var rows: Int
  /// Bytes that `readPage` gives.
  public var rawBytes: Int
  public var storedBytes: Int
}

/// Reads pages of one committed file and checks every byte it uses. For one thread at a time.
///
/// Whatever is wrong with the file (missing, cut short, changed, another attempt's, another key's, unreadable) is
/// EXCHANGE_DATA_UNRECOVERABLE: the attempt that wrote it must run again. Only a shortage of this process's own
/// descriptors or memory is GENERIC_INSUFFICIENT_RESOURCES.
public final class SpoolReader {
  /// A file of at most this size is read whole with one call.
  private static let wholeFileBytes = 256 << 10
  /// How much of a larger file's end is read at first, in the hope that it holds the index.
  private static let tailBytes = 64 << 10

  public let location: SpoolLocation
  public let partitionCount: Int
  private let path: String
  private var window: SpoolWindow
  private let seal: PageSeal
  private let index: SpoolIndex
  private let hasZstd: Bool
  /// The part of the file that holds pages.
  private let pageRange: Range<Int>

  /// Opens the file at `location` and reads its index. `key` is the query's; nil where its spool is not encrypted.
  public convenience init(
    _ location: SpoolLocation, key: SealingKey?, fileSystem: any SpoolFileSystem = LocalFileSystem(),
    buffers: SpoolReadBuffers = SpoolReadBuffers()
  ) throws {
    do {
      try self.init(opening: location, key: key, fileSystem: fileSystem, buffers: buffers)
    } catch {
      throw Self.asError(error, location.path)
    }
  }

  private init(
    opening location: SpoolLocation, key: SealingKey?, fileSystem: any SpoolFileSystem, buffers: SpoolReadBuffers
  ) throws {
    let path = location.path
    let end = location.fileBytes
    let headerBytes = SpoolHeader.byteCount(for: location.attempt.task.stage.query)
    var window = try SpoolWindow(try fileSystem.open(path), fileBytes: end, buffers: buffers)
    guard end >= headerBytes + SpoolFooter.byteCount else { throw SpoolDamage("it is too short: \(end) bytes") }

    let first = 0..<(end <= Self.wholeFileBytes ? end : headerBytes)
    let header = try SpoolHeader.decode(window.bytes(of: 0..<headerBytes, reading: first), of: location.attempt)
    guard header.isEncrypted == (key != nil) else {
      throw SpoolDamage(header.isEncrypted ? "it is encrypted, the query is not" : "it is not encrypted, the query is")
    }
    let seal = try PageSeal(header, key: key, direction: .opening)

    let footerRange = (end - SpoolFooter.byteCount)..<end
    let tail = max(headerBytes, end - Self.tailBytes)..<end
    let footer = try SpoolFooter.decode(
      window.bytes(of: footerRange, reading: tail), after: header, fileBytes: end)
    let indexRange = footer.indexOffset..<footerRange.lowerBound
    let sealedIndex = try window.bytes(of: indexRange, reading: indexRange)

    self.location = location
    self.path = path
    self.window = window
    self.seal = seal
    hasZstd = header.hasZstd
    partitionCount = header.partitionCount
    pageRange = headerBytes..<footer.indexOffset
    index = try Self.openIndex(sealedIndex, seal, footer)
  }

  /// The most memory that a reader of a file holds after `readAhead`, in bytes, where so much of the file is wanted and
  /// neighbouring pages are read together up to `readAheadBytes`.
  public static func heldBytes(of location: SpoolLocation, wanting bytes: Int, with readAheadBytes: Int) -> Int {
    if location.fileBytes <= wholeFileBytes { return location.fileBytes }
    return max(tailBytes, min(bytes, readAheadBytes))
  }

  /// Memory that this reader holds of its file, in bytes, those who share its buffers included.
  public var heldBytes: Int { window.buffers.byteCount }

  /// How many pages a partition has.
  public func pageCount(of partition: Int) throws -> Int {
    try damageChecked { try pages(of: partition).count }
  }

  /// The figures of page `number` of a partition.
  public func page(_ number: Int, of partition: Int) throws -> SpoolPage {
    let entry = try damageChecked { try self.entry(number, of: partition) }
    return SpoolPage(rows: entry.rows, rawBytes: entry.rawBytes, storedBytes: entry.storedBytes)
  }

  /// Reads page `number` of a partition into `output`, which has exactly the page's `rawBytes`. Pages that follow in
  /// the partition and in the file are read along, so reading in order is cheapest.
  public func readPage(_ number: Int, of partition: Int, into output: UnsafeMutableRawBufferPointer) throws {
    try damageChecked {
      let entry = try self.entry(number, of: partition)
      precondition(output.count == entry.rawBytes, "\(output.count) bytes for a page of \(entry.rawBytes)")
      do {
        try read(entry, number, partition, into: output)
      } catch let damage as SpoolDamage {
        throw SpoolDamage(
          "page \(number) of partition \(partition), \(entry.storedBytes) bytes at \(entry.offset): \(damage.finding)")
      }
    }
  }

  /// Reads what the first call for a page would read, so that it need not wait for the disk. Does not check the page.
  public func readAhead(_ number: Int, of partition: Int) throws {
    try damageChecked {
      let entry = try self.entry(number, of: partition)
      _ = try window.bytes(
        of: entry.offset..<entry.end, reading: entry.offset..<endOfReadAhead(entry, number, partition))
    }
  }

  /// Reads a page into memory of its own, as `BatchCodec.decode` takes it.
  public func readBuffer(_ number: Int, of partition: Int) throws -> Buffer {
    let page = Buffer(byteCount: try page(number, of: partition).rawBytes)
    try readPage(number, of: partition, into: UnsafeMutableRawBufferPointer(start: page.base, count: page.byteCount))
    return page
  }

  /// Reads a page into an array. For tests and small things.
  public func readPage(_ number: Int, of partition: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: try page(number, of: partition).rawBytes)
    try bytes.withUnsafeMutableBytes { try readPage(number, of: partition, into: $0) }
    return bytes
  }

  private func pages(of partition: Int) throws(SpoolDamage) -> Range<Int> {
    precondition(partition >= 0 && partition < partitionCount, "partition \(partition) of \(partitionCount)")
    return try index.pages(of: partition)
  }

  private func entry(_ number: Int, of partition: Int) throws(SpoolDamage) -> SpoolPageEntry {
    let pages = try pages(of: partition)
    precondition(number >= 0 && number < pages.count, "page \(number) of \(pages.count) in partition \(partition)")
    return try entry(at: pages.lowerBound + number)
  }

  private func entry(at position: Int) throws(SpoolDamage) -> SpoolPageEntry {
    try index.page(at: position, within: pageRange, tagBytes: seal.tagByteCount)
  }

  private func read(
    _ entry: SpoolPageEntry, _ number: Int, _ partition: Int, into output: UnsafeMutableRawBufferPointer
  ) throws {
    let sealed = try window.bytes(
      of: entry.offset..<entry.end, reading: entry.offset..<endOfReadAhead(entry, number, partition))
    let place = PagePlace.page(number, of: partition, entry)
    guard entry.codec != .zstd || hasZstd else { throw SpoolDamage("it names a codec that the header does not") }
    if entry.codec == .none {
      guard try seal.open(sealed, at: place, into: output) else { throw SpoolDamage(Self.badTag) }
      return
    }
    let buffers = window.buffers
    let count = sealed.count - seal.tagByteCount
    buffers.grow(&buffers.plain, to: count)
    let plain = UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<count])
    guard try seal.open(sealed, at: place, into: plain) else { throw SpoolDamage(Self.badTag) }
    guard try buffers.decompressor.decompress(UnsafeRawBufferPointer(plain), entry.codec, into: output) else {
      throw SpoolDamage("it does not decompress to \(entry.rawBytes) bytes")
    }
  }

  /// Where the run of neighbouring pages ends that starts with a page and is worth one read.
  private func endOfReadAhead(_ entry: SpoolPageEntry, _ number: Int, _ partition: Int) throws -> Int {
    var end = entry.end
    guard !window.holds(entry.offset..<end) else { return end }
    let pages = try pages(of: partition)
    for position in (pages.lowerBound + number + 1)..<pages.upperBound {
      let next = try self.entry(at: position)
      guard next.offset == end, next.end - entry.offset <= window.buffers.readAheadBytes else { break }
      end = next.end
    }
    return end
  }

  private static func openIndex(
    _ sealed: UnsafeRawBufferPointer, _ seal: PageSeal, _ footer: SpoolFooter
  ) throws -> SpoolIndex {
    let count = sealed.count - seal.tagByteCount
    guard count >= 0, count <= SpoolFormat.maxPageByteCount else { throw SpoolDamage("the index is cut short") }
    var bytes = [UInt8](repeating: 0, count: count)
    let matches = try bytes.withUnsafeMutableBytes {
      try seal.open(sealed, at: .index(offset: footer.indexOffset, rawBytes: count), into: $0)
    }
    guard matches else { throw SpoolDamage("the index: \(badTag)") }
    return try SpoolIndex(bytes)
  }

  private static let badTag = "its tag does not match, so it was changed, moved or sealed under another key"

  /// Turns what `body` finds wrong into an error that names the file.
  private func damageChecked<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch { throw Self.asError(error, path) }
  }

  private static func asError(_ error: any Error, _ path: String) -> any Error {
    if let damage = error as? SpoolDamage {
      return WaterbearError(
        .exchangeDataUnrecoverable, "Spool file \(path) is damaged: \(damage.finding)",
        remedy: "The task that wrote it runs again. If this happens often, check the disk.")
    }
    guard let failure = error as? FileSystemFailure else { return error }
    if failure.isOwnShortage {
      return WaterbearError(
        .genericInsufficientResources, failure.description,
        remedy: "Raise the limit of open files or memory for the service, or run fewer tasks at once.")
    }
    if failure.number == FileSystemFailure.missing {
      return WaterbearError(
        .exchangeDataUnrecoverable, "Spool file \(path) is missing",
        remedy: "The task that wrote it runs again. Nothing but Waterbear should delete files in a spool directory.")
    }
    return WaterbearError(
      .exchangeDataUnrecoverable, failure.description,
      remedy: "The task that wrote it runs again. If this happens often, check the disk.")
  }
}
