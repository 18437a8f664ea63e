// Owns a result as it is compared: rows of values with the names and types of their columns, whoever made them.
import Columnar

/// What a statement gave.
public struct ResultTable: Sendable {
  public var columnNames: [String]
  public var types: [DataType]
  public var rows: [[Value]]

  public init(columnNames: [String], types: [DataType], rows: [[Value]]) {
    self.columnNames = columnNames
    self.types = types
    self.rows = rows
  }

  /// The rows as scripts write them, values separated by `|`.
  public var lines: [String] {
    rows.map { row in zip(row, types).map { value, type in Self.text(value, type) }.joined(separator: "|") }
  }

  /// What kinds the columns are of, a letter for each.
  public var letters: String { String(types.map(Self.letter)) }

  private static func letter(_ type: DataType) -> Character {
    switch type {
    case .tinyint, .smallint, .integer, .bigint: "I"
    case .real, .double, .decimal: "R"
    case .boolean: "B"
    case .date, .timestamp, .intervalDayToSecond, .intervalYearToMonth: "D"
    case .varchar, .char, .varbinary, .unknown: "T"
    }
  }

  private static func text(_ value: Value, _ type: DataType) -> String {
    guard let text = ValueFormatter(type).text(value) else { return "NULL" }
    if text.isEmpty { return "(empty)" }
    return text.hasPrefix(" ") || text.hasSuffix(" ") ? "'\(text)'" : text
  }
}
