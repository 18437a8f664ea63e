// Owns a slow, plain executor of plans over a handful of rows: what the tests compare a plan's meaning with.

import Base
import Columnar
import Testing

@testable import Planning

/// Runs a plan row by row. Knows integers, text and booleans; enough to tell a right plan from a wrong one.
struct ReferenceExecutor {
  struct Table {
    var columns: [Symbol]
    var rows: [[Value]]
  }

  /// Rows by table name.
  var tables: [String: [[Value]]]

  func run(_ node: PlanNode) throws -> Table {
    switch node {
    case .tableScan(let scan):
      let rows = try #require(tables[scan.table.name])
      return Table(
        columns: scan.columns.map(\.symbol),
        rows: rows.enumerated().map { number, row in
          scan.columns.map { $0.column.index < row.count ? row[$0.column.index] : .integer(Int64(number)) }
        })
    case .values(let values):
      return Table(columns: values.outputs, rows: try values.rows.map { try $0.map { try evaluate($0, [:]) } })
    case .filter(let filter):
      var table = try run(filter.source)
      table.rows = try table.rows.filter { try isTrue(filter.predicate, table.columns, $0) }
      return table
    case .project(let project):
      let source = try run(project.source)
      let rows = try source.rows.map { row in
        let bound = bind(source.columns, row)
        return try project.assignments.map { try evaluate($0.expression, bound) }
      }
      return Table(columns: project.assignments.map(\.symbol), rows: rows)
    case .aggregate(let aggregate): return try self.aggregate(aggregate, run(aggregate.source))
    case .join(let join): return try self.join(join)
    case .semiJoin(let join): return try semiJoin(join)
    case .sort(let sort): return self.sort(try run(sort.source), sort.orderings)
    case .topN(let top):
      var table = sort(try run(top.source), top.orderings)
      table.rows = Array(table.rows.prefix(top.count))
      return table
    case .limit(let limit):
      var table = try run(limit.source)
      table.rows = Array(table.rows.dropFirst(limit.offset).prefix(limit.count ?? Int.max))
      return table
    case .union(let union):
      var rows: [[Value]] = []
      for (source, mapping) in zip(union.sources, union.mappings) {
        rows += select(mapping, try run(source)).rows
      }
      return Table(columns: union.outputs, rows: rows)
    case .uniqueID(let unique):
      let table = try run(unique.source)
      return Table(
        columns: table.columns + [unique.id],
        rows: table.rows.enumerated().map { $1 + [.integer(Int64($0))] })
    case .rowNumber(let node): return number(sort(try run(node.source), node.orderings), node)
    case .enforceSingleRow(let single):
      var table = try run(single.source)
      if table.rows.count > 1 {
        throw WaterbearError(.subqueryMultipleRows, "Scalar sub-query has returned multiple rows")
      }
      if table.rows.isEmpty { table.rows = [table.columns.map { _ in .null }] }
      return table
    case .tableWriter, .tableFinish: throw WaterbearError(.notSupported, "writes are not executed here")
    case .output(let output): return select(output.outputs, try run(output.source))
    case .exchange(let exchange): return try run(exchange.source)
    case .remoteSource: throw WaterbearError(.notSupported, "fragments are not executed here")
    }
  }

  private func select(_ columns: [Symbol], _ table: Table) -> Table {
    let rows = table.rows.map { row in
      let bound = bind(table.columns, row)
      return columns.map { bound[$0]! }  // A column that is missing is a broken plan; the test shall stop.
    }
    return Table(columns: columns, rows: rows)
  }

  private func bind(_ columns: [Symbol], _ row: [Value]) -> [Symbol: Value] {
    Dictionary(zip(columns, row), uniquingKeysWith: { first, _ in first })
  }

  private func isTrue(_ predicate: Expression, _ columns: [Symbol], _ row: [Value]) throws -> Bool {
    try evaluate(predicate, bind(columns, row)) == .boolean(true)
  }

  // MARK: Grouping and order

  private func aggregate(_ node: AggregateNode, _ source: Table) throws -> Table {
    var order: [[Value]] = []
    var groups: [[Value]: [[Symbol: Value]]] = [:]
    if node.keys.isEmpty {
      order = [[]]
      groups[[]] = []
    }
    for row in source.rows {
      let bound = bind(source.columns, row)
      let key = node.keys.map { bound[$0]! }  // As in select.
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(bound)
    }
    let rows = try order.map { key in
      try key + node.aggregations.map { try value(of: $0, groups[key] ?? []) }
    }
    return Table(columns: node.keys + node.aggregations.map(\.output), rows: rows)
  }

  private func value(of call: Aggregation, _ rows: [[Symbol: Value]]) throws -> Value {
    var rows = rows
    if let filter = call.filter { rows = rows.filter { $0[filter] == .boolean(true) } }
    if call.function == .countAll { return .integer(Int64(rows.count)) }
    var values = rows.map { $0[call.arguments[0]]! }.filter { !$0.isNull }  // As in select.
    if call.isDistinct { values = values.unique }
    switch call.function {
    case .count: return .integer(Int64(values.count))
    case .sum: return values.isEmpty ? .null : .integer(values.reduce(0) { $0 + number($1) })
    case .min: return values.min { compare($0, $1) < 0 } ?? .null
    case .max: return values.max { compare($0, $1) < 0 } ?? .null
    case .anyValue: return values.first ?? .null
    case .boolOr: return values.isEmpty ? .null : .boolean(values.contains(.boolean(true)))
    default: throw WaterbearError(.notSupported, "\(call.function) is not executed here")
    }
  }

