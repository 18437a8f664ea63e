// Tests of finding out keys and types.

import Columnar
import Testing
import TextFiles

@testable import JSONLines

@Suite struct SampleTests {
  @Test(arguments: [
    ("true|false", DataType.boolean), ("1|-2|0", .bigint), ("1.50|22.25", .decimal(precision: 18, scale: 2)),
    ("1.5|2.25", .double), ("1|2.5", .double), ("1e3|2", .double), ("-1.5E-7", .double), ("NaN|-Infinity", .double),
    (#""2024-02-29"|"2024-03-01""#, .date), (#""2024-02-29"|"2024-02-29T12:00:00Z""#, .timestamp(precision: 6)),
    (#""2024-02-30""#, .varcharUnbounded), (#""1"|"2""#, .varcharUnbounded), (#""true""#, .varcharUnbounded),
    (#"1|"2""#, .varcharUnbounded), (#"1|"x""#, .varcharUnbounded), ("null|5", .bigint), ("null", .varcharUnbounded),
    ("18446744073709551615|1", .decimal(precision: 38, scale: 0)), ("1" + String(repeating: "0", count: 40), .double),
    (#"[1,2]|[]"#, .varcharUnbounded), (#"{"x":1}"#, .varcharUnbounded), (#"1|{"x":1}"#, .varcharUnbounded),
    (#"true|1"#, .varcharUnbounded), (#""""#, .varcharUnbounded), (#""2024\u002d02-29""#, .varcharUnbounded),
  ])
  func typesAreInferred(_ values: String, _ type: DataType) throws {
    let text = values.split(separator: "|").map { "{\"c\": \($0)}\n" }.joined()
    let sample = try #require(try TextFile(text).sample())
    #expect(sample.names == ["c"])
    #expect(sample.guesses[0].type == type)
  }

  @Test func keysOfAllRowsAreColumns() throws {
    let sample = try #require(
      try TextFile(#"{"b":1,"A":2}"# + "\n{}\n" + #"{"a":3,"\u0043 d":4,"é":5}"# + "\n").sample())
    #expect(sample.names == ["b", "a", "c d", "é"])
    #expect(sample.rows == 3)
    #expect(sample.isWhole)
  }

  @Test func onlyAsManyRowsAsAskedForAreLookedAt() throws {
    let sample = try #require(try TextFile("{\"a\":1}\n{\"a\":\"x\",\"b\":1}\n").sample(rows: 1))
    #expect(sample.names == ["a"])
    #expect(sample.guesses[0].type == .bigint)
    #expect(sample.bytes == 8)
    #expect(!sample.isWhole)
  }

  @Test func aFirstLineMayBeLong() throws {
    let long = String(repeating: "x", count: 300_000)
    let sample = try #require(try TextFile("{\"a\":\"\(long)\",\"b\":1}\n").sample(rows: 1))
    #expect(sample.names == ["a", "b"])
  }

  @Test func emptyFilesHaveNoSample() throws {
    #expect(try TextFile("").sample() == nil)
    #expect(try TextFile("\n \r\n").sample() == nil)
    #expect(try TextFile([0xef, 0xbb, 0xbf]).sample() == nil)
  }

  @Test func otherContentIsRefusedByName() throws {
    #expect(failure { _ = try TextFile([0xff, 0xfe, 0x7b, 0]).sample() }?.message == "a file is UTF-16")
    let array = failure { _ = try TextFile("\n[{\"a\":1},\n{\"a\":2}]\n").sample() }
    #expect(array?.message == "a file, line 2, offset 1: the line is no object")
    #expect(array?.remedy?.contains("jq") ?? false)
    let pretty = failure { _ = try TextFile("{\n  \"a\": 1\n}\n").sample() }
    #expect(pretty?.message == "a file, line 1, offset 1: the object is not closed at the end of the line")
  }

  @Test func tooManyKeysAreRefused() throws {
    let keys = (0...KeyTable.mostFound).map { "\"k\($0)\":1" }.joined(separator: ",")
    #expect(failure { _ = try TextFile("{\(keys)}\n").sample() }?.code == .notSupported)
  }
}
