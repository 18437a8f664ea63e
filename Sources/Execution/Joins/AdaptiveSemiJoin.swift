// Owns the choice of a semi join's table: the side that turns out to be the smaller one. Knows no statistics; it looks.

import Columnar

/// Gives batches that were read ahead, then those of its source.
final class ReadAheadOperator: Operator {
  private let source: any Operator
  /// In reverse order.
  private var ahead: [Batch] = []

  init(_ source: any Operator) { self.source = source }

  func next() throws -> Batch? { try ahead.popLast() ?? source.next() }

  /// Reads ahead until the source ends (then the answer is true) or more than `rows` rows are read.
  func readAhead(rows limit: Int, account: MemoryAccount) throws -> (batches: [Batch], hasEnded: Bool) {
    var batches: [Batch] = []
    var rows = 0
    while rows <= limit {
      guard let batch = try source.next() else {
        ahead = batches.reversed()
        return (batches, true)
      }
      try account.add(batch.estimatedBytes)
      rows += batch.count
      batches.append(batch)
    }
    ahead = batches.reversed()
    return (batches, false)
  }
}

/// Reads some of the left side first. If that was all of it, and the right side is larger, the left becomes the table.
final class AdaptiveSemiJoin: Operator {
  /// Left rows to read before the right side is built after all.
  static let leftRowsMax = 1 << 18

  private let left: ReadAheadOperator
  private let right: ReadAheadOperator
  private let account: MemoryAccount
  private let makeFlipped: ([Batch]) throws -> any Operator
  private let makeUsual: () throws -> any Operator
  private var chosen: (any Operator)?
  private var isDone = false

  /// `makeUsual` makes the join that builds `right`; `makeFlipped` the one that builds the given batches, which are all
  /// of the left.
  init(
    left: ReadAheadOperator, right: ReadAheadOperator, account: MemoryAccount,
    flipped makeFlipped: @escaping ([Batch]) throws -> any Operator,
    usual makeUsual: @escaping () throws -> any Operator
  ) {
    self.left = left
    self.right = right
    self.account = account
    self.makeFlipped = makeFlipped
    self.makeUsual = makeUsual
  }

  func next() throws -> Batch? {
    if isDone { return nil }
    if chosen == nil { chosen = try choose() }
    if let batch = try chosen?.next() { return batch }
    isDone = true
    chosen = nil
    account.release()
    return nil
  }

  /// Nil where the left side is empty, and with it the result.
  private func choose() throws -> (any Operator)? {
    let (batches, hasEnded) = try left.readAhead(rows: Self.leftRowsMax, account: account)
    if hasEnded {
      let rows = batches.reduce(0) { $0 + $1.count }
      if rows == 0 { return nil }
      if try !right.readAhead(rows: rows * 2, account: account).hasEnded { return try makeFlipped(batches) }
    }
    return try makeUsual()
  }
}
