// Owns telling how many distinct values a chunk has, by the header of its dictionary. Reads no values.

import Base
import Columnar

/// What a chunk's dictionary says of its values.
public struct ParquetDictionarySize: Sendable {
  /// Values in the dictionary.
  public var count: Int64
  /// Bytes that they take, uncompressed.
  public var bytes: Int64
  /// Whether all of the chunk's values are in it: these are the chunk's distinct values then.
  public var isComplete: Bool
}

extension ParquetFile {
  /// Bytes in which a dictionary's header fits, unless it holds long statistics.
  private static let headerBytes = 256

  /// The size of the dictionary of a column in a row group, or nil where there is none or it cannot be told. Cost: one
  /// small read.
  public func dictionarySize(ofRowGroup index: Int, column: Int) -> ParquetDictionarySize? {
    guard columns[column].mapping != nil,
      let chunk = metadata.rowGroups[index].columns[columns[column].leaves.lowerBound].metadata,
      let offset = Self.dictionaryOffset(chunk), offset >= 4, offset < footerOffset
    else { return nil }
    let count = Int(min(Int64(Self.headerBytes), footerOffset - offset))
    // An estimate must not fail: whoever reads the values says what is wrong.
    guard let buffer = try? descriptor.read(at: offset, count: count) else { return nil }
    var decoder = CompactDecoder(UnsafeRawBufferPointer(start: buffer.base, count: count))
    // As above.
    let header = try? PageHeader(&decoder)
    withExtendedLifetime(buffer) {}
    guard let header, header.type == .dictionary, let dictionary = header.dictionary, dictionary.valueCount >= 0 else {
      return nil
    }
    return ParquetDictionarySize(
      count: Int64(dictionary.valueCount), bytes: Int64(header.uncompressedSize),
      isComplete: Self.isAllDictionary(chunk, dictionary: Int64(header.uncompressedSize)))
  }

  /// Where the dictionary lies, if there is one: some writers say only where pages begin.
  private static func dictionaryOffset(_ chunk: ColumnMetadata) -> Int64? {
    let usesDictionary = chunk.encodings.contains(.plainDictionary) || chunk.encodings.contains(.rleDictionary)
    guard usesDictionary else { return nil }
    guard let offset = chunk.dictionaryPageOffset, offset > 0, offset < chunk.dataPageOffset else {
      return chunk.dataPageOffset
    }
    return offset
  }

  /// Whether no page was written without the dictionary, which writers do when it grows too large.
  private static func isAllDictionary(_ chunk: ColumnMetadata, dictionary: Int64) -> Bool {
    if let pages = chunk.encodingStatistics, !pages.isEmpty {
      return pages.allSatisfy { page in
        let isData = page.pageType == PageType.data.rawValue || page.pageType == PageType.dataV2.rawValue
        let isDictionary = page.encoding == ValueEncoding.rleDictionary.rawValue
          || page.encoding == ValueEncoding.plainDictionary.rawValue
        return !isData || isDictionary
      }
    }
    // A footer may claim anything.
    guard chunk.totalUncompressedSize >= 0 else { return false }
    // Positions take at most four bytes each: more than that must be values.
    return chunk.totalUncompressedSize - dictionary <= chunk.valueCount * 5 + 1024
  }
}
