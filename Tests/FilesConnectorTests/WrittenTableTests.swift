// Tests of what written tables hold: formats, types, partitions, properties, and what is refused.

import Base
import Columnar
import ConnectorAPI
import Glibc
import Testing

@testable import FilesConnector

@Suite struct WrittenTableTests {
  private func catalog(_ properties: [String: String] = [:]) throws -> TestCatalog {
    let catalog = try TestCatalog(properties)
    try catalog.makeDirectory("s")
    return catalog
  }

  private static let columns: [(String, DataType)] = [
    ("flag", .boolean), ("tiny", .tinyint), ("small", .smallint), ("int", .integer), ("big", .bigint), ("r", .real),
    ("d", .double), ("dec", .decimal(precision: 12, scale: 2)), ("wide", .decimal(precision: 38, scale: 3)),
    ("text", .varcharUnbounded), ("day", .date), ("at", .timestamp(precision: 6)),
  ]
  private static let rows: [[Value]] = [
    [
      .boolean(true), .integer(-128), .integer(32767), .integer(-2_147_483_648), .integer(.max), .double(1.5),
      .double(-0.1), .integer(-1_234_567_890_12), .int128(Int128("12345678901234567890123456789012345678")!),
      .text("a,\"b\"\r\nc"), .integer(-1), .integer(1_704_067_200_123_456),
    ],
    [
      .boolean(false), .integer(0), .integer(0), .integer(0), .integer(.min), .double(0), .double(1e300), .integer(5),
      .int128(-1), .text(""), .integer(19_000), .integer(0),
    ],
    [Value](repeating: .null, count: 12),
    [
      .null, .integer(1), .null, .integer(1), .null, .double(2), .null, .integer(0), .null,
      .text(" größer 東京 🙂 "), .null, .null,
    ],
  ]

  @Test(arguments: [
    ("PARQUET", "NONE"), ("parquet", "snappy"), ("PARQUET", "ZSTD"), ("PARQUET", "GZIP"), ("PARQUET", "LZ4"),
    ("CSV", "NONE"), ("csv", "gzip"), ("CSV", "ZSTD"), ("JSON", "NONE"), ("json", "gzip"), ("JSON", "ZSTD"),
  ])
  func everyTypeInEveryFormat(format: String, compression: String) throws {
    let catalog = try catalog()
    try catalog.create(
      "t", Self.columns, [Self.rows], ["format": .text(format), "compression": .text(compression)])
    #expect(try catalog.read("t") == Self.rows)
    #expect(try catalog.types("t") == Self.columns.map(\.1))
  }

  @Test func manyRowsOfText() throws {
    for compression in ["NONE", "GZIP", "ZSTD"] {
      let catalog = try catalog()
      let rows: [[Value]] = (0..<30_000).map { row in
        [.integer(Int64(row)), .text("\(row % 97)\"" + String(repeating: "x", count: row % 41))]
      }
      try catalog.create(
        "t", [("a", .bigint), ("b", .varcharUnbounded)], [rows],
        ["format": .text("CSV"), "compression": .text(compression)])
      #expect(try catalog.read("t") == rows)
    }
  }

  @Test func textThatLooksLikeNumbersStaysText() throws {
    let catalog = try catalog()
    try catalog.create(
      "t", [("zip", .varchar(length: 5))], [[[.text("01234")], [.text("5")]]], ["format": .text("CSV")])
    #expect(try catalog.types("t") == [.varcharUnbounded])
    #expect(try catalog.read("t") == [[.text("01234")], [.text("5")]])
  }