  private func sort(_ table: Table, _ orderings: [Ordering]) -> Table {
    var table = table
    let indexes = orderings.map { ordering in table.columns.firstIndex(of: ordering.symbol)! }  // As in select.
    let sorted = table.rows.enumerated().sorted { first, second in
      for (ordering, index) in zip(orderings, indexes) {
        let (left, right) = (first.element[index], second.element[index])
        if left == right { continue }
        if left.isNull || right.isNull { return left.isNull == ordering.nullsFirst }
        return (compare(left, right) < 0) == ordering.ascending
      }
      return first.offset < second.offset
    }
    table.rows = sorted.map(\.element)
    return table
  }

  private func number(_ table: Table, _ node: RowNumberNode) -> Table {
    var counts: [[Value]: Int64] = [:]
    let rows = table.rows.compactMap { row -> [Value]? in
      let bound = bind(table.columns, row)
      let key = node.partition.map { bound[$0]! }  // As in select.
      counts[key, default: 0] += 1
      let number = counts[key, default: 0]
      return node.most.map { number <= $0 } ?? true ? row + [.integer(number)] : nil
    }
    return Table(columns: table.columns + [node.number], rows: rows)
  }

  // MARK: Joins

  private func join(_ node: JoinNode) throws -> Table {
    let left = try run(node.left)
    let right = try run(node.right)
    var matchedRight: Set<Int> = []
    var rows: [[Value]] = []
    for leftRow in left.rows {
      var hasMatch = false
      var isOpen = false
      for (number, rightRow) in right.rows.enumerated() {
        switch try match(node.criteria, node.filter, left.columns + right.columns, leftRow + rightRow) {
        case .boolean(true):
          hasMatch = true
          matchedRight.insert(number)
          if [.inner, .left, .right, .full].contains(node.kind) { rows.append(leftRow + rightRow) }
        case .null: isOpen = true
        default: break
        }
      }
      switch node.kind {
      case .left, .full: if !hasMatch { rows.append(leftRow + right.columns.map { _ in .null }) }
      case .semi: if hasMatch { rows.append(leftRow) }
      case .anti: if !hasMatch { rows.append(leftRow) }
      case .nullAwareAnti: if !hasMatch, !isOpen { rows.append(leftRow) }
      case .inner, .right: break
      }
    }
    if node.kind == .right || node.kind == .full {
      for (number, row) in right.rows.enumerated() where !matchedRight.contains(number) {
        rows.append(left.columns.map { _ in .null } + row)
      }
    }
    let isOneSided = [.semi, .anti, .nullAwareAnti].contains(node.kind)
    let columns = isOneSided ? left.columns : left.columns + right.columns
    return select(node.outputs, Table(columns: columns, rows: rows))
  }

  private func semiJoin(_ node: SemiJoinNode) throws -> Table {
    let source = try run(node.source)
    let filtering = try run(node.filteringSource)
    let rows = try source.rows.map { row in
      let answers = try filtering.rows.map {
        try match(node.criteria, node.filter, source.columns + filtering.columns, row + $0)
      }
      if answers.contains(.boolean(true)) { return row + [.boolean(true)] }
      return row + [node.isNullAware && answers.contains(.null) ? .null : .boolean(false)]
    }
    return Table(columns: source.columns + [node.mark], rows: rows)
  }

  /// Whether a pair matches; NULL where only a NULL key leaves it open.
  private func match(
    _ criteria: [EquiClause], _ filter: Expression?, _ columns: [Symbol], _ row: [Value]
  ) throws -> Value {
    if let filter, try !isTrue(filter, columns, row) { return .boolean(false) }
    let bound = bind(columns, row)
    var answer = Value.boolean(true)
    for clause in criteria {
      let (left, right) = (bound[clause.left]!, bound[clause.right]!)  // As in select.
      if left.isNull || right.isNull {
        answer = .null
      } else if left != right {
        return .boolean(false)
      }
    }
    return answer
  }

  // MARK: Expressions

