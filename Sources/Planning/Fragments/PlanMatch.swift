// Owns whether two pieces of plan compute the same under different symbols.

import Columnar

/// The symbols of one plan and those that stand for the same in another. After `matches` said false it is of no use.
struct PlanMatch {
  private var partners: [Symbol: Symbol] = [:]

  /// Whether both give the same rows for the same inputs. What `left` makes, and its partner in `right`, is noted.
  mutating func matches(_ left: PlanNode, _ right: PlanNode) -> Bool {
    if let one = left.renamedSource, let two = right.renamedSource {
      return one.fragments == two.fragments && bind(one.outputs, two.outputs)
    }
    switch (left, right) {
    case (.tableScan(let one), .tableScan(let two)):
      return one.table == two.table && one.constraint == two.constraint
        && one.columns.map(\.column) == two.columns.map(\.column)
        && bind(one.columns.map(\.symbol), two.columns.map(\.symbol))
    case (.values(let one), .values(let two)):
      return one.rows == two.rows && bind(one.outputs, two.outputs)
    case (.filter(let one), .filter(let two)):
      return matches(one.source, two.source) && matches(one.predicate, two.predicate)
    case (.project(let one), .project(let two)): return matches(one, two)
    case (.aggregate(let one), .aggregate(let two)): return matches(one, two)
    case (.join(let one), .join(let two)): return matches(one, two)
    case (.semiJoin(let one), .semiJoin(let two)): return matches(one, two)
    case (.sort(let one), .sort(let two)):
      return matches(one.source, two.source) && matches(one.orderings, two.orderings)
    case (.topN(let one), .topN(let two)):
      return one.count == two.count && matches(one.source, two.source) && matches(one.orderings, two.orderings)
    case (.limit(let one), .limit(let two)):
      return one.count == two.count && one.offset == two.offset && matches(one.source, two.source)
    case (.enforceSingleRow(let one), .enforceSingleRow(let two)): return matches(one.source, two.source)
    case (.union(let one), .union(let two)):
      guard one.sources.count == two.sources.count, one.mappings.count == two.mappings.count else { return false }
      for (left, right) in zip(one.sources, two.sources) where !matches(left, right) { return false }
      for (left, right) in zip(one.mappings, two.mappings) where !matches(left, right) { return false }
      return bind(one.outputs, two.outputs)
    default: return false
    }
  }

  /// Whether the symbols are partners, one by one.
  func matches(_ left: [Symbol], _ right: [Symbol]) -> Bool { left.map { partners[$0] } == right.map { Optional($0) } }

  /// Whether scans that stand for each other are restricted to the same keys.
  func matches(_ left: [KeySource], _ right: [KeySource]) -> Bool {
    left.count == right.count
      && zip(left, right).allSatisfy { one, two in
        one.fragment == two.fragment && one.columns.firstIndex(of: one.key) == two.columns.firstIndex(of: two.key)
          && partners[one.restricted] == two.restricted
      }
  }

  // MARK: Nodes

  private mutating func matches(_ left: ProjectNode, _ right: ProjectNode) -> Bool {
    guard matches(left.source, right.source), left.assignments.count == right.assignments.count else { return false }
    for (one, two) in zip(left.assignments, right.assignments) {
      guard matches(one.expression, two.expression) else { return false }
    }
    return bind(left.assignments.map(\.symbol), right.assignments.map(\.symbol))
  }

  private mutating func matches(_ left: AggregateNode, _ right: AggregateNode) -> Bool {
    guard left.step == right.step, matches(left.source, right.source), matches(left.keys, right.keys),
      left.aggregations.count == right.aggregations.count
    else { return false }
    for (one, two) in zip(left.aggregations, right.aggregations) {
      guard one.function == two.function, one.isDistinct == two.isDistinct,
        one.filter.map({ partners[$0] }) == two.filter.map({ Optional($0) })
      else { return false }
      // A final step keeps the arguments for their types only; they come from no source of it.
      guard left.step == .final ? one.arguments.map(\.type) == two.arguments.map(\.type)
        : matches(one.arguments, two.arguments)
      else { return false }
      guard left.step == .final ? matches(one.intermediates, two.intermediates)
        : bind(one.intermediates, two.intermediates)
      else { return false }
      guard bind([one.output], [two.output]) else { return false }
    }
    return true
  }

  private mutating func matches(_ left: JoinNode, _ right: JoinNode) -> Bool {
    left.kind == right.kind && left.distribution == right.distribution
      && matches(left.left, right.left) && matches(left.right, right.right)
      && matches(left.criteria, right.criteria) && matches(left.filter, right.filter)
      && matches(left.outputs, right.outputs)
  }

  private mutating func matches(_ left: SemiJoinNode, _ right: SemiJoinNode) -> Bool {
    left.isNullAware == right.isNullAware && left.distribution == right.distribution
      && matches(left.source, right.source) && matches(left.filteringSource, right.filteringSource)
      && matches(left.criteria, right.criteria) && matches(left.filter, right.filter)
      && bind([left.mark], [right.mark])
  }

  // MARK: Parts of nodes

  private func matches(_ left: [EquiClause], _ right: [EquiClause]) -> Bool {
    matches(left.map(\.left), right.map(\.left)) && matches(left.map(\.right), right.map(\.right))
  }

  private func matches(_ left: [Ordering], _ right: [Ordering]) -> Bool {
    matches(left.map(\.symbol), right.map(\.symbol))
      && left.map(\.ascending) == right.map(\.ascending) && left.map(\.nullsFirst) == right.map(\.nullsFirst)
  }

  private func matches(_ left: Expression?, _ right: Expression?) -> Bool {
    left?.replacingSymbols { partners[$0].map { .symbol($0) } } == right
  }

  /// Notes that symbols stand for the same; false where one stands for another already, or has another type.
  private mutating func bind(_ left: [Symbol], _ right: [Symbol]) -> Bool {
    guard left.count == right.count else { return false }
    for (one, two) in zip(left, right) {
      guard one.type == two.type, partners[one] ?? two == two else { return false }
      partners[one] = two
    }
    return true
  }
}

extension PlanNode {
  /// A remote source, also below a projection that only renames all of its columns in order, as
  /// `FragmentSharing` puts above it.
  fileprivate var renamedSource: RemoteSourceNode? {
    switch self {
    case .remoteSource(let source): return source.orderings == nil ? source : nil
    case .project(let project):
      guard case .remoteSource(var source) = project.source, source.orderings == nil,
        project.assignments.map(\.expression) == source.outputs.map({ .symbol($0) })
      else { return nil }
      source.outputs = project.assignments.map(\.symbol)
      return source
    default: return nil
    }
  }
}