  @Test(arguments: ["PARQUET", "CSV", "JSON"])
  func tablesWithoutRowsHaveColumns(format: String) throws {
    let catalog = try catalog()
    for (index, properties) in [[:], ["partitioned_by": PropertyValue.list([.text("at")])]].enumerated() {
      let columns: [(String, DataType)] = [("a", .integer), ("at", .date)]
      try catalog.create(
        "t\(index)", columns, [], properties.merging(["format": .text(format)]) { first, _ in first }, query: index)
      #expect(try catalog.types("t\(index)") == [.integer, .date])
      #expect(try catalog.read("t\(index)") == [])
      let handle = try catalog.beginInsert("t\(index)", query: 5 + index)
      let output = try catalog.write(handle, [[.integer(1), .integer(2)]])
      try catalog.connector.commit(handle, outputs: [output])
      #expect(try catalog.read("t\(index)") == [[.integer(1), .integer(2)]])
    }
    // Other programs see the columns in a file without rows.
    #expect(catalog.names(below: "s/t0").contains { $0.contains("-empty.") })
  }

  @Test(arguments: ["PARQUET", "CSV", "JSON"])
  func partitions(format: String) throws {
    let catalog = try catalog()
    let rows: [[Value]] = [
      [.integer(1), .text("a/b=c"), .integer(7)], [.integer(2), .null, .integer(7)], [.integer(3), .text("5"), .null],
      [.integer(4), .text("a/b=c"), .integer(7)], [.integer(5), .text("é"), .integer(-1)],
    ]
    try catalog.create(
      "t", [("a", .integer), ("k", .varcharUnbounded), ("n", .smallint)], [rows],
      ["format": .text(format), "partitioned_by": .list([.text("k"), .text("N")])])
    #expect(try catalog.types("t") == [.integer, .varcharUnbounded, .smallint])
    #expect(try catalog.sorted("t") == rows)
    let names = catalog.names(below: "s/t")
    #expect(names.contains("s/t/k=a%2Fb%3Dc/n=7") && names.contains("s/t/k=5/n=__HIVE_DEFAULT_PARTITION__"))
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let constraint = TupleDomain(columns: [ColumnDomain(column: table.columns[1], values: [.text("5")])])
    #expect(try catalog.read("t", where: constraint) == [rows[2]])
  }

