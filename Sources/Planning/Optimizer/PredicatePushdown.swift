// Owns moving filters towards the leaves, turning equalities into join keys, outer joins that cannot pad into inner
// ones, and marks of semi joins that are plain conjuncts into semi and anti joins.

import Base
import Columnar

/// One walk from the root to the leaves, carrying the conjuncts that are still to be placed.
struct PredicatePushdown {
  let symbols: SymbolAllocator
  let simplifier: ExpressionSimplifier

  func optimize(_ root: PlanNode) -> PlanNode { push([], into: root) }

  private func push(_ predicates: [Expression], into node: PlanNode) -> PlanNode {
    switch node {
    case .filter(let filter):
      let own = BooleanSimplifier.filter(simplifier.simplify(filter.predicate))
      return push(predicates + own.conjuncts, into: filter.source)
    case .project(let project): return push(predicates, into: project)
    case .aggregate(let aggregate): return push(predicates, into: aggregate)
    case .join(let join): return push(predicates, into: join)
    case .semiJoin(let join): return push(predicates, into: join)
    case .union(let union): return push(predicates, into: union)
    case .sort(var sort):
      sort.source = push(predicates, into: sort.source)
      return .sort(sort)
    case .uniqueID(var unique):
      let isMovable = { (predicate: Expression) in predicate.isMovable(within: Set(unique.source.outputs)) }
      let (below, above) = (predicates.filter(isMovable), predicates.filter { !isMovable($0) })
      unique.source = push(below, into: unique.source)
      return filtered(.uniqueID(unique), by: above)
    case .rowNumber(var numbered):
      // A condition on what is numbered together takes or leaves all of it.
      let isMovable = { (predicate: Expression) in
        !predicate.symbols.isEmpty && predicate.isMovable(within: Set(numbered.partition))
      }
      let (below, above) = (predicates.filter(isMovable), predicates.filter { !isMovable($0) })
      numbered.source = push(below, into: numbered.source)
      return filtered(.rowNumber(numbered), by: above)
    case .tableScan, .values, .limit, .topN, .enforceSingleRow, .output, .exchange, .remoteSource, .tableWriter,
      .tableFinish:
      return filtered(node.mapSources { push([], into: $0) }, by: predicates)
    }
  }

  /// The node behind a filter of all `predicates`.
  private func filtered(_ node: PlanNode, by predicates: [Expression]) -> PlanNode {
    let predicate = BooleanSimplifier.filter(simplifier.simplify(.conjunction(predicates)))
    return predicate == .true ? node : .filter(FilterNode(source: node, predicate: predicate))
  }

  private func push(_ predicates: [Expression], into project: ProjectNode) -> PlanNode {
    var project = project
    project.assignments = project.assignments.map {
      Assignment($0.symbol, simplifier.simplify($0.expression))
    }
    var definitions: [Symbol: Expression] = [:]
    for assignment in project.assignments { definitions[assignment.symbol] = assignment.expression }
    var movable: [Expression] = []
    var fixed: [Expression] = []
    for predicate in predicates {
      let used = predicate.symbols
      if predicate.isDeterministic, used.allSatisfy({ definitions[$0]?.isDeterministic ?? true }) {
        movable.append(simplifier.simplify(predicate.replacingSymbols { definitions[$0] }))
      } else {
        fixed.append(predicate)
      }
    }
    project.source = push(movable.flatMap(\.conjuncts), into: project.source)
    return filtered(.project(project), by: fixed)
  }

  private func push(_ predicates: [Expression], into aggregate: AggregateNode) -> PlanNode {
    var aggregate = aggregate
    let keys = Set(aggregate.keys)
    let isMovable = { (predicate: Expression) in
      !keys.isEmpty && predicate.isDeterministic && predicate.symbols.isSubset(of: keys) && !predicate.symbols.isEmpty
    }
    aggregate.source = push(predicates.filter(isMovable), into: aggregate.source)
    return filtered(.aggregate(aggregate), by: predicates.filter { !isMovable($0) })
  }

  private func push(_ predicates: [Expression], into union: UnionNode) -> PlanNode {
    var union = union
    let movable = predicates.filter(\.isDeterministic)
    union.sources = zip(union.sources, union.mappings).map { source, mapping in
      let names = Dictionary(zip(union.outputs, mapping), uniquingKeysWith: { first, _ in first })
      return push(movable.map { $0.replacingSymbols { names[$0].map(Expression.symbol) } }, into: source)
    }
    return filtered(.union(union), by: predicates.filter { !$0.isDeterministic })
  }

  // MARK: Joins

  private func push(_ predicates: [Expression], into join: JoinNode) -> PlanNode {
    var join = join
    let left = Set(join.left.outputs)
    let right = Set(join.right.outputs)
    join.kind = strengthened(join.kind, by: predicates, left: left, right: right)
    var above: [Expression] = []
    var toLeft: [Expression] = []
    var toRight: [Expression] = []
    // The join's own condition; for an inner join the filters above it belong to it.
    var condition = (join.filter.map { BooleanSimplifier.filter(simplifier.simplify($0)) } ?? .true).conjuncts
    for predicate in predicates {
      switch join.kind {
      case .inner: condition.append(predicate)
      case .left, .semi, .anti, .nullAwareAnti:
        if predicate.isMovable(within: left) { toLeft.append(predicate) } else { above.append(predicate) }
      case .right:
        if predicate.isMovable(within: right) { toRight.append(predicate) } else { above.append(predicate) }
      case .full: above.append(predicate)
      }
    }
    var filter: [Expression] = []
    for part in condition {
      if join.kind.filtersLeft, part.isMovable(within: left) {
        toLeft.append(part)
      } else if join.kind.filtersRight, part.isMovable(within: right) {
        toRight.append(part)
      } else if let clause = equiClause(part, of: &join, left: left, right: right) {
        join.criteria.append(clause)
      } else {
        filter.append(part)
      }
    }
    for part in filter {
      if join.kind.filtersLeft, let known = BooleanSimplifier.implied(by: part, on: left) { toLeft.append(known) }
      if join.kind.filtersRight, let known = BooleanSimplifier.implied(by: part, on: right) { toRight.append(known) }
    }
    inferAcrossKeys(of: join, toLeft: &toLeft, toRight: &toRight)
    join.filter = filter.isEmpty ? nil : BooleanSimplifier.filter(simplifier.simplify(.conjunction(filter)))
    join.left = push(toLeft, into: join.left)
    join.right = push(toRight, into: join.right)
    return filtered(.join(join), by: above)
  }

