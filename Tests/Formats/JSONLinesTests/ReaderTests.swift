// Tests of reading rows: values, keys, line ends, ranges, what is wrong.

import Columnar
import Testing
import TextColumns
import TextFiles

@testable import JSONLines

@Suite struct ReaderTests {
  private let texts: [(String, DataType)] = [("a", .varcharUnbounded), ("b", .varcharUnbounded)]

  @Test(arguments: [
    (#"{"a":"x","b":"y"}"#, [["x", "y"]]), ("{\"a\":\"x\"}\r\n{\"b\":\"y\"}\r\n", [["x", nil], [nil, "y"]]),
    ("\n{\"a\":\"x\"}\n\n \t\r\n{}\n", [["x", nil], [nil, nil]]),
    ("{ }\n { \"a\" : null , \"b\" : \"\" } \n", [[nil, nil], [nil, ""]]),
    // Values of other kinds are texts as they are written.
    (#"{"a":-1.50e+3,"b":true}"#, [["-1.50e+3", "true"]]),
    (#"{"a":[1, "]\"", {"c":[]}],"b":{"x": "}"}}"#, [[#"[1, "]\"", {"c":[]}]"#, #"{"x": "}"}"#]]),
    // Escapes, with pairs of surrogates; half a pair is a replacement character.
    (#"{"a":"\"\\\/\b\f\n\r\t","b":"\u00e4\u20AC\ud83d\ude00"}"#, [["\"\\/\u{8}\u{c}\n\r\t", "ä€😀"]]),
    (#"{"a":"\ud83d!","b":"\ude00"}"#, [["\u{fffd}!", "\u{fffd}"]]), (#"{"a":"ä€😀"}"#, [["ä€😀", nil]]),
    // Keys in any case, escaped, in any order; others are passed over.
    (#"{"B":1,"x":{"a":9},"A":2}"#, [["2", "1"]]), (#"{"\u0061":1,"a\"":2}"#, [["1", nil]]),
    (#"{"a":"\\","b":"\\\""}"#, [["\\", "\\\""]]),
  ] as [(String, [[String?]])])
  func linesAreTakenApart(_ text: String, _ rows: [[String?]]) throws {
    #expect(try TextFile(text).rows(texts) == rows)
    #expect(try TextFile(text + "\n").rows(texts) == rows)
  }

  @Test func valuesOfAllTypes() throws {
    let types: [DataType] = [
      .boolean, .tinyint, .integer, .bigint, .real, .double, .decimal(precision: 10, scale: 2),
      .decimal(precision: 30, scale: 3), .date, .timestamp(precision: 6), .varchar(length: 3),
    ]
    let values = [
      "true", "-128", "7", "-9223372036854775808", "1.5", "1e-3", "12.5", "123456789012345678901234567.125",
      "\"1969-12-31\"", "\"2024-02-29T01:02:03.000004Z\"", "\"abc\"",
    ]
    let columns = types.enumerated().map { ("c\($0)", $1) }
    let line = values.enumerated().map { "\"c\($0)\":\($1)" }.joined(separator: ",")
    let nulls = values.indices.map { "\"c\($0)\":null" }.joined(separator: ",")
    let rows = try TextFile("{\(line)}\n{\(nulls)}\n{}\n").rows(columns)
    #expect(
      rows == [
        [
          "true", "-128", "7", "-9223372036854775808", "1.5", "0.001", "12.50", "123456789012345678901234567.125",
          "1969-12-31", "2024-02-29 01:02:03.000004", "abc",
        ], [String?](repeating: nil, count: 11), [String?](repeating: nil, count: 11),
      ])
  }

  @Test func numbersBeyondBigintAndThoseThatAreNone() throws {
    #expect(try TextFile("{\"a\":99999999999999999999}\n{\"a\":-1}\n").rows() == [["99999999999999999999"], ["-1"]])
    let text = "{\"d\":NaN}\n{\"d\":\"NaN\"}\n{\"d\":-Infinity}\n{\"d\":\"Infinity\"}\n{\"d\":1e400}\n"
    #expect(try TextFile(text).rows([("d", .double)]).map { $0[0] } == [
      "NaN", "NaN", "-Infinity", "Infinity", "Infinity",
    ])
  }

  /// Whatever the size of the ranges, each row is read once.
  @Test(arguments: [
    "{\"a\":1,\"b\":\"x\"}\n{\"a\":22}\n\n{\"a\":333,\"b\":\"{\\n\"}", "{\"a\":1}\r\n\r\n{\"b\":\"ä\"}\r\n{}\r\n",
    "\n\n{\"a\":1}\n{\"a\":2}\n\n",
  ])
  func rangesCoverEachRowOnce(_ text: String) throws {
    let file = try TextFile(text)
    let columns: [(String, DataType)] = [("a", .bigint), ("b", .varcharUnbounded)]
    let whole = try file.rows(columns)
    #expect(whole.count >= 2)
    for step in 1...file.size { #expect(try file.rows(columns, step: step) == whole, "ranges of \(step) bytes") }
  }

  /// Ranges smaller and larger than blocks and windows, keys that come and go.
  @Test func rangesOfLargeFiles() throws {
    var text = ""
    var number = 0
    while text.utf8.count < 2_500_000 {
      number += 1
      let filler = String(repeating: "\\\"}\\n", count: number % 23)
      text += number % 3 == 0 ? "{\"b\":\"\(filler)\",\"k\(number % 300)\":0,\"a\":\(number)}\n" : "{\"a\":\(number)}\n"
    }
    let file = try TextFile(text)
    let columns: [(String, DataType)] = [("a", .bigint), ("b", .varcharUnbounded)]
    let whole = try file.rows(columns)
    #expect(whole.map { $0[0] } == (1...number).map { "\($0)" })
    for step: Int64 in [20_011, 65_536, 1_300_007] { #expect(try file.rows(columns, step: step) == whole) }
    #expect(try file.rows([]).count == number)
  }

  @Test(arguments: [
    ("{\"a\":1}\n[1]\n", "line 2, offset 8: the line is no object"),
    ("{\"a\":1}\n{\"a\":1\n", "line 2, offset 14: the object is not closed at the end of the line"),
    ("{\"a\":1}\n{\"b\":\"x", "line 2, offset 13: a text is not closed at the end of the line"),
    ("{\"a\":1,}\n", "line 1, offset 7: a character is not where it may be"),
    ("{\"a\" 1}\n", "line 1, offset 5: a character is not where it may be"),
    ("{\"a\":1 2}\n", "line 1, offset 7: a character is not where it may be"),
    ("{\"a\":[1}}\n", "line 1, offset 7: a character is not where it may be"),
    ("{\"a\":[[1]\n", "line 1, offset 9: the object is not closed at the end of the line"),
    ("{\"a\":}\n", "line 1, offset 5: there is no value"),
    ("{\"a\":01}\n", "line 1, offset 5: this is no number of JSON"),
    ("{\"x\":1.}\n", "line 1, offset 5: this is no number of JSON"),
    ("{\"x\":-}\n", "line 1, offset 5: this is no number of JSON"),
    ("{\"x\":nul}\n", "line 1, offset 5: there is no value"), ("{\"x\":+1}\n", "line 1, offset 5: there is no value"),
    ("{\"a\":1}{\"a\":2}\n", "line 1, offset 7: something follows the object"),
    ("{\"a\":1,\"A\":2}\n", "line 1, offset 7: the key 'a' is there twice"),
    ("{\"a\":null,\"a\":2}\n", "line 1, offset 10: the key 'a' is there twice"),
    ("{\"a\":1}\n{\"a\":1.5}\n", "line 2, offset 13: 1.5 in column a is no bigint"),
    ("{\"a\":\"1\"}\n", "line 1, offset 6: \"1\" in column a is no bigint"),
    ("{\"a\":\"\"}\n", "line 1, offset 6: \"\" in column a is no bigint"),
    ("{\"a\":[1]}\n", "line 1, offset 5: [1] in column a is no bigint"),
    ("{\"a\":9223372036854775808}\n", "line 1, offset 5: 9223372036854775808 in column a is no bigint"),
    ("{\"d\":20240101}\n", "line 1, offset 5: 20240101 in column d is no date"),
    ("{\"d\":\"\"}\n", "line 1, offset 6: \"\" in column d is no date"),
    ("{\"f\":\"1.5\"}\n", "line 1, offset 6: \"1.5\" in column f is no double"),
    ("{\"b\":\"\\x\"}\n", "line 1, offset 6: the text of column b has a malformed escape"),
    ("{\"b\":\"\\u12\"}\n", "line 1, offset 6: the text of column b has a malformed escape"),
  ])
  func whatIsWrongIsNamed(_ text: String, _ message: String) throws {
    let columns: [(String, DataType)] = [("a", .bigint), ("b", .varcharUnbounded), ("d", .date), ("f", .double)]
    let error = failure { _ = try TextFile(text).rows(columns) }
    #expect(error?.message == "a file, " + message)
    #expect(error?.code == .filesBadData)
    #expect(error?.remedy != nil)
  }

  @Test func textMustBeUTF8() throws {
    let file = try TextFile(Array("{\"b\":\"".utf8) + [0xe4] + Array("\"}\n".utf8))
    let error = failure { _ = try file.rows(texts) }
    #expect(error?.message == "a file, line 1, offset 6: the text of column b is no UTF-8")
  }

  /// No damage of a byte traps, and what is cut is never taken for whole.
  @Test func damagedBytesNeverTrap() throws {
    let text = Array(#"{"a":"x\u00e4\"","b":[1,{"c":"\\"}],"n":-1.5e3,"t":true}"#.utf8)
    for index in text.indices {
      for byte in Array("\"\\{}[],:\n\0u9".utf8) + [0xff] {
        var damaged = text
        damaged[index] = byte
        _ = failure { _ = try TextFile(damaged).rows(texts) }
      }
      if index > 0 { #expect(failure { _ = try TextFile(Array(text[..<index])).rows(texts) } != nil, "\(index) bytes") }
    }
  }

  @Test func aByteOrderMarkIsNoText() throws {
    #expect(try TextFile([0xef, 0xbb, 0xbf] + Array("{\"a\":1}\n".utf8)).rows() == [["1"]])
  }

  @Test func longLinesMakeBlocksGrow() throws {
    let long = String(repeating: "x", count: 3 << 20)
    let rows = try TextFile("{\"a\":1,\"b\":\"\(long)\"}\n{\"a\":2,\"b\":\"y\"}\n").rows(texts)
    #expect(rows.map { $0[1]?.utf8.count } == [3 << 20, 1])
  }

  @Test(arguments: [1, 63, 64, 65, 127, 128, 129, 200])
  func nestingMayBeDeep(_ depth: Int) throws {
    func nested(_ close: (Int) -> String) -> String {
      (0..<depth).map { $0 % 3 == 0 ? "{\"k\":" : "[" }.joined() + "1"
        + (0..<depth).reversed().map(close).joined()
    }
    let text = nested { $0 % 3 == 0 ? "}" : "]" }
    #expect(try TextFile("{\"a\":\(text)}\n").rows([("a", .varcharUnbounded)]) == [[text]])
    for wrong in [0, depth / 2, depth - 1] {
      let other = nested { ($0 % 3 == 0) == ($0 != wrong) ? "}" : "]" }
      let error = failure { _ = try TextFile("{\"a\":\(other)}\n").rows([("a", .varcharUnbounded)]) }
      #expect(error?.code == .filesBadData, "\(other)")
    }
  }
}
