// Proves that it does not matter how a table is cut or which columns are read, and how filters on keys narrow it.

import Base
import Columnar
import ConnectorAPI
import Testing

@testable import TPCHConnector

struct SplitTests {
  private static let scale = Scale(factor: 0.01)!

  /// Columns that are quick to make without optimisation.
  private static func columns(of table: Table) -> [Int] {
    table.columns.indices.filter { table.columns[$0].name != "comment" }
  }

  private func checksums(_ table: Table, _ keys: [Range<Int64>], columns: [Int], rows: Int = 8192) -> [UInt64] {
    var sums = columns.map { _ in ColumnChecksum() }
    for range in keys {
      let source = GeneratedPageSource(
        table: table, settings: GeneratorSettings(scale: Self.scale, money: .decimal), keys: range,
        columns: columns, rows: rows)
      while let batch = source.next() {
        for (index, vector) in batch.columns.enumerated() { sums[index].add(vector) }
      }
    }
    return sums.map(\.value)
  }

  @Test(arguments: Table.allCases)
  func anyCutOfTheKeysGivesTheSameRows(_ table: Table) {
    let keys = min(Self.scale.keys(of: table), 3000)
    let columns = Self.columns(of: table)
    let whole = checksums(table, [0..<keys], columns: columns)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3 {
      let places = ((0..<4).map { _ in Int64.random(in: 0...keys, using: &random) } + [0, keys]).sorted()
      let cuts = zip(places, places.dropFirst()).map { $0..<$1 }
      #expect(checksums(table, cuts, columns: columns) == whole, "cut at \(places)")
    }
  }

  @Test(arguments: Table.allCases)
  func batchSizeChangesNoRow(_ table: Table) {
    let keys = 0..<min(Self.scale.keys(of: table), 500)
    let columns = Self.columns(of: table)
    let whole = checksums(table, [keys], columns: columns)
    #expect(checksums(table, [keys], columns: columns, rows: 7) == whole)
    #expect(checksums(table, [keys], columns: columns, rows: 100) == whole)
  }

  @Test(arguments: Table.allCases)
  func aColumnIsTheSameWhicheverOthersAreRead(_ table: Table) {
    let keys = 0..<min(Self.scale.keys(of: table), 200)
    let all = Array(table.columns.indices)
    let together = checksums(table, [keys], columns: all)
    #expect(checksums(table, [keys], columns: all.reversed()) == together.reversed())
    for column in all { #expect(checksums(table, [keys], columns: [column]) == [together[column]]) }
  }

  @Test
  func commentsAreTheSameInAnyCut() {
    let column = Table.orders.columns.count - 1
    let whole = checksums(.orders, [0..<60], columns: [column])
    #expect(checksums(.orders, [0..<1, 1..<41, 41..<60], columns: [column]) == whole)
    let lines = Table.lineitem.columns.count - 1
    #expect(
      checksums(.lineitem, [0..<1, 1..<13, 13..<20], columns: [lines])
        == checksums(.lineitem, [0..<20], columns: [lines]))
  }

  @Test
  func batchesAreFullButNeverTooLarge() {
    let source = GeneratedPageSource(
      table: .lineitem, settings: GeneratorSettings(scale: Self.scale, money: .double), keys: 0..<15_000, columns: [])
    var counts: [Int] = []
    while let batch = source.next() { counts.append(batch.count) }
    #expect(counts.reduce(0, +) == 60_175)
    #expect(counts.dropLast().allSatisfy { $0 > 8192 - 7 && $0 <= 8192 })
  }

  @Test(arguments: Table.allCases, ["tiny", "sf1", "sf1000"])
  func splitsCoverEachKeyOnce(_ table: Table, _ schema: String) throws {
    let connector = try makeConnector()
    let metadata = try #require(connector.table(schema: schema, name: table.name))
    let splits = try connector.splits(of: metadata.handle, columns: metadata.columns, constraint: .all)
    let pieces = try splits.map { try KeySplit(payload: $0.payload) }
    #expect(pieces.first?.keys.lowerBound == 0)
    #expect(pieces.last?.keys.upperBound == Scale(schema: schema)?.keys(of: table))
    #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.keys.upperBound == $1.keys.lowerBound })
    #expect(splits.count <= 2001)
    #expect(splits.allSatisfy { $0.rows > 0 && $0.bytes > $0.rows })
  }

