// Tests GROUP BY against the definition of each function: all keys, encodings, masks, DISTINCT, and the three steps.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

@Suite struct AggregationTests {
  static let keyTypes: [[DataType]] = [
    [], [.bigint], [.integer], [.smallint], [.varcharUnbounded], [.double], [.boolean, .tinyint],
    [.date, .bigint, .char(length: 5)], [.decimal(precision: 30, scale: 1)],
  ]
  static let short = DataType.decimal(precision: 12, scale: 2)
  static let long = DataType.decimal(precision: 30, scale: 3)
  /// Functions and the argument types they are tried with.
  static let cases: [(AggregateFunction, [[DataType]])] = [
    (.countAll, [[]]), (.count, [[.bigint], [.varcharUnbounded]]), (.countIf, [[.boolean]]),
    (.sum, [[.bigint], [.double], [.real], [short], [long]]),
    (.avg, [[.bigint], [.double], [.real], [short], [long]]),
    (.min, [[.bigint], [.double], [.varcharUnbounded], [.char(length: 6)], [long], [.date], [.boolean]]),
    (.max, [[.smallint], [.real], [.varbinary], [.char(length: 6)], [short], [.tinyint]]),
    (.boolAnd, [[.boolean]]), (.boolOr, [[.boolean]]), (.anyValue, [[.varcharUnbounded], [.integer]]),
    (.minBy, [[.varcharUnbounded, .bigint], [.integer, .varcharUnbounded]]),
    (.maxBy, [[long, .double], [.boolean, .date]]),
    (.variance, [[.double], [.bigint]]), (.varPop, [[short]]), (.stddev, [[.real]]), (.stddevPop, [[long]]),
  ]

  /// Small numbers, so that no sum overflows and doubles stay close.
  static func smallValues(_ random: inout RandomBatches, _ type: DataType) -> [Value]? {
    switch type {
    case .bigint, .decimal(precision: 0...18, scale: _):
      return (0..<9).map { _ in .integer(Int64.random(in: -900...900, using: &random.vectors.generator)) }
    case .decimal:
      return (0..<9).map { _ in .int128(Int128.random(in: -900...900, using: &random.vectors.generator)) }
    case .double, .real:
      return (0..<9).map { _ in .double(Double(Int.random(in: -900...900, using: &random.vectors.generator)) / 4) }
    default: return nil
    }
  }

  struct Setup {
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    var source: PlanNode
    var columns: [Symbol]
    var rows: [Row]
  }

  /// A source of keys, arguments and a mask.
  static func setup(_ keys: [DataType], _ arguments: [DataType], _ counts: [Int], seed: UInt64) -> Setup {
    var random = RandomBatches(seed: seed)
    random.distinctValues = 5
    let types = keys + arguments + [.boolean]
    let batches = zip(random.batches(keys, counts: counts), counts).map { keyBatch, count in
      let rest = (arguments + [.boolean]).map { type in
        let form = Form.allCases.randomElement(using: &random.vectors.generator) ?? .flat
        return random.vectors.vector(type, count: count, form, from: smallValues(&random, type))
      }
      return Batch(columns: keyBatch.columns + rest, count: count)
    }
    let columns = symbols(types)
    let nothing = PlanNode.values(ValuesNode(outputs: [], rows: []))
    var setup = Setup(source: nothing, columns: columns, rows: batches.flatMap(\.rows))
    setup.source = setup.run.input(1, columns, batches)
    return setup
  }

  static func aggregation(
    _ function: AggregateFunction, _ setup: Setup, keys: Int, distinct: Bool = false, masked: Bool
  ) -> Aggregation {
    let arguments = Array(setup.columns[keys..<(setup.columns.count - 1)])
    let types = arguments.map(\.type)
    return Aggregation(
      function: function, arguments: arguments, isDistinct: distinct, filter: masked ? setup.columns.last : nil,
      output: Symbol(id: 900, name: "result", type: function.resultType(types)),
      intermediates: function.intermediateTypes(types).enumerated().map {
        Symbol(id: 910 + $0.offset, name: "part", type: $0.element)
      })
  }

