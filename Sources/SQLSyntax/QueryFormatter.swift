// Owns the spelling of queries on one line, as they appear inside the text of an expression.
import Base

/// Writes a query as SQL text that parses to the same tree.
public enum QueryFormatter {
  /// The text of `query` on one line. Cost grows with its size.
  public static func format(_ query: Query) -> String {
    var text = ""
    if let with = query.with {
      let queries = with.queries.map { named in
        "\(named.name)\(named.columnAliases.map { " (\(names($0)))" } ?? "") AS (\(format(named.query)))"
      }
      text = "WITH \(with.isRecursive ? "RECURSIVE " : "")\(queries.joined(separator: ", ")) "
    }
    text += format(query.body)
    if !query.orderBy.isEmpty { text += " ORDER BY \(format(query.orderBy))" }
    if let offset = query.offset { text += " OFFSET \(format(offset)) ROWS" }
    switch query.limit {
    case .all: text += " LIMIT ALL"
    case .rows(let count): text += " LIMIT \(format(count))"
    case .fetchFirst(let count, let withTies, _):
      text += " FETCH FIRST \(count.map { format($0) + " " } ?? "")ROWS \(withTies ? "WITH TIES" : "ONLY")"
    case nil: break
    }
    return text
  }

  static func format(_ items: [SortItem]) -> String {
    items.map { item in
      let nulls = item.nullsFirst.map { $0 ? " NULLS FIRST" : " NULLS LAST" } ?? ""
      return "\(item.key) \(item.isAscending ? "ASC" : "DESC")\(nulls)"
    }.joined(separator: ", ")
  }

  static func format(_ window: WindowSpecification) -> String {
    var parts: [String] = []
    if let name = window.existingName { parts.append(name.description) }
    if !window.partitionBy.isEmpty { parts.append("PARTITION BY \(list(window.partitionBy))") }
    if !window.orderBy.isEmpty { parts.append("ORDER BY \(format(window.orderBy))") }
    if let frame = window.frame {
      let start = format(frame.start)
      parts.append(
        "\(frame.unit.rawValue) " + (frame.end.map { "BETWEEN \(start) AND \(format($0))" } ?? start))
    }
    return "(\(parts.joined(separator: " ")))"
  }

  private static func format(_ bound: WindowFrame.Bound) -> String {
    switch bound {
    case .unboundedPreceding: "UNBOUNDED PRECEDING"
    case .preceding(let value): "\(value) PRECEDING"
    case .currentRow: "CURRENT ROW"
    case .following(let value): "\(value) FOLLOWING"
    case .unboundedFollowing: "UNBOUNDED FOLLOWING"
    }
  }

  private static func format(_ count: RowCount) -> String {
    switch count.kind {
    case .number(let number): "\(number)"
    case .parameter: "?"
    }
  }

  private static func format(_ body: QueryBody) -> String {
    switch body {
    case .select(let select): return format(select)
    case .values(let rows, _): return "VALUES \(list(rows))"
    case .table(let name): return "TABLE \(name)"
    case .parenthesised(let query): return "(\(format(query)))"
    case .setOperation(let operation):
      let keyword = " \(operation.kind.rawValue)\(operation.isDistinct ? "" : " ALL") "
      return operation.inputs.map(format).joined(separator: keyword)
    }
  }

  private static func format(_ select: Select) -> String {
    let items = select.items.map { item in
      switch item {
      case .expression(let expression, let alias): "\(expression)\(alias.map { " \($0)" } ?? "")"
      case .allColumns: "*"
      case .allColumnsOf(let base, let aliases): "\(base).*\(aliases.isEmpty ? "" : " AS (\(names(aliases)))")"
      }
    }
    var text = "SELECT \(select.isDistinct ? "DISTINCT " : "")\(items.joined(separator: ", "))"
    if let from = select.from { text += " FROM \(format(from))" }
    if let condition = select.where { text += " WHERE \(condition)" }
    if let groupBy = select.groupBy {
      let elements = groupBy.elements.map(format).joined(separator: ", ")
      text += " GROUP BY \(groupBy.isDistinct ? "DISTINCT " : "")\(elements)"
    }
    if let having = select.having { text += " HAVING \(having)" }
    if !select.windows.isEmpty {
      let windows = select.windows.map { "\($0.name) AS \(format($0.specification))" }
      text += " WINDOW \(windows.joined(separator: ", "))"
    }
    return text
  }

  private static func format(_ element: GroupBy.Element) -> String {
    func sets(_ sets: [[Expression]]) -> String { sets.map { "(\(list($0)))" }.joined(separator: ", ") }
    switch element {
    case .simple(let columns): return columns.count == 1 ? columns[0].description : "(\(list(columns)))"
    case .groupingSets(let groups): return "GROUPING SETS (\(sets(groups)))"
    case .cube(let groups): return "CUBE (\(sets(groups)))"
    case .rollup(let groups): return "ROLLUP (\(sets(groups)))"
    }
  }

  private static func format(_ relation: Relation) -> String {
    switch relation.kind {
    case .table(let name): return name.description
    case .subquery(let query): return "(\(format(query)))"
    case .lateral(let query): return "LATERAL (\(format(query)))"
    case .unnest(let arrays, let withOrdinality):
      return "UNNEST (\(list(arrays)))\(withOrdinality ? " WITH ORDINALITY" : "")"
    case .aliased(let inner, let alias, let columns):
      let text = isJoin(inner) ? "(\(format(inner)))" : format(inner)
      return "\(text) \(alias)\(columns.map { " (\(names($0)))" } ?? "")"
    case .join(let join): return format(join)
    }
  }

  private static func format(_ join: Join) -> String {
    let left = format(join.left)
    let right = isJoin(join.right) ? "(\(format(join.right)))" : format(join.right)
    let operation = join.kind == .inner ? "JOIN" : "\(join.kind.rawValue) JOIN"
    switch join.criteria {
    case .on(let condition): return "\(left) \(operation) \(right) ON \(condition)"
    case .using(let columns): return "\(left) \(operation) \(right) USING (\(names(columns)))"
    case .natural: return "\(left) NATURAL \(operation) \(right)"
    case nil: return join.kind == .implicit ? "\(left), \(right)" : "\(left) CROSS JOIN \(right)"
    }
  }

  private static func isJoin(_ relation: Relation) -> Bool {
    if case .join = relation.kind { return true }
    return false
  }

  private static func names(_ identifiers: [Identifier]) -> String {
    identifiers.map(\.description).joined(separator: ", ")
  }

  private static func list(_ expressions: [Expression]) -> String {
    expressions.map(\.description).joined(separator: ", ")
  }
}
