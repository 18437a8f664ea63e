// Tests of writing rows: what needs quotes, and that all that is written reads as what it was.

import Base
import Columnar
import Testing
import TextColumns
import TextFiles

@testable import Delimited

@Suite struct WriterTests {
  private func written(_ dialect: Dialect, _ types: [DataType], _ rows: [[Value]]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let output = try TextOutput(.none) { bytes += $0 }
    let writer = DelimitedWriter(columns: types.indices.map { "c\($0)" }, dialect: dialect, output: output)
    var builders = types.map { VectorBuilder(type: $0, capacity: max(rows.count, 1)) }
    for row in rows { for (index, value) in row.enumerated() { builders[index].append(value) } }
    try writer.append(Batch(columns: builders.map { $0.finish() }, count: rows.count))
    try writer.finish()
    return bytes
  }

  private static let types: [DataType] = [
    .bigint, .double, .boolean, .date, .timestamp(precision: 3), .decimal(precision: 5, scale: 2), .varcharUnbounded,
  ]
  private static let rows: [[Value]] = [
    [.integer(0), .double(.nan), .boolean(false), .integer(0), .integer(0), .integer(0), .text("0")],
    [
      .integer(-1), .double(-1), .boolean(true), .integer(-1), .integer(-1000), .integer(-100), .text("-1"),
    ],
    [.integer(7), .double(1e10), .null, .integer(19782), .null, .integer(7), .text("a \"b\", é\r\n")],
    [Value](repeating: .null, count: 7),
    [.null, .null, .null, .null, .null, .null, .text("")],
  ]

  /// Whatever stands for NULL and parts fields: no value becomes NULL or another one.
  @Test(arguments: ["", "0", "-1", "NaN", "false", "true", "1970-01-01", "0.00", "\\N", "-1.0"])
  func whatIsWrittenIsRead(_ nullText: String) throws {
    // What stands for NULL cannot hold the delimiter.
    for delimiter in ",;\t|-.: 0eE".utf8 where !nullText.utf8.contains(delimiter) {
      let dialect = Dialect(delimiter: delimiter, nullText: nullText, fieldCount: 7)
      let file = try TextFile(try written(dialect, Self.types, Self.rows))
      let expected = Self.rows.map { row in zip(row, Self.types).map { ValueFormatter($1).text($0) } }
      #expect(try file.rows(dialect, Self.types) == expected, "delimiter \(delimiter)")
    }
  }

  @Test func valuesOfUsualDialectsHaveNoQuotes() throws {
    let bytes = try written(Dialect(nullText: "\\N", fieldCount: 7), Self.types, [Self.rows[0], Self.rows[3]])
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "c0,c1,c2,c3,c4,c5,c6\n0,NaN,false,1970-01-01,1970-01-01 00:00:00.000,0.00,0\n"
        + "\\N,\\N,\\N,\\N,\\N,\\N,\\N\n")
  }

  @Test func whatCannotBeQuotedIsRefused() throws {
    let error = failure {
      _ = try written(Dialect(quote: nil, nullText: "0", fieldCount: 1), [.bigint], [[.integer(1)], [.integer(0)]])
    }
    #expect(error?.code == .notSupported)
    #expect(error?.message.hasPrefix("The value '0' needs quotes") ?? false)
  }

  @Test func textThatIsNoUTF8IsRefused() throws {
    for bytes in [[0xff], Array("a long text, then ".utf8) + [0xc3], [0xed, 0xa0, 0x80]] as [[UInt8]] {
      let error = failure { _ = try written(Dialect(), [.varcharUnbounded], [[.bytes(bytes)]]) }
      #expect(error?.code == .notSupported)
      #expect(error?.message.contains("is no UTF-8") ?? false)
    }
  }
}
