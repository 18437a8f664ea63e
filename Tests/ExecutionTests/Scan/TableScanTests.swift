// Tests that scans give the rows of the condition and the join above them, whether the page source filters or not.

import Base
import Columnar
import ConnectorAPI
import Planning
import Testing

@testable import Execution

@Suite struct TableScanTests {
  static let id = Symbol(id: 1, name: "id", type: .bigint)
  static let word = Symbol(id: 2, name: "word", type: .varcharUnbounded)
  static let other = Symbol(id: 3, name: "other", type: .bigint)

  static func scan() -> TableScanNode {
    let columns = [id, word].enumerated().map { index, symbol in
      TableScanNode.ScanColumn(
        symbol: symbol, column: ColumnHandle(name: symbol.name, type: symbol.type, index: index))
    }
    return TableScanNode(id: 7, table: TableHandle(catalog: "c", schema: "s", name: "t"), columns: columns)
  }

  /// Runs `root` over two splits of 5000 rows each, and `inner` as the rows of fragment 1.
  private func run(_ root: PlanNode, filters: Bool, inner: [Int64] = []) throws -> ([[Value]], TestTable) {
    let table = TestTable(appliesFilters: filters)
    let mode = FragmentInput(fragment: 1, mode: .broadcast)
    let fragment = PlanFragment(
      number: 0, root: root, kind: .source, inputs: inner.isEmpty ? [] : [mode], output: .single,
      outputSymbols: root.outputs)
    var builder = VectorBuilder(type: .bigint)
    for key in inner { builder.append(.integer(key)) }
    let build = Batch(columns: [builder.finish()], count: inner.count)
    let context = TaskContext(
      catalogs: Catalogs(["c": table]), splits: [7: [0, 1].map { Split(payload: [$0], bytes: 1, rows: 5000) }],
      openRemoteSource: { _ in BatchList([build]) }, memory: MemoryContext(limit: 64 << 20))
    let sink = CollectingSink()
    _ = try TaskExecutor(fragment: fragment, context: context).run(into: sink)
    return (sink.rows, table)
  }

  private func filter(_ predicate: Expression) -> PlanNode {
    .filter(FilterNode(source: .tableScan(Self.scan()), predicate: predicate))
  }

  private func less(_ symbol: Symbol, _ bound: Int64) -> Expression {
    .comparison(.lessThan, .symbol(symbol), .constant(.integer(bound), .bigint))
  }

  @Test(arguments: [true, false])
  func conditionsOfSeveralColumns(_ filters: Bool) throws {
    let isRed = Expression.comparison(.equal, .symbol(Self.word), .constant(.text("red"), .varcharUnbounded))
    let (rows, table) = try run(filter(.and([isRed, less(Self.id, 9000)])), filters: filters)
    let expected: [[Value]] = stride(from: Int64(0), to: 9000, by: 3).map { [Value.integer($0), Value.text("red")] }
    #expect(rows == expected)
    #expect(table.seen.filters == [2, 2])
  }

  @Test(arguments: [true, false])
  func whatCanFailSeesOnlyRowsThatPassedTheRest(_ filters: Bool) throws {
    // 1 / (id - 1) fails for row 1, which the other condition drops.
    let divisor = Expression.arithmetic(
      .subtract, .symbol(Self.id), .constant(.integer(1), .bigint), .bigint, Origin())
    let quotient = Expression.arithmetic(
      .divide, .constant(.integer(10_000), .bigint), divisor, .bigint, Origin())
    let fails = Expression.comparison(.greaterThan, quotient, .constant(.integer(0), .bigint))
    let safe = Expression.comparison(.greaterThan, .symbol(Self.id), .constant(.integer(9_990), .bigint))
    #expect(try run(filter(.and([fails, safe])), filters: filters).0.count == 9)
    #expect(throws: WaterbearError.self) { try run(filter(fails), filters: filters) }
  }

