// Owns the settings of a tpch catalog. Names and values are Trino's.

import Base

/// How columns are called: setting `tpch.column-naming`.
enum ColumnNaming: String, CaseIterable, Sendable {
  /// `orderkey`
  case simplified = "SIMPLIFIED"
  /// `l_orderkey`
  case standard = "STANDARD"

  func name(of column: ColumnSpec, in table: Table) -> String {
    switch self {
    case .simplified: column.name
    case .standard: table.prefix + column.name
    }
  }
}

/// A catalog's choices.
struct TPCHSettings: Sendable {
  var columnNaming = ColumnNaming.simplified
  var money = MoneyMapping.double

  private static let columnNamingKey = "tpch.column-naming"
  private static let moneyKey = "tpch.double-type-mapping"
  static let names = [columnNamingKey, moneyKey]

  /// Reads settings; CONFIGURATION_INVALID names the valid ones. The case of values does not matter, as in Trino.
  init(_ values: [String: String]) throws(WaterbearError) {
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      switch key {
      case Self.columnNamingKey: columnNaming = try Self.parse(key, value)
      case Self.moneyKey: money = try Self.parse(key, value)
      default:
        throw WaterbearError(
          .configurationInvalid, "Configuration property '\(key)' was not used",
          remedy: "The tpch connector knows \(Self.names.joined(separator: ", ")).")
      }
    }
  }

  private static func parse<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, _ value: String
  ) throws(WaterbearError) -> Choice {
    guard let choice = Choice(rawValue: value.uppercased()) else {
      let valid = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw WaterbearError(
        .configurationInvalid, "Invalid value '\(value)' for property '\(key)'", remedy: "Valid values: \(valid).")
    }
    return choice
  }
}
