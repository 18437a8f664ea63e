// Owns how a footer becomes bytes: fields with their numbers in parquet.thrift. The opposite of decoding.

extension FileMetadata {
  /// The footer without its length and the closing mark.
  func encoded() -> [UInt8] {
    var encoder = CompactEncoder()
    encoder.field(1, version)
    encoder.field(2, structures: schema) { $1.encode(to: &$0) }
    encoder.field(3, rowCount)
    encoder.field(4, structures: rowGroups) { $1.encode(to: &$0) }
    if !keyValues.isEmpty { encoder.field(5, structures: keyValues) { $1.encode(to: &$0) } }
    if let createdBy { encoder.field(6, createdBy) }
    if let hasTypeDefinedOrder {
      // A union whose only member, without fields, is the order that the type defines.
      encoder.field(7, structures: hasTypeDefinedOrder) { union, isDefined in
        if isDefined { union.field(1) { _ in } }
      }
    }
    return encoder.finish()
  }
}

extension KeyValue {
  fileprivate func encode(to encoder: inout CompactEncoder) {
    encoder.field(1, key)
    if let value { encoder.field(2, value) }
  }
}

extension SchemaElement {
  fileprivate func encode(to encoder: inout CompactEncoder) {
    if let type { encoder.field(1, type.rawValue) }
    if let typeLength { encoder.field(2, typeLength) }
    if let repetition { encoder.field(3, repetition.rawValue) }
    encoder.field(4, name)
    if let childCount { encoder.field(5, childCount) }
    if let convertedType { encoder.field(6, convertedType.rawValue) }
    if let scale { encoder.field(7, scale) }
    if let precision { encoder.field(8, precision) }
    if let fieldID { encoder.field(9, fieldID) }
    if let logicalType { encoder.field(10) { logicalType.encode(to: &$0) } }
  }
}

extension LogicalType {
  /// The types that are written; others have no fields to write.
  fileprivate func encode(to encoder: inout CompactEncoder) {
    switch self {
    case .string: encoder.field(1) { _ in }
    case .decimal(let precision, let scale):
      encoder.field(5) {
        $0.field(1, scale)
        $0.field(2, precision)
      }
    case .date: encoder.field(6) { _ in }
    case .timestamp(let unit, let isAdjustedToUTC):
      encoder.field(8) {
        $0.field(1, isAdjustedToUTC)
        $0.field(2) { $0.field(unit.rawValue) { _ in } }
      }
    case .integer(let bits, let isSigned):
      encoder.field(10) {
        $0.field(1, bits)
        $0.field(2, isSigned)
      }
    case .null: encoder.field(11) { _ in }
    default: preconditionFailure("\(self) is never written")
    }
  }
}

extension RowGroup {
  fileprivate func encode(to encoder: inout CompactEncoder) {
    encoder.field(1, structures: columns) { $1.encode(to: &$0) }
    encoder.field(2, totalByteSize)
    encoder.field(3, rowCount)
    if let fileOffset { encoder.field(5, fileOffset) }
    if let totalCompressedSize { encoder.field(6, totalCompressedSize) }
    if let ordinal { encoder.field(7, ordinal) }
  }
}

extension ColumnChunk {
  fileprivate func encode(to encoder: inout CompactEncoder) {
    encoder.field(2, fileOffset)
    if let metadata { encoder.field(3) { metadata.encode(to: &$0) } }
    if let offsetIndexOffset { encoder.field(4, offsetIndexOffset) }
    if let offsetIndexLength { encoder.field(5, offsetIndexLength) }
    if let columnIndexOffset { encoder.field(6, columnIndexOffset) }
    if let columnIndexLength { encoder.field(7, columnIndexLength) }
  }
}

extension ColumnMetadata {
  fileprivate func encode(to encoder: inout CompactEncoder) {
    encoder.field(1, type.rawValue)
    encoder.field(2, list: encodings.map(\.rawValue))
    encoder.field(3, list: path)
    encoder.field(4, codec.rawValue)
    encoder.field(5, valueCount)
    encoder.field(6, totalUncompressedSize)
    encoder.field(7, totalCompressedSize)
    encoder.field(9, dataPageOffset)
    if let dictionaryPageOffset { encoder.field(11, dictionaryPageOffset) }
    if let statistics { encoder.field(12) { statistics.encode(to: &$0) } }
    if let encodingStatistics {
      encoder.field(13, structures: encodingStatistics) {
        $0.field(1, $1.pageType)
        $0.field(2, $1.encoding)
        $0.field(3, $1.count)
      }
    }
  }
}

extension Statistics {
  fileprivate func encode(to encoder: inout CompactEncoder) {
    if let nullCount { encoder.field(3, nullCount) }
    if let distinctCount { encoder.field(4, distinctCount) }
    if let maximum { encoder.field(5, maximum) }
    if let minimum { encoder.field(6, minimum) }
    if let isMaximumExact { encoder.field(7, isMaximumExact) }
    if let isMinimumExact { encoder.field(8, isMinimumExact) }
  }
}

extension PageHeader {
  func encoded() -> [UInt8] {
    var encoder = CompactEncoder()
    encoder.field(1, type.rawValue)
    encoder.field(2, uncompressedSize)
    encoder.field(3, compressedSize)
    if let data {
      encoder.field(5) {
        $0.field(1, data.valueCount)
        $0.field(2, data.encoding.rawValue)
        $0.field(3, data.definitionLevelEncoding.rawValue)
        $0.field(4, data.repetitionLevelEncoding.rawValue)
      }
    }
    if let dictionary {
      encoder.field(7) {
        $0.field(1, dictionary.valueCount)
        $0.field(2, dictionary.encoding.rawValue)
      }
    }
    return encoder.finish()
  }
}

extension OffsetIndex {
  func encoded() -> [UInt8] {
    var encoder = CompactEncoder()
    encoder.field(1, structures: pages) {
      $0.field(1, $1.offset)
      $0.field(2, $1.compressedSize)
      $0.field(3, $1.firstRow)
    }
    return encoder.finish()
  }
}

extension ColumnIndex {
  func encoded() -> [UInt8] {
    var encoder = CompactEncoder()
    encoder.field(1, list: nullPages)
    encoder.field(2, list: minima)
    encoder.field(3, list: maxima)
    encoder.field(4, boundaryOrder.rawValue)
    if let nullCounts { encoder.field(5, list: nullCounts) }
    return encoder.finish()
  }
}
