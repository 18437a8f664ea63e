// Owns reading one column of one row group in order: some rows, chosen rows, or none of them. Knows no filters.

import Base
import Columnar

/// A cursor over the rows of a column chunk.
///
/// Pages are decompressed when the first of their values is wanted; pages without any are passed over.
final class ChunkReader {
  private let pages: ChunkPages
  let mapping: ValueMapping
  let levelMax: Int
  private(set) var dictionary: ChunkDictionary?
  /// Rows that are passed over before anything is read again.
  private var skipping = 0
  /// The current page, and where it is opened.
  private var stored: StoredPage?
  var page: DataPage?
  /// Rows of the row group behind the current page.
  private var rowsLeft: Int
  /// Rows left in the current page.
  private var left = 0
  /// Which of some rows of the current page have values.
  let presence: UnsafeMutablePointer<UInt64>

  /// At most this many rows are read by one call.
  static let rowsMax = Batch.targetRows

  init(_ pages: ChunkPages, mapping: ValueMapping) {
    self.pages = pages
    self.mapping = mapping
    levelMax = pages.column.definitionLevelMax
    rowsLeft = Int(pages.chunk.valueCount)
    presence = .allocate(capacity: Self.rowsMax / 64 + 1)
  }

  deinit { presence.deallocate() }

  /// Passes over rows. Cost: nothing until something is read.
  func skip(_ rows: Int) { skipping += rows }

  /// The next rows, at most `rowsMax`.
  func read(_ rows: Int) throws -> Vector {
    let sink = ColumnSink(mapping, capacity: rows)
    try passOver()
    var done = 0
    while done < rows {
      let part = min(try openPage(), rows - done)
      try checked { () throws(Damage) in try self.append(part, to: sink) }
      left -= part
      done += part
    }
    return sink.finish()
  }

  /// The rows at `positions`, ascending, of the next `span` rows.
  func read(_ positions: UnsafePointer<Int32>, count: Int, span: Int) throws -> Vector {
    let sink = ColumnSink(mapping, capacity: count)
    var start = 0
    var index = 0
    while index < count {
      // Rows in front of the first that is wanted may be whole pages.
      let gap = Int(positions[index]) - start
      skipping += gap
      start += gap
      try passOver()
      let part = min(try openPage(), span - start)
      let first = index
      while index < count, Int(positions[index]) < start + part { index += 1 }
      let (from, chosen, base) = (positions + first, index - first, start)
      try checked { () throws(Damage) in try self.append(from, chosen, base: base, span: part, to: sink) }
      left -= part
      start += part
    }
    skipping += span - start
    return sink.finish()
  }

  /// Adds the place to damage found in the current page.
  private func checked(_ body: () throws(Damage) -> Void) throws {
    do { try body() } catch { throw pages.failure(error, at: stored?.offset ?? 0) }
  }

  /// Passes over the rows that are due, page by page where that is possible.
  private func passOver() throws {
    while skipping > 0 {
      if left == 0 { try nextPage() }
      let part = min(skipping, left)
      if part < left {
        _ = try openPage()
        try checked { () throws(Damage) in try self.pass(part) }
      } else {
        release()
      }
      left -= part
      skipping -= part
    }
  }

  /// Makes the next data page with rows the current one, unopened. Reads the dictionary on the way.
  private func nextPage() throws {
    release()
    while true {
      guard let next = try pages.nextPage() else {
        throw pages.failure(Damage("the chunk ends before the row group's rows"), at: stored?.offset ?? 0)
      }
      stored = next
      switch next.header.type {
      case .dictionary: try readDictionary(next)
      case .data, .dataV2:
        guard next.header.data != nil || next.header.dataV2 != nil else {
          throw pages.failure(Damage("a data page without a header of its own"), at: next.offset)
        }
        left = next.valueCount
        guard left <= rowsLeft else {
          throw pages.failure(Damage("a page of \(left) rows where \(rowsLeft) are left"), at: next.offset)
        }
        rowsLeft -= left
        if left > 0 { return }
      case .index: break
      }
    }
  }

  /// Lets go of the current page's memory.
  private func release() {
    guard let old = page else { return }
    page = nil
    // Views may point into the pages of strings.
    if mapping.sourceStride != 16 { pages.recycle(old.bytes) }
  }

  /// Opens the current page, or the next one where that is used up. Returns the rows left in it.
  private func openPage() throws -> Int {
    if left == 0 { try nextPage() }
    if page != nil { return left }
    guard let stored else { return left }
    let (buffer, start, count) = try pages.body(of: stored)
    let body = UnsafeBufferPointer(start: (buffer.base + start).assumingMemoryBound(to: UInt8.self), count: count)
    do {
      page = try Self.open(stored.header, body, buffer, mapping, levelMax, dictionary)
    } catch {
      throw pages.failure(error, at: stored.offset)
    }
    return left
  }

