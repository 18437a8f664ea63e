// Tests all joins against a nested loop over rows, in all encodings, with NULLs, duplicates, filters and empty sides.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

/// Joins rows as the definition says.
struct NaiveJoin {
  var keys: Int
  /// NULL where the condition is open.
  var filter: ((Row, Row) -> Bool)?
  let leftWidth: Int
  let rightWidth: Int

  /// Three-valued equality of the first `keys` columns.
  func keysEqual(_ left: Row, _ right: Row) -> Bool? {
    var isOpen = false
    for key in 0..<keys {
      if left[key].isNull || right[key].isNull {
        isOpen = true
      } else if !same(left[key], right[key]) {
        return false
      }
    }
    return isOpen ? nil : true
  }

  private func same(_ left: Value, _ right: Value) -> Bool {
    if case .double(let a) = left, case .double(let b) = right { return a == b }
    return left == right
  }

  func matches(_ left: Row, _ right: Row) -> Bool {
    keysEqual(left, right) == true && (filter?(left, right) ?? true)
  }

  func join(_ kind: JoinKind, _ left: [Row], _ right: [Row]) -> [Row] {
    switch kind {
    case .semi: return left.filter { row in right.contains { matches(row, $0) } }
    case .anti: return left.filter { row in !right.contains { matches(row, $0) } }
    case .nullAwareAnti: return left.filter { mark($0, right, isNullAware: true) == .boolean(false) }
    case .inner, .left, .right, .full:
      var rows: [Row] = []
      var matchedRight = Set<Int>()
      for row in left {
        var hasMatch = false
        for (index, other) in right.enumerated() where matches(row, other) {
          hasMatch = true
          matchedRight.insert(index)
          rows.append(row + other)
        }
        if !hasMatch && (kind == .left || kind == .full) {
          rows.append(row + Row(repeating: .null, count: rightWidth))
        }
      }
      if kind == .right || kind == .full {
        for (index, other) in right.enumerated() where !matchedRight.contains(index) {
          rows.append(Row(repeating: .null, count: leftWidth) + other)
        }
      }
      return rows
    }
  }

  /// x IN (right rows that pass the filter).
  func mark(_ left: Row, _ right: [Row], isNullAware: Bool) -> Value {
    let candidates = right.filter { filter?(left, $0) ?? true }
    let answers = candidates.map { keysEqual(left, $0) }
    if answers.contains(true) { return .boolean(true) }
    return isNullAware && answers.contains(where: { $0 == nil }) ? .null : .boolean(false)
  }
}

@Suite struct JoinTests {
  static let keyTypes: [[DataType]] = [
    [.bigint], [.integer], [.smallint], [.varcharUnbounded], [.double], [.decimal(precision: 30, scale: 2)],
    [.bigint, .varcharUnbounded], [.boolean, .date], [],
  ]
  static let sizes: [([Int], [Int])] = [
    ([60, 1, 90], [40, 30]), ([], [10]), ([10], []), ([40], [1]), ([3, 5], [90]), ([20, 1], [30, 40, 1, 30]),
  ]

  /// Plans a join of random sides and gives its inputs.
  static func sides(
    _ types: [DataType], _ sizes: ([Int], [Int]), seed: UInt64
  ) -> (run: FragmentRun, left: PlanNode, right: PlanNode, columns: ([Symbol], [Symbol]), rows: ([Row], [Row])) {
    var random = RandomBatches(seed: seed)
    random.distinctValues = 9
    // The keys, then a number that filters compare.
    let all = types + [.bigint]
    let pool = random.batches(all, counts: sizes.0 + sizes.1)
    let left = Array(pool.prefix(sizes.0.count))
    let right = Array(pool.dropFirst(sizes.0.count))
    let columns = (symbols(all), symbols(all, from: 100))
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let leftNode = run.input(1, columns.0, left)
    let rightNode = run.input(2, columns.1, right)
    return (run, leftNode, rightNode, columns, (left.flatMap(\.rows), right.flatMap(\.rows)))
  }

  static func lessThan(_ columns: ([Symbol], [Symbol]), _ width: Int) -> Expression {
    .comparison(.lessThan, .symbol(columns.0[width - 1]), .symbol(columns.1[width - 1]))
  }

