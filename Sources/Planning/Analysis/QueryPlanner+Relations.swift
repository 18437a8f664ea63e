// Owns the planning of FROM: tables, WITH queries, derived tables, VALUES and aliases. Joins are in an extension of
// their own.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

extension QueryPlanner {
  /// The rows of FROM; one row without columns where there is none.
  func planFrom(_ relation: Relation?, in environment: Environment) throws -> RelationPlan {
    guard let relation else {
      return RelationPlan(node: .values(ValuesNode(outputs: [], rows: [[]])), fields: [])
    }
    return try planRelation(relation, in: environment)
  }

  func planRelation(_ relation: Relation, in environment: Environment) throws -> RelationPlan {
    switch relation.kind {
    case .table(let name): return try planTable(name, in: environment)
    case .subquery(let query):
      return unqualified(try planQuery(query, in: environment, isOutermost: false))
    case .aliased(let inner, let alias, let columns):
      return try rename(try planRelation(inner, in: environment), alias, columns)
    case .join(let join): return try planJoin(join, relation.location, in: environment)
    case .lateral(let query):
      // Without a relation to the left there is nothing to refer to.
      return unqualified(try planQuery(query, in: environment, isOutermost: false))
    case .unnest: throw WaterbearError(.notSupported, "UNNEST is not supported", at: relation.location)
    }
  }

  // MARK: Tables

  /// A WITH query in reach or a table of a catalog.
  func planTable(_ name: QualifiedName, in environment: Environment) throws -> RelationPlan {
    try countRelation(at: name.location)
    if name.parts.count == 1, let named = environment.named[name.suffix] {
      return try planNamedQuery(named)
    }
    guard name.parts.count <= 3 else {
      throw WaterbearError(.syntaxError, "Too many dots in table name: \(name.canonical)", at: name.location)
    }
    let (catalog, schema) = try catalogAndSchema(of: name)
    let connector = try located(name.location) { try catalogs.connector(catalog) }
    let found = try located(name.location) { try connector.table(schema: schema, name: name.suffix) }
    guard let table = found else {
      // Says that the schema is missing where that is so.
      _ = try located(name.location) { try connector.tableNames(in: schema) }
      throw WaterbearError(
        .tableNotFound, "Table '\(catalog).\(schema).\(name.suffix)' does not exist", at: name.location,
        remedy: "SHOW TABLES FROM \(catalog).\(schema) lists the tables there are.")
    }
    return scan(table, qualifier: [catalog, schema, name.suffix])
  }

  func catalogAndSchema(of name: QualifiedName) throws -> (catalog: String, schema: String) {
    let parts = name.parts.map(\.canonical)
    guard let schema = parts.count >= 2 ? parts[parts.count - 2] : context.schema else {
      throw WaterbearError(
        .missingSchemaName, "Schema must be specified when session schema is not set", at: name.location)
    }
    guard let catalog = parts.count == 3 ? parts[0] : context.catalog else {
      throw WaterbearError(
        .missingCatalogName, "Catalog must be specified when session catalog is not set", at: name.location)
    }
    return (catalog, schema)
  }

