// Tests of finding out dialects, names and types. What odd files mean was compared with DuckDB 2.0 and pyarrow 26;
// where those differ from each other the comment says so.

import Columnar
import Testing
import TextFiles

@testable import Delimited

@Suite struct DialectTests {
  @Test(arguments: [
    ("a,b\n1,2\n", UInt8(ascii: ","), 2),
    ("a;b\n1,5;2,5\n3,5;4\n", UInt8(ascii: ";"), 2),
    ("a\tb,c\td\n1\t2,3\t4\n", 0x09, 3),
    ("a|b|c\n1|2|3\n", UInt8(ascii: "|"), 3),
    ("alone\n1\n2\n", UInt8(ascii: ","), 1),
    ("a,b\n\"x;y;z\",2\n", UInt8(ascii: ","), 2),
    ("\"a\";\"b\"\n\"1,2\";\"3\"\"4\"\n", UInt8(ascii: ";"), 2),
  ])
  func delimitersAreFound(_ text: String, _ delimiter: UInt8, _ fields: Int) throws {
    let sample = try #require(try TextFile(text).sample())
    #expect(sample.dialect.delimiter == delimiter)
    #expect(sample.dialect.fieldCount == fields)
  }

  @Test(arguments: [
    ("a,b\n1,2\n", true), ("1,2\n3,4\n", false), ("name,town\nada,london\n", true), ("ada,\nbob,york\n", false),
    ("x,x\n1,2\n", true), ("id,2024-01-01\n1,2024-01-02\n", true), ("a,b\n", true), ("id,2020\n1,5\n2,6\n", true),
    // The index of pandas has no name; some programs end each row with a delimiter.
    (",a,b\n0,1,x\n1,2,y\n", true), (",a\n0,x\n1,y\n", true), ("a,b,\n1,2,\n3,4,\n", true), ("a,b,\nx,y,\n", true),
    // Words alone say nothing where one is there twice, or where others are missing too.
    ("no,no,ada\nyes,no,bob\n", false), ("ada,\nbob,york\neve,\n", false), (",,\n1,2,3\n", false),
    // A number that is missing or damaged is no name.
    ("1,N/A\n2,5\n", false), ("1,5a\n2,6\n", false), ("country,2020\nfrance,5\n", false), ("id,id\n", false),
  ])
  func headersAreFound(_ text: String, _ isHeader: Bool) throws {
    let sample = try #require(try TextFile(text).sample())
    #expect(sample.dialect.hasHeader == isHeader)
  }

  @Test func namesAreLowerCaseAndDifferent() throws {
    let sample = try #require(try TextFile(" Id ,NAME,name,\"a,b\",\n1,2,3,4,5\n").sample(header(true)))
    #expect(sample.names == ["id", "name", "name_2", "a,b", "column5"])
    let none = try #require(try TextFile("1,2\n").sample())
    #expect(none.names == ["column1", "column2"])
  }

  private func header(_ isThere: Bool) -> DialectHints {
    var hints = DialectHints()
    hints.hasHeader = isThere
    return hints
  }

  @Test(arguments: [
    ("true\nFALSE\n", DataType.boolean), ("1\n-2\n3\n", .bigint), ("1.50\n22.25\n", .decimal(precision: 18, scale: 2)),
    ("1.5\n2.25\n", .double), ("1\n2.5\n", .double), ("1e3\n2\n", .double), ("2024-02-29\n2024-03-01\n", .date),
    ("2024-02-29\n2024-02-29 12:00:00.5\n", .timestamp(precision: 6)),
    ("2024-02-29T12:00:00Z\n", .timestamp(precision: 6)), ("2024-02-30\n", .varcharUnbounded),
    ("007\n010\n", .varcharUnbounded), ("+49123\n+49456\n", .varcharUnbounded),
    ("1\n+1.5\n", .varcharUnbounded), ("0\n0.5\n", .double),
    ("99999999999999999999\n1\n", .decimal(precision: 38, scale: 0)),
    ("1\nx\n", .varcharUnbounded), ("NaN\n1.5\n", .double), (" 1\n2 \n", .bigint),
    ("123456789012345678901234567890.12\n", .decimal(precision: 38, scale: 2)),
  ])
  func typesAreInferred(_ values: String, _ type: DataType) throws {
    let sample = try #require(try TextFile("c\n" + values).sample(header(true)))
    #expect(sample.guesses[0].type == type)
  }

  @Test func emptyFilesHaveNoSample() throws {
    #expect(try TextFile("").sample() == nil)
    #expect(try TextFile([0xef, 0xbb, 0xbf]).sample() == nil)
  }

  /// Headers longer than what is read at first.
  @Test func longHeadersAreReadToTheirEnd() throws {
    let names = (0..<12_000).map { "column_with_number_\($0)" }
    let values = (0..<12_000).map { "\($0)" }
    let file = try TextFile(names.joined(separator: ",") + "\n" + values.joined(separator: ",") + "\n")
    let sample = try #require(try file.sample(rows: 1))
    #expect(sample.names == names)
    #expect(sample.dialect.hasHeader)
    #expect(sample.rows == 1)
    #expect(try file.rows(sample.dialect, [DataType](repeating: .bigint, count: 12_000)) == [values])
  }

  @Test(arguments: [
    ("a,\"b\"x\n1,2\n", "a file, offset 0 of its text: text follows a closing quote in the first row"),
    ("a,\"b\n1,2\n", "a file, offset 0 of its text: a quote is not closed in the first row"),
    ("\n\na,\"b\"x\n", "a file, offset 2 of its text: text follows a closing quote in the first row"),
  ])
  func firstRowsThatAreNoneAreErrors(_ text: String, _ message: String) throws {
    for known in [nil, Dialect(fieldCount: 2)] {
      let file = try TextFile(text)
      let error = failure {
        var hints = header(true)
        hints.delimiter = 0x2c
        hints.escape = .some(nil)
        _ = try DelimitedSample.read(
          file.open(), name: "a file", size: file.size, compression: .none, hints: hints, known: known, rows: 1)
      }
      #expect(error?.code == .filesBadData)
      #expect(error?.message == message)
    }
  }

  @Test func tooManyColumnsAreRefused() throws {
    let file = try TextFile([UInt8](repeating: 0x2c, count: 100_000) + [0x0a])
    let error = failure { _ = try file.sample() }
    #expect(error?.message == "a file has 100001 columns, of which at most 65536 are read")
  }

  @Test func otherEncodingsAreRefusedByName() throws {
    let file = try TextFile([0xff, 0xfe, 0x61, 0])
    #expect(failure { _ = try file.sample() }?.message == "a file is UTF-16")
  }

  @Test func aByteOrderMarkIsNoText() throws {
    #expect(try TextFile([0xef, 0xbb, 0xbf] + Array("a,b\n1,2\n".utf8)).rows() == [["1", "2"]])
  }

  @Test func backslashesEscapeWhereDoublingDoesNotFit() throws {
    let file = try TextFile(#"a,b"# + "\n" + #""say \"hi\", you",2"# + "\n")
    #expect(try file.rows() == [[#"say "hi", you"#, "2"]])
  }
}
