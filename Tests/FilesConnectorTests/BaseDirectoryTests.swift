// Tests that no name leads out of the base directory.

import Base
import Glibc
import Testing

@testable import FilesConnector

@Suite struct BaseDirectoryTests {
  /// A catalog below a directory with a secret beside it.
  private func fixture() throws -> (outer: TestCatalog, base: BaseDirectory, catalog: FilesConnector) {
    let outer = try TestCatalog()
    try outer.write("a\n666\n", to: "secret/t.csv")
    try outer.write("a\n1\n", to: "base/s/t.csv")
    let path = outer.path + "/base"
    let catalog = try FilesConnector(catalog: "f", properties: ["files.base-directory": path])
    return (outer, try BaseDirectory(path), catalog)
  }

  private func link(_ outer: TestCatalog, _ target: String, _ name: String) throws {
    try #require(symlink(target, outer.path + "/base/" + name) == 0)
  }

  @Test func pathsOutsideAreRefused() throws {
    let (outer, base, _) = try fixture()
    try link(outer, "../../secret/t.csv", "s/relative.csv")
    try link(outer, outer.path + "/secret/t.csv", "s/absolute.csv")
    try link(outer, "../secret", "directory")
    try link(outer, "directory", "twice")
    for path in [
      "../secret/t.csv", "s/../../secret/t.csv", "s/relative.csv", "s/absolute.csv", "directory/t.csv", "twice/t.csv",
      "..",
    ] {
      #expect("\(path) must be refused") { _ = try base.open(path, O_RDONLY) } throws: {
        ($0 as? WaterbearError)?.code == .permissionDenied
      }
    }
  }

  @Test func linksInsideAreFollowed() throws {
    let (outer, base, _) = try fixture()
    try link(outer, "t.csv", "s/link.csv")
    try link(outer, "../s/./t.csv", "s/around.csv")
    try link(outer, outer.path + "/base/s", "whole")
    for path in ["s/link.csv", "s/around.csv", "whole/t.csv", "s/../s/t.csv", "/s//t.csv"] {
      #expect(try base.openIfPresent(path, O_RDONLY) != nil, "\(path)")
    }
    try link(outer, "loop", "loop")
    #expect(throws: WaterbearError.self) { try base.open("loop", O_RDONLY) }
    #expect(try base.openIfPresent("s/missing.csv", O_RDONLY) == nil)
    #expect(try base.openIfPresent("s/t.csv/x", O_RDONLY) == nil)
  }

  @Test func tablesOutsideAreRefused() throws {
    let (outer, _, catalog) = try fixture()
    try link(outer, "../../secret/t.csv", "s/evil.csv")
    try link(outer, "../../secret", "s/worse")
    try outer.makeDirectory("base/s/mixed")
    try link(outer, "../../../secret/t.csv", "s/mixed/x.csv")
    try link(outer, "../secret", "schema")
    #expect(try catalog.tableNames(in: "s") == ["mixed", "t"])
    #expect(try catalog.schemaNames() == ["s"])
    for (schema, table) in [("s", "evil"), ("s", "worse"), ("s", "mixed"), ("schema", "t")] {
      #expect("\(schema).\(table)") { _ = try catalog.table(schema: schema, name: table) } throws: {
        ($0 as? WaterbearError)?.code == .permissionDenied
      }
    }
    for (schema, table) in [("..", "secret"), ("s", "../../secret/t"), (".", "s"), ("", "t"), ("s", "")] {
      #expect(try catalog.table(schema: schema, name: table) == nil)
    }
  }

  @Test func fifosDoNotHang() throws {
    let (outer, _, catalog) = try fixture()
    try #require(mkfifo(outer.path + "/base/s/pipe.csv", 0o600) == 0)
    #expect(try catalog.tableNames(in: "s") == ["t"])
  }
}
