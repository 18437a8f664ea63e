// Owns the answers that another engine gave: rows as text, and when a value of ours equals theirs.
import Columnar
import Glibc

/// A table of text with a header, fields separated by `|`, NULL written NULL.
public struct Answer {
  /// Benchmark queries whose ORDER BY leaves ties open, or that have none.
  public static let unordered: Set = [2, 3, 9, 10, 11, 16, 18, 21]

  public let columns: [String]
  public let rows: [[String]]

  public init(_ text: String) {
    let lines = text.split(separator: "\n").map { line in
      line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }
    columns = lines.first ?? []
    rows = Array(lines.dropFirst())
  }

  /// What is different in `result`; nil where it is this answer. `isOrdered`: rows must come in this order.
  public func difference(from result: ResultTable, isOrdered: Bool) -> String? {
    // Engines differ in what they call a column without a name.
    let isSameName = { (mine: String, theirs: String) in mine.lowercased() == theirs || mine.hasPrefix("_col") }
    if result.columnNames.count != columns.count || !zip(result.columnNames, columns).allSatisfy(isSameName) {
      return "columns \(result.columnNames) instead of \(columns)"
    }
    if result.rows.count != rows.count { return "\(result.rows.count) rows instead of \(rows.count)" }
    var found = result.rows.map { row in zip(row, result.types).map { ValueFormatter($1).text($0) ?? "NULL" } }
    var expected = rows
    if !isOrdered {
      found.sort { $0.lexicographicallyPrecedes($1) }
      expected.sort { $0.lexicographicallyPrecedes($1) }
    }
    for (number, (mine, theirs)) in zip(found, expected).enumerated() {
      for (column, (left, right)) in zip(mine, theirs).enumerated()
      where !Self.isSame(left, right, result.types[column]) {
        return "row \(number), \(columns[column]): \(left) instead of \(right) in \(mine)"
      }
    }
    return nil
  }

  /// Averages of decimals keep their scale here and are doubles there; sums of doubles differ in the last digits.
  private static func isSame(_ mine: String, _ theirs: String, _ type: DataType) -> Bool {
    if mine == theirs { return true }
    guard let left = Double(mine), let right = Double(theirs) else { return false }
    switch type {
    case .decimal(_, let scale): return abs(left - right) <= 0.500001 * pow(10, -Double(scale))
    case .double, .real: return abs(left - right) <= 1e-9 * max(abs(left), abs(right))
    default: return false
    }
  }
}
