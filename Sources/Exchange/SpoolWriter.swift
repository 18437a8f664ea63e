// Owns the writing of one attempt's output: pages in, one committed file out, or nothing at all.
// It must not know what a page holds, nor which attempt will be selected.
import Base
import Sealing

/// Writes one spool file front to back and commits it by rename. For one thread at a time.
///
/// A writer that goes away without `commit` deletes what it wrote. The file is placed in a directory only when the
/// first buffer is full or at `commit`, so a small output survives a directory that fails.
public final class SpoolWriter {
  private enum State { case open, committed, aborted }

  private let directories: SpoolDirectories
  private let header: SpoolHeader
  private let options: SpoolOptions
  private let seal: PageSeal
  private let compressor: PageCompressor?
  private var state = State.open
  /// Nil until the file is placed.
  private var file: PlacedFile?
  /// The base directory that the file was placed in, whatever became of it; nil before.
  public private(set) var directory: String?
  private var buffer: UnsafeMutableRawBufferPointer
  /// Bytes of `buffer` in use.
  private var used = 0
  /// Where in the file `buffer` starts.
  private var flushedBytes = 0
  private var pages: [(partition: Int, page: SpoolPageEntry)] = []
  /// By partition: 1 + its place in `output`, or 0.
  private var slots: [Int32]
  private var output: [SpoolPartitionOutput] = []

  private var attempt: AttemptID { header.attempt }
  private var position: Int { flushedBytes + used }

