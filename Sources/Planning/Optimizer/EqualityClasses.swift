// Owns which columns are known to be equal in a tree of joins, so that what is said of one can be said of the others.

/// Sets of symbols that are equal in every row that leaves a join.
struct EqualityClasses {
  private(set) var classes: [[Symbol]] = []

  init() {}

  /// The equalities of `join` and of the inner joins below it whose rows reach it unchanged.
  init(of join: JoinNode) { collect(join) }

  private mutating func collect(_ join: JoinNode) {
    for clause in join.criteria { add(clause.left, clause.right) }
    descend(join.left)
    // The right side's rows are tested for a match only in the other kinds; what they have in common still holds there.
    descend(join.right)
  }

  private mutating func descend(_ node: PlanNode) {
    switch node {
    case .join(let join) where join.kind == .inner: collect(join)
    case .join(let join) where join.kind == .semi || join.kind == .anti || join.kind == .nullAwareAnti:
      descend(join.left)
    case .filter(let filter): descend(filter.source)
    default: break
    }
  }

  mutating func add(_ first: Symbol, _ second: Symbol) {
    let touching = classes.indices.filter { classes[$0].contains(first) || classes[$0].contains(second) }
    var merged = touching.flatMap { classes[$0] }
    for symbol in [first, second] where !merged.contains(symbol) { merged.append(symbol) }
    for index in touching.reversed() { classes.remove(at: index) }
    classes.append(merged)
  }

  /// The same condition on each equal symbol among `available`; none where it is about several symbols or may fail.
  func translations(of condition: Expression, to available: Set<Symbol>) -> [Expression] {
    let used = condition.symbols
    guard used.count == 1, let symbol = used.first, condition.isDeterministic, !condition.mayFail,
      let members = classes.first(where: { $0.contains(symbol) })
    else { return [] }
    return members.filter { $0 != symbol && available.contains($0) && symbol.isInterchangeable(with: $0) }
      .map { other in condition.replacingSymbols { _ in .symbol(other) } }
  }
}

extension Symbol {
  /// Whether equal values of the two give the same result in every expression. Zero and minus zero are equal and are
  /// not the same, and so are a time with and without a fraction when they are written out.
  fileprivate func isInterchangeable(with other: Symbol) -> Bool {
    switch (type, other.type) {
    case (.real, _), (.double, _): false
    case (.varchar, .varchar): true
    default: type == other.type
    }
  }
}
