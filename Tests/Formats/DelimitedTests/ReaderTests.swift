// Tests of reading rows: quotes, line ends, NULL, ranges, what is wrong.

import Columnar
import Testing
import TextColumns
import TextFiles

@testable import Delimited

@Suite struct ReaderTests {
  private let texts: [DataType] = [.varcharUnbounded, .varcharUnbounded]

  @Test(arguments: [
    ("a,b\n", [["a", "b"]]), ("a,b", [["a", "b"]]), ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
    ("\"a,b\",c\n", [["a,b", "c"]]), ("\"a\"\"b\",c\n", [["a\"b", "c"]]),
    ("\"a\nb\",\"c\r\nd\"\r\n", [["a\nb", "c\r\nd"]]),
    // A quote inside of a field that did not begin with one means itself: DuckDB and pyarrow agree.
    ("5\" pipe,x\n", [["5\" pipe", "x"]]), (" \"a\",b\n", [[" \"a\"", "b"]]),
    // Nothing is NULL, quoted nothing is a text of no length: pyarrow reads both as text, DuckDB both as NULL.
    (",\"\"\n", [[nil, ""]]), ("a,\n,b\n", [["a", nil], [nil, "b"]]),
    // Blank lines are no rows.
    ("\na,b\n\n\r\nc,d\n\n", [["a", "b"], ["c", "d"]]), ("\"\",\"\"", [["", ""]]), ("ä,€😀\n", [["ä", "€😀"]]),
    ("\"a\",\"b\"\r\n\"c\",\"d\"", [["a", "b"], ["c", "d"]]),
  ] as [(String, [[String?]])])
  func rowsAreTakenApart(_ text: String, _ rows: [[String?]]) throws {
    let dialect = Dialect(hasHeader: false, fieldCount: 2)
    #expect(try TextFile(text).rows(dialect, texts) == rows)
  }

  @Test func otherDialects() throws {
    let old = Dialect(rowEnd: 0x0d, hasHeader: true, fieldCount: 2)
    #expect(try TextFile("a,b\r1,2\r3,4\r").rows(old, [.bigint, .bigint]) == [["1", "2"], ["3", "4"]])
    let plain = Dialect(delimiter: 0x09, quote: nil, hasHeader: false, nullText: "\\N", fieldCount: 2)
    #expect(try TextFile("\"a\t\\N\n\tb\"\n").rows(plain, texts) == [["\"a", nil], ["", "b\""]])
    // A byte that no UTF-8 has is no quote either.
    let bytes = Array("1\t2\n".utf8) + [0xff] + Array("3\t4\n".utf8)
    let error = failure { _ = try TextFile(bytes).rows(plain, [.bigint, .bigint]) }
    #expect(error?.message.hasSuffix("'\u{fffd}3' in column c0 is no bigint") ?? false)
    let single = Dialect(quote: UInt8(ascii: "'"), hasHeader: false, fieldCount: 2)
    #expect(try TextFile("'a,''b',\"c\"\n").rows(single, texts) == [["a,'b", "\"c\""]])
  }

  @Test func aBlankLineOfOneColumnIsNull() throws {
    let dialect = Dialect(hasHeader: false, fieldCount: 1)
    #expect(try TextFile("1\n\n3\n").rows(dialect, [.bigint]) == [["1"], [nil], ["3"]])
  }

