// Tests the small operators: limit, union, enforce single row, values, scans.

import Base
import Columnar
import ConnectorAPI
import Planning
import Testing

@testable import Execution

@Suite struct RowOperatorTests {
  let columns = symbols([.bigint, .varcharUnbounded])

  func setup(_ counts: [Int], seed: UInt64 = 1) -> (run: FragmentRun, source: PlanNode, rows: [Row]) {
    var random = RandomBatches(seed: seed)
    let batches = random.batches([.bigint, .varcharUnbounded], counts: counts)
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, batches)
    return (run, source, batches.flatMap(\.rows))
  }

  @Test func limitAndOffsetCutRows() throws {
    for offset in [0, 1, 50, 149, 150, 400] {
      for count in [nil, 0, 1, 60, 1000] as [Int?] {
        var (run, source, rows) = setup([50, 1, 99])
        run.node = .limit(LimitNode(source: source, count: count, offset: offset))
        #expect(try run.rows() == Array(rows.dropFirst(offset).prefix(count ?? .max)))
      }
    }
  }

  @Test func limitStopsReading() throws {
    var (run, source, _) = setup([50, 50, 50])
    run.node = .limit(LimitNode(source: source, count: 50))
    #expect(try run.run(into: CollectingSink()).inputRows == 50)
  }

  @Test func unionMapsColumns() throws {
    var (run, first, rows) = setup([30, 20])
    var random = RandomBatches(seed: 9)
    let others = symbols([.varchar(length: 9), .bigint], from: 10)
    let batches = random.batches(others.map(\.type), counts: [10, 5])
    let second = run.input(2, others, batches)
    let outputs = symbols([.varcharUnbounded, .bigint], from: 20)
    run.node = .union(
      UnionNode(
        sources: [first, second], outputs: outputs, mappings: [[columns[1], columns[0]], others]))
    #expect(try run.rows() == rows.map { [$0[1], $0[0]] } + batches.flatMap(\.rows))
  }

  @Test func aRemoteSourceReadsItsFragmentsInOrder() throws {
    var (run, _, rows) = setup([30])
    var random = RandomBatches(seed: 10)
    let more = random.batches(columns.map(\.type), counts: [4, 4])
    _ = run.input(2, columns, more)
    run.node = .remoteSource(RemoteSourceNode(fragments: [2, 1], outputs: columns))
    #expect(try run.rows() == more.flatMap(\.rows) + rows)
  }

  @Test func enforceSingleRow() throws {
    let location = SourceLocation(line: 1, column: 8)
    func run(_ counts: [Int]) throws -> [Row] {
      var (run, source, _) = setup(counts)
      run.node = .enforceSingleRow(EnforceSingleRowNode(source: source, origin: Origin(location)))
      return try run.rows()
    }
    #expect(try run([]) == [[.null, .null]])
    #expect(try run([1]).count == 1)
    for counts in [[2], [1, 1]] {
      let error = #expect(throws: WaterbearError.self) { try run(counts) }
      #expect(error?.code == .subqueryMultipleRows)
      #expect(error?.description == "line 1:8: Scalar sub-query has returned multiple rows")
    }
  }

  @Test func valuesComputeTheirRows() throws {
    let sum = Expression.arithmetic(
      .add, .constant(.integer(40), .bigint), .constant(.integer(2), .bigint), .bigint, Origin())
    let node = ValuesNode(
      outputs: columns,
      rows: [
        [sum, .constant(.text("x"), .varcharUnbounded)],
        [.constant(.null, .bigint), .constant(.null, .varcharUnbounded)],
      ])
    #expect(try FragmentRun(node: .values(node)).rows() == [[.integer(42), .text("x")], [.null, .null]])
    #expect(try FragmentRun(node: .values(ValuesNode(outputs: columns, rows: []))).rows() == [])
    #expect(try FragmentRun(node: .values(ValuesNode(outputs: [], rows: [[], []]))).rows() == [[], []])
  }

  @Test func smallBatchesBehindAFilterAreJoined() throws {
    var (run, source, rows) = setup(Array(repeating: 100, count: 200) + [4000, 10, 5000], seed: 4)
    let predicate = Expression.not(.isNull(.symbol(columns[0])))
    run.node = .filter(FilterNode(source: source, predicate: predicate))
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    #expect(sink.rows == rows.filter { !$0[0].isNull })
    #expect(statistics.operators[0].outputBatches < 30)
  }

  @Test func aLimitAboveARareFilterEndsEarly() throws {
    var (run, source, _) = setup(Array(repeating: 10, count: 200), seed: 5)
    let predicate = Expression.not(.isNull(.symbol(columns[0])))
    let filter = PlanNode.filter(FilterNode(source: source, predicate: predicate))
    run.node = .limit(LimitNode(source: filter, count: 5))
    #expect(try run.run(into: CollectingSink()).inputRows <= 170)
  }

  @Test func outputNodesReorderColumns() throws {
    var (run, source, rows) = setup([10])
    let outputs = [columns[1], columns[0], columns[1]]
    run.node = .output(OutputNode(source: source, columnNames: ["b", "a", "b"], outputs: outputs))
    #expect(try run.rows() == rows.map { [$0[1], $0[0], $0[1]] })
  }

  @Test func scansReadTheirSplitsInOrder() throws {
    let connector = CountingConnector()
    let handle = TableHandle(catalog: "counting", schema: "s", name: "t")
    let column = ColumnHandle(name: "n", type: .bigint, index: 0)
    let symbol = Symbol(id: 1, name: "n", type: .bigint)
    let scan = PlanNode.tableScan(
      TableScanNode(id: 7, table: handle, columns: [.init(symbol: symbol, column: column)]))
    let fragment = PlanFragment(
      number: 0, root: scan, kind: .source, inputs: [], output: .single, outputSymbols: [symbol])
    let splits = [3, 1].map { Split(payload: [$0], bytes: 1, rows: 1) }
    let context = TaskContext(
      catalogs: Catalogs(["counting": connector]), splits: [7: splits],
      openRemoteSource: { _ in BatchList([]) }, memory: MemoryContext(limit: 1 << 20))
    let sink = CollectingSink()
    _ = try TaskExecutor(fragment: fragment, context: context).run(into: sink)
    #expect(sink.rows == [30, 31, 10, 11].map { [.integer($0)] })
  }
}

/// Each split of payload n gives the rows n0 and n1.
private struct CountingConnector: Connector {
  func schemaNames() -> [String] { ["s"] }
  func tableNames(in schema: String) -> [String] { ["t"] }
  func table(schema: String, name: String) -> TableMetadata? { nil }
  func statistics(of table: TableHandle) -> TableStatistics { TableStatistics(rowCount: nil) }
  func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) -> [Split] { [] }

  func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) -> any PageSource {
    var builder = VectorBuilder(type: .bigint)
    builder.append(.integer(Int64(split.payload[0]) * 10))
    builder.append(.integer(Int64(split.payload[0]) * 10 + 1))
    return BatchList([Batch(columns: [builder.finish()], count: 2)])
  }
}
