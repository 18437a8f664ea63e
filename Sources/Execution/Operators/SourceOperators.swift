// Owns the leaves of a task: scans of splits, outputs of other fragments, rows written in the query.

import Columnar
import ConnectorAPI
import Planning

/// Counts what comes into a task and asks before each batch whether to go on.
final class TaskInput {
  private let shouldStop: () -> Bool
  private(set) var rows: Int64 = 0
  private(set) var bytes: Int64 = 0

  init(shouldStop: @escaping () -> Bool) { self.shouldStop = shouldStop }

  func checkStop() throws {
    if shouldStop() { throw TaskStopped() }
  }

  func count(_ batch: Batch) {
    rows += Int64(batch.count)
    bytes += Int64(batch.estimatedBytes)
  }
}

/// Reads page sources one after the other.
final class PageSourcesOperator: Operator {
  private var opened: (any PageSource)?
  private var nextSource = 0
  private let sourceCount: Int
  private let open: (Int) throws -> any PageSource
  private let columnCount: Int
  private let input: TaskInput

  /// `open(i)` opens source `i` of `sourceCount`, each giving batches of `columnCount` columns.
  init(sourceCount: Int, columnCount: Int, input: TaskInput, open: @escaping (Int) throws -> any PageSource) {
    self.sourceCount = sourceCount
    self.columnCount = columnCount
    self.input = input
    self.open = open
  }

  func next() throws -> Batch? {
    while true {
      try input.checkStop()
      if let source = opened {
        while let batch = try source.next() {
          precondition(batch.columns.count == columnCount, "\(batch.columns.count) columns for \(columnCount)")
          input.count(batch)
          if batch.count > 0 { return batch }
          try input.checkStop()
        }
        opened = nil
      }
      if nextSource == sourceCount { return nil }
      opened = try open(nextSource)
      nextSource += 1
    }
  }
}

/// Gives the rows of a VALUES node.
final class ValuesOperator: Operator {
  private var batch: Batch?

  init(_ node: ValuesNode, seed: UInt64) throws {
    guard !node.rows.isEmpty else { return }
    var builders = node.outputs.map { VectorBuilder(type: $0.type, capacity: node.rows.count) }
    let oneRow = Batch(columns: [], count: 1)
    for (number, row) in node.rows.enumerated() {
      for column in row.indices {
        let cell = UInt64(number * row.count + column)
        let program = try ExpressionProgram(
          row[column], layout: [], seed: SplitMix64.mixed(seed &+ cell &* SplitMix64.step))
        let value = try program.evaluate(oneRow)
        builders[column].append(value.value(at: 0))
      }
    }
    batch = Batch(columns: builders.indices.map { builders[$0].finish() }, count: node.rows.count)
  }

  func next() throws -> Batch? {
    defer { batch = nil }
    return batch
  }
}