  /// A writer for the output of `attempt` in `partitionCount` partitions, sealed under the query's `key` (nil: not
  /// encrypted, only checked). Nothing touches a disk yet. Throws SPOOL_UNAVAILABLE where all directories are set
  /// aside.
  public init(
    in directories: SpoolDirectories, attempt: AttemptID, partitionCount: Int, key: SealingKey?,
    options: SpoolOptions = SpoolOptions()
  ) throws {
    precondition(partitionCount >= 0 && partitionCount < Int(Int32.max), "\(partitionCount) partitions")
    precondition(SpoolName.isQueryName(attempt.task.stage.query.text), "\(attempt) cannot name a directory")
    precondition(options.maxPageBytes <= SpoolFormat.maxPageByteCount, "pages of at most 1GB")
    try directories.checkAnyWorks(isRetry: attempt.number > 0)
    self.directories = directories
    self.options = options
    header = SpoolHeader(
      attempt: attempt, partitionCount: partitionCount, isEncrypted: key != nil, hasZstd: options.codec == .zstd,
      salt: try RandomBytes.make(SpoolFormat.saltByteCount))
    seal = try PageSeal(header, key: key, direction: .sealing)
    compressor = PageCompressor(options.codec)
    slots = [Int32](repeating: 0, count: partitionCount)
    let start = header.encoded
    buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(options.bufferBytes, start.count), alignment: 64)
    buffer.copyBytes(from: start)
    used = start.count
  }

  deinit {
    abort()
    buffer.deallocate()
  }

  /// Bytes handed over to the file system so far.
  public var writtenBytes: Int { flushedBytes }

  /// The most bytes that a page may have.
  public var pageBytesMax: Int { options.maxPageBytes }

  /// Appends a page of `rows` rows to a partition. The bytes are copied, compressed and sealed before the call
  /// returns. An error ends the attempt: the writer takes no more pages.
  ///
  /// Throws NOT_SUPPORTED for a page larger than `options.maxPageBytes`, SPOOL_UNAVAILABLE, naming the directory, where
  /// it cannot be written, GENERIC_INSUFFICIENT_RESOURCES where this process lacks descriptors or memory.
  public func append(partition: Int, page raw: UnsafeRawBufferPointer, rows: Int) throws {
    precondition(state == .open, "the writer of \(attempt) has ended")
    precondition(partition >= 0 && partition < slots.count, "partition \(partition) of \(slots.count)")
    precondition(rows >= 0 && rows <= Int(UInt32.max), "\(rows) rows in a page")
    guard raw.count <= options.maxPageBytes else {
      let limit = DataSize(bytes: Int64(options.maxPageBytes))
      throw WaterbearError(
        .notSupported, "Max row size of \(limit) exceeded: \(DataSize(bytes: Int64(raw.count)))",
        remedy: "Raise exchange.max-page-storage-size.")
    }
    do {
      try makeRoom(raw.count + seal.tagByteCount)
      try addPage(raw, partition: partition, rows: rows)
      if used >= options.bufferBytes { try flush() }
    } catch {
      abort()
      throw error
    }
  }

  /// Writes the index, closes the file and gives it its final name. From then on it is never changed.
  public func commit() throws -> SpoolOutput {
    precondition(state == .open, "the writer of \(attempt) has ended")
    output.sort { $0.partition < $1.partition }
    do {
      try addIndex()
      let fileBytes = position
      try flush(isComplete: true)
      let directory = try finishFile()
      state = .committed
      return SpoolOutput(
        location: SpoolLocation(attempt: attempt, directory: directory, fileBytes: fileBytes),
        partitionCount: slots.count, partitions: output)
    } catch {
      abort()
      throw error
    }
  }

  /// Deletes what was written. May be called at any time; does nothing after `commit`.
  public func abort() {
    guard state == .open else { return }
    state = .aborted
    file?.discard()
    file = nil
  }

  private func addPage(_ raw: UnsafeRawBufferPointer, partition: Int, rows: Int) throws {
    if slots[partition] == 0 {
      output.append(SpoolPartitionOutput(partition: partition))
      slots[partition] = Int32(output.count)
    }
    let slot = Int(slots[partition]) - 1
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
    var body = raw
    var codec = SpoolCodec.none
    if let compressor, let count = compressor.compress(raw, into: room) {
      body = UnsafeRawBufferPointer(rebasing: room[..<count])
      codec = compressor.codec
    }
    let entry = SpoolPageEntry(
      offset: position, storedBytes: body.count + seal.tagByteCount, rawBytes: raw.count, rows: rows, codec: codec)
    let place = PagePlace.page(output[slot].pages, of: partition, entry)
    try seal.seal(body, at: place, into: UnsafeMutableRawBufferPointer(rebasing: room[..<entry.storedBytes]))
    used += entry.storedBytes
    pages.append((partition, entry))
    output[slot].pages += 1
    output[slot].rows += rows
    output[slot].rawBytes += raw.count
    output[slot].storedBytes += entry.storedBytes
    output[slot].checksum = XXH64.hash(raw, seed: output[slot].checksum)
  }

  private func addIndex() throws {
    let index = SpoolIndex.encode(output, pages)
    guard index.count <= SpoolFormat.maxPageByteCount else {
      throw WaterbearError(.notSupported, "The output of \(attempt) has too many pages: \(pages.count)")
    }
    let stored = index.count + seal.tagByteCount
    try makeRoom(stored + SpoolFooter.byteCount)
    let footer = SpoolFooter(indexOffset: position, indexStoredBytes: stored)
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[used..<(used + stored)])
    try index.withUnsafeBytes {
      try seal.seal($0, at: .index(offset: footer.indexOffset, rawBytes: index.count), into: room)
    }
    used += stored
    UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyBytes(from: footer.encoded(after: header))
    used += SpoolFooter.byteCount
  }

  /// Makes room for `count` bytes behind `used`: flushes, and grows the buffer where one page needs more than all.
  private func makeRoom(_ count: Int) throws {
    guard buffer.count - used < count else { return }
    // Growing keeps a small output unplaced; only a full buffer is worth a write.
    if used >= options.bufferBytes / 2 { try flush() }
    guard buffer.count - used < count else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: used + count, alignment: 64)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<used]))
    buffer.deallocate()
    buffer = larger
  }

  /// Hands the buffer over to the file system. `isComplete`: the buffer ends with the file's last byte.
  private func flush(isComplete: Bool = false) throws {
    guard used > 0 else { return }
    guard position <= options.maxFileBytes else {
      throw WaterbearError(
        .notSupported,
        "The output of \(attempt) is larger than exchange.sink-max-file-size = "
          + "\(DataSize(bytes: Int64(options.maxFileBytes)))",
        remedy: "Raise exchange.sink-max-file-size, or let tasks be smaller: an output is one file.")
    }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<used])
    if let file {
      try directories.append(bytes, to: file, after: flushedBytes)
    } else {
      let file = try directories.place(
        attempt, start: bytes, isComplete: isComplete, avoiding: options.avoidedDirectories)
      directory = file.directory
      self.file = file
    }
    flushedBytes += used
    used = 0
  }

  /// Closes and renames; returns the file's base directory.
  private func finishFile() throws -> String {
    guard let file else { preconditionFailure("the file was placed by the last flush") }
    try directories.commit(file, fileBytes: flushedBytes, sync: options.sync)
    self.file = nil
    return file.directory
  }
}
