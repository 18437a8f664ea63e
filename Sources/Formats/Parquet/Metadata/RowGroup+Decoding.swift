// Owns reading row groups and their column chunks from Thrift.

/// Paths of columns as row groups before had them: each row group repeats them all.
struct PathCache {
  private var paths: [[String]] = []

  /// Reads the path of column `index`.
  mutating func path(_ decoder: inout CompactDecoder, _ field: CompactDecoder.Field, at index: Int) throws(Damage)
    -> [String]
  {
    let count = try decoder.list(field, of: .binary)
    if index < paths.count, paths[index].count == count {
      let start = decoder
      var same = true
      for part in paths[index] {
        let bytes = try decoder.slice()
        same = same && part.utf8.elementsEqual(bytes)
      }
      if same { return paths[index] }
      decoder = start
    }
    var path: [String] = []
    for _ in 0..<count { path.append(String(decoding: try decoder.slice(), as: UTF8.self)) }
    if index == paths.count { paths.append(path) }
    return path
  }
}

extension RowGroup {
  init(_ decoder: inout CompactDecoder, limits: ParquetLimits, paths: inout PathCache) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1:
        let count = try decoder.list(field, of: .structure)
        guard count <= limits.schemaElements else { throw Damage("a row group of \(count) columns") }
        columns.reserveCapacity(min(count, 1024))
        for index in 0..<count { columns.append(try ColumnChunk(&decoder, index: index, paths: &paths)) }
      case 2: totalByteSize = try decoder.integer(field)
      case 3: rowCount = try decoder.integer(field)
      case 4:
        sortingColumns = try decoder.structures(field, limit: limits.schemaElements) { (decoder) throws(Damage) in
          try SortingColumn(&decoder)
        }
      case 5: fileOffset = try decoder.integer(field)
      case 6: totalCompressedSize = try decoder.integer(field)
      case 7: ordinal = Int16(truncatingIfNeeded: try decoder.integer(field))
      default: try decoder.skip(field)
      }
    }
  }
}

extension SortingColumn {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: column = try decoder.integer32(field)
      case 2: isDescending = try decoder.boolean(field)
      case 3: nullsFirst = try decoder.boolean(field)
      default: try decoder.skip(field)
      }
    }
  }
}

extension ColumnChunk {
  init(_ decoder: inout CompactDecoder, index: Int, paths: inout PathCache) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: filePath = try decoder.text(field)
      case 2: fileOffset = try decoder.integer(field)
      case 3:
        try decoder.expectStructure(field)
        metadata = try ColumnMetadata(&decoder, index: index, paths: &paths)
      case 4: offsetIndexOffset = try decoder.integer(field)
      case 5: offsetIndexLength = try decoder.integer32(field)
      case 6: columnIndexOffset = try decoder.integer(field)
      case 7: columnIndexLength = try decoder.integer32(field)
      case 8, 9:
        isEncrypted = true
        try decoder.skip(field)
      default: try decoder.skip(field)
      }
    }
    guard metadata != nil || isEncrypted else { throw Damage("a column chunk that says nothing of its contents") }
  }
}

extension ColumnMetadata {
  init(_ decoder: inout CompactDecoder, index: Int, paths: inout PathCache) throws(Damage) {
    var last: Int16 = 0
    var required = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1:
        let number = try decoder.integer32(field)
        guard let known = PhysicalType(rawValue: number) else { throw Damage("an unknown physical type \(number)") }
        type = known
      case 2:
        let count = try decoder.list(field, of: .int32)
        for _ in 0..<count {
          // The list is for information: a page says what it is encoded with.
          if let known = ValueEncoding(rawValue: Int32(truncatingIfNeeded: try decoder.element())),
            !encodings.contains(known)
          {
            encodings.append(known)
          }
        }
      case 3: path = try paths.path(&decoder, field, at: index)
      case 4:
        let number = try decoder.integer32(field)
        guard let known = CompressionCodec(rawValue: number) else { throw Damage("an unknown codec \(number)") }
        codec = known
      case 5: valueCount = try decoder.integer(field)
      case 6: totalUncompressedSize = try decoder.integer(field)
      case 7: totalCompressedSize = try decoder.integer(field)
      case 9: dataPageOffset = try decoder.integer(field)
      default: try decodeOptional(field, &decoder)
      }
      if [1, 4, 5, 7, 9].contains(field.id) { required |= 1 << Int(field.id) }
    }
    guard required == 0b10_1011_0010 else { throw Damage("a column chunk without a type, codec, size or place") }
  }

  private mutating func decodeOptional(_ field: CompactDecoder.Field, _ decoder: inout CompactDecoder) throws(Damage) {
    switch field.id {
    case 8:
      keyValues = try decoder.structures(field, limit: 1 << 16) { (decoder) throws(Damage) in try KeyValue(&decoder) }
    case 10: indexPageOffset = try decoder.integer(field)
    case 11: dictionaryPageOffset = try decoder.integer(field)
    case 12:
      try decoder.expectStructure(field)
      statistics = try Statistics(&decoder)
    case 13:
      encodingStatistics = try decoder.structures(field, limit: 1 << 16) { (decoder) throws(Damage) in
        try PageEncodingStatistics(&decoder)
      }
    case 14: bloomFilterOffset = try decoder.integer(field)
    case 15: bloomFilterLength = try decoder.integer32(field)
    default: try decoder.skip(field)
    }
  }
}

extension PageEncodingStatistics {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: pageType = try decoder.integer32(field)
      case 2: encoding = try decoder.integer32(field)
      case 3: count = try decoder.integer32(field)
      default: try decoder.skip(field)
      }
    }
  }
}

extension Statistics {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: deprecatedMaximum = try decoder.bytes(field)
      case 2: deprecatedMinimum = try decoder.bytes(field)
      case 3: nullCount = try decoder.integer(field)
      case 4: distinctCount = try decoder.integer(field)
      case 5: maximum = try decoder.bytes(field)
      case 6: minimum = try decoder.bytes(field)
      case 7: isMaximumExact = try decoder.boolean(field)
      case 8: isMinimumExact = try decoder.boolean(field)
      default: try decoder.skip(field)
      }
    }
  }
}