  @Test func tooManyPartitionsOfOneTask() throws {
    let catalog = try catalog(["files.max-partitions-per-writer": "3"])
    let columns: [(String, DataType)] = [("a", .integer), ("k", .integer)]
    let handle = try catalog.beginCreate("t", columns, ["partitioned_by": .list([.text("k")])])
    let rows: [[Value]] = (0..<4).map { [.integer(1), .integer($0)] }
    _ = try catalog.write(handle, Array(rows.prefix(3)))
    #expect { _ = try catalog.write(handle, rows, partition: 1) } throws: {
      ($0 as? WaterbearError)?.message == "One task writes rows of more than 3 partitions of table s/t"
    }
  }

  @Test func rowsAreAddedAsTheTableIs() throws {
    let catalog = try catalog()
    try catalog.write("a;b\n1;x\n", to: "s/t/1.csv")
    var handle = try catalog.beginInsert("t", query: 1)
    try catalog.connector.commit(handle, outputs: [try catalog.write(handle, [[.integer(2), .text("y;z")]])])
    #expect(try catalog.sorted("t") == [[.integer(1), .text("x")], [.integer(2), .text("y;z")]])
    handle = try catalog.beginInsert("t", query: 2)
    let outputs = try (0..<2).map { try catalog.write(handle, [[.integer(3), .null]], partition: $0) }
    try catalog.connector.commit(handle, outputs: outputs)
    #expect(try catalog.read("t")?.count == 4)
    // Several files come as one directory, hence at once.
    #expect(catalog.names(below: "s/t").filter { $0.contains("/insert-") && $0.hasSuffix(".csv") }.count == 2)
    try catalog.write("a\n1\n", to: "s/single.csv")
    #expect { _ = try catalog.beginInsert("single", query: 3) } throws: {
      ($0 as? WaterbearError)?.code == .notSupported
    }
  }

  @Test func dialectsOfCatalogs() throws {
    let catalog = try catalog(["files.csv.delimiter": "|", "files.csv.header": "false", "files.csv.null-text": "\\N"])
    let rows: [[Value]] = [[.text("\\N"), .integer(1)], [.null, .null], [.text(""), .integer(3)]]
    try catalog.create("t", [("a", .varcharUnbounded), ("b", .integer)], [rows], ["format": .text("CSV")])
    #expect(try catalog.read("t") == rows)
    let plain = try self.catalog(["files.csv.quote": "none"])
    let handle = try plain.beginCreate("t", [("a", .varcharUnbounded)], ["format": .text("CSV")])
    #expect(throws: WaterbearError.self) { _ = try plain.write(handle, [[.text("a,b")]]) }
  }

  @Test func badNamesAndPropertiesAreRefused() throws {
    let catalog = try catalog()
    let column: [(String, DataType)] = [("a", .integer), ("b", .integer)]
    for name in ["", ".x", "_x", "..", "a/b", "../x", "a\nb", "a\0b", "X", String(repeating: "x", count: 201)] {
      #expect(throws: WaterbearError.self, "\(name)") { try catalog.beginCreate(name, column) }
    }
    for name in ["", " a", "a\t", "$path", "A"] {
      #expect(throws: WaterbearError.self, "\(name)") { try catalog.beginCreate("t", [(name, .integer)]) }
    }
    let refused: [[String: PropertyValue]] = [
      ["format": .text("ORC")], ["format": .integer(1)], ["compression": .text("LZO")], ["bucketed_by": .text("a")],
      ["format": .text("CSV"), "compression": .text("SNAPPY")], ["partitioned_by": .text("b")],
      ["partitioned_by": .list([.text("a")])], ["partitioned_by": .list([.text("a"), .text("b")])],
      ["partitioned_by": .list([.text("x")])], ["partitioned_by": .list([.text("b"), .text("b")])],
    ]
    for properties in refused {
      #expect("\(properties)") { _ = try catalog.beginCreate("t", column, properties) } throws: {
        ($0 as? WaterbearError)?.code == .invalidTableProperty
      }
    }
    for type in [DataType.char(length: 3), .intervalDayToSecond, .varbinary] {
      #expect(throws: WaterbearError.self, "\(type)") {
        try catalog.beginCreate("t", [("a", type)], ["format": .text("CSV")])
      }
      #expect(throws: WaterbearError.self, "\(type)") {
        try catalog.beginCreate("t", [("a", type)], ["format": .text("JSON")])
      }
    }
    #expect(throws: WaterbearError.self) {
      try catalog.beginCreate("t", [("a", .integer), ("b", .double)], ["partitioned_by": .list([.text("b")])])
    }
    #expect(catalog.names(below: "s") == [])
  }

  @Test func damagedDefinitionsAreNamed() throws {
    let catalog = try catalog()
    try catalog.create("t", [("a", .integer)], [[[.integer(1)]]])
    try catalog.write("nonsense", to: "s/t/.waterbear-table")
    #expect { _ = try catalog.read("t") } throws: {
      ($0 as? WaterbearError)?.message.hasPrefix("s/t/.waterbear-table") ?? false
    }
    try catalog.create("u", [("a", .integer)], [[[.integer(1)]]], query: 2)
    try catalog.write("a\n1\n", to: "s/u/k=1/x.csv")
    #expect(throws: WaterbearError.self) { try catalog.read("u") }
  }

  @Test func nothingIsWrittenOutside() throws {
    let outer = try TestCatalog()
    try outer.makeDirectory("outside")
    try outer.makeDirectory("base")
    try #require(symlink(outer.path + "/outside", outer.path + "/base/s") == 0)
    let connector = try FilesConnector(catalog: "f", properties: ["files.base-directory": outer.path + "/base"])
    let table = NewTable(schema: "s", name: "t", columns: [ColumnHandle(name: "a", type: .integer, index: 0)])
    #expect { _ = try connector.beginCreate(table, query: TestCatalog.query(1)) } throws: {
      ($0 as? WaterbearError)?.code == .permissionDenied
    }
    #expect(outer.names(below: "outside") == [])
  }
}