  @Test
  func lineitemAtScaleOneHasFineSplits() throws {
    let connector = try makeConnector()
    let metadata = try #require(connector.table(schema: "sf1", name: "lineitem"))
    let splits = try connector.splits(of: metadata.handle, columns: [metadata.columns[4]], constraint: .all)
    #expect(splits.count == 75)
    #expect(splits.allSatisfy { $0.rows == 80_000 && $0.bytes == 640_000 })
  }

  @Test
  func aDamagedSplitIsAnErrorNotATrap() throws {
    let good = KeySplit(table: .orders, scale: Self.scale, keys: 5..<10)
    #expect(try KeySplit(payload: good.payload) == good)
    for place in [0, 1, 9, 17, 25] {
      var payload = good.payload
      payload[place] = 0xff
      #expect(throws: WaterbearError.self, "byte \(place)") { try KeySplit(payload: payload) }
    }
    #expect(throws: WaterbearError.self) { try KeySplit(payload: []) }
  }
}

/// Filters on the first column.
struct KeyFilterTests {
  private static let scale = Scale(factor: 0.01)!

  private func keys(_ table: Table, _ domain: (ColumnHandle) -> ColumnDomain) -> Range<Int64> {
    let column = ColumnHandle(name: table.columns[0].name, type: .bigint, index: 0)
    return table.keys(
      matching: TupleDomain(columns: [domain(column)]), naming: .simplified, scale: Self.scale)
  }

  @Test
  func rangesOfDenseKeys() {
    #expect(keys(.customer) { ColumnDomain(column: $0, lowest: .integer(10), highest: .integer(20)) } == 9..<20)
    #expect(
      keys(.customer) {
        ColumnDomain(
          column: $0, lowest: .integer(10), lowestInclusive: false, highest: .integer(20), highestInclusive: false)
      } == 10..<19)
    #expect(keys(.part) { ColumnDomain(column: $0, lowest: .integer(1990)) } == 1989..<2000)
    #expect(keys(.part) { ColumnDomain(column: $0, highest: .integer(0)) }.isEmpty)
    #expect(keys(.nation) { ColumnDomain(column: $0, values: [.integer(3), .integer(7)]) } == 3..<8)
    #expect(keys(.nation) { ColumnDomain(column: $0, values: []) }.isEmpty)
    #expect(keys(.nation) { ColumnDomain(column: $0, lowest: .integer(.max), lowestInclusive: false) }.isEmpty)
  }

  @Test(arguments: [1, 7, 8, 31, 32, 33, 39, 40, 63, 64, 30_000, 59_999, 60_000, 60_001] as [Int64])
  func sparseOrderKeysLoseNoMatch(_ bound: Int64) {
    let from = keys(.orders) { ColumnDomain(column: $0, lowest: .integer(bound)) }
    let upTo = keys(.lineitem) { ColumnDomain(column: $0, highest: .integer(bound)) }
    for position in Int64(0)..<15_000 {
      let key = OrdersGenerator.key(position)
      #expect(from.contains(position) == (key >= bound))
      #expect(upTo.contains(position) == (key <= bound))
    }
  }

  @Test
  func aFilterLeavesOutSplitsAndRows() throws {
    let connector = try makeConnector()
    let metadata = try #require(connector.table(schema: "sf1", name: "orders"))
    let column = metadata.columns[0]
    let constraint = TupleDomain(columns: [ColumnDomain(column: column, values: [.integer(4_000_000)])])
    let splits = try connector.splits(of: metadata.handle, columns: [column], constraint: constraint)
    #expect(splits.count == 1)
    let source = try connector.pageSource(
      for: splits[0], of: metadata.handle, columns: [column], constraint: constraint)
    let rows = try batches(source)
    #expect(rows.map(\.count) == [1])
    #expect(rows[0].columns[0].value(at: 0) == .integer(4_000_000))
  }
}
