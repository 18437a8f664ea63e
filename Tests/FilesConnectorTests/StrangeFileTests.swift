// Tests of what file systems hold besides what is expected: names in other encodings or forms, times far away.

import Base
import Columnar
import ConnectorAPI
import Glibc
import Testing

@testable import FilesConnector

@Suite struct StrangeFileTests {
  private func catalog() throws -> TestCatalog {
    let catalog = try TestCatalog()
    try catalog.makeDirectory("s")
    return catalog
  }

  @Test(arguments: [10_413_792_000, 15_000_000_000, -9_300_000_000] as [Int])
  func timesFarAwayAreRead(seconds: Int) throws {
    let catalog = try catalog()
    try catalog.write("a\n1\n2\n", to: "s/t.csv")
    let times = [timespec(tv_sec: seconds, tv_nsec: 5), timespec(tv_sec: seconds, tv_nsec: 5)]
    try #require(utimensat(AT_FDCWD, catalog.path + "/s/t.csv", times, 0) == 0)
    #expect(try catalog.read("t") == [[.integer(1)], [.integer(2)]])
    let table = try #require(try catalog.connector.table(schema: "s", name: "t"))
    let time = try #require(table.hiddenColumns.first { $0.name == "$file_modified_time" })
    let splits = try catalog.connector.splits(of: table.handle, columns: [time], constraint: .all)
    let source = try catalog.connector.pageSource(for: splits[0], of: table.handle, columns: [time], constraint: .all)
    #expect(try source.next()?.count == 2)
    // A change of what lies below a second is one too, also out there.
    let version = FileVersion(seconds: Int64(seconds), nanoseconds: 5)
    #expect(version != FileVersion(seconds: Int64(seconds), nanoseconds: 6))
  }

  @Test func hugeTablesHaveNoMorePiecesThanTheCoordinatorCanNote() {
    // 3 TB of text, of which most lies in one file.
    var files = (0..<10_000).map { number in
      DataFile(
        path: "\(number).csv", version: FileVersion(size: 100 << 20), compression: .none, partitions: [])
    }
    files.append(DataFile(path: "x", version: FileVersion(size: 2 << 40), compression: .none, partitions: []))
    let pieces = TextFiles.pieces(of: files, share: 1)
    #expect(pieces.count <= 20_000 + files.count)
    #expect(pieces.reduce(0) { $0 + $1.end - $1.start } == files.reduce(0) { $0 + $1.version.size })
    // Small tables are cut as before.
    #expect(TextFiles.pieces(of: [files[0]], share: 1).count == 13)
  }

  // MARK: Forms of text

  /// One letter in two forms that look alike, and that `String` takes for equal.
  private static let composed = "\u{e9}"
  private static let decomposed = "e\u{301}"

  private func bytes(_ rows: [[Value]]?) -> [String] {
    func bytes(_ value: Value) -> String {
      if case .bytes(let bytes) = value { return "\(bytes)" }
      return "\(value)"
    }
    return (rows ?? []).map { row in row.map(bytes).joined(separator: " ") }.sorted()
  }

  @Test(arguments: [1, 2], [1, 2]) func partitionsAreToldApartByTheirBytes(attempts: Int, rowsOfEach: Int) throws {
    let catalog = try catalog()
    let columns: [(String, DataType)] = [("a", .bigint), ("k", .varcharUnbounded)]
    var rows: [[Value]] = []
    for number in 0..<Int64(rowsOfEach) {
      rows.append([.integer(number), .text(Self.composed)])
      rows.append([.integer(10 + number), .text(Self.decomposed)])
    }
    let parts = attempts == 1 ? [rows] : [rows.filter { bytes([$0]) == bytes([[$0[0], .text(Self.composed)]]) }, rows]
    try catalog.create("t", columns, parts, ["partitioned_by": .list([.text("k")])])
    #expect(bytes(try catalog.read("t")) == bytes(parts.flatMap { $0 }))
    try catalog.drop("t")
    #expect(catalog.names(below: "s") == [])
  }

  @Test func namesAreCutAtBytes() throws {
    let catalog = try catalog()
    // What combines with a slash is one character with it, but two bytes in a path.
    try catalog.write("a\n7\n", to: "s/t/\u{301}f.csv")
    #expect(try catalog.read("t") == [[.integer(7)]])
    try catalog.drop("t")
    #expect(catalog.names(below: "s") == [])
  }

  // MARK: Names that are no text

  private func write(_ text: String, toBytes name: [UInt8], in catalog: TestCatalog) throws {
    let path = Array(catalog.path.utf8) + [UInt8(ascii: "/")] + name + [0]
    let number = path.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT, 0o644) }
    }
    try #require(number >= 0)
    defer { close(number) }
    try #require(Glibc.write(number, text, text.utf8.count) == text.utf8.count)
  }

  @Test func namesThatAreNotUTF8AreRefusedInATable() throws {
    let catalog = try catalog()
    try catalog.write("a\n1\n", to: "s/t/x.csv")
    try write("a\n2\n", toBytes: Array("s/t/caf".utf8) + [0xe9] + Array(".csv".utf8), in: catalog)
    #expect { _ = try catalog.read("t") } throws: { error in
      let error = error as? WaterbearError
      return error?.code == .filesBadData && error?.message.contains("s/t/caf\\xE9.csv") == true
    }
    // What is hidden is passed over, whatever its name.
    try write("", toBytes: Array("s/u".utf8), in: catalog)
    try catalog.write("a\n1\n", to: "s/v/x.csv")
    try write("a\n2\n", toBytes: Array("s/v/.caf".utf8) + [0xe9], in: catalog)
    #expect(try catalog.read("v") == [[.integer(1)]])
  }

  @Test func namesThatAreNotUTF8AreNoTables() throws {
    let catalog = try catalog()
    try catalog.write("a\n1\n", to: "s/t.csv")
    try write("a\n2\n", toBytes: Array("s/caf".utf8) + [0xe9] + Array(".csv".utf8), in: catalog)
    #expect(try catalog.connector.tableNames(in: "s") == ["t"])
    #expect(try catalog.read("t") == [[.integer(1)]])
  }

  @Test func namesThatAreNotUTF8GoWithTheirTable() throws {
    let catalog = try catalog()
    try catalog.create("t", [("a", .bigint)], [[[.integer(1)]]])
    let table = try catalog.beginDrop("t")
    try write("", toBytes: Array("s/t/.caf".utf8) + [0xe9], in: catalog)
    try catalog.connector.drop(table)
    try catalog.connector.finishDrop(table)
    #expect(catalog.names(below: "s") == [])
  }
}
