// Tests the way of rows into partitions: none lost, each where its hash says, in order, in pages of bounded size.

import Columnar
import Planning
import Testing

@testable import Execution

@Suite struct OutputPartitionerTests {
  static let types: [DataType] = [.bigint, .varcharUnbounded, .boolean, .decimal(precision: 30, scale: 2)]

  func hash(_ batch: Batch, _ columns: [Int]) -> [UInt64] {
    var hashes = [UInt64](repeating: 0, count: batch.count)
    hashes.withUnsafeMutableBufferPointer {
      hashRows(columns.map { batch.columns[$0] }, count: batch.count, into: $0.baseAddress!)
    }
    return hashes
  }

  @Test(arguments: [1, 2, 7, 50])
  func rowsGoWhereTheirHashSays(partitions: Int) throws {
    var random = RandomBatches(seed: UInt64(partitions))
    random.distinctValues = 100
    let columns = symbols(Self.types)
    let batches = random.batches(Self.types, counts: [300, 1, 900, 64, 700])
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    run.node = run.input(1, columns, batches)
    run.output = .hash(symbols: [columns[0], columns[1]], count: partitions)
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    var expected = [[Row]](repeating: [], count: partitions)
    for batch in batches {
      for (row, hash) in zip(batch.rows, hash(batch, [0, 1])) {
        expected[partition(ofHash: hash, count: partitions)].append(row)
      }
    }
    for partition in 0..<partitions {
      #expect(sink.rows(of: partition).map(sortKey) == expected[partition].map(sortKey))
    }
    #expect(statistics.outputRows == 1965)
  }

  @Test func partitionsSplitInTwo() {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<1000 {
      let hash = generator.next()
      #expect(partition(ofHash: hash, count: 50) == partition(ofHash: hash, count: 100) / 2)
      #expect((0..<50).contains(partition(ofHash: hash, count: 50)))
    }
  }

  @Test func smallBatchesBecomePages() throws {
    var random = RandomBatches(seed: 3)
    let columns = symbols([.bigint])
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let batches = random.batches([.bigint], counts: Array(repeating: 100, count: 300))
    run.node = run.input(1, columns, batches)
    let sink = CollectingSink()
    try run.run(into: sink)
    #expect(sink.rows == batches.flatMap(\.rows))
    #expect(sink.pages.count == 4)
    #expect(sink.pages.allSatisfy { $0.batch.count <= Batch.targetRows + 100 })
  }

  @Test func wideRowsMakeSmallPages() throws {
    var builder = VectorBuilder(type: .varcharUnbounded)
    for row in 0..<2000 { builder.append(.text(String(repeating: "\(row % 10)", count: 3000))) }
    let column = builder.finish()
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let batch = Batch(columns: [column], count: 2000)
    run.node = run.input(1, symbols([.varcharUnbounded]), [batch])
    let sink = CollectingSink()
    try run.run(into: sink)
    #expect(sink.rows == batch.rows)
    #expect(sink.pages.count >= 6)
  }

  @Test func manyPartitionsStayWithinTheirRoom() throws {
    var random = RandomBatches(seed: 6)
    random.distinctValues = 500
    let columns = symbols([.bigint, .varcharUnbounded])
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let batches = random.batches(columns.map(\.type), counts: Array(repeating: 2000, count: 10), nulls: false)
    run.node = run.input(1, columns, batches)
    run.output = .hash(symbols: [columns[0]], count: 100)
    run.outputBufferBytes = 1 << 18
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    #expect(sink.rows.map(sortKey).sorted() == batches.flatMap(\.rows).map(sortKey).sorted())
    #expect(statistics.peakMemoryBytes <= 1 << 18)
  }

  @Test func sharedDictionariesStay() throws {
    var random = RandomBatches(seed: 4)
    let dictionary = random.vectors.vector(.varcharUnbounded, count: 5, .flat)
    let batches = (0..<3).map { _ in
      let indices = Buffer(count: 500, of: Int32.self)
      for row in 0..<500 { indices.pointer(to: Int32.self)[row] = Int32(row % 5) }
      return Batch(columns: [Vector(dictionary: dictionary, indices: indices, count: 500)], count: 500)
    }
    let other = Batch(columns: [random.vectors.vector(.varcharUnbounded, count: 100, .dictionaryWithNulls)], count: 100)
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let columns = symbols([.varcharUnbounded])
    run.node = run.input(1, columns, batches)
    let sink = CollectingSink()
    try run.run(into: sink)
    #expect(sink.pages.count == 1)
    #expect(sink.pages[0].batch.columns[0].dictionary === dictionary)
    run.node = run.input(1, columns, batches + [other] + batches)
    let mixed = CollectingSink()
    try run.run(into: mixed)
    #expect(mixed.rows == (batches + [other] + batches).flatMap(\.rows))
  }

  @Test func theSameInputGivesTheSameBytesWhateverTheGrant() throws {
    func pages(limit: Int64) throws -> [[UInt8]] {
      var random = RandomBatches(seed: 12)
      let columns = symbols(Self.types)
      var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
      let source = run.input(1, columns, random.batches(Self.types, counts: [500, 800, 20]))
      let count = Aggregation(
        function: .countAll, arguments: [], output: Symbol(id: 50, name: "n", type: .bigint),
        intermediates: [Symbol(id: 51, name: "p", type: .bigint)])
      run.node = .aggregate(
        AggregateNode(source: source, keys: columns, aggregations: [count], step: .partial))
      run.output = .hash(symbols: [columns[1]], count: 4)
      run.limit = limit
      let sink = CollectingSink()
      try run.run(into: sink)
      var encoder = BatchEncoder()
      return sink.pages.map { page in encoder.encode(page.batch) { [UInt8(page.partition)] + Array($0) } }
    }
    let expected = try pages(limit: 1 << 30)
    #expect(expected.count > 1)
    #expect(try pages(limit: 1 << 30) == expected)
    #expect(try pages(limit: 4 << 20) == expected)
  }
}