  static func naive(_ types: [DataType], filtered: Bool) -> NaiveJoin {
    let width = types.count + 1
    var naive = NaiveJoin(keys: types.count, leftWidth: width, rightWidth: width)
    if filtered {
      naive.filter = { left, right in
        guard let a = left[width - 1].asInt128, let b = right[width - 1].asInt128 else { return false }
        return a < b
      }
    }
    return naive
  }

  @Test(arguments: [JoinKind.inner, .left, .right, .full, .semi, .anti, .nullAwareAnti], [false, true])
  func agreesWithTheNestedLoop(kind: JoinKind, filtered: Bool) throws {
    var seed: UInt64 = 7
    for types in Self.keyTypes {
      if kind == .nullAwareAnti && types.count != 1 { continue }
      for sizes in Self.sizes {
        seed += 1
        var side = Self.sides(types, sizes, seed: seed)
        let criteria = types.indices.map { EquiClause(left: side.columns.0[$0], right: side.columns.1[$0]) }
        let isSemi = kind == .semi || kind == .anti || kind == .nullAwareAnti
        let node = JoinNode(
          kind: kind, left: side.left, right: side.right, criteria: criteria,
          filter: filtered ? Self.lessThan(side.columns, types.count + 1) : nil,
          outputs: isSemi ? side.columns.0 : side.columns.0 + side.columns.1)
        side.run.node = .join(node)
        let expected = Self.naive(types, filtered: filtered).join(kind, side.rows.0, side.rows.1)
        let actual = try side.run.rows()
        #expect(actual.count == expected.count, "\(types) \(sizes) seed \(seed)")
        #expect(actual.map(sortKey).sorted() == expected.map(sortKey).sorted(), "\(types) \(sizes) seed \(seed)")
      }
    }
  }

  @Test(arguments: [false, true], [false, true])
  func marksAgreeWithTheNestedLoop(isNullAware: Bool, filtered: Bool) throws {
    var seed: UInt64 = 1000
    for types in Self.keyTypes where types.count <= 1 {
      for sizes in Self.sizes {
        if types.isEmpty && isNullAware { continue }
        seed += 1
        var side = Self.sides(types, sizes, seed: seed)
        let mark = Symbol(id: 500, name: "mark", type: .boolean)
        side.run.node = .semiJoin(
          SemiJoinNode(
            source: side.left, filteringSource: side.right,
            criteria: types.indices.map { EquiClause(left: side.columns.0[$0], right: side.columns.1[$0]) },
            filter: filtered ? Self.lessThan(side.columns, types.count + 1) : nil, mark: mark,
            isNullAware: isNullAware))
        let naive = Self.naive(types, filtered: filtered)
        let expected = side.rows.0.map { $0 + [naive.mark($0, side.rows.1, isNullAware: isNullAware)] }
        // Compared as text, since NaN differs from itself.
        #expect(try side.run.rows().map(sortKey) == expected.map(sortKey), "\(types) \(sizes) seed \(seed)")
      }
    }
  }

  @Test func innerJoinKeepsTheOrderOfBothSides() throws {
    var side = Self.sides([.bigint], ([200], [200]), seed: 5)
    side.run.node = .join(
      JoinNode(
        kind: .inner, left: side.left, right: side.right,
        criteria: [EquiClause(left: side.columns.0[0], right: side.columns.1[0])],
        outputs: side.columns.0 + side.columns.1))
    #expect(try side.run.rows() == Self.naive([.bigint], filtered: false).join(.inner, side.rows.0, side.rows.1))
  }

  @Test func manyMatchesComeInBatchesOfBoundedSize() throws {
    var side = Self.sides([], ([400], [300]), seed: 6)
    side.run.node = .join(
      JoinNode(
        kind: .inner, left: side.left, right: side.right, criteria: [], outputs: [side.columns.0[0]]))
    let sink = CollectingSink()
    try side.run.run(into: sink)
    #expect(sink.pages.reduce(0) { $0 + $1.batch.count } == 120_000)
    #expect(sink.pages.allSatisfy { $0.batch.count <= Batch.targetRows })
  }

