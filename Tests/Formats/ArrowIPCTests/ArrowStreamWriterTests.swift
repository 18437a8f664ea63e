// Proves that streams hold the schema and the values that were put in, whatever the encoding of the vectors.
import Base
import Columnar
import Testing

@testable import ArrowIPC

/// The bytes of a stream of `batches`.
private func stream(_ columns: [ArrowColumn], _ batches: [Batch]) throws -> [UInt8] {
  var bytes: [UInt8] = []
  let writer = ArrowStreamWriter(columns: columns) { bytes.append(contentsOf: $0) }
  try writer.begin()
  for batch in batches { try writer.append(batch) }
  try writer.finish()
  return bytes
}

private func vector(_ type: DataType, _ values: [Value]) -> Vector {
  var builder = VectorBuilder(type: type)
  for value in values { builder.append(value) }
  return builder.finish()
}

private func batch(_ type: DataType, _ values: [Value]) -> Batch {
  Batch(columns: [vector(type, values)], count: values.count)
}

struct ArrowStreamWriterTests {
  struct Case: Sendable {
    var type: DataType
    var kind: Int
    var parameters: [Int]
    var values: [Value]
    /// What the stream holds, where it is not the same.
    var read: [Value]?
  }

  static let long = "a text that is no inline string"

  static let cases: [Case] = [
    Case(type: .boolean, kind: 6, parameters: [], values: (0..<19).map { .boolean($0 % 3 == 0) }),
    Case(type: .tinyint, kind: 2, parameters: [8, 1], values: [.integer(-128), .integer(127)]),
    Case(type: .smallint, kind: 2, parameters: [16, 1], values: [.integer(-32768), .integer(32767)]),
    Case(type: .integer, kind: 2, parameters: [32, 1], values: [.integer(-1 << 31), .integer(1 << 31 - 1)]),
    Case(type: .bigint, kind: 2, parameters: [64, 1], values: [.integer(.min), .integer(.max), .integer(-1)]),
    Case(type: .real, kind: 3, parameters: [1], values: [.double(1.5), .double(-.infinity)]),
    Case(type: .double, kind: 3, parameters: [2], values: [.double(0.1), .double(-0.0), .double(.infinity)]),
    Case(
      type: .decimal(precision: 18, scale: 2), kind: 7, parameters: [18, 2, 128],
      values: [.integer(-5), .integer(999_999_999_999_999_999)],
      read: [.int128(-5), .int128(999_999_999_999_999_999)]),
    Case(
      type: .decimal(precision: 38, scale: 38), kind: 7, parameters: [38, 38, 128],
      values: [.int128(-5), .int128(.max / 2), .int128(.min / 2)]),
    Case(
      type: .varcharUnbounded, kind: 5, parameters: [],
      values: [.text(""), .text("twelve bytes"), .text(long), .text("ä"), .text(long + long), .text("")]),
    Case(type: .varchar(length: 5), kind: 5, parameters: [], values: [.text("a"), .text("日本")]),
    Case(
      type: .char(length: 3), kind: 5, parameters: [], values: [.text("a"), .text("日本"), .text(""), .text("abc")],
      read: [.text("a  "), .text("日本 "), .text("   "), .text("abc")]),
    Case(type: .varbinary, kind: 4, parameters: [], values: [.bytes([0, 255]), .bytes([])]),
    Case(type: .date, kind: 8, parameters: [0], values: [.integer(-719_162), .integer(20_000)]),
    Case(
      type: .timestamp(precision: 0), kind: 10, parameters: [0], values: [.integer(-1_000_000), .integer(3_000_000)],
      read: [.integer(-1), .integer(3)]),
    Case(
      type: .timestamp(precision: 1), kind: 10, parameters: [1], values: [.integer(-100_000)], read: [.integer(-100)]),
    Case(
      type: .timestamp(precision: 3), kind: 10, parameters: [1], values: [.integer(-1), .integer(1999)],
      read: [.integer(-1), .integer(1)]),
    Case(type: .timestamp(precision: 4), kind: 10, parameters: [2], values: [.integer(-100)]),
    Case(type: .timestamp(precision: 6), kind: 10, parameters: [2], values: [.integer(-1), .integer(.max)]),
    Case(type: .intervalYearToMonth, kind: 2, parameters: [32, 1], values: [.integer(-14), .integer(14)]),
    Case(type: .intervalDayToSecond, kind: 18, parameters: [1], values: [.integer(-1), .integer(86_400_000)]),
    Case(type: .unknown, kind: 1, parameters: [], values: []),
  ]

