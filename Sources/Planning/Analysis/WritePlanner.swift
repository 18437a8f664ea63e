// Owns the analysis of statements that change tables: what they name is looked up and checked, their rows become a plan
// that ends in a writer. Knows nothing of how a connector writes, and begins nothing.

import Base
import Columnar
import ConnectorAPI
import SQLSyntax

/// Plans CREATE TABLE, CREATE TABLE AS, INSERT and DROP TABLE. Messages are Trino's.
struct WritePlanner {
  private let planner: QueryPlanner

  init(catalogs: Catalogs, context: QueryContext) { planner = QueryPlanner(catalogs: catalogs, context: context) }

  // MARK: Statements

  func plan(_ create: CreateTableAs) throws -> LogicalPlan {
    let target = try destination(create.table)
    try refuseReplacing(create.replaces, create.location)
    if let existing = try existing(target, ifNotExists: create.ifNotExists, countsRows: true) { return existing }
    _ = try writable(target, to: "creating tables with data")
    try refuseComment(create.comment, create.location)
    let query = try planner.planQuery(create.query, in: Environment(), isOutermost: false)
    let columns = try columns(of: create, query.visibleFields)
    let table = NewTable(
      schema: target.schema, name: target.name, columns: columns,
      properties: try properties(create.properties, of: target))
    let write = LogicalWrite(
      act: .create(table), catalog: target.catalog, updateType: "CREATE TABLE", countsRows: true,
      writesRows: create.withData, location: target.location)
    guard create.withData else { return actOnly(write) }
    return writing(query.node, query.visibleFields.map(\.symbol), target, columns, write)
  }

  func plan(_ create: CreateTable) throws -> LogicalPlan {
    let target = try destination(create.table)
    try refuseReplacing(create.replaces, create.location)
    if let existing = try existing(target, ifNotExists: create.ifNotExists, countsRows: false) { return existing }
    _ = try writable(target, to: "creating tables")
    try refuseComment(create.comment, create.location)
    try checkNames(create.columns.map(\.name))
    let columns = try create.columns.enumerated().map { index, column in
      let type = try TypeResolution.resolve(column.type)
      if type == .unknown {
        throw WaterbearError(
          .columnTypeUnknown, "Column type is unknown: \(column.name.value)", at: column.name.location)
      }
      return ColumnHandle(name: column.name.canonical, type: type, index: index)
    }
    let table = NewTable(
      schema: target.schema, name: target.name, columns: columns,
      properties: try properties(create.properties, of: target))
    return actOnly(
      LogicalWrite(
        act: .create(table), catalog: target.catalog, updateType: "CREATE TABLE", countsRows: false,
        writesRows: false, location: target.location))
  }

  func plan(_ insert: Insert) throws -> LogicalPlan {
    let target = try destination(insert.table)
    let table = try found(target)
    _ = try writable(target, to: "inserts")
    let chosen = try chosenColumns(of: insert, in: table)
    let query = try planner.planQuery(insert.query, in: Environment(), isOutermost: false)
    let fields = query.visibleFields
    let tableTypes = chosen.map { table.columns[$0].type }
    let queryTypes = fields.map(\.symbol.type)
    guard tableTypes.count == queryTypes.count,
      zip(queryTypes, tableTypes).allSatisfy({ TypeCoercion.common($0, $1) != nil })
    else {
      let list = { (types: [DataType]) in types.map(\.description).joined(separator: ", ") }
      throw WaterbearError(
        .typeMismatch,
        "Insert query has mismatched column types: Table: [\(list(tableTypes))], Query: [\(list(queryTypes))]",
        at: insert.location)
    }
    var values = table.columns.map { Expression.constant(.null, $0.type) }
    for (position, field) in zip(chosen, fields) {
      values[position] = stored(.symbol(field.symbol), as: table.columns[position].type, insert.location)
    }
    var builder = PlanBuilder(node: query.node, symbols: planner.symbols)
    let symbols = builder.symbols(for: values, named: "expr")
    let write = LogicalWrite(
      act: .insert(table.handle, columns: table.columns), catalog: target.catalog, updateType: "INSERT",
      countsRows: true, writesRows: true, location: target.location)
    return writing(builder.node, symbols, target, table.columns, write)
  }

