// Owns joins inside a subquery whose plan carries the outer rows: which side carries them, and what a match is then.

import Base
import Columnar

extension RowwiseSubquery {
  /// What of a subquery's rows answers a question about a row.
  struct Summary {
    var node: PlanNode
    /// Whether a match is true for some row.
    var isAny: Symbol
    /// Whether a match is NULL for some row.
    var isOpen: Symbol

    /// Three-valued OR over the rows.
    var anyMatch: Expression {
      .searchedCase(
        [
          WhenClause(condition: .symbol(isAny), result: .true),
          WhenClause(condition: .symbol(isOpen), result: .constant(.null, .boolean)),
        ], otherwise: .false, .boolean)
    }
  }

  /// Whether `match` holds on some of the subquery's rows, for each outer row.
  func summary(of rows: Rows, _ match: Expression, beside outer: Outer) -> Summary {
    let value = masked(rows.node, .symbol(rows.mask), and: match)
    let open = symbols.symbol("open", .boolean)
    let (isAny, isOpen) = (symbols.symbol("any", .boolean), symbols.symbol("open", .boolean))
    let node = PlanNode.aggregate(
      AggregateNode(
        source: appended([Assignment(open, .isNull(.symbol(value.mask)))], to: value.node),
        keys: outer.node.outputs,
        aggregations: [
          Aggregation(function: .boolOr, arguments: [value.mask], output: isAny),
          Aggregation(function: .boolOr, arguments: [open], output: isOpen),
        ]))
    return Summary(node: node, isAny: isAny, isOpen: isOpen)
  }

  // MARK: Inner and outer joins

  func rows(of join: JoinNode, beside outer: Outer) throws -> Rows {
    let condition = Self.condition(join.criteria, join.filter)
    switch join.kind {
    case .inner: return try rows(of: join.left, and: join.right, where: condition, beside: outer)
    case .left: return try rows(of: join.left, padding: join.right, where: condition, beside: outer)
    case .right: return try rows(of: join.right, padding: join.left, where: condition, beside: outer)
    case .full: throw unsupported
    case .semi, .anti, .nullAwareAnti:
      let mark = symbols.symbol("match", .boolean)
      let isNullAware = join.kind == .nullAwareAnti
      let marked = try rows(
        of: SemiJoinNode(
          source: join.left, filteringSource: join.right, criteria: join.criteria, filter: join.filter, mark: mark,
          isNullAware: isNullAware), beside: outer)
      let isKept: Expression = join.kind == .semi ? .symbol(mark) : .not(.symbol(mark))
      return masked(marked.node, .symbol(marked.mask), and: isKept)
    }
  }

  private static func condition(_ criteria: [EquiClause], _ filter: Expression?) -> Expression {
    .conjunction(
      criteria.map { .comparison(.equal, .symbol($0.left), .symbol($0.right)) } + (filter?.conjuncts ?? []))
  }

  private func rows(
    of left: PlanNode, and right: PlanNode, where condition: Expression, beside outer: Outer
  ) throws -> Rows {
    if let pulled = try pulled(right, outer.node) {
      let first = try rows(of: left, beside: outer)
      return matching(pulled, beside: first.node, where: first.mask, if: condition)
    }
    if let pulled = try pulled(left, outer.node) {
      let first = try rows(of: right, beside: outer)
      return matching(pulled, beside: first.node, where: first.mask, if: condition)
    }
    let first = try rows(of: left, beside: outer)
    let second = try rows(of: right, beside: numbered(first))
    return masked(second.node, .symbol(second.mask), and: condition)
  }

  /// A join that keeps the rows of `left`.
  private func rows(
    of left: PlanNode, padding right: PlanNode, where condition: Expression, beside outer: Outer
  ) throws -> Rows {
    let first = try rows(of: left, beside: outer)
    if let pulled = try pulled(right, outer.node) {
      return Rows(node: matching(pulled, beside: first.node, where: first.mask, if: condition).node, mask: first.mask)
    }
    let between = numbered(first)
    let second = try rows(of: right, beside: between)
    let match = masked(second.node, .symbol(second.mask), and: condition)
    return Rows(node: padded(match, right.outputs, beside: between), mask: first.mask)
  }

  /// The rows that match and, for an outer row without any, one with NULL in `columns`.
  func padded(_ match: Rows, _ columns: [Symbol], beside outer: Outer) -> PlanNode {
    let number = symbols.symbol("row_number", .bigint)
    var builder = PlanBuilder(
      node: .rowNumber(
        RowNumberNode(
          source: match.node, partition: [outer.id], orderings: [Self.matchesFirst(match.mask)], most: nil,
          number: number)),
      symbols: symbols)
    builder.filter(
      .or([.symbol(match.mask), .comparison(.equal, .symbol(number), .constant(.integer(1), .bigint))]))
    return emptied(columns, where: match.mask, of: builder.node)
  }

  // MARK: Marks

  func rows(of join: SemiJoinNode, beside outer: Outer) throws -> Rows {
    let first = try rows(of: join.source, beside: outer)
    guard let pulled = try pulled(join.filteringSource, outer.node) else {
      let between = numbered(first)
      let second = try rows(of: join.filteringSource, beside: between)
      var condition = Self.condition(join.criteria, nil)
      if let filter = join.filter {
        // Only a key that is NULL leaves a match open.
        condition = .searchedCase([WhenClause(condition: filter, result: condition)], otherwise: .false, .boolean)
      }
      let answer = summary(of: second, condition, beside: between)
      let mark: Expression =
        join.isNullAware ? answer.anyMatch : .coalesce([.symbol(answer.isAny), .false], .boolean)
      return Rows(node: appended([Assignment(join.mark, mark)], to: answer.node), mask: first.mask)
    }
    var join = join
    var source = PlanBuilder(node: first.node, symbols: symbols)
    var filtering = PlanBuilder(node: pulled.node, symbols: symbols)
    var rest = guarded(join.filter?.conjuncts ?? [], on: first.node, where: first.mask)
    let (left, right) = (Set(first.node.outputs), Set(pulled.node.outputs))
    for condition in guarded(pulled.conditions, on: first.node, where: first.mask) {
      // Where NULLs count there is one pair of keys.
      if !join.isNullAware, let pair = QueryPlanner.equality(condition, left, right) {
        join.criteria.append(
          EquiClause(
            left: source.symbol(for: pair.left, named: "key"), right: filtering.symbol(for: pair.right, named: "key")))
      } else {
        rest.append(condition)
      }
    }
    join.source = source.node
    join.filteringSource = filtering.node
    join.filter = rest.isEmpty ? nil : .conjunction(rest)
    return Rows(node: .semiJoin(join), mask: first.mask)
  }
}
