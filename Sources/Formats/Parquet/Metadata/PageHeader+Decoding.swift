// Owns reading what stands in front of pages and Bloom filters, and the indexes of pages, from Thrift.

extension PageHeader {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1:
        let number = try decoder.integer32(field)
        guard let known = PageType(rawValue: number) else { throw Damage("a page of unknown type \(number)") }
        type = known
      case 2: uncompressedSize = try decoder.integer32(field)
      case 3: compressedSize = try decoder.integer32(field)
      case 4: checksum = UInt32(bitPattern: try decoder.integer32(field))
      case 5:
        try decoder.expectStructure(field)
        data = try DataPageHeader(&decoder)
      case 7:
        try decoder.expectStructure(field)
        dictionary = try DictionaryPageHeader(&decoder)
      case 8:
        try decoder.expectStructure(field)
        dataV2 = try DataPageHeaderV2(&decoder)
      default: try decoder.skip(field)
      }
    }
    guard uncompressedSize >= 0, compressedSize >= 0 else { throw Damage("a page of negative size") }
  }
}

extension ValueEncoding {
  /// Reads the number of an encoding; one that is not known is refused.
  init(_ decoder: inout CompactDecoder, _ field: CompactDecoder.Field) throws(Damage) {
    let number = try decoder.integer32(field)
    guard let known = ValueEncoding(rawValue: number) else {
      throw Damage.unsupported("a page in unknown encoding \(number)")
    }
    self = known
  }
}

extension DataPageHeader {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: valueCount = try decoder.integer32(field)
      case 2: encoding = try ValueEncoding(&decoder, field)
      case 3: definitionLevelEncoding = try ValueEncoding(&decoder, field)
      case 4: repetitionLevelEncoding = try ValueEncoding(&decoder, field)
      default: try decoder.skip(field)
      }
    }
    guard valueCount >= 0 else { throw Damage("a page of \(valueCount) values") }
  }
}

extension DataPageHeaderV2 {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: valueCount = try decoder.integer32(field)
      case 2: nullCount = try decoder.integer32(field)
      case 3: rowCount = try decoder.integer32(field)
      case 4: encoding = try ValueEncoding(&decoder, field)
      case 5: definitionLevelsLength = try decoder.integer32(field)
      case 6: repetitionLevelsLength = try decoder.integer32(field)
      case 7: isCompressed = try decoder.boolean(field)
      default: try decoder.skip(field)
      }
    }
    guard valueCount >= 0, definitionLevelsLength >= 0, repetitionLevelsLength >= 0 else {
      throw Damage("a page of \(valueCount) values with levels of negative size")
    }
  }
}

extension DictionaryPageHeader {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: valueCount = try decoder.integer32(field)
      case 2: encoding = try ValueEncoding(&decoder, field)
      case 3: isSorted = try decoder.boolean(field)
      default: try decoder.skip(field)
      }
    }
    guard valueCount >= 0 else { throw Damage("a dictionary of \(valueCount) values") }
  }
}

extension OffsetIndex {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1:
        pages = try decoder.structures(field, limit: .max) { (decoder) throws(Damage) in try PageLocation(&decoder) }
      default: try decoder.skip(field)
      }
    }
  }
}

extension PageLocation {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: offset = try decoder.integer(field)
      case 2: compressedSize = try decoder.integer32(field)
      case 3: firstRow = try decoder.integer(field)
      default: try decoder.skip(field)
      }
    }
    // Also keeps memory in proportion to what is read: an empty structure takes a byte.
    guard offset > 0, compressedSize > 0 else { throw Damage("a page without a place") }
  }
}

extension ColumnIndex {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1:
        for _ in 0..<(try decoder.list(field, of: .true)) { nullPages.append(try decoder.booleanElement()) }
      case 2:
        for _ in 0..<(try decoder.list(field, of: .binary)) { minima.append(Array(try decoder.slice())) }
      case 3:
        for _ in 0..<(try decoder.list(field, of: .binary)) { maxima.append(Array(try decoder.slice())) }
      case 4: boundaryOrder = BoundaryOrder(rawValue: try decoder.integer32(field)) ?? .unordered
      case 5: nullCounts = try decoder.integers(field, of: .int64)
      default: try decoder.skip(field)
      }
    }
    guard minima.count == nullPages.count, maxima.count == nullPages.count else {
      throw Damage("a column index whose lists differ in length")
    }
  }
}

extension BloomFilterHeader {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: byteCount = try decoder.integer32(field)
      case 2:
        try decoder.expectStructure(field)
        isSplitBlock = try decoder.union() == 1
      case 3:
        try decoder.expectStructure(field)
        isXXHash = try decoder.union() == 1
      case 4:
        try decoder.expectStructure(field)
        isUncompressed = try decoder.union() == 1
      default: try decoder.skip(field)
      }
    }
  }
}