  func plan(_ drop: DropTable) throws -> LogicalPlan {
    let target = try destination(drop.table)
    var write = LogicalWrite(
      act: .nothing, catalog: target.catalog, updateType: "DROP TABLE", countsRows: false, writesRows: false,
      location: target.location)
    if target.table == nil && drop.ifExists { return actOnly(write) }
    write.act = .drop(try found(target).handle, mayBeMissing: drop.ifExists)
    _ = try writable(target, to: "dropping tables")
    return actOnly(write)
  }

  // MARK: Tables

  /// The table that a statement names, with what is there under the name.
  private struct Destination {
    var catalog: String
    var schema: String
    var name: String
    var connector: any Connector
    var table: TableMetadata?
    var location: SourceLocation

    var text: String { "\(catalog).\(schema).\(name)" }
  }

  private func destination(_ name: QualifiedName) throws -> Destination {
    guard name.parts.count <= 3 else {
      throw WaterbearError(.syntaxError, "Too many dots in table name: \(name.canonical)", at: name.location)
    }
    let (catalog, schema) = try planner.catalogAndSchema(of: name)
    return try planner.located(name.location) {
      let connector = try planner.catalogs.connector(catalog)
      return Destination(
        catalog: catalog, schema: schema, name: name.suffix, connector: connector,
        table: try connector.table(schema: schema, name: name.suffix), location: name.location)
    }
  }

  private func found(_ target: Destination) throws -> TableMetadata {
    if let table = target.table { return table }
    // Says that the schema is missing where that is so.
    _ = try planner.located(target.location) { try target.connector.tableNames(in: target.schema) }
    throw WaterbearError(.tableNotFound, "Table '\(target.text)' does not exist", at: target.location)
  }

  /// The plan that does nothing where the table is there and may be; nil where it is to be made.
  private func existing(_ target: Destination, ifNotExists: Bool, countsRows: Bool) throws -> LogicalPlan? {
    guard target.table != nil else {
      _ = try planner.located(target.location) { try target.connector.tableNames(in: target.schema) }
      return nil
    }
    guard ifNotExists else {
      throw WaterbearError(
        .tableAlreadyExists,
        countsRows ? "Destination table '\(target.text)' already exists" : "Table '\(target.text)' already exists",
        at: target.location)
    }
    return actOnly(
      LogicalWrite(
        act: .nothing, catalog: target.catalog, updateType: "CREATE TABLE", countsRows: countsRows, writesRows: false,
        location: target.location))
  }

  private func writable(_ target: Destination, to act: String) throws -> any WritableConnector {
    guard let connector = target.connector as? any WritableConnector else {
      throw WaterbearError(.notSupported, "This connector does not support \(act)", at: target.location)
    }
    return connector
  }

  private func refuseReplacing(_ replaces: Bool, _ location: SourceLocation) throws {
    if replaces {
      throw WaterbearError(.notSupported, "This connector does not support replacing tables", at: location)
    }
  }

  private func refuseComment(_ comment: String?, _ location: SourceLocation) throws {
    if comment != nil { throw WaterbearError(.notSupported, "Comments on tables are not supported", at: location) }
  }

  // MARK: Columns

  private func columns(of create: CreateTableAs, _ fields: [Field]) throws -> [ColumnHandle] {
    let aliases = create.columnAliases
    if !aliases.isEmpty {
      guard aliases.count == fields.count else {
        throw WaterbearError(
          .mismatchedColumnAliases,
          "Column alias list has \(aliases.count) entries but relation has \(fields.count) columns",
          at: aliases[0].location)
      }
      try checkNames(aliases)
    }
    var seen: Set<String> = []
    return try fields.enumerated().map { index, field in
      let written = aliases.isEmpty ? field.name : aliases[index].canonical
      guard let name = written else {
        throw WaterbearError(
          .missingColumnName, "Column name not specified at position \(index + 1)", at: create.location)
      }
      guard seen.insert(name).inserted else {
        throw WaterbearError(
          .duplicateColumnName, "Column name '\(name)' specified more than once", at: create.location)
      }
      if field.symbol.type == .unknown {
        throw WaterbearError(
          .columnTypeUnknown, "Column type is unknown at position \(index + 1)", at: create.location,
          remedy: "CAST(NULL AS varchar), say, gives it one.")
      }
      return ColumnHandle(name: name, type: field.symbol.type, index: index)
    }
  }

  private func checkNames(_ names: [Identifier]) throws {
    var seen: Set<String> = []
    for name in names where !seen.insert(name.canonical).inserted {
      throw WaterbearError(
        .duplicateColumnName, "Column name '\(name.value)' specified more than once", at: name.location)
    }
  }

