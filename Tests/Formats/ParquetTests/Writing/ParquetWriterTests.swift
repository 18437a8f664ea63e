// Proves that files hold the schema and the values that were put in, whatever the encoding of the vectors.
import Base
import Columnar
import Testing

@testable import Parquet

@Suite struct ParquetWriterTests {
  struct Case: Sendable {
    var type: DataType
    var physical: PhysicalType
    var logical: LogicalType?
    var values: [Value]
    /// What the file holds, where it is not the same.
    var read: [Value]?
  }

  static let long = "a text that is no inline string"

  static let cases: [Case] = [
    Case(type: .boolean, physical: .boolean, values: (0..<19).map { .boolean($0 % 3 == 0) }),
    Case(
      type: .tinyint, physical: .int32, logical: .integer(bits: 8, isSigned: true),
      values: [.integer(-128), .integer(127)]),
    Case(
      type: .smallint, physical: .int32, logical: .integer(bits: 16, isSigned: true),
      values: [.integer(-32768), .integer(32767)]),
    Case(type: .integer, physical: .int32, values: [.integer(-1 << 31), .integer(1 << 31 - 1)]),
    Case(type: .bigint, physical: .int64, values: [.integer(.min), .integer(.max), .integer(-1)]),
    Case(type: .real, physical: .float, values: [.double(1.5), .double(-.infinity)]),
    Case(type: .double, physical: .double, values: [.double(0.1), .double(-0.0), .double(.infinity)]),
    Case(
      type: .decimal(precision: 9, scale: 2), physical: .int32, logical: .decimal(precision: 9, scale: 2),
      values: [.integer(-5), .integer(999_999_999)]),
    Case(
      type: .decimal(precision: 18, scale: 0), physical: .int64, logical: .decimal(precision: 18, scale: 0),
      values: [.integer(-5), .integer(999_999_999_999_999_999)]),
    Case(
      type: .decimal(precision: 38, scale: 38), physical: .fixedLengthByteArray,
      logical: .decimal(precision: 38, scale: 38), values: [.int128(-5), .int128(.max / 2), .int128(.min / 2)]),
    Case(
      type: .varcharUnbounded, physical: .byteArray, logical: .string,
      values: [.text(""), .text("twelve bytes"), .text(long), .text("ä"), .text(long + long), .text("")]),
    Case(type: .varchar(length: 5), physical: .byteArray, logical: .string, values: [.text("a"), .text("日本")]),
    Case(
      type: .char(length: 3), physical: .byteArray, logical: .string,
      values: [.text("a"), .text("日本"), .text(""), .text("abc")],
      read: [.text("a  "), .text("日本 "), .text("   "), .text("abc")]),
    Case(
      type: .char(length: 30), physical: .byteArray, logical: .string, values: [.text("a")],
      read: [.text("a" + String(repeating: " ", count: 29))]),
    Case(type: .varbinary, physical: .byteArray, values: [.bytes([0, 255]), .bytes([])]),
    Case(type: .date, physical: .int32, logical: .date, values: [.integer(-719_162), .integer(20_000)]),
    Case(
      type: .timestamp(precision: 0), physical: .int64, logical: .timestamp(unit: .millis, isAdjustedToUTC: false),
      values: [.integer(-1_000_000), .integer(3_000_000)], read: [.integer(-1000), .integer(3000)]),
    Case(
      type: .timestamp(precision: 3), physical: .int64, logical: .timestamp(unit: .millis, isAdjustedToUTC: false),
      values: [.integer(-1000), .integer(5000)], read: [.integer(-1), .integer(5)]),
    Case(
      type: .timestamp(precision: 6), physical: .int64, logical: .timestamp(unit: .micros, isAdjustedToUTC: false),
      values: [.integer(-1), .integer(.max)]),
    Case(type: .intervalYearToMonth, physical: .int32, values: [.integer(-14), .integer(14)]),
    Case(type: .intervalDayToSecond, physical: .int64, values: [.integer(-1), .integer(86_400_000)]),
    Case(type: .unknown, physical: .int32, logical: .null, values: []),
  ]

