// Proves that the reader gives back what the writer took, for random rows in all encodings and with all options.
import Base
import Columnar
import ConnectorAPI
import Glibc
import Testing

@testable import Parquet

@Suite struct RoundTripTests {
  static let types: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal(precision: 5, scale: 2),
    .decimal(precision: 15, scale: 4), .decimal(precision: 30, scale: 10), .varcharUnbounded, .varchar(length: 4),
    .char(length: 6), .varbinary, .date, .timestamp(precision: 3), .timestamp(precision: 6), .intervalYearToMonth,
    .intervalDayToSecond,
  ]

  @Test(arguments: 0..<10)
  func `random rows come back`(seed: Int) throws {
    var random = SplitMix(seed: UInt64(seed) &* 0x1234_5678_9abc_def1)
    var options = ParquetWriterOptions()
    options.compression = [.uncompressed, .snappy, .zstd(level: 1), .gzip(level: 1), .lz4Raw][seed % 5]
    options.usesDictionaries = random.next() % 4 > 0
    options.pageRows = Int(random.next() % 1000) + 30
    options.pageBytes = Int(random.next() % 20_000) + 200
    options.dictionaryBytes = Int(random.next() % 3000)
    options.rowGroupRows = Int(random.next() % 3000) + 1
    options.statisticsBytes = Int(random.next() % 20) + 1
    let batches = (0..<Int(random.next() % 5) + 1).map { _ in
      let count = Int(random.next() % 1000)
      return Batch(columns: Self.types.map { Self.column($0, count, &random) }, count: count)
    }
    let file = try Self.written(batches, options)
    #expect(file.rowCount == batches.reduce(0) { $0 + Int64($1.count) })
    let columns = file.columns.indices.map { ParquetReadColumn(source: .column($0), type: file.columns[$0].type!) }
    let source = try file.reader(rowGroups: 0..<file.rowGroupCount, columns: columns)
    var read: [[Value]] = Self.types.map { _ in [] }
    while let batch = try source.next() {
      for index in Self.types.indices {
        for row in 0..<batch.count { read[index].append(batch.columns[index].value(at: row)) }
      }
    }
    for (index, type) in Self.types.enumerated() {
      let expected = batches.flatMap { batch in
        (0..<batch.count).map { Self.stored(batch.columns[index].value(at: $0), type) }
      }
      #expect(read[index] == expected, "column of \(type)")
    }
    try checkStatistics(of: file)
  }

  /// Bounds in the footer are those of the values.
  private func checkStatistics(of file: ParquetFile) throws {
    for group in 0..<file.rowGroupCount {
      for (index, column) in file.columns.enumerated() {
        guard let type = column.type, type != .real, type != .double else { continue }
        let source = try file.reader(
          rowGroups: [group], columns: [ParquetReadColumn(source: .column(index), type: type)])
        var nulls: Int64 = 0
        var outside = 0
        let statistics = file.statistics(ofRowGroup: group, column: index)
        while let batch = try source.next() {
          for row in 0..<batch.count {
            let value = batch.columns[0].value(at: row)
            if value.isNull { nulls += 1 }
            if let minimum = statistics.minimum, Self.isLess(value, minimum) { outside += 1 }
            if let maximum = statistics.maximum, Self.isLess(maximum, value) { outside += 1 }
          }
        }
        #expect(statistics.nullCount == nulls)
        #expect(outside == 0, "values outside of the bounds of \(type)")
      }
    }
  }

  private static func isLess(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.integer(let left), .integer(let right)): left < right
    case (.int128(let left), .int128(let right)): left < right
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
  }

  /// A file without a name.
  private static func written(_ batches: [Batch], _ options: ParquetWriterOptions) throws -> ParquetFile {
    var template = Array("/tmp/waterbear-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    unlink(template)
    let columns = types.enumerated().map { (name: "c\($0)", type: $1) }
    let writer = try ParquetWriter(columns: columns, options: options) { bytes in
      #expect(write(descriptor, bytes.baseAddress, bytes.count) == bytes.count)
    }
    for batch in batches { try writer.append(batch) }
    try writer.finish()
    return try ParquetFile(adopting: descriptor, name: "round-trip")
  }

  /// How a value comes back.
  private static func stored(_ value: Value, _ type: DataType) -> Value {
    switch (type, value) {
    case (.char(let length), .bytes(let bytes)):
      .bytes(
        bytes + Array(repeating: 0x20, count: length - String(decoding: bytes, as: UTF8.self).unicodeScalars.count))
    case (.timestamp(3), .integer(let micros)): .integer(micros.flooredQuotient(by: 1000) * 1000)
    default: value
    }
  }

  /// A column in one of the encodings, with some NULLs or none or only NULLs, of few or of many values.
  private static func column(_ type: DataType, _ count: Int, _ random: inout SplitMix) -> Vector {
    let distinct = [1, 3, 50, 100_000][Int(random.next() % 4)]
    let nulls = [0, 0, 1, 5, 10][Int(random.next() % 5)]
    func value() -> Value {
      random.next() % 10 < UInt64(nulls) ? .null : Self.value(type, random.next() % UInt64(distinct))
    }
    switch random.next() % 4 {
    case 0:
      let entries = vector(type, (0..<Int(random.next() % 60) + 1).map { _ in value() })
      return dictionaryVector(entries, (0..<count).map { _ in Int(random.next() % UInt64(entries.count)) })
    case 1: return Vector(constant: vector(type, [value()]), count: count)
    default: return vector(type, (0..<count).map { _ in value() })
    }
  }

  private static func value(_ type: DataType, _ number: UInt64) -> Value {
    var mixer = SplitMix(seed: number)
    let bits = Int64(bitPattern: mixer.next())
    switch type.layout {
    case .boolean: return .boolean(bits & 1 == 1)
    case .int8: return .integer(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: return .integer(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: return .integer(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64:
      if case .decimal(let precision, _) = type {
        return .integer(bits % (precision <= 9 ? 99_999 : 1_000_000_000_000))
      }
      return .integer(bits >> 8)
    case .int128: return .int128(Int128(bits) * 100_000_000_000)
    case .float32: return .double(Double(Float(bits >> 40) / 8))
    case .float64: return .double(Double(bits) / 1024)
    case .string:
      switch type {
      case .varbinary: return .bytes((0..<Int(bits & 31)).map { UInt8(truncatingIfNeeded: bits >> Int64($0)) })
      case .varchar(nil): return .text(String(repeating: "é\(number) ", count: Int(bits & 7)))
      // Without blanks at the end, as char values are.
      default: return .text(String("\(number)ä".suffix(4)))
      }
    }
  }
}