  /// With so many keys of two columns some have the same 32 bits of hash, so their groups are not numbered in the order
  /// of the rows.
  @Test func uniqueKeysFindTheirOwnRowAlsoWhereHashesCollide() throws {
    let count = 300_000
    let types: [DataType] = [.bigint, .bigint]
    let columns = (symbols(types), symbols(types, from: 100))
    let batches = stride(from: 0, to: count, by: 8000).map { first in
      let length = min(8000, count - first)
      let vectors = [1, 31].map { factor in
        let values = Buffer(count: length, of: Int64.self)
        let numbers = values.pointer(to: Int64.self)
        for row in 0..<length { numbers[row] = Int64((first + row) * factor) }
        return Vector(flat: .bigint, count: length, values: values)
      }
      return Batch(columns: vectors, count: length)
    }
    var run = FragmentRun(node: .values(ValuesNode(outputs: [], rows: [])))
    let left = run.input(1, columns.0, batches)
    let right = run.input(2, columns.1, batches)
    let criteria = zip(columns.0, columns.1).map { EquiClause(left: $0, right: $1) }
    run.node = .join(
      JoinNode(kind: .inner, left: left, right: right, criteria: criteria, outputs: [columns.0[0], columns.1[0]]))
    let sink = CollectingSink()
    _ = try run.run(into: sink)
    var found = 0
    var wrong = 0
    for page in sink.pages {
      let pair = page.batch.columns.map { $0.flattened() }
      for row in 0..<page.batch.count where pair[0].value(at: row) != pair[1].value(at: row) { wrong += 1 }
      found += page.batch.count
    }
    #expect(found == count && wrong == 0)
  }

  /// A filter is run over pairs of many rows and the few NULLs at once, between two questions whether to stop.
  @Test func aFewNullsAreComparedWithManyRowsAtATime() throws {
    var side = Self.sides([.bigint], ([8000], [20, 20, 20, 20, 20]), seed: 12)
    var asked = 0
    side.run.shouldStop = {
      asked += 1
      return false
    }
    side.run.node = .join(
      JoinNode(
        kind: .nullAwareAnti, left: side.left, right: side.right,
        criteria: [EquiClause(left: side.columns.0[0], right: side.columns.1[0])],
        filter: Self.lessThan(side.columns, 2), outputs: side.columns.0))
    let nullRows = side.rows.0.filter { $0[0].isNull }.count
    try #require(side.rows.1.contains { $0[0].isNull })
    #expect(try side.run.rows() == Self.naive([.bigint], filtered: true).join(.nullAwareAnti, side.rows.0, side.rows.1))
    // Rows whose own key is NULL are compared with the whole right side, one by one.
    #expect(asked < nullRows + 100)
  }

  @Test func emptyRightSideEndsAnInnerJoinWithoutReadingTheLeft() throws {
    var side = Self.sides([.bigint], ([100], []), seed: 8)
    side.run.node = .join(
      JoinNode(
        kind: .inner, left: side.left, right: side.right,
        criteria: [EquiClause(left: side.columns.0[0], right: side.columns.1[0])], outputs: side.columns.0))
    let statistics = try side.run.run(into: CollectingSink())
    #expect(statistics.inputRows == 0)
  }

  @Test func aBuildSideBeyondTheGrantIsAnError() throws {
    var side = Self.sides([.bigint], ([10], [8000, 8000, 8000]), seed: 9)
    side.run.node = .join(
      JoinNode(
        kind: .inner, left: side.left, right: side.right,
        criteria: [EquiClause(left: side.columns.0[0], right: side.columns.1[0])],
        outputs: side.columns.0 + side.columns.1))
    side.run.limit = 700_000
    let error = #expect(throws: WaterbearError.self) { try side.run.rows() }
    #expect(error?.code == .exceededLocalMemoryLimit)
    #expect(error?.message.contains("HashBuilderOperator=") == true)
  }

  @Test func aLongCrossProductStopsWhenAsked() throws {
    var side = Self.sides([], ([8000], [8000]), seed: 10)
    var asked = 0
    side.run.shouldStop = {
      asked += 1
      return asked > 30
    }
    side.run.node = .join(
      JoinNode(
        kind: .inner, left: side.left, right: side.right, criteria: [],
        filter: Self.lessThan(side.columns, 1), outputs: [side.columns.0[0]]))
    #expect(throws: TaskStopped.self) { try side.run.rows() }
  }
}
