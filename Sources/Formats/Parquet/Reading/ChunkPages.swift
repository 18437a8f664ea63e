// Owns the bytes of a column chunk: reading them, finding pages in them, and undoing their compression. Knows nothing
// of values.

import Base
import Columnar

/// A page as it lies in a chunk.
struct StoredPage {
  var header: PageHeader
  /// Where the header begins in the file.
  var offset: Int64
  /// Where the page's bytes begin in the chunk.
  var start: Int

  /// Values of a data page, NULLs included.
  var valueCount: Int { Int(header.data?.valueCount ?? header.dataV2?.valueCount ?? 0) }
}

/// Steps through the pages of one chunk.
final class ChunkPages {
  let file: ParquetFile
  let column: ParquetColumn
  let chunk: ColumnMetadata
  private let range: Range<Int64>
  private var bytes: Buffer?
  /// Counted from the start of the range.
  private var next = 0
  private let decompressor: PageDecompressor
  /// A page's memory that the page before may have left.
  private var spare: Buffer?

  /// Checks that the chunk lies in front of the footer. Reads nothing yet.
  init(_ file: ParquetFile, column: ParquetColumn, rowGroup: Int, decompressor: PageDecompressor) throws {
    self.file = file
    self.column = column
    self.decompressor = decompressor
    let described = file.metadata.rowGroups[rowGroup].columns[column.leaves.lowerBound]
    guard let chunk = described.metadata, !described.isEncrypted else {
      throw WaterbearError(.notSupported, "\(file.name): column '\(column.name)' is encrypted, which cannot be read")
    }
    guard described.filePath == nil else {
      throw WaterbearError(
        .notSupported, "\(file.name): column '\(column.name)' lies in another file, which cannot be read")
    }
    guard chunk.type == column.mapping?.physical else {
      throw file.descriptor.damaged(
        "row group \(rowGroup) has it as \(chunk.type), the schema not", at: file.footerOffset, column: column.name)
    }
    self.chunk = chunk
    var start = chunk.dataPageOffset
    if let dictionary = chunk.dictionaryPageOffset, dictionary > 0, dictionary < start { start = dictionary }
    let size = chunk.totalCompressedSize
    guard start >= 4, size >= 0, start <= file.footerOffset, size <= file.footerOffset - start else {
      throw file.descriptor.damaged(
        "row group \(rowGroup) has it at \(start) with \(size) bytes, in front of a footer at \(file.footerOffset)",
        at: file.footerOffset, column: column.name)
    }
    range = start..<start + size
  }

  /// The header of the next page, or nil at the end of the chunk. The page's bytes are passed over.
  func nextPage() throws -> StoredPage? {
    let buffer = try loaded()
    let total = Int(range.count)
    guard next < total else { return nil }
    let offset = range.lowerBound + Int64(next)
    var decoder = CompactDecoder(UnsafeRawBufferPointer(start: buffer.base, count: total), from: next)
    defer { withExtendedLifetime(buffer) {} }
    do throws(Damage) {
      let header = try PageHeader(&decoder)
      let start = decoder.position
      guard Int(header.compressedSize) <= total - start else {
        throw Damage("a page of \(header.compressedSize) bytes where \(total - start) are left in the chunk")
      }
      next = start + Int(header.compressedSize)
      return StoredPage(header: header, offset: offset, start: start)
    } catch {
      throw failure(error, at: offset)
    }
  }

  /// The page's bytes, uncompressed, and where they begin. Levels of a version 2 page stay in front as they are.
  func body(of page: StoredPage) throws -> (buffer: Buffer, start: Int, count: Int) {
    let buffer = try loaded()
    defer { withExtendedLifetime(buffer) {} }
    do {
      return try open(page, in: buffer)
    } catch {
      throw failure(error, at: page.offset)
    }
  }

  /// Takes back a page's memory for the next page.
  func recycle(_ buffer: Buffer) { if buffer !== bytes { spare = buffer } }

  /// The error for damage in the page at `offset`.
  func failure(_ damage: Damage, at offset: Int64) -> WaterbearError {
    file.descriptor.error(damage, at: offset, column: column.name)
  }

  private func open(_ page: StoredPage, in buffer: Buffer) throws(Damage) -> (buffer: Buffer, start: Int, count: Int) {
    let compressed = UnsafeRawBufferPointer(
      start: buffer.base + page.start, count: Int(page.header.compressedSize))
    if let expected = page.header.checksum, PageChecksum.of(compressed) != expected {
      throw Damage("a page whose checksum is not that of its bytes")
    }
    let count = Int(page.header.uncompressedSize)
    let levels = Int(page.header.dataV2.map { Int($0.definitionLevelsLength) + Int($0.repetitionLevelsLength) } ?? 0)
    let isCompressed = chunk.codec != .uncompressed && (page.header.dataV2?.isCompressed ?? true)
    guard levels <= compressed.count, levels <= count else { throw Damage("levels longer than their page") }
    if !isCompressed {
      guard count == compressed.count else { throw Damage("\(compressed.count) bytes of a page of \(count)") }
      return (buffer, page.start, count)
    }
    guard count <= file.limits.pageBytes, levels == compressed.count
      || PageDecompressor.canExpand(compressed.count - levels, to: count - levels, chunk.codec)
    else { throw Damage("a page of \(count) bytes out of \(compressed.count)") }
    let target = memory(count)
    if levels > 0 { target.base.copyMemory(from: compressed.baseAddress!, byteCount: levels) }
    // A page of NULLs has nothing behind its levels, not even what a codec makes of nothing.
    if count > levels || compressed.count > levels {
      try decompressor.decompress(
        UnsafeRawBufferPointer(rebasing: compressed[levels...]), chunk.codec,
        into: UnsafeMutableRawBufferPointer(start: target.base + levels, count: count - levels))
    }
    return (target, 0, count)
  }

  /// Memory for a page: the page before's, where nobody else has it and it is large enough but not far too large.
  private func memory(_ count: Int) -> Buffer {
    if let old = spare {
      spare = nil
      if old.byteCount >= count, old.byteCount / 4 <= count { return old }
    }
    return Buffer(byteCount: count)
  }

  private func loaded() throws -> Buffer {
    if let bytes { return bytes }
    let read = try file.descriptor.read(at: range.lowerBound, count: Int(range.count))
    bytes = read
    return read
  }
}
