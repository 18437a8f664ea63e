// Tests the operators that number rows.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

@Suite struct NumberingOperatorTests {
  let columns = symbols([.bigint, .varcharUnbounded])
  let number = symbols([.bigint], from: 10)[0]

  func setup() -> (run: FragmentRun, source: PlanNode, rows: [Row]) {
    let batches = [
      [[.integer(1), .text("d")], [.null, .text("c")], [.integer(1), .text("b")]],
      [[.integer(2), .null], [.null, .text("a")], [.integer(1), .text("a")]],
    ] as [[Row]]
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let source = run.input(1, columns, batches.map { rows in
      Batch(columns: columns.indices.map { column in
        var builder = VectorBuilder(type: columns[column].type)
        for row in rows { builder.append(row[column]) }
        return builder.finish()
      }, count: rows.count)
    })
    return (run, source, batches.flatMap { $0 })
  }

  @Test func everyRowGetsANumberOfItsOwn() throws {
    var (run, source, rows) = setup()
    run.node = .uniqueID(UniqueIDNode(source: source, id: number))
    let found = try run.rows()
    #expect(found.map { Array($0.dropLast()) } == rows)
    #expect(Set(found.map { $0[2] }).count == rows.count)
  }

  @Test func rowsOfEqualKeysAreNumberedAsTheyCome() throws {
    var (run, source, rows) = setup()
    run.node = .rowNumber(
      RowNumberNode(source: source, partition: [columns[0]], orderings: [], most: nil, number: number))
    let numbers: [Int64] = [1, 1, 2, 1, 2, 3]
    #expect(try run.rows() == zip(rows, numbers).map { $0 + [.integer($1)] })
  }

  @Test func theFirstRowsOfEachKeyAreKept() throws {
    var (run, source, _) = setup()
    run.node = .rowNumber(
      RowNumberNode(
        source: source, partition: [columns[0]], orderings: [Ordering(symbol: columns[1])], most: 2, number: number))
    #expect(
      try run.rows() == [
        [.null, .text("a"), .integer(1)], [.integer(1), .text("a"), .integer(1)],
        [.integer(1), .text("b"), .integer(2)], [.null, .text("c"), .integer(2)], [.integer(2), .null, .integer(1)],
      ])
  }

  @Test func withoutKeysAllRowsAreNumberedTogether() throws {
    var (run, source, rows) = setup()
    run.node = .rowNumber(RowNumberNode(source: source, partition: [], orderings: [], most: 4, number: number))
    #expect(try run.rows() == rows.prefix(4).enumerated().map { $1 + [.integer(Int64($0 + 1))] })
  }
}