  @Test func valuesOfAllTypes() throws {
    let types: [DataType] = [
      .boolean, .tinyint, .integer, .bigint, .real, .double, .decimal(precision: 10, scale: 2),
      .decimal(precision: 30, scale: 3), .date, .timestamp(precision: 6), .varchar(length: 3),
    ]
    let text = "true,-128,7,-9223372036854775808,1.5,1e-3,12.5,123456789012345678901234567.125,1969-12-31,"
      + "2024-02-29T01:02:03.000004Z,abc\n"
    let row = try TextFile(text).rows(Dialect(hasHeader: false, fieldCount: 11), types)
    #expect(
      row == [[
        "true", "-128", "7", "-9223372036854775808", "1.5", "0.001", "12.50", "123456789012345678901234567.125",
        "1969-12-31", "2024-02-29 01:02:03.000004", "abc",
      ]])
  }

  @Test func valuesBeyondTheirTypeAreRefused() throws {
    for (type, text) in [
      (DataType.decimal(precision: 18, scale: 2), "99999999999999999.99"),
      (.decimal(precision: 38, scale: 0), String(repeating: "9", count: 39)),
    ] {
      let file = try TextFile(text + "\n")
      let error = failure { _ = try file.rows(Dialect(hasHeader: false, fieldCount: 1), [type]) }
      #expect(error?.message.hasSuffix("'\(text)' in column c0 is no \(type)") ?? false)
    }
    let file = try TextFile("2024-02-29 01:02:03.4567\n")
    #expect(
      try file.rows(Dialect(hasHeader: false, fieldCount: 1), [.timestamp(precision: 3)])
        == [["2024-02-29 01:02:03.457"]])
  }

  /// Whatever the size of the ranges, each row is read once.
  @Test(arguments: [
    "a,b\n1,x\n22,yy\n333,\"z,z\"\n4,\n",
    "a,b\n1,\"line\nbreak\"\n2,\"quote \"\" and\n\"\"\nmore\"\n3,\"\"\n4,\"\"\"\"\n5,x\n",
    "a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n",
    "a,b\n1,5\" pipe\n2,6\" pipe\n3,\"7\"\" pipe\"\n",
  ])
  func rangesCoverEachRowOnce(_ text: String) throws {
    let file = try TextFile(text)
    let dialect = Dialect(fieldCount: 2)
    let whole = try file.rows(dialect, [.bigint, .varcharUnbounded])
    #expect(whole.count >= 2)
    for step in 1...file.size {
      #expect(try file.rows(dialect, [.bigint, .varcharUnbounded], step: step) == whole, "ranges of \(step) bytes")
    }
  }

  /// Ranges smaller and larger than blocks and windows, with quoted text that looks like rows.
  @Test func rangesOfLargeFiles() throws {
    var text = "a,b\n"
    var number = 0
    while text.utf8.count < 600_000 {
      number += 1
      let filler = String(repeating: "no row, ", count: number % 23)
      text += number % 3 == 0 ? "\(number),\"\(filler)\n\(number),\"\"x\"\"\n\"\n" : "\(number),\(number)\n"
    }
    let file = try TextFile(text)
    let dialect = Dialect(fieldCount: 2)
    let whole = try file.rows(dialect, [.bigint, .varcharUnbounded])
    #expect(whole.count == number)
    for step: Int64 in [1009, 20_011, 65_536, 300_007] {
      #expect(try file.rows(dialect, [.bigint, .varcharUnbounded], step: step) == whole)
    }
  }

  /// Quoted text that is made of proper rows and nothing else for longer than anybody looks: never a wrong answer.
  @Test func aWrongGuessIsAnError() throws {
    let inner = String(repeating: "1,2\n", count: 20_000)
    let file = try TextFile("a,b\n7,\"\(inner)\"\n8,9\n")
    let dialect = Dialect(fieldCount: 2)
    #expect(try file.rows(dialect, [.bigint, .varcharUnbounded]).count == 2)
    let error = failure { _ = try file.rows(dialect, [.bigint, .varcharUnbounded], step: 30_000) }
    #expect(error?.code == .filesBadData)
    #expect(error?.message.contains("does not end where the next range begins") ?? false)
  }

  /// Fewer rows than are looked at otherwise fit into a window.
  @Test func bordersOfLongRows() throws {
    let row = Array("1,\"".utf8) + [UInt8](repeating: 0x78, count: 600_000) + Array("\"\n".utf8)
    let size = Int64(row.count * 20)
    let border = RowBorder(Dialect(hasHeader: false, fieldCount: 2), size: size, name: "a file")
    let found = try border.find(Int64(row.count + 1000)) { offset, target, count in
      let wanted = min(count, Int(size - offset))
      for index in 0..<wanted { target[index] = row[(Int(offset) + index) % row.count] }
      return wanted
    }
    #expect(found == Int64(row.count * 2))
  }

  @Test func wideRowsAreReadInSmallBatches() throws {
    let line = [String](repeating: "1", count: 3000).joined(separator: ",") + "\n"
    let file = try TextFile(String(repeating: line, count: 1000))
    let types = [DataType](repeating: .bigint, count: 3000)
    let rows = try file.rows(Dialect(hasHeader: false, fieldCount: 3000), types)
    #expect(rows.count == 1000)
    #expect(rows.allSatisfy { $0.count == 3000 && $0.allSatisfy { $0 == "1" } })
    #expect(FieldTable.capacity(columns: 4_000_000, atMost: 1024) == 1)
  }

  @Test(arguments: [
    ("a,b\n1,2\n3\n", "a file, line 3, offset 8: the row has 1 fields, not 2"),
    ("a,b\n1,2,3\n", "a file, line 2, offset 4: the row has more than 2 fields"),
    ("a,b\n1,\"2\"x\n", "a file, line 2, offset 4: text follows a closing quote"),
    ("a,b\n1,\"2\n", "a file, line 2, offset 4: a quote is not closed"),
    ("a,b\n1,2\nx,3\n", "a file, line 3, offset 8: 'x' in column c0 is no bigint"),
    ("a,b\n1,99999999999\n", "a file, line 2, offset 6: '99999999999' in column c1 is no integer"),
  ])
  func whatIsWrongIsNamed(_ text: String, _ message: String) throws {
    let file = try TextFile(text)
    let error = failure { _ = try file.rows(Dialect(fieldCount: 2), [.bigint, .integer]) }
    #expect(error?.message == message)
    #expect(error?.code == .filesBadData)
    #expect(error?.remedy != nil)
  }

  @Test func textMustBeUTF8() throws {
    let file = try TextFile(Array("a,b\n1,".utf8) + [0xe4, 0x0a])
    let error = failure { _ = try file.rows(Dialect(fieldCount: 2), [.bigint, .varcharUnbounded]) }
    #expect(error?.message == "a file, line 2, offset 6: the text of column c1 is no UTF-8")
  }

  @Test func longRowsMakeBlocksGrow() throws {
    let long = String(repeating: "x", count: 3 << 20)
    let file = try TextFile("a,b\n1,\(long)\n2,y\n")
    let rows = try file.rows(Dialect(fieldCount: 2), [.bigint, .varcharUnbounded])
    #expect(rows.map { $0[1]?.utf8.count } == [3 << 20, 1])
  }
}