  private static func open(
    _ header: PageHeader, _ body: UnsafeBufferPointer<UInt8>, _ buffer: Buffer, _ mapping: ValueMapping,
    _ levelMax: Int, _ dictionary: ChunkDictionary?
  ) throws(Damage) -> DataPage {
    let levels: HybridRuns?
    let rest: UnsafeBufferPointer<UInt8>
    let encoding: ValueEncoding
    if let header = header.dataV2 {
      // Lengths were checked against the page when it was decompressed. Without repetition there are no such levels.
      let first = Int(header.repetitionLevelsLength)
      let second = first + Int(header.definitionLevelsLength)
      levels =
        levelMax == 0
        ? nil
        : try HybridRuns(UnsafeBufferPointer(rebasing: body[first..<second]), width: DataPage.width(of: levelMax))
      rest = UnsafeBufferPointer(rebasing: body[second...])
      encoding = header.encoding
    } else {
      encoding = header.data?.encoding ?? .plain
      (levels, rest) = try DataPage.levels(
        body, max: levelMax, encoding: header.data?.definitionLevelEncoding ?? .rle)
    }
    let values = try DataPage.values(rest, encoding: encoding, mapping: mapping, dictionary: dictionary)
    return DataPage(
      levels: levels, levelMax: Int32(levelMax), values: values,
      heap: StringHeap(keepingAlive: buffer, byteCount: buffer.byteCount), bytes: buffer)
  }

  private func readDictionary(_ stored: StoredPage) throws {
    let limits = pages.file.limits
    let (size, values) = (Int(stored.header.uncompressedSize), Int(stored.header.dictionary?.valueCount ?? 0))
    guard size <= limits.dictionaryBytes, values <= limits.dictionaryValues else {
      throw pages.failure(Damage("a dictionary of \(values) values in \(size) bytes"), at: stored.offset)
    }
    let (buffer, start, count) = try pages.body(of: stored)
    let body = UnsafeBufferPointer(start: (buffer.base + start).assumingMemoryBound(to: UInt8.self), count: count)
    do throws(Damage) {
      guard let header = stored.header.dictionary else { throw Damage("a dictionary without a header of its own") }
      guard header.encoding == .plain || header.encoding == .plainDictionary else {
        throw Damage.unsupported("a dictionary in encoding \(header.encoding)")
      }
      guard dictionary == nil else { throw Damage("a second dictionary") }
      dictionary = try decodeDictionary(body, count: Int(header.valueCount), buffer)
    } catch {
      throw pages.failure(error, at: stored.offset)
    }
  }

  private func decodeDictionary(
    _ body: UnsafeBufferPointer<UInt8>, count: Int, _ buffer: Buffer
  ) throws(Damage) -> ChunkDictionary {
    let width = mapping.physical.fixedWidth ?? (mapping.physical == .byteArray ? 4 : max(mapping.fixedLength, 1))
    guard mapping.physical != .boolean, count <= body.count / width else {
      throw Damage("a dictionary of \(count) values in \(body.count) bytes")
    }
    let stride = mapping.type.layout.stride
    // One more, for NULL.
    let values = Buffer(byteCount: (count + 1) * stride)
    (values.base + count * stride).initializeMemory(as: UInt8.self, repeating: 0, count: stride)
    var heaps: [StringHeap] = []
    if count > 0 {
      let decoder = DataPage.plainDecoder(body, mapping)
      let texts = StringHeap()
      try convert(decoder, count, into: values.base, heap: texts)
      if mapping.isString {
        heaps = [mapping.conversion == .none ? StringHeap(keepingAlive: buffer, byteCount: buffer.byteCount) : texts]
      }
    }
    return ChunkDictionary(type: mapping.type, count: count, values: values, heaps: heaps)
  }

  /// Decodes values, converted where the SQL type demands it.
  func convert(
    _ decoder: ValueDecoder, _ count: Int, into target: UnsafeMutableRawPointer, heap: StringHeap
  ) throws(Damage) {
    if mapping.conversion == .none { return try decoder.decode(count, into: target) }
    let block = min(count, 1024)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: block * decoder.stride, alignment: 16)
    defer { scratch.deallocate() }
    var done = 0
    while done < count {
      let part = min(block, count - done)
      try decoder.decode(part, into: scratch)
      try mapping.conversion.apply(
        scratch, target + done * mapping.type.layout.stride, count: part, heap: heap)
      done += part
    }
  }
}
