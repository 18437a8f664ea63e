// Tests the merging of sorted sources against a stable sort of all their rows.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct MergeTests {
  private func merged(
    _ runs: [[Batch]], _ orderings: [Ordering], _ symbols: [Symbol], limit: Int64 = 1 << 40
  ) throws -> [Row] {
    let memory = MemoryContext(limit: limit)
    let merge = MergeOperator(
      orderings: orderings, outputs: symbols, input: TaskInput(shouldStop: { false }),
      account: memory.account("MergeOperator")
    ) { runs.map { BatchList($0) } }
    var rows: [Row] = []
    while let batch = try merge.next() {
      #expect(batch.count > 0)
      rows += batch.rows
    }
    #expect(memory.reservedBytes == 0)
    return rows
  }

  /// Rows in order, as batches of a few sizes.
  private func sorted(_ batches: [Batch], _ orderings: [Ordering], _ symbols: [Symbol]) throws -> [Batch] {
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, symbols, batches)
    run.node = .sort(SortNode(source: source, orderings: orderings))
    let sink = CollectingSink()
    try run.run(into: sink)
    return sink.pages.flatMap { page -> [Batch] in
      let middle = page.batch.count / 3
      return [(0, middle), (middle, page.batch.count - middle)].filter { $0.1 > 0 }
        .map { page.batch.slice(from: $0.0, count: $0.1) }
    }
  }

  @Test(arguments: UInt64(1)...40)
  func mergesAsAStableSortOfAllRows(seed: UInt64) throws {
    var random = RandomBatches(seed: seed)
    random.distinctValues = seed % 3 == 0 ? 2 : 9
    let first = SortTests.types[Int(seed) % SortTests.types.count]
    // The last column tells equal rows apart.
    let types = [first, SortTests.types[Int(seed / 3) % SortTests.types.count], .bigint]
    let symbols = symbols(types)
    let orderings = symbols.dropLast().enumerated().map { index, symbol in
      Ordering(symbol: symbol, ascending: (Int(seed) + index) % 2 == 0, nullsFirst: seed % 4 < 2)
    }
    let sources = (0..<Int(seed % 6)).map { index in
      random.batches(types, counts: index == 2 ? [] : [17, 1, 40])
    }
    let runs = try sources.map { try sorted($0, orderings, symbols) }
    let expected = try sorted(Array(runs.joined()), orderings, symbols).flatMap(\.rows)
    let found = try merged(runs, orderings, symbols)
    #expect(found.map(sortKey) == expected.map(sortKey))
  }

  @Test func holdsAFewBatchesOfEachSource() throws {
    let symbols = symbols([.bigint])
    let ordering = Ordering(symbol: symbols[0])
    let runs = (0..<4).map { run in
      (0..<50).map { batch in
        let values = (0..<1000).map { Value.integer(Int64((batch * 1000 + $0) * 4 + run)) }
        var builder = VectorBuilder(type: .bigint)
        for value in values { builder.append(value) }
        return Batch(columns: [builder.finish()], count: values.count)
      }
    }
    // All rows are 1.6 MB.
    let rows = try merged(runs, [ordering], symbols, limit: 400 << 10)
    #expect(rows.count == 200_000)
    #expect(rows.map { $0[0] } == (0..<200_000).map { .integer($0) })
  }
}