  static func expected(_ setup: Setup, _ aggregation: Aggregation, keys: Int) -> [Row] {
    var groups = NaiveAggregation.groups(setup.rows, keys: Array(0..<keys))
    if keys == 0 && groups.isEmpty { groups = [([], [])] }
    let width = aggregation.arguments.count
    return groups.map { key, rows in
      let counted = rows.filter { aggregation.filter == nil || $0.last == .boolean(true) }
      var arguments = counted.map { Array($0[keys..<(keys + width)]) }
      if aggregation.isDistinct {
        var seen = Set<String>()
        arguments = arguments.filter { seen.insert(sortKey($0)).inserted }
      }
      return key + [NaiveAggregation.result(aggregation.function, arguments, aggregation.arguments.map(\.type))]
    }
  }

  static func check(_ actual: [Row], _ expected: [Row], _ note: String) {
    #expect(actual.count == expected.count, "\(note)")
    for (left, right) in zip(actual, expected) {
      let isSame = left.count == right.count && zip(left, right).allSatisfy { NaiveAggregation.isClose($0, $1) }
      #expect(isSame, "\(left) instead of \(right), \(note)")
    }
  }

  @Test(arguments: AggregationTests.cases.indices, [false, true])
  func oneStepAgreesWithTheDefinition(index: Int, masked: Bool) throws {
    let (function, typeLists) = Self.cases[index]
    for arguments in typeLists {
      for (number, keys) in Self.keyTypes.enumerated() {
        for counts in [[], [1], [64, 200, 7]] {
          let seed = UInt64(index * 100 + number)
          var setup = Self.setup(keys, arguments, counts, seed: seed)
          let aggregation = Self.aggregation(function, setup, keys: keys.count, masked: masked)
          setup.run.node = .aggregate(
            AggregateNode(
              source: setup.source, keys: Array(setup.columns.prefix(keys.count)), aggregations: [aggregation]))
          Self.check(
            try setup.run.rows(), Self.expected(setup, aggregation, keys: keys.count),
            "\(function)(\(arguments)) by \(keys) of \(counts)")
        }
      }
    }
  }

  @Test(arguments: AggregationTests.cases.indices, [1 << 24, 1])
  func twoStepsAgreeWithTheDefinition(index: Int, memoryBytes: Int) throws {
    let (function, typeLists) = Self.cases[index]
    for arguments in typeLists {
      for (number, keys) in Self.keyTypes.enumerated() {
        for (counts, minimumRows) in [([], 1), ([300, 20, 64], 100_000), ([300, 20, 64], 1)] {
          let seed = UInt64(5000 + index * 100 + number)
          var setup = Self.setup(keys, arguments, counts, seed: seed)
          let aggregation = Self.aggregation(function, setup, keys: keys.count, masked: number % 2 == 0)
          let keySymbols = Array(setup.columns.prefix(keys.count))
          let partial = PlanNode.aggregate(
            AggregateNode(source: setup.source, keys: keySymbols, aggregations: [aggregation], step: .partial))
          setup.run.node = .aggregate(
            AggregateNode(source: partial, keys: keySymbols, aggregations: [aggregation], step: .final))
          setup.run.partialAggregation.memoryBytes = memoryBytes
          setup.run.partialAggregation.minimumRows = minimumRows
          setup.run.partialAggregation.uniqueRowsRatio = 0
          Self.check(
            try setup.run.rows(), Self.expected(setup, aggregation, keys: keys.count),
            "\(function)(\(arguments)) by \(keys) of \(counts)")
        }
      }
    }
  }

  @Test func distinctArgumentsCountOnce() throws {
    for (number, keys) in Self.keyTypes.enumerated() {
      for (function, types) in [
        (AggregateFunction.count, [DataType.varcharUnbounded]), (.sum, [.bigint]), (.avg, [Self.short]),
        (.count, [.boolean]),
      ] {
        var setup = Self.setup(keys, types, [100, 300, 1], seed: UInt64(8000 + number))
        let aggregation = Self.aggregation(function, setup, keys: keys.count, distinct: true, masked: number % 2 == 1)
        setup.run.node = .aggregate(
          AggregateNode(
            source: setup.source, keys: Array(setup.columns.prefix(keys.count)), aggregations: [aggregation]))
        Self.check(
          try setup.run.rows(), Self.expected(setup, aggregation, keys: keys.count), "\(function) by \(keys)")
      }
    }
  }

