// Owns SHOW statements: their rows are metadata, known while planning, and come as a VALUES plan.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

/// Plans SHOW CATALOGS, SCHEMAS, TABLES, COLUMNS and FUNCTIONS.
struct ShowPlanner {
  let catalogs: Catalogs
  let context: QueryContext

  func plan(_ show: Show) throws -> LogicalPlan {
    let planner = QueryPlanner(catalogs: catalogs, context: context)
    switch show.subject {
    case .catalogs: return rows(["Catalog"], like(show, catalogs.names.map { [$0] }))
    case .schemas(let name):
      let catalog = try catalog(name?.canonical, at: name?.location ?? show.location)
      let connector = try planner.located(show.location) { try catalogs.connector(catalog) }
      let names = try planner.located(show.location) { try connector.schemaNames() }
      return rows(["Schema"], like(show, names.sorted().map { [$0] }))
    case .tables(let name):
      let place = name?.location ?? show.location
      let catalog = try catalog(name.flatMap { $0.parts.count > 1 ? $0.parts[0].canonical : nil }, at: place)
      guard let schema = name?.suffix ?? context.schema else {
        throw WaterbearError(
          .missingSchemaName, "Schema must be specified when session schema is not set", at: place)
      }
      let connector = try planner.located(place) { try catalogs.connector(catalog) }
      let names = try planner.located(place) { try connector.tableNames(in: schema) }
      return rows(["Table"], like(show, names.sorted().map { [$0] }))
    case .columns(let name):
      let plan = try planner.planTable(name, in: Environment())
      let columns = plan.visibleFields.map { [$0.displayName ?? "", $0.symbol.type.description, "", ""] }
      return rows(["Column", "Type", "Extra", "Comment"], like(show, columns))
    case .functions:
      let names =
        ScalarSignatures.names.map { [$0, "scalar"] } + AggregateResolution.allNames.map { [$0, "aggregate"] }
      return rows(["Function", "Function Type"], like(show, names.sorted { $0[0] < $1[0] }))
    case .session: throw unsupported("SHOW SESSION", show)
    case .createTable: throw unsupported("SHOW CREATE TABLE", show)
    case .stats, .statsForQuery: throw unsupported("SHOW STATS", show)
    }
  }

  private func unsupported(_ statement: String, _ show: Show) -> WaterbearError {
    WaterbearError(.notSupported, "\(statement) is not supported here", at: show.location)
  }

  private func catalog(_ named: String?, at location: SourceLocation) throws -> String {
    guard let catalog = named ?? context.catalog else {
      throw WaterbearError(
        .missingCatalogName, "Catalog must be specified when session catalog is not set", at: location)
    }
    return catalog
  }

  /// The rows whose first column matches LIKE.
  private func like(_ show: Show, _ rows: [[String]]) -> [[String]] {
    guard let pattern = show.like else { return rows }
    let wanted = Array(pattern.unicodeScalars)
    let escape = show.escape?.unicodeScalars.first
    return rows.filter { Self.matches(Array($0[0].unicodeScalars)[...], wanted[...], escape) }
  }

  private static func matches(
    _ text: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>, _ escape: Unicode.Scalar?
  ) -> Bool {
    // Where the last `%` stood, and how much of the text it has taken; going back there is enough.
    var text = text
    var pattern = pattern
    var retry: (text: ArraySlice<Unicode.Scalar>, pattern: ArraySlice<Unicode.Scalar>)?
    while true {
      if let next = pattern.first {
        if next == "%", next != escape {
          pattern = pattern.dropFirst()
          retry = (text, pattern)
          continue
        }
        let isEscaped = next == escape && pattern.count > 1
        let wanted = isEscaped ? pattern[pattern.startIndex + 1] : next
        if let character = text.first, (wanted == "_" && !isEscaped) || wanted == character {
          text = text.dropFirst()
          pattern = pattern.dropFirst(isEscaped ? 2 : 1)
          continue
        }
      } else if text.isEmpty {
        return true
      }
      guard let last = retry, !last.text.isEmpty else { return false }
      text = last.text.dropFirst()
      pattern = last.pattern
      retry = (text, pattern)
    }
  }

  private func rows(_ names: [String], _ rows: [[String]]) -> LogicalPlan {
    let symbols = SymbolAllocator()
    let outputs = names.map { symbols.symbol($0, .varcharUnbounded) }
    let values = PlanNode.values(
      ValuesNode(
        outputs: outputs, rows: rows.map { $0.map { .constant(.text($0), .varcharUnbounded) } }))
    return LogicalPlan(
      root: .output(OutputNode(source: values, columnNames: names, outputs: outputs)), symbols: symbols,
      nextScanID: 0)
  }
}
