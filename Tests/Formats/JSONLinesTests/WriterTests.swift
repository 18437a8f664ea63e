// Tests of writing rows, and of reading packed files.

import Columnar
import Testing
import TextColumns
import TextFiles

@testable import JSONLines

@Suite struct WriterTests {
  private func written(
    _ columns: [(String, DataType)], _ rows: [[Value]], _ compression: TextCompression = .none
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let output = try TextOutput(compression) { bytes += $0 }
    let writer = JSONLinesWriter(columns: columns.map(\.0), output: output)
    var builders = columns.map { VectorBuilder(type: $0.1, capacity: max(rows.count, 1)) }
    for row in rows { for (index, value) in row.enumerated() { builders[index].append(value) } }
    try writer.append(Batch(columns: builders.map { $0.finish() }, count: rows.count))
    try writer.finish()
    return bytes
  }

  @Test func valuesAreWrittenAsJSONHasThem() throws {
    let columns: [(String, DataType)] = [
      ("n", .bigint), ("a \"b\"", .varcharUnbounded), ("d", .double), ("m", .decimal(precision: 5, scale: 2)),
      ("day", .date), ("at", .timestamp(precision: 6)), ("f", .boolean),
    ]
    let rows: [[Value]] = [
      [
        .integer(-5), .text("q\"\\\n\r\t\u{8}\u{c}\u{1}\u{1f}é🙂"), .double(0.5), .integer(-5), .integer(0), .integer(1),
        .boolean(true),
      ],
      [Value](repeating: .null, count: 7),
      [.null, .text(""), .double(.nan), .null, .null, .null, .boolean(false)],
      [.null, .null, .double(-.infinity), .null, .null, .null, .null],
    ]
    let lines = String(decoding: try written(columns, rows), as: UTF8.self).split(separator: "\n").map(String.init)
    let quoted = #""q\"\\\n\r\t\b\f\u0001\u001fé🙂""#
    #expect(lines.count == 4)
    #expect(
      lines[0] == #"{"n":-5,"a \"b\"":"# + quoted + #","d":0.5,"m":-0.05,"day":"1970-01-01","#
        + #""at":"1970-01-01 00:00:00.000001","f":true}"#)
    #expect(lines[1] == #"{"n":null,"a \"b\"":null,"d":null,"m":null,"day":null,"at":null,"f":null}"#)
    #expect(lines[2].contains(#""a \"b\"":"","d":NaN,"#))
    #expect(lines[3].contains(#""d":-Infinity,"#))
    let file = try TextFile(try written(columns, rows))
    let read = try file.rows(columns)
    #expect(read == rows.map { row in zip(row, columns).map { ValueFormatter($1.1).text($0) } })
  }

  @Test func decimalsThatDoublesCannotHoldAreTexts() throws {
    let columns: [(String, DataType)] = [
      ("a", .decimal(precision: 15, scale: 2)), ("b", .decimal(precision: 16, scale: 2)),
      ("c", .decimal(precision: 38, scale: 10)),
    ]
    let rows: [[Value]] = [[.integer(100), .integer(-100), .int128(1)], [.null, .null, .null]]
    let bytes = try written(columns, rows)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "{\"a\":1.00,\"b\":\"-1.00\",\"c\":\"0.0000000001\"}\n{\"a\":null,\"b\":null,\"c\":null}\n")
    #expect(try TextFile(bytes).rows(columns) == [["1.00", "-1.00", "0.0000000001"], [nil, nil, nil]])
    let error = failure { _ = try TextFile(Array("{\"a\":\"\"}".utf8)).rows([("a", columns[0].1)]) }
    #expect(error?.message == "a file, line 1, offset 6: \"\" in column a is no decimal(15,2)")
  }

  @Test func textThatIsNoUTF8IsRefused() throws {
    let error = failure { _ = try written([("a", .varcharUnbounded)], [[.text("fine")], [.bytes([0x61, 0xff])]]) }
    #expect(error?.code == .notSupported)
    #expect(error?.message == "The text 'a\u{fffd}' is no UTF-8, and this table's files are text")
  }

  @Test func packedFilesAreReadWhole() throws {
    let rows: [[Value]] = (0..<20_000).map { [.integer($0), .text("\"\($0 % 91)\\")] }
    let columns: [(String, DataType)] = [("a", .bigint), ("b", .varcharUnbounded)]
    for compression in [TextCompression.none, .gzip, .zstd] {
      let bytes = try written(columns, rows, compression)
      let read = try TextFile(bytes).rows(columns, compression: compression)
      #expect(read.count == 20_000)
      #expect(read.last == ["19999", "\"70\\"])
    }
  }

  @Test(arguments: [TextCompression.gzip, .zstd])
  func truncatedPackedFilesAreNamed(_ compression: TextCompression) throws {
    let rows: [[Value]] = (0..<20_000).map { [.integer($0 &* 7919 % 10_007)] }
    let bytes = try written([("a", .bigint)], rows, compression)
    for count in [bytes.count / 2, bytes.count - 1] {
      let error = failure {
        _ = try TextFile(Array(bytes[..<count])).rows([("a", .bigint)], compression: compression)
      }
      #expect(error?.code == .filesBadData)
      #expect(error?.message.contains("end in the middle near offset \(count)") ?? false)
    }
  }

  @Test func zerosBehindGzipDataArePadding() throws {
    let columns: [(String, DataType)] = [("a", .bigint)]
    let one = try written(columns, [[.integer(1)]], .gzip)
    let two = try written(columns, [[.integer(2)]], .gzip)
    let padding = [UInt8](repeating: 0, count: 300_000)
    #expect(try TextFile(one + padding).rows(columns, compression: .gzip) == [["1"]])
    #expect(try TextFile(one + padding + two + [0]).rows(columns, compression: .gzip) == [["1"], ["2"]])
    let error = failure { _ = try TextFile(one + [0, 7]).rows(columns, compression: .gzip) }
    #expect(error?.code == .filesBadData)
  }

  @Test func faultsInPackedFilesNameTheOffsetOfTheText() throws {
    let bytes = try written([("a", .varcharUnbounded)], [[.text("x")]], .gzip)
    let error = failure { _ = try TextFile(bytes).rows([("a", .bigint)], compression: .gzip) }
    #expect(error?.message == "a file, offset 6 of its text: \"x\" in column a is no bigint")
  }
}
