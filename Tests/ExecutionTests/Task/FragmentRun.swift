// Owns the running of plan nodes in tests: inputs as batches in, output pages out. Also rows as values, for references.

import Base
import Columnar
import ConnectorAPI
import Planning

@testable import Execution

/// A row as single values, for naive references.
typealias Row = [Value]

/// Gives batches that a test made.
final class BatchList: PageSource {
  private var batches: [Batch]
  private(set) var reads = 0

  init(_ batches: [Batch]) { self.batches = batches.reversed() }

  func next() throws -> Batch? {
    reads += 1
    return batches.popLast()
  }
}

/// Keeps what a task gives.
final class CollectingSink: PartitionedSink {
  private(set) var pages: [(partition: Int, batch: Batch)] = []

  func append(partition: Int, batch: Batch) throws { pages.append((partition, batch)) }

  var rows: [Row] { pages.flatMap { $0.batch.rows } }
  func rows(of partition: Int) -> [Row] { pages.filter { $0.partition == partition }.flatMap { $0.batch.rows } }
}

extension Batch {
  var rows: [Row] { (0..<count).map { row in columns.map { $0.value(at: row) } } }
}

/// One run of a plan over batches.
struct FragmentRun {
  var node: PlanNode
  /// The batches of each remote source, by fragment number.
  var inputs: [Int: [Batch]] = [:]
  var output: OutputPartitioning = .single
  var limit: Int64 = 1 << 40
  var shouldStop: () -> Bool = { false }
  var modes: [FragmentInput] = []
  var sharing: BuildSharing?
  var outputBufferBytes = 64 << 20
  var partialAggregation = PartialAggregationLimits()

  /// A remote source that gives `batches` under `symbols`, registered as fragment `number`.
  mutating func input(_ number: Int, _ symbols: [Symbol], _ batches: [Batch]) -> PlanNode {
    inputs[number] = batches
    return .remoteSource(RemoteSourceNode(fragments: [number], outputs: symbols))
  }

  @discardableResult
  func run(into sink: CollectingSink) throws -> TaskStatistics {
    let fragment = PlanFragment(
      number: 0, root: node, kind: .single, inputs: modes, output: output, outputSymbols: node.outputs)
    let inputs = inputs
    var context = TaskContext(
      catalogs: Catalogs([:]), openRemoteSource: { BatchList(inputs[$0] ?? []) },
      memory: MemoryContext(limit: limit), shouldStop: shouldStop)
    context.outputBufferBytes = outputBufferBytes
    context.sharing = sharing
    context.partialAggregation = partialAggregation
    return try TaskExecutor(fragment: fragment, context: context).run(into: sink)
  }

  func rows() throws -> [Row] {
    let sink = CollectingSink()
    try run(into: sink)
    return sink.rows
  }
}

/// Random batches of given types, in all encodings.
struct RandomBatches {
  var vectors: RandomVectors
  /// Values are taken from so many distinct ones, so that keys meet.
  var distinctValues = 12

  init(seed: UInt64) { vectors = RandomVectors(seed: seed) }

  mutating func batches(_ types: [DataType], counts: [Int], nulls: Bool = true) -> [Batch] {
    let pools = types.map { type in (0..<distinctValues).map { _ in vectors.value(type) } }
    return counts.map { count in
      let columns = types.indices.map { column in
        let forms = nulls ? Form.allCases : [.flat, .constant, .dictionary]
        let form = forms.randomElement(using: &vectors.generator)!
        return vectors.vector(types[column], count: count, form, from: pools[column])
      }
      return Batch(columns: columns, count: count)
    }
  }
}

/// An order over values for comparing results as sets; NULL first.
func sortKey(_ row: Row) -> String { row.map { "\($0)" }.joined(separator: "|") }

func symbols(_ types: [DataType], from first: Int = 0) -> [Symbol] {
  types.enumerated().map { Symbol(id: first + $0.offset, name: "c", type: $0.element) }
}
