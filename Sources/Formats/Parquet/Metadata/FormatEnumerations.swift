// Owns the numbers that stand for types, encodings and codecs in Parquet's metadata (parquet-format, parquet.thrift).

/// How values lie in a file.
enum PhysicalType: Int32, Sendable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case int96 = 3
  case float = 4
  case double = 5
  case byteArray = 6
  case fixedLengthByteArray = 7

  /// Bytes of a value in PLAIN encoding; nil where that is not the same for all, or not a whole number.
  var fixedWidth: Int? {
    switch self {
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .boolean, .byteArray, .fixedLengthByteArray: nil
    }
  }
}

/// What values mean, as older writers say it.
enum ConvertedType: Int32, Sendable {
  case utf8 = 0
  case map = 1
  case mapKeyValue = 2
  case list = 3
  case `enum` = 4
  case decimal = 5
  case date = 6
  case timeMillis = 7
  case timeMicros = 8
  case timestampMillis = 9
  case timestampMicros = 10
  case uint8 = 11
  case uint16 = 12
  case uint32 = 13
  case uint64 = 14
  case int8 = 15
  case int16 = 16
  case int32 = 17
  case int64 = 18
  case json = 19
  case bson = 20
  case interval = 21
}

/// What values mean, as newer writers say it.
enum LogicalType: Hashable, Sendable {
  case string
  case map
  case list
  case `enum`
  case decimal(precision: Int32, scale: Int32)
  case date
  case time(unit: TimeUnit, isAdjustedToUTC: Bool)
  case timestamp(unit: TimeUnit, isAdjustedToUTC: Bool)
  case integer(bits: Int8, isSigned: Bool)
  /// A column of NULLs.
  case null
  case json
  case bson
  case uuid
  case float16
  case variant
  case geometry
  case geography
  /// One that came after this was written, by the number of its field.
  case other(Int16)
}

/// The unit of times and timestamps.
enum TimeUnit: Int16, Sendable {
  case millis = 1
  case micros = 2
  case nanos = 3
}

/// How often a node of the schema occurs in its parent.
enum Repetition: Int32, Sendable {
  case required = 0
  case optional = 1
  case repeated = 2
}

/// How values are written in a page.
enum ValueEncoding: Int32, Sendable {
  case plain = 0
  case plainDictionary = 2
  case rle = 3
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case rleDictionary = 8
  case byteStreamSplit = 9
}

/// How pages are compressed.
enum CompressionCodec: Int32, Sendable {
  case uncompressed = 0
  case snappy = 1
  case gzip = 2
  case lzo = 3
  case brotli = 4
  /// LZ4 in a frame of Hadoop's, or in none: writers disagreed.
  case lz4 = 5
  case zstd = 6
  case lz4Raw = 7
}

/// What a page holds.
enum PageType: Int32, Sendable {
  case data = 0
  case index = 1
  case dictionary = 2
  case dataV2 = 3
}
