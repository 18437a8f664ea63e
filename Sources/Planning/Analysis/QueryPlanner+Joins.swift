// Owns the planning of joins in FROM: conditions split into key pairs and the rest, USING, NATURAL and LATERAL.

import Base
import Columnar
import SQLSyntax

extension QueryPlanner {
  func planJoin(_ join: Join, _ location: SourceLocation, in environment: Environment) throws -> RelationPlan {
    let left = try planRelation(join.left, in: environment)
    if let query = Self.lateralQuery(join.right) {
      return try planLateral(left, join, query, in: environment)
    }
    let right = try planRelation(join.right, in: environment)
    switch join.criteria {
    case nil:
      return try planJoin(left, right, .inner, nil, in: environment)
    case .on(let condition):
      return try planJoin(left, right, JoinKind(join.kind), condition, in: environment)
    case .using(let columns): return try planUsing(left, right, JoinKind(join.kind), columns)
    case .natural:
      let names = Set(right.visibleFields.compactMap(\.name))
      let shared = left.visibleFields.filter { field in field.name.map(names.contains) ?? false }
      let columns = shared.map { Identifier($0.displayName ?? $0.name ?? "", at: location) }
      return try planUsing(left, right, JoinKind(join.kind), columns)
    }
  }

  // MARK: ON

  private func planJoin(
    _ left: RelationPlan, _ right: RelationPlan, _ kind: JoinKind, _ condition: SyntaxExpression?,
    in environment: Environment
  ) throws -> RelationPlan {
    let fields = left.fields + right.fields
    let outputs = left.node.outputs + right.node.outputs
    guard let condition else {
      return RelationPlan(
        node: .join(JoinNode(kind: kind, left: left.node, right: right.node, criteria: [], outputs: outputs)),
        fields: fields)
    }
    let scope = Scope(fields: fields, outer: environment.outer)
    let translator = ExpressionTranslator(
      planner: self, scope: scope, environment: environment, clause: "JOIN clause")
    let predicate = try translator.boolean(condition) {
      "JOIN ON clause must evaluate to a boolean: actual type \($0)"
    }
    if let subquery = translator.pending.first {
      guard kind == .inner else {
        throw WaterbearError(
          .notSupported, "A subquery in the ON clause of an outer join is not supported", at: subquery.location)
      }
      var builder = PlanBuilder(node: left.node, symbols: symbols)
      builder.crossJoin(right.node)
      try planFilter(condition, clause: "JOIN ON clause", scope, environment, on: &builder)
      return RelationPlan(node: builder.node, fields: fields)
    }
    let node = join(left.node, right.node, kind, predicate.conjuncts, outputs: outputs)
    return RelationPlan(node: node, fields: fields)
  }

  /// A join on `conjuncts`, of which equalities between the two sides become key pairs.
  func join(
    _ left: PlanNode, _ right: PlanNode, _ kind: JoinKind, _ conjuncts: [Expression], outputs: [Symbol]
  ) -> PlanNode {
    var leftBuilder = PlanBuilder(node: left, symbols: symbols)
    var rightBuilder = PlanBuilder(node: right, symbols: symbols)
    let leftColumns = Set(left.outputs)
    let rightColumns = Set(right.outputs)
    var criteria: [EquiClause] = []
    var rest: [Expression] = []
    for conjunct in conjuncts {
      guard let (first, second) = Self.equality(conjunct, leftColumns, rightColumns) else {
        rest.append(conjunct)
        continue
      }
      let clause = EquiClause(
        left: leftBuilder.symbol(for: first, named: "key"), right: rightBuilder.symbol(for: second, named: "key"))
      if !criteria.contains(clause) { criteria.append(clause) }
    }
    return .join(
      JoinNode(
        kind: kind, left: leftBuilder.node, right: rightBuilder.node, criteria: criteria,
        filter: rest.isEmpty ? nil : .conjunction(rest), outputs: outputs))
  }

  /// The sides of `a = b` where one speaks of `left` only and the other of `right` only, in that order.
  static func equality(
    _ expression: Expression, _ left: Set<Symbol>, _ right: Set<Symbol>
  ) -> (left: Expression, right: Expression)? {
    guard case .comparison(.equal, let first, let second) = expression, expression.isDeterministic else {
      return nil
    }
    let firstSymbols = first.symbols
    let secondSymbols = second.symbols
    guard !firstSymbols.isEmpty, !secondSymbols.isEmpty else { return nil }
    if firstSymbols.isSubset(of: left), secondSymbols.isSubset(of: right) { return (first, second) }
    if firstSymbols.isSubset(of: right), secondSymbols.isSubset(of: left) { return (second, first) }
    return nil
  }

  // MARK: USING

