// Owns a tree of inner, semi and anti joins taken apart: relations, the equalities between them, and what else must
// hold. In this form joins can be put together in any order.

/// Relations to be joined. A set of relations is a bit mask over their positions.
struct JoinGraph {
  struct Relation {
    var node: PlanNode
    var kind: JoinKind
    /// For semi and anti joins: what decides about a match. The left symbols come from other relations.
    var criteria: [EquiClause] = []
    var filter: Expression?

    var isInner: Bool { kind == .inner }
  }

  /// An equality of two relations' symbols.
  struct Edge {
    var clause: EquiClause
    var left: Int
    var right: Int
  }

  private(set) var relations: [Relation] = []
  private(set) var edges: [Edge] = []
  /// Conditions over several relations, with the set each needs.
  private(set) var filters: [(condition: Expression, relations: Int)] = []
  /// What only the top can decide: random conditions, and those on one relation or none.
  private(set) var remaining: [Expression] = []
  /// The set of semi and anti joins.
  private(set) var reducers = 0
  /// The set of inner relations that have one row at most.
  private(set) var singles = 0

  private var equalities = EqualityClasses()
  /// Which relation a symbol comes from.
  private var origins: [Symbol: Int] = [:]
  /// Names given by projections between the joins.
  private var names: [Symbol: Symbol] = [:]

  /// Takes the joins of `root` apart; `leaf` optimises what lies below them.
  init(_ root: PlanNode, leaf: (PlanNode) -> PlanNode) {
    var clauses: [EquiClause] = []
    var conditions: [Expression] = []
    flatten(root, &clauses, &conditions, leaf)
    for clause in clauses { equalities.add(resolve(clause.left), resolve(clause.right)) }
    addEdges()
    for condition in conditions { add(resolve(condition)) }
    for index in relations.indices where relations[index].isInner {
      if let most = RowBounds(of: relations[index].node).most, most <= 1 { singles |= 1 << index }
    }
    for index in relations.indices where !relations[index].isInner {
      reducers |= 1 << index
      relations[index].criteria = relations[index].criteria.map {
        EquiClause(left: resolve($0.left), right: $0.right)
      }
      relations[index].filter = relations[index].filter.map(resolve)
    }
  }

  static func isPart(_ node: PlanNode) -> Bool {
    guard case .join(let join) = node else { return false }
    switch join.kind {
    case .inner, .semi, .anti, .nullAwareAnti: return true
    case .left, .right, .full: return false
    }
  }

  /// How many relations the graph of `node` would have.
  static func relationCount(of node: PlanNode) -> Int {
    switch node {
    case .join(let join) where isPart(node):
      relationCount(of: join.left) + (join.kind == .inner ? relationCount(of: join.right) : 1)
    case .filter(let filter) where isPart(filter.source): relationCount(of: filter.source)
    case .project(let project) where isPart(project.source): relationCount(of: project.source)
    default: 1
    }
  }

  private mutating func flatten(
    _ node: PlanNode, _ clauses: inout [EquiClause], _ conditions: inout [Expression], _ leaf: (PlanNode) -> PlanNode
  ) {
    switch node {
    case .join(let join) where join.kind == .inner:
      flatten(join.left, &clauses, &conditions, leaf)
      flatten(join.right, &clauses, &conditions, leaf)
      clauses += join.criteria
      if let filter = join.filter { conditions += filter.conjuncts }
    case .join(let join) where Self.isPart(node):
      flatten(join.left, &clauses, &conditions, leaf)
      relations.append(
        Relation(node: leaf(join.right), kind: join.kind, criteria: join.criteria, filter: join.filter))
    case .filter(let filter) where Self.isPart(filter.source) && filter.predicate.isDeterministic:
      flatten(filter.source, &clauses, &conditions, leaf)
      conditions += filter.predicate.conjuncts
    case .project(let project) where Self.isPart(project.source) && project.renamesOnly:
      flatten(project.source, &clauses, &conditions, leaf)
      for assignment in project.assignments {
        if case .symbol(let old) = assignment.expression, old != assignment.symbol { names[assignment.symbol] = old }
      }
    default:
      let relation = leaf(node)
      for symbol in relation.outputs { origins[symbol] = relations.count }
      relations.append(Relation(node: relation, kind: .inner))
    }
  }

