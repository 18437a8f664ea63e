// Tests the run of whole fragments: inputs, statistics, stopping, errors.

import Base
import Columnar
import ConnectorAPI
import Planning
import Testing

@testable import Execution

@Suite struct TaskExecutorTests {
  let columns = symbols([.bigint, .varcharUnbounded])

  func numbers(_ range: Range<Int64>) -> Batch {
    var keys = VectorBuilder(type: .bigint)
    var names = VectorBuilder(type: .varcharUnbounded)
    for number in range {
      keys.append(.integer(number))
      names.append(.text("name of number \(number % 3)"))
    }
    return Batch(columns: [keys.finish(), names.finish()], count: range.count)
  }

  @Test func filtersProjectsAndCounts() throws {
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, [numbers(0..<100), numbers(100..<250)])
    let predicate = Expression.comparison(.lessThan, .symbol(columns[0]), .constant(.integer(120), .bigint))
    let filter = PlanNode.filter(FilterNode(source: source, predicate: predicate))
    run.node = .project(
      ProjectNode(source: filter, assignments: [Assignment(columns[1], .symbol(columns[1]))]))
    let sink = CollectingSink()
    let statistics = try run.run(into: sink)
    #expect(sink.rows == (0..<120).map { [.text("name of number \($0 % 3)")] })
    #expect(statistics.inputRows == 250)
    #expect(statistics.outputRows == 120)
    #expect(statistics.operators.map(\.name) == ["ProjectOperator", "FilterOperator", "ExchangeOperator"])
    #expect(statistics.operators.map(\.outputRows) == [120, 120, 250])
    #expect(statistics.operators.map(\.node) == [0, 1, 2])
  }

  @Test func aggregatesByText() throws {
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, [numbers(0..<100), numbers(100..<250)])
    let sum = Symbol(id: 9, name: "sum", type: .bigint)
    let node = AggregateNode(
      source: source, keys: [columns[1]],
      aggregations: [Aggregation(function: .sum, arguments: [columns[0]], output: sum)])
    run.node = .aggregate(node)
    let expected: [Row] = (0..<3).map { rest in
      [.text("name of number \(rest)"), .integer((0..<250).filter { $0 % 3 == rest }.reduce(0, +))]
    }
    #expect(try run.rows() == expected)
  }

  @Test func stopsBetweenBatches() throws {
    var asked = 0
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    run.node = run.input(1, columns, (0..<50).map { numbers(Int64($0)..<Int64($0 + 1)) })
    run.shouldStop = {
      asked += 1
      return asked > 10
    }
    #expect(throws: TaskStopped.self) { try run.rows() }
    #expect(asked == 11)
  }

  @Test func memoryBeyondTheGrantIsAnError() throws {
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, (0..<50).map { numbers($0 * 1000..<$0 * 1000 + 1000) })
    run.node = .aggregate(AggregateNode(source: source, keys: columns, aggregations: []))
    run.limit = 1 << 20
    let error = #expect(throws: WaterbearError.self) { try run.rows() }
    #expect(error?.code == .exceededLocalMemoryLimit)
    let message = error?.message ?? ""
    #expect(message.hasPrefix("Query exceeded per-task memory limit of 1MB [Allocated: "))
    #expect(message.contains("Top Consumers: {HashAggregationOperator="))
  }
}
