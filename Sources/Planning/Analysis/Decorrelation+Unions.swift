// Owns the separation of unions: conditions on outer columns in their branches become conditions on their rows.

import Base
import Columnar

extension LimitNode {
  /// What is limited, and by which order: that of a sort right below.
  var ordered: (source: PlanNode, orderings: [Ordering]) {
    switch source {
    case .sort(let sort): (sort.source, sort.orderings)
    case .topN(let top) where count.map({ $0 <= top.count - offset }) ?? false: (top.source, top.orderings)
    default: (source, [])
    }
  }
}

extension Decorrelation {
  func pull(_ union: UnionNode, outer: Set<Symbol>) throws -> Pulled {
    let branches = try union.sources.map { try pull($0, outer: outer) }
    return try pullAlike(union, branches, outer) ?? pullEach(union, branches)
  }

  /// Branches that compare columns of theirs with the same outer expressions: those columns are united.
  private func pullAlike(_ union: UnionNode, _ branches: [Pulled], _ outer: Set<Symbol>) throws -> Pulled? {
    var united = union
    var keys: [Expression: Symbol] = [:]
    var order: [Expression] = []
    for (index, branch) in branches.enumerated() {
      let inner = Set(branch.node.outputs)
      var sides: [Expression: Expression] = [:]
      for condition in branch.conditions {
        guard let pair = QueryPlanner.equality(condition, inner, outer), sides[pair.right] == nil else { return nil }
        sides[pair.right] = pair.left
      }
      if index == 0 {
        order = branch.conditions.compactMap { QueryPlanner.equality($0, inner, outer)?.right }
        for (outerSide, innerSide) in sides { keys[outerSide] = symbols.symbol("key", innerSide.type) }
      }
      guard sides.count == order.count, order.allSatisfy({ sides[$0] != nil }) else { return nil }
      var builder = PlanBuilder(node: branch.node, symbols: symbols)
      united.mappings[index] += builder.symbols(for: order.compactMap { sides[$0] }, named: "key")
      united.sources[index] = builder.node
    }
    let columns = order.compactMap { keys[$0] }
    united.outputs += columns
    return Pulled(
      node: .union(united), conditions: zip(columns, order).map { .comparison(.equal, .symbol($0), $1) })
  }

  /// Branches that differ: each row is marked with its branch, and that branch's conditions are asked of it.
  private func pullEach(_ union: UnionNode, _ branches: [Pulled]) -> Pulled {
    var united = union
    let tag = symbols.symbol("branch", .integer)
    var columns: [(branch: Int, inner: Symbol, united: Symbol)] = []
    for (index, branch) in branches.enumerated() {
      let used = branch.conditions.reduce(into: Set<Symbol>()) { $0.formUnion($1.symbols) }
      for symbol in branch.node.outputs.unique where used.contains(symbol) {
        columns.append((index, symbol, symbols.symbol(symbol.name, symbol.type)))
      }
    }
    for (index, branch) in branches.enumerated() {
      var builder = PlanBuilder(node: branch.node, symbols: symbols)
      let values = columns.map { column in
        column.branch == index ? Expression.symbol(column.inner) : .constant(.null, column.inner.type)
      }
      let number = Expression.constant(.integer(Int64(index)), .integer)
      united.mappings[index] += builder.symbols(for: [number] + values, named: "key")
      united.sources[index] = builder.node
    }
    united.outputs += [tag] + columns.map(\.united)
    let choices = branches.enumerated().map { index, branch in
      let isOwn = Expression.comparison(.equal, .symbol(tag), .constant(.integer(Int64(index)), .integer))
      let own = columns.filter { $0.branch == index }
      let names = Dictionary(own.map { ($0.inner, $0.united) }, uniquingKeysWith: { first, _ in first })
      let conditions = branch.conditions.map { $0.replacingSymbols { names[$0].map(Expression.symbol) } }
      return Expression.conjunction([isOwn] + conditions)
    }
    return Pulled(node: .union(united), conditions: [.or(choices)])
  }
}
