// Tests of tables of Parquet files: several files, partitions, statistics, damage, changes.

import Base
import Columnar
import ConnectorAPI
import Parquet
import Testing

@testable import FilesConnector

extension TestCatalog {
  /// Writes a Parquet file with these rows, in row groups of `groupRows`.
  func writeParquet(
    _ columns: [(String, DataType)], _ rows: [[Value]], groupRows: Int = 1 << 20, to path: String
  ) throws {
    var options = ParquetWriterOptions()
    options.rowGroupRows = groupRows
    var bytes: [UInt8] = []
    let writer = try ParquetWriter(columns: columns.map { ($0.0, $0.1) }, options: options) { bytes += $0 }
    let handles = columns.enumerated().map { ColumnHandle(name: $1.0, type: $1.1, index: $0) }
    for start in stride(from: 0, to: rows.count, by: groupRows) {
      try writer.append(Self.batch(Array(rows[start..<min(start + groupRows, rows.count)]), handles))
    }
    try writer.finish()
    try write(bytes, to: path)
  }
}

@Suite struct ParquetTableTests {
  @Test func columnsOfSeveralFilesAreWidened() throws {
    let catalog = try TestCatalog()
    try catalog.writeParquet(
      [("a", .integer), ("b", .real), ("c", .decimal(precision: 5, scale: 2)), ("d", .smallint)],
      [[.integer(1), .double(0.5), .integer(12345), .integer(-3)], [.null, .null, .null, .null]], to: "s/t/1.parquet")
    try catalog.writeParquet(
      [
        ("d", .tinyint), ("c", .decimal(precision: 30, scale: 2)), ("a", .bigint), ("b", .double),
        ("e", .varcharUnbounded),
      ],
      [[.integer(-4), .int128(7), .integer(1 << 40), .double(0.1), .text("later")]], to: "s/t/2.parquet")
    #expect(
      try catalog.types("t") == [
        .bigint, .double, .decimal(precision: 30, scale: 2), .smallint, .varcharUnbounded,
      ])
    #expect(
      try catalog.read("t") == [
        [.integer(1), .double(0.5), .int128(12345), .integer(-3), .null], [.null, .null, .null, .null, .null],
        [.integer(1 << 40), .double(0.1), .int128(7), .integer(-4), .text("later")],
      ])
  }

  @Test func typesWithoutACommonOneNameBothFiles() throws {
    let catalog = try TestCatalog()
    try catalog.writeParquet([("a", .integer)], [[.integer(1)]], to: "s/t/1.parquet")
    try catalog.writeParquet([("A", .varcharUnbounded)], [[.text("x")]], to: "s/t/2.parquet")
    #expect { _ = try catalog.read("t") } throws: {
      ($0 as? WaterbearError)?.message == "Column 'a' is integer in s/t/1.parquet and varchar in s/t/2.parquet"
    }
    try catalog.writeParquet([("a", .integer), ("A", .integer)], [], to: "s/u.parquet")
    #expect(throws: WaterbearError.self) { _ = try catalog.read("u") }
  }

  /// Not every file is looked at when a table is described.
  @Test func namesThatDifferInCaseAloneAreFoundInEveryFile() throws {
    let catalog = try TestCatalog()
    try catalog.writeParquet([("Key", .integer), ("KEY", .integer)], [[.integer(1), .integer(2)]], to: "s/v/1.parquet")
    let base = try BaseDirectory(catalog.path)
    let list = try #require(try TableFinder(base: base).files(schema: "s", table: "v"))
    let wanted = [TableLayout.Column(name: "key", type: .integer)]
    let layout = TableLayout(
      path: "s/v", isDirectory: true, format: .parquet, columns: wanted, partitions: [], dialect: nil)
    #expect {
      _ = try ParquetFormat(base: base).pieces(of: list.files, layout: layout, columns: wanted, constraint: .all)
    } throws: {
      ($0 as? WaterbearError)?.message == "s/v/1.parquet has two columns 'key', if case is not looked at"
    }
  }

  @Test func partitionsAndHiddenColumns() throws {
    let catalog = try TestCatalog()
    for (year, value) in [("2023", 1), ("2024", 2), ("__HIVE_DEFAULT_PARTITION__", 3)] {
      try catalog.writeParquet([("a", .integer)], [[.integer(Int64(value))]], to: "s/t/year=\(year)/x.parquet")
    }
    #expect(try catalog.sorted("t") == [
      [.integer(1), .integer(2023)], [.integer(2), .integer(2024)], [.integer(3), .null],
    ])
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let constraint = TupleDomain(columns: [ColumnDomain(column: table.columns[1], values: [.integer(2024)])])
    let splits = try catalog.connector.splits(of: table.handle, columns: [], constraint: constraint)
    #expect(splits.count == 1)
    let source = try catalog.connector.pageSource(
      for: try #require(splits.first), of: table.handle, columns: table.hiddenColumns + [table.columns[1]],
      constraint: constraint)
    let batch = try #require(try source.next())
    #expect(table.hiddenColumns.map(\.name) == ["$path", "$file_size", "$file_modified_time"])
    #expect(batch.columns[0].value(at: 0) == .text("s/t/year=2024/x.parquet"))
    #expect(batch.columns[3].value(at: 0) == .integer(2024))
    guard case .integer(let size) = batch.columns[1].value(at: 0), case .integer(let at) = batch.columns[2].value(at: 0)
    else {
      Issue.record("\(batch.columns.map { $0.value(at: 0) })")
      return
    }
    #expect(size > 12 && at > 1_700_000_000_000_000)
  }

  @Test func footersGiveStatisticsAndExcludeRowGroups() throws {
    let catalog = try TestCatalog()
    let rows: [[Value]] = (0..<1000).map { [.integer(Int64($0)), $0 % 4 == 0 ? .null : .text("v\($0 % 10)")] }
    try catalog.writeParquet([("a", .bigint), ("b", .varcharUnbounded)], rows, groupRows: 100, to: "s/t.parquet")
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let statistics = try catalog.connector.statistics(of: table.handle)
    #expect(statistics.rowCount == 1000)
    #expect(statistics.columns["a"]?.minimum == 0 && statistics.columns["a"]?.maximum == 999)
    #expect(statistics.columns["b"]?.nullFraction == 0.25)
    let constraint = TupleDomain(columns: [ColumnDomain(column: table.columns[0], values: [.integer(555)])])
    let splits = try catalog.connector.splits(of: table.handle, columns: table.columns, constraint: constraint)
    #expect(splits.reduce(0) { $0 + $1.rows } == 100)
    #expect(try catalog.read("t") == rows)
  }

  @Test func damageHarmsOnlyItsOwnQueries() throws {
    let catalog = try TestCatalog()
    try catalog.writeParquet([("a", .integer)], [[.integer(1)]], to: "s/good.parquet")
    try catalog.write("PAR1 but no footer PAR1", to: "s/bad.parquet")
    try catalog.write("", to: "s/t/empty.parquet")
    for name in ["bad", "t"] {
      #expect("\(name)") { _ = try catalog.read(name) } throws: {
        let error = $0 as? WaterbearError
        return error?.code == .filesBadData && error?.message.contains("s/\(name)") ?? false
      }
    }
    #expect(try catalog.connector.tableNames(in: "s") == ["bad", "good", "t"])
    #expect(try catalog.read("good") == [[.integer(1)]])
  }

  @Test func filesThatChangedAfterPlanningAreNoticed() throws {
    let catalog = try TestCatalog()
    try catalog.writeParquet([("a", .integer)], [[.integer(1)]], to: "s/t.parquet")
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let splits = try catalog.connector.splits(of: table.handle, columns: table.columns, constraint: .all)
    try catalog.writeParquet([("a", .integer)], [[.integer(1)], [.integer(2)]], to: "s/t.parquet")
    #expect { _ = try catalog.read(splits[0], of: table) } throws: {
      ($0 as? WaterbearError)?.message.hasPrefix("s/t.parquet changed while the query ran") ?? false
    }
    // The next query sees what is there now.
    #expect(try catalog.read("t") == [[.integer(1)], [.integer(2)]])
  }

  @Test func filesThatChangeWhileTheyAreReadAreNoticed() throws {
    let catalog = try TestCatalog()
    try catalog.writeParquet([("a", .integer)], [[.integer(1)], [.integer(2)]], to: "s/t.parquet")
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let splits = try catalog.connector.splits(of: table.handle, columns: table.columns, constraint: .all)
    let source = try catalog.connector.pageSource(
      for: splits[0], of: table.handle, columns: table.columns, constraint: .all)
    _ = try source.next()
    // In place, by a program that knows no better.
    try catalog.writeParquet([("a", .integer)], [[.integer(3)], [.integer(4)], [.integer(5)]], to: "s/t.parquet")
    #expect {
      while try source.next() != nil {}
    } throws: {
      ($0 as? WaterbearError)?.message.hasPrefix("s/t.parquet changed while the query ran") ?? false
    }
  }
}