  func evaluate(_ expression: Expression, _ row: [Symbol: Value]) throws -> Value {
    switch expression {
    case .symbol(let symbol): return try #require(row[symbol], "\(symbol) is not in the row")
    case .constant(let value, _): return value
    case .cast(let operand, _, _, _): return try evaluate(operand, row)
    case .comparison(let comparison, let first, let second):
      let (left, right) = (try evaluate(first, row), try evaluate(second, row))
      if comparison == .isDistinctFrom { return .boolean(left != right) }
      if left.isNull || right.isNull { return .null }
      return .boolean(holds(comparison, compare(left, right)))
    case .arithmetic(let operation, let first, let second, _, _):
      let (left, right) = (try evaluate(first, row), try evaluate(second, row))
      if left.isNull || right.isNull { return .null }
      return .integer(try apply(operation, number(left), number(right)))
    case .negate(let operand, _):
      let value = try evaluate(operand, row)
      return value.isNull ? .null : .integer(-number(value))
    case .and(let operands): return try combine(operands, row, decisive: false)
    case .or(let operands): return try combine(operands, row, decisive: true)
    case .not(let operand):
      guard case .boolean(let value) = try evaluate(operand, row) else { return .null }
      return .boolean(!value)
    case .isNull(let operand): return .boolean(try evaluate(operand, row).isNull)
    case .inList(let value, let list):
      return try combine(list.map { .comparison(.equal, value, $0) }, row, decisive: true)
    case .searchedCase(let clauses, let otherwise, _):
      for clause in clauses where try evaluate(clause.condition, row) == .boolean(true) {
        return try evaluate(clause.result, row)
      }
      return try otherwise.map { try evaluate($0, row) } ?? .null
    case .coalesce(let operands, _):
      for operand in operands {
        let value = try evaluate(operand, row)
        if !value.isNull { return value }
      }
      return .null
    case .function(.onlyRow, let arguments, _, _):
      let count = try evaluate(arguments[0], row)
      if number(count) > 1 {
        throw WaterbearError(.subqueryMultipleRows, "Scalar sub-query has returned multiple rows")
      }
      return count.isNull ? .null : .boolean(true)
    case .like, .function: throw WaterbearError(.notSupported, "\(expression) is not executed here")
    }
  }

  private func combine(_ operands: [Expression], _ row: [Symbol: Value], decisive: Bool) throws -> Value {
    let values = try operands.map { try evaluate($0, row) }
    if values.contains(.boolean(decisive)) { return .boolean(decisive) }
    return values.contains(.null) ? .null : .boolean(!decisive)
  }

  private func apply(_ operation: ArithmeticOperator, _ left: Int64, _ right: Int64) throws -> Int64 {
    switch operation {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .divide, .modulus:
      if right == 0 { throw WaterbearError(.divisionByZero, "Division by zero") }
      return operation == .divide ? left / right : left % right
    }
  }

  private func holds(_ comparison: ComparisonOperator, _ order: Int) -> Bool {
    switch comparison {
    case .equal: order == 0
    case .notEqual, .isDistinctFrom: order != 0
    case .lessThan: order < 0
    case .lessThanOrEqual: order <= 0
    case .greaterThan: order > 0
    case .greaterThanOrEqual: order >= 0
    }
  }

  private func number(_ value: Value) -> Int64 {
    if case .integer(let number) = value { return number }
    return 0
  }

  private func compare(_ left: Value, _ right: Value) -> Int {
    switch (left, right) {
    case (.integer(let first), .integer(let second)): first < second ? -1 : first == second ? 0 : 1
    case (.bytes(let first), .bytes(let second)):
      first.lexicographicallyPrecedes(second) ? -1 : first == second ? 0 : 1
    case (.boolean(let first), .boolean(let second)): first == second ? 0 : first ? 1 : -1
    default: 0
    }
  }
}

extension ReferenceExecutor {
  /// Small tables with NULLs and duplicates: t(a, b, c), u(a, d, e), w(k, x); w is empty.
  static let sample: ReferenceExecutor = {
    func text(_ text: String) -> Value { .text(text) }
    return ReferenceExecutor(tables: [
      "t": [
        [.integer(1), .integer(10), text("x")], [.integer(2), .integer(20), text("y")],
        [.integer(2), .integer(21), text("x")], [.integer(3), .null, text("z")], [.null, .integer(40), text("x")],
      ],
      "u": [
        [.integer(1), .integer(100), text("x")], [.integer(2), .integer(200), text("y")],
        [.integer(2), .integer(15), .null], [.integer(5), .integer(500), text("v")],
        [.null, .integer(600), text("z")],
      ],
      "w": [],
    ])
  }()

  static func text(_ value: Value) -> String {
    switch value {
    case .null: "-"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .int128(let value): "\(value)"
    case .double(let value): "\(value)"
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    }
  }

  /// The plan's rows as text, NULL as `-`; sorted where their order is open.
  func lines(of node: PlanNode, isOrdered: Bool) throws -> [String] {
    let lines = try run(node).rows.map { $0.map(Self.text).joined(separator: " ") }
    return isOrdered ? lines : lines.sorted()
  }
}

/// The result of a query over the sample tables, rows separated by `; `. The optimised plan must give the same.
func rows(_ sql: String) throws -> String {
  let plan = try plan(sql)
  #expect(PlanSoundness.faults(of: plan.root) == [], "\(PlanText.lines(plan.root))")
  let isOrdered = sql.lowercased().contains("order by")
  let lines = try ReferenceExecutor.sample.lines(of: plan.root, isOrdered: isOrdered)
  try expectSameMeaning(plan, sql, rows: lines, isOrdered: isOrdered)
  return lines.joined(separator: "; ")
}