  @Test(arguments: cases.indices)
  func holdsEveryType(index: Int) throws {
    let test = Self.cases[index]
    let column = ArrowColumn("v", test.type)
    let expected = test.read ?? test.values
    let field = ArrowStream.Field(
      name: "v", kind: test.kind, parameters: test.parameters, sqlType: test.type.description)
    let dense = ArrowStream(try stream([column], [batch(test.type, test.values)]))
    #expect(dense.fields == [field])
    #expect(dense.batches == (expected.isEmpty ? [] : [[expected]]))
    let sparse = ArrowStream(
      try stream([column], [batch(test.type, [.null] + test.values.flatMap { [$0, .null] })]))
    #expect(sparse.batches == [[[.null] + expected.flatMap { [$0, .null] }]])
    let none = ArrowStream(try stream([column], [batch(test.type, [.null, .null, .null])]))
    #expect(none.batches == [[[.null, .null, .null]]])
  }

  @Test(arguments: cases.indices)
  func constantsAndDictionariesAreFlat(index: Int) throws {
    let test = Self.cases[index]
    let values = [Value.null] + test.values
    let read = [Value.null] + (test.read ?? test.values)
    let rows = [values.count - 1, 0, values.count / 2, values.count - 1]
    let indices = Buffer(count: rows.count, of: Int32.self)
    for (row, index) in rows.enumerated() { indices.pointer(to: Int32.self)[row] = Int32(index) }
    let dictionary = Vector(dictionary: vector(test.type, values), indices: indices, count: rows.count)
    // Values below the constant's own row must not come through.
    let constant = Vector(constant: vector(test.type, [values[values.count - 1]]), count: rows.count)
    let null = Vector.repeating(.null, type: test.type, count: rows.count)
    let result = ArrowStream(
      try stream(
        ["d", "c", "n"].map { ArrowColumn($0, test.type) },
        [Batch(columns: [dictionary, constant, null], count: rows.count)]))
    #expect(result.fields.map(\.name) == ["d", "c", "n"])
    #expect(
      result.batches == [
        [
          rows.map { read[$0] }, rows.map { _ in read[read.count - 1] }, rows.map { _ in .null },
        ]
      ])
  }

  @Test func severalBatchesFollowEachOther() throws {
    let columns = [ArrowColumn("", .integer), ArrowColumn("", .varcharUnbounded)]
    let batches = [3, 0, 8193].map { count in
      Batch(
        columns: [
          vector(.integer, (0..<count).map { .integer(Int64($0)) }),
          vector(.varcharUnbounded, (0..<count).map { .text("\($0)") }),
        ], count: count)
    }
    let result = ArrowStream(try stream(columns, batches))
    #expect(result.rows == [3, 8193])
    #expect(result.batches[0] == [[.integer(0), .integer(1), .integer(2)], [.text("0"), .text("1"), .text("2")]])
    #expect(result.batches[1][1] == (0..<8193).map { .text("\($0)") })
  }

  @Test func aStreamWithoutRowsOrColumnsIsWhole() throws {
    let empty = ArrowStream(try stream([ArrowColumn("v", .date)], []))
    #expect(empty.fields.map(\.name) == ["v"])
    #expect(empty.batches.isEmpty)
    let rowsOnly = ArrowStream(try stream([], [Batch(columns: [], count: 7)]))
    #expect(rowsOnly.rows == [7])
    #expect(rowsOnly.batches == [[]])
  }

  @Test func longTextIsSpreadOverBatches() throws {
    let text = Value.bytes([UInt8](repeating: 0x61, count: 20 << 20))
    let rows = 8
    let constant = Vector(constant: vector(.varcharUnbounded, [text]), count: rows)
    let numbers = vector(.integer, (0..<rows).map { .integer(Int64($0)) })
    var sizes: [Int] = []
    let writer = ArrowStreamWriter(columns: [ArrowColumn("t", .varcharUnbounded), ArrowColumn("n", .integer)]) {
      sizes.append($0.count)
    }
    try writer.append(Batch(columns: [constant, numbers], count: rows))
    #expect(sizes.count { $0 == 40 << 20 } == 4)
  }

  @Test func errorsOfTheOutputComeOut() throws {
    struct Full: Error {}
    let writer = ArrowStreamWriter(columns: [ArrowColumn("v", .integer)]) { _ in throw Full() }
    #expect(throws: Full.self) { try writer.begin() }
    #expect(throws: Full.self) { try writer.append(batch(.integer, [.integer(1)])) }
    #expect(throws: Full.self) { try writer.finish() }
  }

  /// The bytes of the simplest stream, as pyarrow 26 reads it.
  @Test func framesAreAsTheFormatSays() throws {
    let bytes = try stream([ArrowColumn("v", .tinyint)], [batch(.tinyint, [.integer(7), .null, .integer(9)])])
    #expect(Array(bytes[..<4]) == [0xff, 0xff, 0xff, 0xff])
    #expect(Array(bytes.suffix(8)) == [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
    // The body: validity 101 in binary, then the values, each padded with zeros to 8 bytes.
    #expect(Array(bytes.dropLast(8).suffix(16)) == [5, 0, 0, 0, 0, 0, 0, 0, 7, 0, 9, 0, 0, 0, 0, 0])
  }
}