  /// A filter above that no padded row passes makes padding pointless.
  private func strengthened(
    _ kind: JoinKind, by predicates: [Expression], left: Set<Symbol>, right: Set<Symbol>
  ) -> JoinKind {
    let rejectsLeft = predicates.contains { $0.rejectsNulls(of: left) }
    let rejectsRight = predicates.contains { $0.rejectsNulls(of: right) }
    switch kind {
    case .left: return rejectsRight ? .inner : .left
    case .right: return rejectsLeft ? .inner : .right
    case .full: return rejectsLeft && rejectsRight ? .inner : rejectsLeft ? .left : rejectsRight ? .right : .full
    default: return kind
    }
  }

  /// `left expression = right expression` as a pair of keys; an expression that is no symbol is computed below the
  /// join.
  private func equiClause(
    _ part: Expression, of join: inout JoinNode, left: Set<Symbol>, right: Set<Symbol>
  ) -> EquiClause? {
    guard case .comparison(.equal, let first, let second) = part, part.isDeterministic, join.kind != .nullAwareAnti
    else { return nil }
    let (leftSide, rightSide): (Expression, Expression)
    if first.isKey(within: left), second.isKey(within: right) {
      (leftSide, rightSide) = (first, second)
    } else if first.isKey(within: right), second.isKey(within: left) {
      (leftSide, rightSide) = (second, first)
    } else {
      return nil
    }
    // A key is compared by its bytes, so the types must agree; the analyser sees to it, except for text lengths.
    guard leftSide.type.layout == rightSide.type.layout else { return nil }
    return EquiClause(left: key(leftSide, in: &join.left), right: key(rightSide, in: &join.right))
  }

  private func key(_ expression: Expression, in source: inout PlanNode) -> Symbol {
    if case .symbol(let symbol) = expression { return symbol }
    let symbol = symbols.symbol("expr", expression.type)
    let identity = source.outputs.map { Assignment($0, .symbol($0)) }
    source = .project(ProjectNode(source: source, assignments: identity + [Assignment(symbol, expression)]))
    return symbol
  }

  /// What holds for one side of `a = b` holds for the other, by way of all equalities that inner joins below know.
  private func inferAcrossKeys(of join: JoinNode, toLeft: inout [Expression], toRight: inout [Expression]) {
    let classes = EqualityClasses(of: join)
    let (givenLeft, givenRight) = (toLeft, toRight)
    let (left, right) = (Set(join.left.outputs), Set(join.right.outputs))
    if join.kind.filtersRight {
      for part in givenLeft { toRight += classes.translations(of: part, to: right) }
    }
    if join.kind.filtersLeft {
      for part in givenRight { toLeft += classes.translations(of: part, to: left) }
    }
  }

  private func push(_ predicates: [Expression], into join: SemiJoinNode) -> PlanNode {
    var join = join
    let source = Set(join.source.outputs)
    let isMark = predicates.contains(.symbol(join.mark))
    let isNotMark = predicates.contains(.not(.symbol(join.mark)))
    let rest = predicates.filter { $0 != .symbol(join.mark) && $0 != .not(.symbol(join.mark)) }
    guard isMark != isNotMark else {
      join.source = push(predicates.filter { $0.isMovable(within: source) }, into: join.source)
      join.filteringSource = push([], into: join.filteringSource)
      return filtered(.semiJoin(join), by: predicates.filter { !$0.isMovable(within: source) })
    }
    let kind: JoinKind = isMark ? .semi : join.isNullAware ? .nullAwareAnti : .anti
    let outputs = join.source.outputs
    let plain = JoinNode(
      kind: kind, left: join.source, right: join.filteringSource, criteria: join.criteria, filter: join.filter,
      outputs: outputs)
    let below = push(rest.filter { $0.isMovable(within: source) }, into: plain)
    // Whoever still names the mark finds the only value that passed.
    let marked = PlanNode.project(
      ProjectNode(
        source: below,
        assignments: outputs.map { Assignment($0, .symbol($0)) } + [Assignment(join.mark, isMark ? .true : .false)]))
    return filtered(marked, by: rest.filter { !$0.isMovable(within: source) })
  }
}

extension JoinKind {
  /// Whether a left row that fails a condition on itself alone can be dropped before the join.
  fileprivate var filtersLeft: Bool { self == .inner || self == .right || self == .semi }
  /// Whether a right row that fails a condition on itself alone can be dropped before the join.
  fileprivate var filtersRight: Bool { self == .inner || self == .left || self == .semi || self == .anti }
}

extension Expression {
  fileprivate func isMovable(within available: Set<Symbol>) -> Bool {
    isDeterministic && symbols.isSubset(of: available)
  }

  fileprivate func isKey(within available: Set<Symbol>) -> Bool {
    let used = symbols
    return !used.isEmpty && used.isSubset(of: available)
  }
}