  /// Gives errors of connectors the place in the SQL that led to them.
  func located<Result>(_ location: SourceLocation, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      var located = WaterbearError.wrapping(error)
      if located.location == nil { located.location = location }
      throw located
    }
  }

  private func scan(_ table: TableMetadata, qualifier: [String]) -> RelationPlan {
    var columns: [TableScanNode.ScanColumn] = []
    var fields: [Field] = []
    for (handles, isHidden) in [(table.columns, false), (table.hiddenColumns, true)] {
      for handle in handles {
        let symbol = symbols.symbol(handle.name, handle.type)
        columns.append(TableScanNode.ScanColumn(symbol: symbol, column: handle))
        fields.append(
          Field(
            name: handle.name.lowercased(), displayName: handle.name, qualifier: qualifier, symbol: symbol,
            isHidden: isHidden))
      }
    }
    defer { nextScanID += 1 }
    return RelationPlan(
      node: .tableScan(TableScanNode(id: nextScanID, table: table.handle, columns: columns)), fields: fields)
  }

  /// A WITH query, planned anew at each use so that every symbol stays unique.
  private func planNamedQuery(_ named: Environment.NamedQuery) throws -> RelationPlan {
    let name = named.syntax.name
    if named.isRecursive, Self.refers(named.syntax.query, to: name.canonical) {
      throw WaterbearError(.notSupported, "WITH RECURSIVE is not supported", at: name.location)
    }
    let plan = unqualified(try planQuery(named.syntax.query, in: named.environment, isOutermost: false))
    if let aliases = named.syntax.columnAliases, aliases.count != plan.fields.count {
      throw WaterbearError(
        .mismatchedColumnAliases,
        "WITH column alias list has \(aliases.count) entries but WITH query(\(name.value)) has "
          + "\(plan.fields.count) columns", at: name.location)
    }
    return try rename(plan, name, named.syntax.columnAliases)
  }

  /// Whether a query's own FROM or one of its inputs names `name`.
  private static func refers(_ query: Query, to name: String) -> Bool {
    func refers(_ body: QueryBody) -> Bool {
      switch body {
      case .select(let select): select.from.map(refers) ?? false
      case .setOperation(let operation): operation.inputs.contains(where: refers)
      case .values: false
      case .table(let table): table.parts.count == 1 && table.suffix == name
      case .parenthesised(let query): refers(query.body)
      }
    }
    func refers(_ relation: Relation) -> Bool {
      switch relation.kind {
      case .table(let table): table.parts.count == 1 && table.suffix == name
      case .subquery(let query), .lateral(let query): refers(query.body)
      case .aliased(let inner, _, _): refers(inner)
      case .join(let join): refers(join.left) || refers(join.right)
      case .unnest: false
      }
    }
    return refers(query.body)
  }

  // MARK: Aliases

  private func rename(_ plan: RelationPlan, _ alias: Identifier, _ columns: [Identifier]?) throws -> RelationPlan {
    var plan = plan
    if let columns {
      plan.fields = plan.visibleFields
      guard columns.count == plan.fields.count else {
        throw WaterbearError(
          .mismatchedColumnAliases,
          "Column alias list has \(columns.count) entries but '\(alias.canonical)' has "
            + "\(plan.fields.count) columns available", at: alias.location)
      }
    }
    for index in plan.fields.indices {
      plan.fields[index].qualifier = [alias.canonical]
      if let columns {
        plan.fields[index].name = columns[index].canonical
        plan.fields[index].displayName = columns[index].value
      }
    }
    return plan
  }

  // MARK: VALUES

  func planValues(
    _ rows: [SyntaxExpression], _ location: SourceLocation, in environment: Environment
  ) throws -> RelationPlan {
    let scope = Scope(fields: [], outer: environment.outer)
    let translator = ExpressionTranslator(
      planner: self, scope: scope, environment: environment, clause: "VALUES")
    var translated = try rows.map { row in
      if case .row(let items) = row.kind { return try items.map(translator.translate) }
      return [try translator.translate(row)]
    }
    if let subquery = translator.pending.first {
      throw WaterbearError(.notSupported, "A subquery in VALUES is not supported", at: subquery.location)
    }
    var types = translated[0].map(\.type)
    for (row, syntax) in zip(translated, rows) {
      guard row.count == types.count else {
        throw WaterbearError(
          .typeMismatch, "Values rows have mismatched sizes: \(types.count) vs \(row.count)", at: syntax.location)
      }
      for (index, value) in row.enumerated() {
        guard let common = TypeCoercion.common(types[index], value.type) else {
          throw WaterbearError(
            .typeMismatch, "Values rows have mismatched types: \(types[index]) vs \(value.type)",
            at: syntax.location)
        }
        types[index] = common
      }
    }
    translated = translated.map { row in zip(row, types).map { $0.coerced(to: $1) } }
    if translated.joined().contains(where: { !$0.symbols.isEmpty }) {
      throw WaterbearError(
        .notSupported, "VALUES that use columns of an outer query are not supported", at: location)
    }
    let outputs = types.enumerated().map { symbols.symbol("_col\($0)", $1) }
    return RelationPlan(
      node: .values(ValuesNode(outputs: outputs, rows: translated)),
      fields: outputs.map { Field(name: nil, displayName: nil, qualifier: [], symbol: $0) })
  }
}
