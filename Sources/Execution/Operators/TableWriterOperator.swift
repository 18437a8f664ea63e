// Owns the end of a writer task: its rows go to the connector's sink, and one row says what became of them.

import Base
import Columnar
import ConnectorAPI
import Planning

/// Gives all rows of its source to a sink, then one row: how many they were, and the sink's description of its output.
///
/// The sink is finished when the source has ended, before the task has: an attempt that fails later has left an output
/// that nobody selects, and that the connector's commit or abort removes.
final class TableWriterOperator: Operator {
  private let source: any Operator
  private let positions: [Int]
  private let types: [DataType]
  private let open: () throws -> any PageSink
  private let account: MemoryAccount
  private var isDone = false

  /// `open` makes the sink, when the first rows are wanted.
  init(
    _ node: TableWriterNode, source: any Operator, account: MemoryAccount, open: @escaping () throws -> any PageSink
  ) {
    self.source = source
    self.account = account
    self.open = open
    positions = ColumnLayout(node.source.outputs).positions(of: node.columns)
    types = node.target.columns.map(\.type)
  }

  func next() throws -> Batch? {
    if isDone { return nil }
    isDone = true
    let sink = try open()
    do {
      let rows = try write(to: sink)
      let fragment = try sink.finish()
      account.release()
      return Batch(
        columns: [
          .repeating(.integer(rows), type: .bigint, count: 1), .repeating(.bytes(fragment), type: .varbinary, count: 1),
        ], count: 1)
    } catch {
      sink.abort()
      account.release()
      throw error
    }
  }

  private func write(to sink: any PageSink) throws -> Int64 {
    var rows: Int64 = 0
    while let batch = try source.next() {
      let columns = zip(positions, types).map { position, type in
        let column = batch.columns[position]
        return column.type == type ? column : column.retyped(type)
      }
      try sink.append(Batch(columns: columns, count: batch.count))
      rows += Int64(batch.count)
      try account.set(Int(sink.retainedBytes))
    }
    return rows
  }
}
