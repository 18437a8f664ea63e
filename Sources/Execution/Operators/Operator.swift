// Owns the contract of operators: a tree of them pulls batches from its leaves to its root. One call per batch.

import Base
import Columnar
import Planning

/// A running plan node. Used by one thread.
protocol Operator: AnyObject {
  /// The next batch, with the columns of the plan node's `outputs`; never without rows. Nil at the end, and from then
  /// on.
  func next() throws -> Batch?
}

/// Where symbols lie in the batches of an operator.
struct ColumnLayout {
  let symbols: [Symbol]
  private let positions: [Symbol: Int]

  init(_ symbols: [Symbol]) {
    self.symbols = symbols
    var positions: [Symbol: Int] = [:]
    for (position, symbol) in symbols.enumerated() where positions[symbol] == nil { positions[symbol] = position }
    self.positions = positions
  }

  /// The column of `symbol`. A plan that asks for a symbol its source does not have is a planner's bug.
  func position(of symbol: Symbol) -> Int {
    guard let position = positions[symbol] else {
      preconditionFailure("\(symbol) is not among \(symbols)")
    }
    return position
  }

  func positions(of symbols: [Symbol]) -> [Int] { symbols.map(position(of:)) }

  func contains(_ symbol: Symbol) -> Bool { positions[symbol] != nil }
}