  @Test(arguments: [false, true])
  func distinctArgumentsAskForMemoryFirst(isKeyless: Bool) throws {
    let columns = symbols([.bigint])
    let aggregation = Aggregation(
      function: .count, arguments: columns, isDistinct: true, output: Symbol(id: 50, name: "n", type: .bigint))
    let aggregate = Aggregate(aggregation, step: .single, layout: ColumnLayout(columns), isKeyless: isKeyless)
    let zeros = RowIndices()
    zeros.base.update(repeating: 0, count: zeros.capacity)
    for block in 0..<20 {
      var values = VectorBuilder(type: .bigint, capacity: zeros.capacity)
      for row in 0..<zeros.capacity { values.append(.integer(Int64(block * zeros.capacity + row))) }
      let batch = Batch(columns: [values.finish()], count: zeros.capacity)
      let granted = aggregate.retainedBytes + aggregate.growth(to: 1, rows: batch.count)
      try aggregate.add(batch, GroupedRows(ids: zeros.base, count: batch.count, groups: 1, isWholeBatch: true))
      #expect(aggregate.retainedBytes <= granted + batch.count * 8, "block \(block)")
    }
  }

  @Test func manyGroupsInManyBatches() throws {
    let columns = symbols([.bigint, .bigint])
    let batches = (0..<12).map { block in
      var keys = VectorBuilder(type: .bigint, capacity: 5000)
      var values = VectorBuilder(type: .bigint, capacity: 5000)
      for row in 0..<5000 {
        keys.append(.integer(Int64((block * 5000 + row) % 23_456) << 33))
        values.append(.integer(Int64(row)))
      }
      return Batch(columns: [keys.finish(), values.finish()], count: 5000)
    }
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, batches)
    let count = Aggregation(function: .countAll, arguments: [], output: Symbol(id: 50, name: "n", type: .bigint))
    for keys in [[columns[0]], columns] {
      run.node = .aggregate(AggregateNode(source: source, keys: keys, aggregations: [count]))
      let rows = try run.rows()
      #expect(rows.reduce(0) { $0 + ($1.last?.asInt128 ?? 0) } == 60_000)
      #expect(Set(rows.map { sortKey($0.dropLast()) }).count == rows.count)
      if keys.count == 1 { #expect(rows.count == 23_456) }
    }
  }

  @Test func bigintOverflowIsAnError() throws {
    let columns = symbols([.bigint])
    var builder = VectorBuilder(type: .bigint)
    builder.append(.integer(.max))
    builder.append(.integer(1))
    let batch = Batch(columns: [builder.finish()], count: 2)
    let sum = Aggregation(function: .sum, arguments: columns, output: Symbol(id: 50, name: "s", type: .bigint))
    for keys in [[], [Symbol(id: 60, name: "k", type: .boolean)]] {
      var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
      let keyed = batch.columns + keys.map { .repeating(.null, type: $0.type, count: 2) }
      let source = run.input(1, columns + keys, [Batch(columns: keyed, count: 2)])
      run.node = .aggregate(AggregateNode(source: source, keys: keys, aggregations: [sum]))
      let error = #expect(throws: WaterbearError.self) { try run.rows() }
      #expect(error?.code == .numericValueOutOfRange)
      #expect(error?.message == "bigint addition overflow")
    }
  }

  @Test func decimalAveragesRoundHalfUp() {
    #expect(divideHalfUp(5, by: 2) == 3)
    #expect(divideHalfUp(-5, by: 2) == -3)
    #expect(divideHalfUp(4, by: 3) == 1)
    #expect(divideHalfUp(-4, by: 3) == -1)
    #expect(divideHalfUp(2, by: 3) == 1)
    #expect(divideHalfUp(0, by: 7) == 0)
  }

  @Test func aPartialStepThatDoesNotReducePassesRowsThrough() throws {
    let columns = symbols([.bigint])
    let batches = (0..<10).map { block in
      var keys = VectorBuilder(type: .bigint, capacity: 1000)
      for row in 0..<1000 { keys.append(.integer(Int64(block * 1000 + row))) }
      return Batch(columns: [keys.finish()], count: 1000)
    }
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, batches)
    let count = Aggregation(
      function: .countAll, arguments: [], output: Symbol(id: 50, name: "n", type: .bigint),
      intermediates: [Symbol(id: 51, name: "p", type: .bigint)])
    run.node = .aggregate(AggregateNode(source: source, keys: columns, aggregations: [count], step: .partial))
    run.partialAggregation.minimumRows = 2000
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    #expect(sink.rows == (0..<10_000).map { [.integer($0), .integer(1)] })
    // Two batches were aggregated and came out as one, then the table was given up.
    #expect(statistics.operators[0].outputBatches == 9)
  }
}
