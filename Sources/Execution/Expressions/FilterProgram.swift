// Owns the public face of compiled predicates: which rows of a batch pass. Decides in which order conjuncts run.

import Base
import Columnar
import Planning

/// A predicate compiled for batches of one layout. Compile once per task; one thread uses it.
///
/// Conjuncts that cannot fail run first, ordered by price and by how many rows they dropped so far; those that can fail
/// follow in their order and see only rows that passed all before them. The order never changes the outcome.
public final class FilterProgram {
  private var conjuncts: [Conjunct]
  private let sharedSlots: Int
  private var batchesSinceOrdering = 0

  private struct Conjunct {
    let node: ExpressionNode
    var rowsIn = 1.0
    var rowsOut = 0.5

    /// Price per row dropped; the least goes first.
    var rank: Double { Double(node.cost + 1) / max(1 - rowsOut / rowsIn, 0.001) }
  }

  /// Compiles `predicate`; a symbol's position in `layout` is its column's index in the batches.
  public init(_ predicate: Expression, layout: [Symbol], seed: UInt64 = 0) throws {
    let compiler = ExpressionCompiler(layout: layout, seed: seed)
    let nodes = try compiler.compile(predicate.conjuncts)
    sharedSlots = compiler.sharedSlots
    conjuncts = nodes.filter { !$0.canFail }.map { Conjunct(node: $0) }
    order()
    conjuncts += nodes.filter(\.canFail).map { Conjunct(node: $0) }
  }

  /// Whether `select` may throw.
  var canFail: Bool { conjuncts.contains(where: \.node.canFail) }

  /// A rough price per row, in comparisons of numbers, if every conjunct runs.
  var cost: Int { conjuncts.reduce(0) { $0 + $1.node.cost } }

  /// The rows for which the predicate is true, ascending. Throws the SQL error of a row that reached a failing
  /// conjunct.
  public func select(_ batch: Batch) throws -> Selection {
    if batch.count == 0 { return .all(0) }
    batchesSinceOrdering += 1
    if batchesSinceOrdering == 16 {
      order()
      batchesSinceOrdering = 0
    }
    let rows = Rows(batch, sharedSlots: sharedSlots)
    var selection = Selection.all(batch.count)
    /// What passed so far among all rows of the batch, while most still do.
    var dense: Buffer?
    var passed = batch.count
    for index in conjuncts.indices {
      if passed == 0 { return .none }
      let node = conjuncts[index].node
      let before = passed
      let worthDense = passed * 4 > batch.count * (node.cost > 8 ? 3 : 1)
      if selection.isAll, !node.canFail || passed == batch.count, worthDense {
        let truth = try node.truth(rows).isTrue
        dense = dense.map { Truth.bothTrue($0, truth, count: batch.count) } ?? truth
        passed = Truth.countOnes(dense!, count: batch.count)
      } else {
        if let flags = dense {
          selection = Truth.positions(in: flags, equal: 1, count: batch.count)
          dense = nil
        }
        let truth = try node.truth(rows.subset(selection)).isTrue
        selection = selection.refined(Truth.positions(in: truth, equal: 1, count: passed))
        passed = selection.count
      }
      conjuncts[index].rowsIn += Double(before)
      conjuncts[index].rowsOut += Double(passed)
    }
    if let flags = dense { return Truth.positions(in: flags, equal: 1, count: batch.count) }
    return selection
  }

  private func order() {
    let safe = conjuncts.filter { !$0.node.canFail }.sorted { $0.rank < $1.rank }
    conjuncts = safe + conjuncts.filter(\.node.canFail)
  }
}

extension Truth {
  /// The byte-wise AND of two columns of 0 and 1.
  static func bothTrue(_ left: Buffer, _ right: Buffer, count: Int) -> Buffer {
    Truth(isTrue: left, isNotFalse: left, count: count)
      .and(Truth(isTrue: right, isNotFalse: right, count: count)).isTrue
  }
}
