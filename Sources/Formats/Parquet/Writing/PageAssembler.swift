// Owns the encoded pages of one column chunk and what the footer says of them. Knows nothing of values and types.
import Base
import Columnar

/// Least and greatest value as bytes; each may have been cut.
struct WrittenBounds {
  var least: [UInt8]
  var isLeastExact: Bool
  var greatest: [UInt8]
  var isGreatestExact: Bool
}

/// A data page, for the page indexes.
struct WrittenPage {
  /// Of its header, from the start of the chunk's data pages.
  var offset: Int
  /// Header and compressed values.
  var byteCount: Int
  var firstRow: Int
  var nulls: Int
  /// Whether it has NULLs only.
  var isNull: Bool
  var bounds: WrittenBounds?
}

/// A column chunk that is complete, for the footer.
struct WrittenChunk {
  var rows: Int
  var nulls: Int
  var bounds: WrittenBounds?
  /// Pages by how their values are encoded.
  var plainPages: Int
  var dictionaryPages: Int
  var hasDictionary: Bool
  /// Headers and values, before and after compression.
  var uncompressedBytes: Int
  var compressedBytes: Int
  /// Where its first byte and its first data page are in the file.
  var offset = 0
  var dataOffset = 0
  var pages: [WrittenPage]
}

/// What all columns use in turn while a page ends.
final class PageScratch {
  let raw = PageBytes(capacity: 64 << 10)
  let compressed = PageBytes(capacity: 64 << 10)
  /// Values without NULLs, or taken out of a dictionary. Holds nothing between two calls of a column.
  let dense = PageBytes(capacity: 64 << 10)
  /// A byte for each value of a dictionary that a page has.
  let marks = PageBytes(capacity: 4096)
  let compression: PageCompression

  init(_ compression: ParquetCompression) { self.compression = PageCompression(compression) }

  var retainedBytes: Int {
    raw.capacity + compressed.capacity + dense.capacity + marks.capacity + compression.retainedBytes
  }
}

/// Assembles pages: levels, values, compression, header. One thread.
final class PageAssembler {
  /// NULLs of the page that is being filled.
  var levels = LevelBits()
  private(set) var pages: [WrittenPage] = []
  private let encoded = PageBytes(capacity: 4096)
  private let dictionary = PageBytes(capacity: 64)
  let scratch: PageScratch
  private var rows = 0
  private var nulls = 0
  private var uncompressedBytes = 0
  private var pageCounts = [ValueEncoding: Int]()

  init(_ scratch: PageScratch) { self.scratch = scratch }

  var encodedBytes: Int { encoded.count + dictionary.count }
  var retainedBytes: Int { encoded.capacity + dictionary.capacity + pages.count * 256 }

  /// Ends the page whose levels were collected; `writeValues` appends its values.
  func endPage(_ encoding: ValueEncoding, _ bounds: WrittenBounds?, _ writeValues: (PageBytes) -> Void) throws {
    let raw = scratch.raw
    raw.removeAll()
    levels.encode(to: raw)
    writeValues(raw)
    let pageRows = levels.rows
    let offset = encoded.count
    var header = PageHeader()
    header.data = DataPageHeader(valueCount: Int32(pageRows), encoding: encoding)
    try appendPage(header, to: encoded)
    pages.append(
      WrittenPage(
        offset: offset, byteCount: encoded.count - offset, firstRow: rows, nulls: levels.nulls,
        isNull: levels.nulls == pageRows, bounds: bounds))
    rows += pageRows
    nulls += levels.nulls
    pageCounts[encoding, default: 0] += 1
    levels.removeAll()
  }

  /// Writes the dictionary of `count` values, which stands in front of the data pages.
  func endDictionary(count: Int, _ writeValues: (PageBytes) -> Void) throws {
    scratch.raw.removeAll()
    writeValues(scratch.raw)
    var header = PageHeader()
    header.type = .dictionary
    header.dictionary = DictionaryPageHeader(valueCount: Int32(count), encoding: .plain)
    try appendPage(header, to: dictionary)
  }

  /// Compresses what is in the scratch and appends it behind its header, to which only the sizes are missing.
  private func appendPage(_ header: PageHeader, to target: PageBytes) throws {
    let raw = scratch.raw
    guard raw.count <= Int(Int32.max) / 2 else {
      throw WaterbearError(
        .notSupported, "A value of \(raw.count) bytes is too long for a page of a Parquet file",
        remedy: "Take a part of it with substring.")
    }
    try scratch.compression.compress(raw, to: scratch.compressed)
    var header = header
    header.uncompressedSize = Int32(raw.count)
    header.compressedSize = Int32(scratch.compressed.count)
    let bytes = header.encoded()
    target.append(bytes)
    target.append(scratch.compressed.base, count: scratch.compressed.count)
    uncompressedBytes += bytes.count + raw.count
  }

  /// Hands the chunk's bytes to `output` and forgets them.
  func endChunk(_ bounds: WrittenBounds?, to output: (UnsafeRawBufferPointer) throws -> Void) throws -> WrittenChunk {
    let chunk = WrittenChunk(
      rows: rows, nulls: nulls, bounds: bounds, plainPages: pageCounts[.plain] ?? 0,
      dictionaryPages: pageCounts[.rleDictionary] ?? 0, hasDictionary: dictionary.count > 0,
      uncompressedBytes: uncompressedBytes, compressedBytes: encodedBytes, dataOffset: dictionary.count, pages: pages)
    if dictionary.count > 0 { try output(dictionary.bytes) }
    if encoded.count > 0 { try output(encoded.bytes) }
    encoded.removeAll()
    dictionary.removeAll()
    pages.removeAll(keepingCapacity: true)
    pageCounts.removeAll()
    (rows, nulls, uncompressedBytes) = (0, 0, 0)
    return chunk
  }
}
