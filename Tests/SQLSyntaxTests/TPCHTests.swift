// Owns the check that the benchmark's 22 queries parse.
import Foundation
import Testing

@testable import SQLSyntax

struct TPCHTests {
  /// The text of query `number`, from the directory all tests share.
  static func text(_ number: Int) throws -> String {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let name = number < 10 ? "q0\(number)" : "q\(number)"
    return try String(contentsOf: directory.appendingPathComponent("sql/tpch/\(name).sql"), encoding: .utf8)
  }

  @Test(arguments: 1...22) func parsesAndReadsBack(number: Int) throws {
    let query = try parsedQuery(try Self.text(number))
    let text = QueryFormatter.format(query)
    let again = try parsedQuery(text)
    // Decimal literals are written as `DECIMAL '…'`; a second round changes nothing more.
    #expect(QueryFormatter.format(again) == text)
  }
}
