// Owns reading a footer's structures from Thrift. Checks that what must be there is there, and no meaning beyond that.

extension CompactDecoder {
  /// The elements of a list of structures.
  mutating func structures<Element>(
    _ field: Field, limit: Int, _ decode: (inout CompactDecoder) throws(Damage) -> Element
  ) throws(Damage) -> [Element] {
    let count = try list(field, of: .structure)
    guard count <= limit else { throw Damage("\(count) elements in field \(field.id), where \(limit) are allowed") }
    var elements: [Element] = []
    elements.reserveCapacity(min(count, 1024))
    for _ in 0..<count { elements.append(try decode(&self)) }
    return elements
  }

  /// The elements of a list of numbers.
  mutating func integers(_ field: Field, of kind: Kind) throws(Damage) -> [Int64] {
    let count = try list(field, of: kind)
    var elements: [Int64] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try element()) }
    return elements
  }
}

extension FileMetadata {
  /// Reads a footer. `limits` bounds its lists.
  init(_ decoder: inout CompactDecoder, limits: ParquetLimits) throws(Damage) {
    var hasSchema = false
    var last: Int16 = 0
    var paths = PathCache()
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: version = try decoder.integer32(field)
      case 2:
        schema = try decoder.structures(field, limit: limits.schemaElements) { (decoder) throws(Damage) in
          try SchemaElement(&decoder)
        }
        hasSchema = true
      case 3: rowCount = try decoder.integer(field)
      case 4:
        guard hasSchema else { throw Damage("row groups in front of the schema") }
        rowGroups = try decoder.structures(field, limit: limits.rowGroups) { [limits] (decoder) throws(Damage) in
          try RowGroup(&decoder, limits: limits, paths: &paths)
        }
      case 5:
        keyValues = try decoder.structures(field, limit: limits.schemaElements) { (decoder) throws(Damage) in
          try KeyValue(&decoder)
        }
      case 6: createdBy = try decoder.text(field)
      case 7:
        hasTypeDefinedOrder = try decoder.structures(field, limit: limits.schemaElements) { (decoder) throws(Damage) in
          try decoder.union() == 1
        }
      default: try decoder.skip(field)
      }
    }
    guard hasSchema else { throw Damage("a footer without a schema") }
  }
}

extension CompactDecoder {
  /// A union of which only the choice counts: the number of the field that is set, 0 for none.
  mutating func union() throws(Damage) -> Int16 {
    var choice: Int16 = 0
    var last: Int16 = 0
    while let field = try field(after: &last) {
      choice = field.id
      try skip(field)
    }
    return choice
  }
}

extension KeyValue {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: key = try decoder.text(field)
      case 2: value = try decoder.text(field)
      default: try decoder.skip(field)
      }
    }
  }
}

extension SchemaElement {
  init(_ decoder: inout CompactDecoder) throws(Damage) {
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1:
        let number = try decoder.integer32(field)
        guard let known = PhysicalType(rawValue: number) else { throw Damage("an unknown physical type \(number)") }
        type = known
      case 2: typeLength = try decoder.integer32(field)
      case 3:
        let number = try decoder.integer32(field)
        guard let known = Repetition(rawValue: number) else { throw Damage("an unknown repetition \(number)") }
        repetition = known
      case 4: name = try decoder.text(field)
      case 5: childCount = try decoder.integer32(field)
      case 6: convertedType = ConvertedType(rawValue: try decoder.integer32(field))
      case 7: scale = try decoder.integer32(field)
      case 8: precision = try decoder.integer32(field)
      case 9: fieldID = try decoder.integer32(field)
      case 10:
        try decoder.expectStructure(field)
        logicalType = try LogicalType(&decoder)
      default: try decoder.skip(field)
      }
    }
  }
}

extension LogicalType {
  /// Reads the union; nil for one that says nothing.
  init?(_ decoder: inout CompactDecoder) throws(Damage) {
    var found: LogicalType?
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      try decoder.expectStructure(field)
      switch field.id {
      case 5: found = try Self.decimal(&decoder)
      case 7:
        let (unit, isAdjusted) = try Self.time(&decoder)
        found = .time(unit: unit, isAdjustedToUTC: isAdjusted)
      case 8:
        let (unit, isAdjusted) = try Self.time(&decoder)
        found = .timestamp(unit: unit, isAdjustedToUTC: isAdjusted)
      case 10: found = try Self.integer(&decoder)
      default:
        found = Self.plain[field.id] ?? .other(field.id)
        try decoder.skip(field)
      }
    }
    guard let found else { return nil }
    self = found
  }

  /// Those without parameters that count here, by their fields.
  private static let plain: [Int16: LogicalType] = [
    1: .string, 2: .map, 3: .list, 4: .enum, 6: .date, 11: .null, 12: .json, 13: .bson, 14: .uuid, 15: .float16,
    16: .variant, 17: .geometry, 18: .geography,
  ]

  private static func decimal(_ decoder: inout CompactDecoder) throws(Damage) -> LogicalType {
    var (scale, precision): (Int32, Int32) = (0, 0)
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: scale = try decoder.integer32(field)
      case 2: precision = try decoder.integer32(field)
      default: try decoder.skip(field)
      }
    }
    return .decimal(precision: precision, scale: scale)
  }

  private static func time(_ decoder: inout CompactDecoder) throws(Damage) -> (TimeUnit, Bool) {
    var isAdjusted = false
    var unit: TimeUnit?
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: isAdjusted = try decoder.boolean(field)
      case 2:
        try decoder.expectStructure(field)
        unit = TimeUnit(rawValue: try decoder.union())
      default: try decoder.skip(field)
      }
    }
    guard let unit else { throw Damage("a time without a known unit") }
    return (unit, isAdjusted)
  }

  private static func integer(_ decoder: inout CompactDecoder) throws(Damage) -> LogicalType {
    var bits: Int64 = 0
    var isSigned = true
    var last: Int16 = 0
    while let field = try decoder.field(after: &last) {
      switch field.id {
      case 1: bits = try decoder.integer(field)
      case 2: isSigned = try decoder.boolean(field)
      default: try decoder.skip(field)
      }
    }
    guard [8, 16, 32, 64].contains(bits) else { throw Damage("an integer of \(bits) bits") }
    return .integer(bits: Int8(bits), isSigned: isSigned)
  }
}
