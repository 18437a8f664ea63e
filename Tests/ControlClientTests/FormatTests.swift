// Proves how values and rows are spelled in each format.
import Base
import Columnar
import Glibc
import Testing

@testable import ControlClient

/// What a format makes of rows.
private func printed(_ format: OutputFormat, _ columns: [OutputColumn], _ batches: [Batch]) throws -> String {
  let file = TemporaryFile()
  let output = OutputStream(descriptor: file.descriptor)
  let writer = format.writer(to: output)
  try writer.begin(columns)
  for batch in batches { try writer.write(batch) }
  try writer.finish()
  try output.flush()
  return file.contents()
}

private func printed(_ format: OutputFormat, _ type: DataType, _ values: [Value]) throws -> String {
  try printed(format, [OutputColumn("v", type)], [TestBatch.make(values.map { [$0] }, types: [type])])
}

struct FormatTests {
  static let values: [(DataType, Value, text: String, json: String)] = [
    (.boolean, .boolean(true), "true", "true"),
    (.tinyint, .integer(-128), "-128", "-128"),
    (.smallint, .integer(32767), "32767", "32767"),
    (.integer, .integer(-1), "-1", "-1"),
    (.bigint, .integer(.max), "9223372036854775807", "9223372036854775807"),
    (.real, .double(1.5), "1.5", "1.5"),
    (.double, .double(1e10), "1.0E10", "1.0E10"),
    (.double, .double(.nan), "NaN", "\"NaN\""),
    (.double, .double(-.infinity), "-Infinity", "\"-Infinity\""),
    (.real, .double(.infinity), "Infinity", "\"Infinity\""),
    (.decimal(precision: 15, scale: 2), .integer(-5), "-0.05", "-0.05"),
    (.decimal(precision: 16, scale: 2), .integer(12345), "123.45", "\"123.45\""),
    (.decimal(precision: 38, scale: 0), .int128(Int128.max / 2), "85070591730234615865843651857942052863",
      "\"85070591730234615865843651857942052863\""),
    (.varcharUnbounded, .text("a"), "a", "\"a\""),
    (.varchar(length: 3), .text("äö"), "äö", "\"äö\""),
    (.char(length: 4), .text("ab"), "ab  ", "\"ab  \""),
    (.varbinary, .bytes([0, 255]), "00 ff", "\"00 ff\""),
    (.date, .integer(0), "1970-01-01", "\"1970-01-01\""),
    (.timestamp(precision: 3), .integer(1_500), "1970-01-01 00:00:00.001", "\"1970-01-01 00:00:00.001\""),
    (.intervalYearToMonth, .integer(14), "1-2", "\"1-2\""),
    (.intervalDayToSecond, .integer(1000), "0 00:00:01.000", "\"0 00:00:01.000\""),
  ]

  @Test(arguments: values.indices)
  func spellsEveryType(index: Int) throws {
    let (type, value, text, json) = Self.values[index]
    #expect(try printed(.csv, type, [value, .null]) == "v\n\(text)\n\n")
    #expect(try printed(.tsv, type, [value, .null]) == "v\n\(text)\n\n")
    #expect(try printed(.jsonl, type, [value, .null]) == "{\"v\":\(json)}\n{\"v\":null}\n")
    #expect(try printed(.table, type, [value, .null]).contains("NULL"))
  }

  @Test func aBareNullHasAForm() throws {
    #expect(try printed(.csv, .unknown, [.null]) == "v\n\n")
    #expect(try printed(.json, .unknown, [.null]) == "[\n{\"v\":null}\n]\n")
  }

  static let texts: [(String, csv: String, tsv: String, json: String)] = [
    ("", "\"\"", "\"\"", "\"\""),
    ("plain text", "plain text", "plain text", "\"plain text\""),
    ("a,b", "\"a,b\"", "a,b", "\"a,b\""),
    ("say \"hi\"", "\"say \"\"hi\"\"\"", "say \"hi\"", "\"say \\\"hi\\\"\""),
    ("\"\"", "\"\"\"\"\"\"", "\\\"\"", "\"\\\"\\\"\""),
    ("two\nlines", "\"two\nlines\"", "two\\nlines", "\"two\\nlines\""),
    ("cr\rlf", "\"cr\rlf\"", "cr\\rlf", "\"cr\\rlf\""),
    ("tab\there", "tab\there", "tab\\there", "\"tab\\there\""),
    ("back\\slash", "back\\slash", "back\\\\slash", "\"back\\\\slash\""),
    ("bell\u{7}", "bell\u{7}", "bell\u{7}", "\"bell\\u0007\""),
    ("日本 é 👍 long enough to be no inline string", "日本 é 👍 long enough to be no inline string",
      "日本 é 👍 long enough to be no inline string", "\"日本 é 👍 long enough to be no inline string\""),
  ]

  @Test(arguments: texts.indices)
  func escapesText(index: Int) throws {
    let (text, csv, tsv, json) = Self.texts[index]
    #expect(try printed(.csv, .varcharUnbounded, [.text(text)]) == "v\n\(csv)\n")
    #expect(try printed(.tsv, .varcharUnbounded, [.text(text)]) == "v\n\(tsv)\n")
    #expect(try printed(.jsonl, .varcharUnbounded, [.text(text)]) == "{\"v\":\(json)}\n")
  }