  /// The symbol as a relation gives it.
  func resolve(_ symbol: Symbol) -> Symbol {
    var symbol = symbol
    while let older = names[symbol] { symbol = older }
    return symbol
  }

  private func resolve(_ expression: Expression) -> Expression {
    names.isEmpty ? expression : expression.replacingSymbols { .symbol(resolve($0)) }
  }

  /// `a = b` and `b = c` also join a with c.
  private mutating func addEdges() {
    for group in equalities.classes {
      for (position, left) in group.enumerated() {
        for right in group[(position + 1)...] {
          guard let first = origins[left], let second = origins[right] else { continue }
          if first != second && left.type.layout == right.type.layout {
            edges.append(Edge(clause: EquiClause(left: left, right: right), left: first, right: second))
          }
        }
      }
    }
  }

  private mutating func add(_ condition: Expression) {
    let mask = relations(of: condition)
    if condition.isDeterministic && mask.nonzeroBitCount > 1 {
      filters.append((condition, mask))
    } else {
      remaining.append(condition)
    }
  }

  private func relations(of expression: Expression) -> Int {
    expression.symbols.reduce(0) { mask, symbol in origins[symbol].map { mask | 1 << $0 } ?? mask }
  }

  // MARK: What a join of two sets needs

  /// The equalities between two sets, without those that follow from others: where two relations of one side are equal
  /// to one symbol of the other, they were joined on that before.
  func clauses(_ left: Int, _ right: Int) -> [EquiClause] {
    var kept: [EquiClause] = []
    for edge in edges {
      let clause: EquiClause
      if left >> edge.left & 1 == 1 && right >> edge.right & 1 == 1 {
        clause = edge.clause
      } else if left >> edge.right & 1 == 1 && right >> edge.left & 1 == 1 {
        clause = EquiClause(left: edge.clause.right, right: edge.clause.left)
      } else {
        continue
      }
      let follows = kept.contains { other in
        (other.right == clause.right && origins[other.left] != origins[clause.left])
          || (other.left == clause.left && origins[other.right] != origins[clause.right])
          || (areEqual(other.left, clause.left) && origins[other.left] != origins[clause.left]
            && origins[other.right] != origins[clause.right])
      }
      if !follows { kept.append(clause) }
    }
    return kept
  }

  private func areEqual(_ first: Symbol, _ second: Symbol) -> Bool {
    equalities.classes.contains { $0.contains(first) && $0.contains(second) }
  }

  /// The conditions that the join of two sets can decide and neither alone.
  func filters(_ left: Int, _ right: Int) -> [Expression] {
    filters.filter { filter in
      filter.relations & ~(left | right) == 0 && filter.relations & left != 0 && filter.relations & right != 0
    }.map(\.condition)
  }

  /// The condition that a semi or anti join adds to its criteria.
  func reducerFilter(_ reducer: Int) -> [Expression] {
    relations[reducer.trailingZeroBitCount].filter.map { [$0] } ?? []
  }

  /// The criteria of a semi or anti join over the set `left`, by symbols that the set has; nil where it has not all.
  func criteria(of reducer: Int, over left: Int) -> [EquiClause]? {
    let relation = relations[reducer]
    if let filter = relation.filter {
      let own = Set(relation.node.outputs)
      let outer = filter.symbols.subtracting(own)
      guard outer.allSatisfy({ symbol in origins[symbol].map { left >> $0 & 1 == 1 } ?? false }) else { return nil }
    }
    var result: [EquiClause] = []
    for clause in relation.criteria {
      let equal = equalities.classes.first { $0.contains(clause.left) } ?? []
      let choice = ([clause.left] + equal).first { symbol in
        symbol.type.layout == clause.left.type.layout && (origins[symbol].map { left >> $0 & 1 == 1 } ?? false)
      }
      guard let choice else { return nil }
      result.append(EquiClause(left: choice, right: clause.right))
    }
    // Without keys it may stand on anything that its filter allows.
    return result
  }
}

extension ProjectNode {
  /// Whether each output is a column of the source.
  var renamesOnly: Bool {
    assignments.allSatisfy { if case .symbol = $0.expression { true } else { false } }
  }
}
