// Tests that constraints leave out row groups and pages that cannot match, and nothing else.

import Base
import Columnar
import ConnectorAPI
import Testing

@testable import Parquet

@Suite struct PruningTests {
  private func domain(
    _ file: ParquetFile, _ name: String, values: [Value]? = nil, lowest: Value? = nil, highest: Value? = nil,
    inclusive: Bool = true
  ) -> TupleDomain {
    let index = file.columnIndex(named: name)!
    let handle = ColumnHandle(name: name, type: file.columns[index].type!, index: index)
    return TupleDomain(columns: [
      ColumnDomain(
        column: handle, values: values, lowest: lowest, lowestInclusive: inclusive, highest: highest,
        highestInclusive: inclusive)
    ])
  }

  private func ids(_ file: ParquetFile, _ constraint: TupleDomain, column: String = "id") throws -> [Int] {
    let source = try file.reader(
      rowGroups: 0..<file.rowGroupCount, columns: file.reading([column]), constraint: constraint)
    return try source.texts().map { Int($0[0])! }
  }

  @Test func `row groups are left out by their statistics`() throws {
    let file = try ParquetFile(path: Sample("pyarrow-row-groups").path)
    #expect(file.rowGroupCount == 4)
    func matching(_ constraint: TupleDomain) -> [Int] {
      (0..<4).filter { file.rowGroupMayMatch($0, constraint: constraint) }
    }
    #expect(matching(.all) == [0, 1, 2, 3])
    #expect(matching(domain(file, "id", lowest: .integer(150), highest: .integer(250))) == [1, 2])
    #expect(matching(domain(file, "id", lowest: .integer(199), inclusive: false)) == [2, 3])
    #expect(matching(domain(file, "id", highest: .integer(200), inclusive: false)) == [0, 1])
    #expect(matching(domain(file, "id", values: [.integer(-1), .integer(399)])) == [3])
    #expect(matching(domain(file, "id", values: [])) == [])
    #expect(matching(domain(file, "text", values: [.text("row 0020")])) == [1])
    #expect(matching(domain(file, "price", lowest: .integer(350))) == [3])
    #expect(matching(domain(file, "price", lowest: .int128(350))) == [3])
    let other = ColumnHandle(name: "elsewhere", type: .bigint, index: 9)
    #expect(matching(TupleDomain(columns: [ColumnDomain(column: other, values: [])])) == [0, 1, 2, 3])
  }

  @Test func `pages are left out by the page index`() throws {
    let file = try ParquetFile(path: Sample("pyarrow-pages").path)
    #expect(file.rowGroupCount == 1)
    let found = try ids(file, domain(file, "id", lowest: .integer(201), highest: .integer(222)))
    // Pages have ten rows.
    #expect(found == Array(200..<230))
    #expect(try ids(file, domain(file, "id", values: [.integer(5), .integer(395)])) == Array(0..<10) + Array(390..<400))
    #expect(try ids(file, domain(file, "text", values: [.text("row 0020")])) == Array(140..<150))
    // NULLs take no room: pages of `gap` have more rows.
    let gap = try ids(file, domain(file, "gap", lowest: .integer(0), highest: .integer(120)))
    #expect(Set(gap).isSuperset(of: 50..<100))
    #expect(gap.count < 200)
  }

  @Test func `all columns keep in step when pages are left out`() throws {
    let sample = Sample("pyarrow-pages")
    let file = try ParquetFile(path: sample.path)
    let source = try file.reader(
      rowGroups: [0], columns: file.reading(file.readableColumns),
      constraint: domain(file, "id", values: [.integer(5), .integer(77), .integer(201)]))
    let rows = try sample.expected().rows
    #expect(try source.texts() == Array(rows[0..<10] + rows[70..<80] + rows[200..<210]))
  }

  @Test func `filters see only rows of pages that are left`() throws {
    let file = try ParquetFile(path: Sample("pyarrow-pages").path)
    let filter = SampleTests.EveryNth([0], step: 2, offset: 1)
    let source = try file.reader(
      rowGroups: [0], columns: file.reading(["id"]),
      constraint: domain(file, "id", lowest: .integer(100), highest: .integer(109)), filters: [filter])
    #expect(try source.texts().map { $0[0] } == ["101", "103", "105", "107", "109"])
    #expect(filter.seen == 10)
  }

  @Test func `Bloom filters leave out values between the bounds`() throws {
    let file = try ParquetFile(path: Sample("duckdb-bloom").path)
    func rows(_ name: String, _ values: [Value]) throws -> Int {
      try ids(file, domain(file, name, values: values), column: "number").count
    }
    for number in 0..<16 {
      #expect(try rows("number", [.integer(Int64(number * 10))]) == 320)
      #expect(try rows("word", [.text("key \(number * 3)")]) == 320)
      #expect(try rows("f", [.double(Double(number) * 0.5)]) == 320)
      #expect(try rows("small", [.integer(Int64(number * 5))]) == 320)
    }
    let excluded = try (0..<150).filter { $0 % 10 != 0 }.filter { try rows("number", [.integer(Int64($0))]) == 0 }
    // A filter errs now and then.
    #expect(excluded.count > 100)
    #expect(try rows("word", [.text("key 1")]) == 0 || rows("word", [.text("key 2")]) == 0)
  }

  @Test func `values are hashed as they are stored`() throws {
    func mapping(_ physical: PhysicalType, _ conversion: ValueConversion, _ type: DataType, length: Int = 0)
      -> ValueMapping
    {
      ValueMapping(physical: physical, fixedLength: length, type: type, conversion: conversion)
    }
    let small = mapping(.int32, .int32ToInt64, .bigint)
    #expect(small.storedForm(of: .integer(-2)) == .bytes([0xfe, 0xff, 0xff, 0xff]))
    #expect(small.storedForm(of: .integer(1 << 40)) == .impossible)
    let millis = mapping(.int64, .millisToMicros, .timestamp(precision: 3))
    #expect(millis.storedForm(of: .integer(5000)) == .bytes([5, 0, 0, 0, 0, 0, 0, 0]))
    #expect(millis.storedForm(of: .integer(5001)) == .impossible)
    #expect(mapping(.float, .floatToDouble, .double).storedForm(of: .double(0.1)) == .impossible)
    #expect(mapping(.float, .floatToDouble, .double).storedForm(of: .double(0.5)) == .bytes([0, 0, 0, 0x3f]))
    #expect(mapping(.double, .none, .double).storedForm(of: .double(-0.0)) == .unknown)
    let decimal = mapping(.fixedLengthByteArray, .bytesToInt64, .decimal(precision: 9, scale: 2), length: 4)
    #expect(decimal.storedForm(of: .integer(-2)) == .bytes([0xff, 0xff, 0xff, 0xfe]))
    #expect(decimal.storedForm(of: .integer(1 << 33)) == .impossible)
  }

  @Test func `ranges of rows are intersected`() {
    #expect(RowGroupPruning.intersection([0..<10], [0..<10]) == [0..<10])
    #expect(RowGroupPruning.intersection([0..<4, 6..<10], [2..<8]) == [2..<4, 6..<8])
    #expect(RowGroupPruning.intersection([0..<4], [4..<8]) == [])
  }
}