  @Test func escapesColumnNames() throws {
    let columns = [OutputColumn("a,\"b\"", .integer), OutputColumn("t\tn", .integer)]
    let batch = TestBatch.make([[.integer(1), .integer(2)]], types: [.integer, .integer])
    #expect(try printed(.csv, columns, [batch]) == "\"a,\"\"b\"\"\",t\tn\n1,2\n")
    #expect(try printed(.tsv, columns, [batch]) == "a,\"b\"\tt\\tn\n1\t2\n")
    #expect(try printed(.jsonl, columns, [batch]) == "{\"a,\\\"b\\\"\":1,\"t\\tn\":2}\n")
  }

  @Test func spellsConstantsAndDictionariesLikeFlatVectors() throws {
    let dictionary = TestBatch.make([[.text("x,y")], [.null], [.text("")]], types: [.varcharUnbounded]).columns[0]
    let indices = Buffer(count: 4, of: Int32.self)
    for (row, index) in [Int32(2), 0, 1, 0].enumerated() { indices.pointer(to: Int32.self)[row] = index }
    let columns = [
      Vector(dictionary: dictionary, indices: indices, count: 4),
      Vector.repeating(.integer(7), type: .integer, count: 4), Vector.repeating(.null, type: .date, count: 4),
      Vector.repeating(.text("c"), type: .char(length: 2), count: 4),
    ]
    let types = [
      OutputColumn("d", .varcharUnbounded), OutputColumn("i", .integer), OutputColumn("n", .date),
      OutputColumn("c", .char(length: 2)),
    ]
    let text = try printed(.csv, types, [Batch(columns: columns, count: 4)])
    #expect(text == "d,i,n,c\n\"\",7,,c \n\"x,y\",7,,c \n,7,,c \n\"x,y\",7,,c \n")
  }

  @Test func jsonHasCommasBetweenBatchesOnly() throws {
    let columns = [OutputColumn("v", .integer)]
    let one = TestBatch.make([[.integer(1)]], types: [.integer])
    let none = TestBatch.make([], types: [.integer])
    #expect(try printed(.json, columns, [none, one, none, one, none]) == "[\n{\"v\":1},\n{\"v\":1}\n]\n")
    #expect(try printed(.json, columns, [none]) == "[]\n")
  }

  @Test func nothingComesOfNoColumns() throws {
    for format in OutputFormat.allCases where format != .json && !format.isBinary {
      #expect(try printed(format, [], []) == "")
    }
  }

  @Test func alignsWideAndCombiningCharacters() throws {
    let columns = [OutputColumn("名", .varcharUnbounded), OutputColumn("n", .integer)]
    let rows: [[Value]] = [[.text("日本"), .integer(1)], [.text("e\u{301}"), .integer(22)], [.null, .null]]
    let batch = TestBatch.make(rows, types: columns.map(\.type))
    #expect(
      try printed(.table, columns, [batch])
        == " 名   | n\n------+------\n 日本 |    1\n e\u{301}    |   22\n NULL | NULL\n(3 rows)\n")
  }

  @Test func showsLineBreaksAndControlCharacters() throws {
    let columns = [OutputColumn("a", .varcharUnbounded), OutputColumn("b", .varcharUnbounded)]
    let rows: [[Value]] = [[.text("one\ntwo"), .text("\u{1b}[31m\u{9b}x")], [.text("x"), .text("y\nz")]]
    let batch = TestBatch.make(rows, types: columns.map(\.type))
    #expect(
      try printed(.table, columns, [batch]) == """
         a   | b
        -----+-------------------
         one+| \\u001b[31m\\u009bx
         two |\u{20}
         x   | y                +
             | z
        (2 rows)

        """)
    #expect(try printed(.markdown, columns, [batch]).contains("| one<br>two | "))
  }

  @Test func markdownEscapesBars() throws {
    #expect(try printed(.markdown, .varcharUnbounded, [.text("a|b")]).contains("| a\\|b |"))
  }

  @Test func aLongTableStreams() throws {
    let file = TemporaryFile()
    let output = OutputStream(descriptor: file.descriptor)
    let writer = AlignedWriter(.display, output: output)
    writer.begin([OutputColumn("v", .varcharUnbounded), OutputColumn("n", .integer)])
    let row: [Value] = [.text("abc"), .integer(1)]
    let batch = TestBatch.make(Array(repeating: row, count: 1000), types: [.varcharUnbounded, .integer])
    for _ in 0..<4 { try writer.write(batch) }
    #expect(output.buffer.count == 0, "the first rows are held back")
    try writer.write(batch)
    #expect(output.buffer.count > 0, "widths are fixed from 5000 rows on")
    let wide: [Value] = [.text("wider than the column"), .integer(2)]
    try writer.write(TestBatch.make([wide], types: [.varcharUnbounded, .integer]))
    try writer.finish()
    try output.flush()
    #expect(file.contents().hasSuffix("\n abc | 1\n wider than the column | 2\n(5001 rows)\n"))
  }

  @Test func writesLargeOutputsInFull() throws {
    let rows = (0..<8192).map { [Value.integer(Int64($0)), .text("row number \($0)")] }
    let batch = TestBatch.make(rows, types: [.bigint, .varcharUnbounded])
    let columns = [OutputColumn("n", .bigint), OutputColumn("s", .varcharUnbounded)]
    let text = try printed(.csv, columns, Array(repeating: batch, count: 4))
    let expected = rows.indices.map { "\($0),row number \($0)\n" }.joined()
    #expect(text == "n,s\n" + expected + expected + expected + expected)
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("äöü", 3), ("e\u{301}", 1), ("日本語", 6), ("한글", 4), ("ｆｕｌｌ", 8), ("👍", 2),
    ("a\u{200b}b", 2), ("½", 1),
  ])
  func measuresText(text: String, width: Int) { #expect(DisplayWidth.of(text) == width) }
}