  /// The columns that the rows of an INSERT are for, as positions in the table.
  private func chosenColumns(of insert: Insert, in table: TableMetadata) throws -> [Int] {
    guard let names = insert.columns else { return Array(table.columns.indices) }
    var chosen: [Int] = []
    for name in names {
      guard let position = table.columns.firstIndex(where: { $0.name.lowercased() == name.canonical }) else {
        throw WaterbearError(
          .columnNotFound, "Insert column name does not exist in target table: \(name.canonical)", at: name.location)
      }
      guard !chosen.contains(position) else {
        throw WaterbearError(
          .duplicateColumnName, "Insert column name is specified more than once: \(name.canonical)",
          at: name.location)
      }
      chosen.append(position)
    }
    return chosen
  }

  /// A value as its column keeps it. Narrower types are cast, and may fail at run time; a CAST of a text would silently
  /// cut off what is too long.
  private func stored(_ value: Expression, as type: DataType, _ location: SourceLocation) -> Expression {
    if TypeCoercion.isText(value.type) && TypeCoercion.isText(type) {
      if TypeCoercion.common(value.type, type) == type && value.type.isVarchar == type.isVarchar { return value }
      return .function(.storedText, [value], type, Origin(location))
    }
    if TypeCoercion.canCoerce(value.type, to: type) { return value.coerced(to: type) }
    return .cast(value, type, isTry: false, Origin(location))
  }

  // MARK: Properties

  private func properties(
    _ written: [TableProperty], of target: Destination
  ) throws -> [String: PropertyValue] {
    var values: [String: PropertyValue] = [:]
    var seen: Set<String> = []
    for property in written {
      let name = property.name.canonical
      guard seen.insert(name).inserted else {
        throw WaterbearError(.duplicateProperty, "Duplicate property: \(name)", at: property.name.location)
      }
      // DEFAULT is what the connector does where nothing is said.
      guard let expression = property.value else { continue }
      guard let value = constant(expression) else {
        throw WaterbearError(
          .invalidTableProperty,
          "Invalid value for catalog '\(target.catalog)' table property '\(name)': \(expression)",
          at: expression.location, remedy: "a string, an integer, TRUE, FALSE or an ARRAY of those can be given")
      }
      values[name] = value
    }
    return values
  }

  private func constant(_ expression: SyntaxExpression) -> PropertyValue? {
    switch expression.kind {
    case .string(let text): return .text(text)
    case .integer(let number): return .integer(number)
    case .boolean(let flag): return .boolean(flag)
    case .negated(let operand):
      guard case .integer(let number)? = constant(operand), number != .min else { return nil }
      return .integer(-number)
    case .array(let elements):
      let values = elements.compactMap(constant)
      return values.count == elements.count ? .list(values) : nil
    default: return nil
    }
  }

  // MARK: Plans

  private func writing(
    _ source: PlanNode, _ symbols: [Symbol], _ target: Destination, _ columns: [ColumnHandle], _ write: LogicalWrite
  ) -> LogicalPlan {
    let (node, written) = planner.separated(source, symbols)
    let handle = WriteHandle(
      catalog: target.catalog, schema: target.schema, table: target.name, columns: columns, payload: [])
    let rowCount = planner.symbols.symbol("rows", .bigint)
    let fragment = planner.symbols.symbol("fragment", .varbinary)
    let writer = PlanNode.tableWriter(
      TableWriterNode(source: node, columns: written, target: handle, rowCount: rowCount, fragment: fragment))
    let finish = PlanNode.tableFinish(TableFinishNode(source: writer, target: handle))
    let root = PlanNode.output(
      OutputNode(source: finish, columnNames: ["rows", "fragment"], outputs: [rowCount, fragment]))
    return LogicalPlan(root: root, symbols: planner.symbols, nextScanID: planner.nextScanID, write: write)
  }

  /// A plan without rows: all there is to do is the last step.
  private func actOnly(_ write: LogicalWrite) -> LogicalPlan {
    let root = PlanNode.output(
      OutputNode(source: .values(ValuesNode(outputs: [], rows: [])), columnNames: [], outputs: []))
    return LogicalPlan(root: root, symbols: planner.symbols, nextScanID: planner.nextScanID, write: write)
  }
}

extension DataType {
  fileprivate var isVarchar: Bool {
    if case .varchar = self { return true }
    return false
  }
}
