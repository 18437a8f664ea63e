// Owns the run of one task attempt: builds the operators of a fragment, pulls them to the end, partitions what comes.
// Knows no sockets, spool files or retries.

import Columnar
import Planning

/// Runs one attempt of a task of `fragment` on the calling thread. Use once.
///
/// The same fragment, splits and inputs give the same pages in the same order, byte for byte.
public final class TaskExecutor {
  private let fragment: PlanFragment
  private let context: TaskContext
  private let builder: OperatorBuilder
  private let root: any Operator

  /// Prepares the operators; reads nothing yet. Throws where an expression cannot be compiled or VALUES fail.
  public init(fragment: PlanFragment, context: TaskContext) throws {
    self.fragment = fragment
    self.context = context
    builder = OperatorBuilder(fragment: fragment, context: context)
    let tree = try builder.build(fragment.root)
    let outputs = fragment.root.outputs
    if outputs.map(\.id) == fragment.outputSymbols.map(\.id) {
      root = tree
    } else {
      let positions = ColumnLayout(outputs).positions(of: fragment.outputSymbols)
      root = SelectColumnsOperator(source: tree, positions: positions)
    }
  }

  /// Runs to the end and gives all rows to `sink`. Throws what operators, sources and the sink throw:
  /// EXCEEDED_LOCAL_MEMORY_LIMIT beyond the grant, `TaskStopped` where the context asks to stop.
  public func run(into sink: any PartitionedSink) throws -> TaskStatistics {
    let output = OutputPartitioner(
      fragment, sink: sink, account: context.memory.account("PartitionedOutputOperator"),
      limit: context.outputBufferBytes)
    while let batch = try root.next() {
      try output.append(batch)
      try builder.input.checkStop()
    }
    try output.finish()
    var statistics = TaskStatistics()
    statistics.inputRows = builder.input.rows
    statistics.inputBytes = builder.input.bytes
    statistics.outputRows = output.rows
    statistics.outputBytes = output.bytes
    statistics.peakMemoryBytes = context.memory.peakBytes
    statistics.operators = builder.measured.map(\.statistics)
    statistics.keySources = builder.keySources.compactMap(\.outcome)
    return statistics
  }
}