  @Test(arguments: cases.indices, [true, false])
  func `holds every type`(index: Int, usesDictionaries: Bool) throws {
    let test = Self.cases[index]
    let expected = test.read ?? test.values
    func sparse(_ values: [Value]) -> [Value] { [.null] + values.flatMap { [$0, .null] } }
    func many(_ values: [Value]) -> [Value] { Array(repeating: values.last ?? .null, count: 50) }
    let nulls: [Value] = [.null, .null]
    let inputs: [[Value]] = [test.values, sparse(test.values), many(test.values), nulls]
    let outputs: [[Value]] = [expected, sparse(expected), many(expected), nulls]
    for (values, read) in zip(inputs, outputs) {
      let file = try WrittenFile([("v", test.type)], [batch(test.type, values)]) {
        $0.usesDictionaries = usesDictionaries
      }
      let column = file.metadata.schema[1]
      #expect(column.name == "v")
      #expect(column.type == test.physical)
      #expect(column.logicalType == test.logical)
      #expect(column.repetition == .optional)
      #expect(try file.values(0) == read)
      #expect(file.metadata.rowCount == Int64(values.count))
      if !values.isEmpty { #expect(try file.chunk(0, 0).statistics?.nullCount == Int64(read.count { $0 == .null })) }
    }
  }

  @Test(arguments: cases.indices, [true, false])
  func `constants and dictionaries are read as the rows they stand for`(index: Int, usesDictionaries: Bool) throws {
    let test = Self.cases[index]
    let values = [Value.null] + test.values
    let read = [Value.null] + (test.read ?? test.values)
    let rows = (0..<40).map { $0 * 7 % values.count }
    let entries = vector(test.type, values)
    let noNulls = vector(test.type, Array(values.dropFirst()) + [values[values.count - 1]])
    let tail = Vector(constant: vector(test.type, [values[values.count - 1]]), count: rows.count)
    let columns = [
      dictionaryVector(entries, rows), dictionaryVector(noNulls, rows.map { max($0 - 1, 0) }), tail,
      Vector.repeating(.null, type: test.type, count: rows.count),
    ]
    let names = ["d", "e", "c", "n"].map { ($0, test.type) }
    // Twice, so that the second batch finds the dictionary it knows.
    let batches = [Batch(columns: columns, count: rows.count), Batch(columns: columns, count: rows.count)]
    let file = try WrittenFile(names, batches) {
      $0.usesDictionaries = usesDictionaries
      $0.pageRows = 33
    }
    let twice = rows + rows
    #expect(try file.values(0) == twice.map { read[$0] })
    #expect(try file.values(1) == twice.map { read[min(max($0, 1), read.count - 1)] })
    #expect(try file.values(2) == twice.map { _ in read[read.count - 1] })
    #expect(try file.values(3) == twice.map { _ in .null })
  }

  @Test(arguments: [
    ParquetCompression.uncompressed, .snappy, .zstd(level: 1), .zstd(level: 9), .gzip(level: 6), .lz4Raw,
  ])
  func `pages are compressed`(compression: ParquetCompression) throws {
    let values = (0..<20_000).map { Value.text("a value with a number, \($0 / 3)") }
    let file = try WrittenFile([("v", .varcharUnbounded)], [batch(.varcharUnbounded, values)]) {
      $0.compression = compression
      $0.usesDictionaries = false
    }
    #expect(try file.values(0) == values)
    let chunk = try file.chunk(0, 0)
    #expect(chunk.codec == PageCompression(compression).codec)
    #expect((chunk.totalCompressedSize < chunk.totalUncompressedSize / 2) == (compression != .uncompressed))
  }

  @Test func `rows are cut into groups and pages`() throws {
    let batches = (0..<10).map { start in
      batch(.bigint, (0..<100).map { $0 % 7 == 0 ? .null : .integer(Int64(start * 100 + $0)) })
    }
    let file = try WrittenFile([("v", .bigint)], batches) {
      $0.rowGroupRows = 250
      $0.pageRows = 64
    }
    #expect(file.metadata.rowGroups.map(\.rowCount) == [300, 300, 300, 100])
    #expect(try file.pages(0, 0).map(\.rows) == [64, 64, 64, 64, 44])
    #expect(try file.values(0) == batches.flatMap { batch in (0..<100).map { batch.columns[0].value(at: $0) } })
  }

  @Test func `a page ends where its text is long, also within a batch`() throws {
    let text = Value.text(String(repeating: "x", count: 1000))
    for vector in [
      vector(.varcharUnbounded, Array(repeating: text, count: 100)),
      Vector(constant: vector(.varcharUnbounded, [text]), count: 100),
      dictionaryVector(vector(.varcharUnbounded, [.null, text]), Array(repeating: 1, count: 100)),
    ] {
      let file = try WrittenFile([("v", .varcharUnbounded)], [Batch(columns: [vector], count: 100)]) {
        $0.pageBytes = 10_000
        $0.usesDictionaries = false
      }
      #expect(try file.pages(0, 0).map(\.rows).max() ?? 0 <= 10)
      #expect(try file.values(0) == Array(repeating: text, count: 100))
    }
  }

  @Test func `a file without rows or columns is whole`() throws {
    let empty = try WrittenFile([("a", .date), ("b", .varcharUnbounded)], [])
    #expect(empty.metadata.schema.map(\.name) == ["schema", "a", "b"])
    #expect(empty.metadata.rowGroups.isEmpty)
    #expect(empty.metadata.rowCount == 0)
    let rowsOnly = try WrittenFile([], [Batch(columns: [], count: 7)])
    #expect(rowsOnly.metadata.rowCount == 7)
    #expect(rowsOnly.metadata.createdBy == "waterbear version \(Release.version)")
  }

  @Test func `equal names are refused`() throws {
    let error = #expect(throws: WaterbearError.self) {
      try ParquetWriter(columns: [("a", .date), ("a", .date)], output: { _ in })
    }
    #expect(error?.code == .duplicateColumnName)
  }

  @Test func `errors of the output come out`() throws {
    struct Full: Error {}
    let writer = try ParquetWriter(columns: [("a", .integer)], output: { _ in throw Full() })
    try writer.append(batch(.integer, [.integer(1)]))
    #expect(throws: Full.self) { try writer.finish() }
  }

  @Test func `no more than a row group is kept`() throws {
    var options = ParquetWriterOptions()
    options.rowGroupBytes = 100_000
    options.compression = .uncompressed
    var written = 0
    let writer = try ParquetWriter(columns: [("v", .bigint)], options: options) { written += $0.count }
    for start in 0..<200 {
      try writer.append(batch(.bigint, (0..<1000).map { .integer(Int64(start * 1000 + $0) &* 0x9e37_79b9_7f4a_7c1) }))
      #expect(writer.rows == (start + 1) * 1000)
      #expect(writer.retainedBytes < 3_000_000)
    }
    #expect(written > 1_000_000)
  }
}
