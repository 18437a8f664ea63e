// Owns the benchmark's queries and the answers that another engine gave, and when an answer of ours equals theirs.
import Foundation
import Testing

/// The queries of TPC-H, compared at scale 1.
enum Benchmark {
  static let numbers = Array(1...22)

  /// Queries whose ORDER BY leaves ties open.
  private static let unordered: Set = [2, 3, 10, 11, 18, 21]

  /// Queries with long answers, of which only the beginning is kept, and how many rows they have.
  private static let rowCounts = [16: 18314]

  private static let directory = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../sql")
    .standardizedFileURL

  private static func name(_ number: Int) -> String { number < 10 ? "q0\(number)" : "q\(number)" }

  /// The file that holds a query's SQL.
  static func file(_ number: Int) -> String { directory.appending(path: "tpch/\(name(number)).sql").path }

  /// What is wrong with tab-separated rows as the answer to a query; nil where nothing is.
  static func difference(_ rows: String, query number: Int, scale: String) throws -> String? {
    let rowCount = scale == "sf1" ? rowCounts[number] : nil
    let path = directory.appending(path: "answers/\(scale)/\(name(number))\(rowCount == nil ? "" : "-beginning").psv")
    var expected = table(try String(contentsOf: path, encoding: .utf8), separator: "|")
    var found = table(rows, separator: "\t").map { $0.map { $0.isEmpty ? "NULL" : $0 } }
    if let rowCount {
      guard found.count == rowCount + 1 else { return "\(found.count - 1) rows instead of \(rowCount)" }
      found = Array(found.prefix(expected.count))
    }
    guard found.count == expected.count else { return "\(found.count) lines instead of \(expected.count)" }
    guard found.first?.count == expected.first?.count else { return "columns \(found.first ?? [])" }
    (found, expected) = (Array(found.dropFirst()), Array(expected.dropFirst()))
    if unordered.contains(number) {
      found.sort { $0.lexicographicallyPrecedes($1) }
      expected.sort { $0.lexicographicallyPrecedes($1) }
    }
    for (row, (ours, theirs)) in zip(found, expected).enumerated() {
      guard ours.count == theirs.count else { return "row \(row) has \(ours.count) fields" }
      for (left, right) in zip(ours, theirs) where !isSame(left, right) {
        return "row \(row): \(left) instead of \(right) in \(ours)"
      }
    }
    return nil
  }

  private static func table(_ text: String, separator: Character) -> [[String]] {
    text.split(separator: "\n").map {
      $0.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// Averages of decimals keep their scale in Trino's dialect and are doubles in the answers: equal up to rounding.
  static func isSame(_ ours: String, _ theirs: String) -> Bool {
    if ours == theirs { return true }
    guard let left = Double(ours), let right = Double(theirs), let point = ours.firstIndex(of: ".") else {
      return false
    }
    // Where both have as many digits, they are decimals and must be equal.
    let digits = ours[point...].count - 1
    let theirDigits = theirs.firstIndex(of: ".").map { theirs[$0...].count - 1 } ?? 0
    return digits != theirDigits && abs(left - right) <= 0.500001 * pow(10, -Double(min(digits, theirDigits)))
  }
}

@Suite struct BenchmarkTests {
  @Test func `averages are compared up to rounding, all else exactly`() {
    #expect(Benchmark.isSame("25.58", "25.575154611454693"))
    #expect(!Benchmark.isSame("25.57", "25.575154611454693"))
    #expect(Benchmark.isSame("0.05", "0.05008133906964238"))
    #expect(Benchmark.isSame("16.380778626395540148", "16.38077862639554"))
    #expect(!Benchmark.isSame("532348211.65", "532348211.64"))
    #expect(!Benchmark.isSame("14876", "14877"))
    #expect(!Benchmark.isSame("ASIA", "AFRICA"))
  }

  @Test func `of a long answer the beginning and the number of rows are compared`() throws {
    let rows = "p_brand\tp_type\tp_size\tsupplier_cnt\n"
    #expect(try Benchmark.difference(rows, query: 16, scale: "sf1") == "0 rows instead of 18314")
    let other = rows + String(repeating: "Brand#41\tMEDIUM BRUSHED TIN\t3\t27\n", count: 18314)
    #expect(try Benchmark.difference(other, query: 16, scale: "sf1") != nil)
  }

  @Test func `a wrong answer is seen`() throws {
    let right = "revenue\n1193053.2253\n"
    #expect(try Benchmark.difference(right, query: 6, scale: "sf0.01") == nil)
    #expect(try Benchmark.difference("revenue\n1193053.2254\n", query: 6, scale: "sf0.01") != nil)
    #expect(try Benchmark.difference("revenue\n", query: 6, scale: "sf0.01") != nil)
    #expect(try Benchmark.difference(right + right, query: 6, scale: "sf0.01") != nil)
  }
}