  private func planUsing(
    _ left: RelationPlan, _ right: RelationPlan, _ kind: JoinKind, _ columns: [Identifier]
  ) throws -> RelationPlan {
    var conjuncts: [Expression] = []
    var shared: [(name: Identifier, value: Expression)] = []
    var used: Set<String> = []
    for column in columns {
      guard used.insert(column.canonical).inserted else {
        throw WaterbearError(
          .duplicateColumnName, "Column '\(column.value)' appears multiple times in USING clause",
          at: column.location)
      }
      let first = Expression.symbol(try usingColumn(column, left, "left"))
      let second = Expression.symbol(try usingColumn(column, right, "right"))
      guard let type = TypeCoercion.common(first.type, second.type) else {
        throw WaterbearError(
          .typeMismatch, "Column Types of left and right side of join are not comparable: "
            + "\(first.type) vs \(second.type)", at: column.location)
      }
      let (leftValue, rightValue) = (first.coerced(to: type), second.coerced(to: type))
      conjuncts.append(.comparison(.equal, leftValue, rightValue))
      switch kind {
      case .right: shared.append((column, rightValue))
      case .full: shared.append((column, .coalesce([leftValue, rightValue], type)))
      default: shared.append((column, leftValue))
      }
    }
    let outputs = left.node.outputs + right.node.outputs
    var builder = PlanBuilder(
      node: join(left.node, right.node, kind, conjuncts, outputs: outputs), symbols: symbols)
    let values = builder.symbols(for: shared.map(\.value), named: "using")
    let fields = zip(shared, values).map { column, symbol in
      Field(name: column.name.canonical, displayName: column.name.value, qualifier: [], symbol: symbol)
    }
    let rest = (left.fields + right.fields).filter { field in !(field.name.map(used.contains) ?? false) }
    return RelationPlan(node: builder.node, fields: fields + rest)
  }

  private func usingColumn(_ column: Identifier, _ side: RelationPlan, _ which: String) throws -> Symbol {
    let matches = side.fields.filter { $0.name == column.canonical }
    guard let match = matches.first else {
      throw WaterbearError(
        .columnNotFound, "Column '\(column.value)' is missing from \(which) side of join", at: column.location)
    }
    guard matches.count == 1 else {
      throw WaterbearError(.ambiguousName, "Column '\(column.value)' is ambiguous", at: column.location)
    }
    return match.symbol
  }

  // MARK: LATERAL

  /// The query of `LATERAL (query) [alias]`.
  private static func lateralQuery(_ relation: Relation) -> Relation? {
    switch relation.kind {
    case .lateral: return relation
    case .aliased(let inner, _, _): return lateralQuery(inner) == nil ? nil : relation
    default: return nil
    }
  }

  /// A join with a query that may use the columns of the left side: its conditions on them become the join's.
  private func planLateral(
    _ left: RelationPlan, _ join: Join, _ relation: Relation, in environment: Environment
  ) throws -> RelationPlan {
    let scope = Scope(fields: left.fields, outer: environment.outer)
    let right = try planRelation(relation, in: environment.inside(scope))
    let kind = JoinKind(join.kind)
    guard kind == .inner || kind == .left else {
      throw WaterbearError(
        .invalidColumnReference, "LATERAL reference not allowed in \(join.kind.rawValue) JOIN",
        at: relation.location)
    }
    switch join.criteria {
    case nil: break
    case .on(let condition) where condition.kind == .boolean(true): break
    default:
      throw WaterbearError(
        .notSupported, "\(join.kind.rawValue) JOIN involving LATERAL relation is only supported with condition ON TRUE",
        at: relation.location)
    }
    let columns = right.fields.map(\.symbol).unique
    let outputs = left.node.outputs + columns
    let rowwise = RowwiseSubquery(planner: self, location: relation.location)
    if let pulled = try rowwise.pulled(right.node, left.node) {
      let node = self.join(left.node, pulled.node, kind, pulled.conditions, outputs: outputs)
      return RelationPlan(node: node, fields: left.fields + right.fields)
    }
    let outer = rowwise.numbered(left.node)
    let rows = try rowwise.rows(of: right.node, beside: outer)
    var builder = PlanBuilder(node: rows.node, symbols: symbols)
    if kind == .inner {
      builder.filter(.symbol(rows.mask))
    } else {
      builder.node = rowwise.padded(rows, columns, beside: outer)
    }
    return RelationPlan(node: trimmed(builder.node, to: outputs), fields: left.fields + right.fields)
  }
}

extension JoinKind {
  init(_ syntax: Join.Kind) {
    switch syntax {
    case .inner, .cross, .implicit: self = .inner
    case .left: self = .left
    case .right: self = .right
    case .full: self = .full
    }
  }
}