  @Test(arguments: [JoinKind.inner, .semi, .right], [true, false])
  func keysOfAJoinReachTheScan(_ kind: JoinKind, _ filters: Bool) throws {
    let inner: [Int64] = [4, 400, 8000, 20_000]
    let right = PlanNode.remoteSource(RemoteSourceNode(fragments: [1], outputs: [Self.other]))
    let join = PlanNode.join(
      JoinNode(
        kind: kind, left: filter(less(Self.id, 9000)), right: right,
        criteria: [EquiClause(left: Self.id, right: Self.other)], outputs: [Self.id], distribution: .broadcast))
    let (rows, table) = try run(join, filters: filters, inner: inner)
    let matched: [Value] = [4, 400, 8000].map { Value.integer($0) }
    #expect(rows.map { $0[0] } == matched + (kind == .right ? [Value.null] : []))
    #expect(table.seen.filters == [2, 2])
    #expect(table.seen.bounds == [4...20_000, 4...20_000])
    if filters { #expect(table.seen.rowsGiven == 3) }
  }

  @Test(arguments: [JoinKind.left, .anti, .full])
  func joinsThatKeepLeftRowsRestrictNothing(_ kind: JoinKind) throws {
    let right = PlanNode.remoteSource(RemoteSourceNode(fragments: [1], outputs: [Self.other]))
    let join = PlanNode.join(
      JoinNode(
        kind: kind, left: .tableScan(Self.scan()), right: right,
        criteria: [EquiClause(left: Self.id, right: Self.other)], outputs: [Self.id], distribution: .broadcast))
    let (rows, table) = try run(join, filters: true, inner: [4])
    #expect(rows.count == (kind == .anti ? 9_999 : 10_000))
    #expect(table.seen.filters == [0, 0])
  }
}

/// 10,000 rows in two splits: id counts, word is red, green, blue in turn, a dictionary.
private final class TestTable: Connector, @unchecked Sendable {
  struct Seen {
    var filters: [Int] = []
    var bounds: [ClosedRange<Int64>] = []
    var rowsGiven = 0
  }

  /// Unchecked Sendable: one test uses it on one thread.
  var seen = Seen()
  let appliesFilters: Bool

  init(appliesFilters: Bool) { self.appliesFilters = appliesFilters }

  func schemaNames() -> [String] { ["s"] }
  func tableNames(in schema: String) -> [String] { ["t"] }
  func table(schema: String, name: String) -> TableMetadata? { nil }
  func statistics(of table: TableHandle) -> TableStatistics { TableStatistics(rowCount: nil) }
  func splits(of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain) -> [Split] { [] }

  func pageSource(
    for split: Split, of table: TableHandle, columns: [ColumnHandle], constraint: TupleDomain,
    filters: [any RowFilter]
  ) throws -> any PageSource {
    seen.filters.append(filters.count)
    if case .integer(let low)? = constraint.domain(of: "id")?.lowest,
      case .integer(let high)? = constraint.domain(of: "id")?.highest {
      seen.bounds.append(low...high)
    }
    return TestPages(self, start: Int(split.payload[0]) * 5000, filters: filters)
  }
}

private final class TestPages: PageSource {
  private let table: TestTable
  private let filters: [any RowFilter]
  private var rows: Range<Int>
  private let words: Vector

  init(_ table: TestTable, start: Int, filters: [any RowFilter]) {
    self.table = table
    self.filters = filters
    rows = start..<(start + 5000)
    var builder = VectorBuilder(type: .varcharUnbounded)
    for word in ["red", "green", "blue"] { builder.append(.text(word)) }
    words = builder.finish()
  }

  var appliesFilters: Bool { table.appliesFilters }

  func next() throws -> Batch? {
    while !rows.isEmpty {
      let count = min(1000, rows.count)
      let (ids, codes) = (Buffer(count: count, of: Int64.self), Buffer(count: count, of: Int32.self))
      for row in 0..<count {
        ids.pointer(to: Int64.self)[row] = Int64(rows.lowerBound + row)
        codes.pointer(to: Int32.self)[row] = Int32((rows.lowerBound + row) % 3)
      }
      rows.removeFirst(count)
      var batch = Batch(
        columns: [
          Vector(flat: .bigint, count: count, values: ids), Vector(dictionary: words, indices: codes, count: count),
        ], count: count)
      if appliesFilters {
        for filter in filters where batch.count > 0 {
          batch = batch.gather(try filter.select(batch.selectingColumns(filter.columns)))
        }
      }
      table.seen.rowsGiven += batch.count
      if batch.count > 0 { return batch }
    }
    return nil
  }
}
