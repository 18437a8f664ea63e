// Tests sorting and top-N against a stable sort of rows: every type, direction and place of NULLs.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

@Suite struct SortTests {
  static let types: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal(precision: 12, scale: 2),
    .decimal(precision: 38, scale: 0), .varcharUnbounded, .char(length: 20), .varbinary, .date,
  ]

  /// Negative, zero or positive, as ORDER BY has it.
  static func compare(_ left: Value, _ right: Value, _ ordering: Ordering) -> Int {
    func rank(_ value: Value) -> Int {
      if value.isNull { return ordering.nullsFirst ? -2 : 2 }
      if case .double(let number) = value, number.isNaN { return ordering.nullsFirst ? -1 : 1 }
      return 0
    }
    if rank(left) != rank(right) { return rank(left) - rank(right) }
    if rank(left) != 0 { return 0 }
    let order: Int
    switch (left, right) {
    case (.double(let a), .double(let b)): order = a < b ? -1 : a > b ? 1 : 0
    case (.boolean(let a), .boolean(let b)): order = (a ? 1 : 0) - (b ? 1 : 0)
    case (.bytes(let a), .bytes(let b)):
      var (a, b) = (a, b)
      if case .char = ordering.symbol.type {
        while a.count < b.count { a.append(0x20) }
        while b.count < a.count { b.append(0x20) }
      }
      order = a.lexicographicallyPrecedes(b) ? -1 : b.lexicographicallyPrecedes(a) ? 1 : 0
    default:
      let (a, b) = (left.asInt128 ?? 0, right.asInt128 ?? 0)
      order = a < b ? -1 : a > b ? 1 : 0
    }
    return ordering.ascending ? order : -order
  }

  static func sorted(_ rows: [Row], _ orderings: [(Int, Ordering)]) -> [Row] {
    rows.enumerated().sorted { left, right in
      for (column, ordering) in orderings {
        let order = compare(left.element[column], right.element[column], ordering)
        if order != 0 { return order < 0 }
      }
      return left.offset < right.offset
    }.map(\.element)
  }

  func text(_ rows: [Row]) -> [String] { rows.map(sortKey) }

  @Test(arguments: SortTests.types)
  func ordersOneColumnAndBreaksTiesByTheNext(type: DataType) throws {
    var seed: UInt64 = 3
    for ascending in [true, false] {
      for nullsFirst in [true, false] {
        for counts in [[], [1], [40], [100, 150, 1]] {
          seed += 1
          var random = RandomBatches(seed: seed)
          random.distinctValues = 30
          let columns = symbols([type, .varcharUnbounded, .bigint])
          let batches = random.batches(columns.map(\.type), counts: counts)
          let orderings = [
            Ordering(symbol: columns[0], ascending: ascending, nullsFirst: nullsFirst),
            Ordering(symbol: columns[1], ascending: !ascending, nullsFirst: nullsFirst),
          ]
          var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
          let source = run.input(1, columns, batches)
          run.node = .sort(SortNode(source: source, orderings: orderings))
          let expected = Self.sorted(batches.flatMap(\.rows), [(0, orderings[0]), (1, orderings[1])])
          #expect(text(try run.rows()) == text(expected), "seed \(seed)")
          for limit in [0, 1, 10, 500, .max] {
            run.node = .topN(TopNNode(source: source, orderings: orderings, count: limit))
            #expect(text(try run.rows()) == text(Array(expected.prefix(limit))), "top \(limit), seed \(seed)")
            run.node = .topN(TopNNode(source: source, orderings: [orderings[0]], count: limit))
            let single = Self.sorted(batches.flatMap(\.rows), [(0, orderings[0])])
            #expect(text(try run.rows()) == text(Array(single.prefix(limit))), "top \(limit), seed \(seed)")
          }
        }
      }
    }
  }

  @Test func topNOverManyBatchesIsTheHeadOfTheSort() throws {
    for (seed, type) in [DataType.bigint, .double, .char(length: 8)].enumerated() {
      var random = RandomBatches(seed: UInt64(900 + seed))
      random.distinctValues = 400
      let columns = symbols([type, .bigint])
      var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
      let source = run.input(1, columns, random.batches(columns.map(\.type), counts: [8192, 8192, 100, 8193]))
      for nullsFirst in [true, false] {
        let orderings = columns.map { Ordering(symbol: $0, ascending: false, nullsFirst: nullsFirst) }
        run.node = .sort(SortNode(source: source, orderings: orderings))
        let sorted = try run.rows()
        for limit in [3, 6000] {
          run.node = .topN(TopNNode(source: source, orderings: orderings, count: limit))
          #expect(text(try run.rows()) == text(Array(sorted.prefix(limit))))
        }
      }
    }
  }

  @Test func longSharedPrefixesAreTold() throws {
    let column = Symbol(id: 1, name: "name", type: .varcharUnbounded)
    var builder = VectorBuilder(type: .varcharUnbounded)
    let stem = String(repeating: "x", count: 5000)
    var rows: [Row] = []
    for number in 0..<200 {
      let value = Value.text(stem.prefix(4000 + number * 7 % 200) + (number % 2 == 0 ? "" : "\0\(number % 5)"))
      builder.append(value)
      rows.append([value])
    }
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, [column], [Batch(columns: [builder.finish()], count: 200)])
    let ordering = Ordering(symbol: column)
    run.node = .sort(SortNode(source: source, orderings: [ordering]))
    #expect(try run.rows() == Self.sorted(rows, [(0, ordering)]))
  }

  @Test func topNDropsLaterBatchesOfWorseRows() throws {
    let columns = symbols([.bigint])
    let batches = (0..<40).map { block in
      var builder = VectorBuilder(type: .bigint, capacity: 8192)
      for row in 0..<8192 { builder.append(.integer(Int64(block * 8192 + row))) }
      return Batch(columns: [builder.finish()], count: 8192)
    }
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, batches)
    run.node = .topN(TopNNode(source: source, orderings: [Ordering(symbol: columns[0])], count: 5))
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    #expect(sink.rows == (0..<5).map { [.integer($0)] })
    // Two batches and the sort of them; not all forty.
    #expect(statistics.peakMemoryBytes < 2_000_000)
  }

  @Test func aSortBeyondTheGrantIsAnError() throws {
    let columns = symbols([.bigint, .varcharUnbounded])
    var random = RandomBatches(seed: 77)
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, random.batches(columns.map(\.type), counts: [8000, 8000]))
    run.node = .sort(SortNode(source: source, orderings: [Ordering(symbol: columns[0])]))
    run.limit = 300_000
    let error = #expect(throws: WaterbearError.self) { try run.rows() }
    #expect(error?.code == .exceededLocalMemoryLimit)
  }
}
