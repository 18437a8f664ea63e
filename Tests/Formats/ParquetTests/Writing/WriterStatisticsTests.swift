// Proves that bounds and counts hold for the values they stand for, in chunks and in pages.
import Columnar
import Testing

@testable import Parquet

@Suite struct WriterStatisticsTests {
  private func statistics(_ type: DataType, _ values: [Value]) throws -> Statistics {
    let file = try WrittenFile([("v", type)], [batch(type, values)])
    return try #require(try file.chunk(0, 0).statistics)
  }

  private func bytes(_ value: some Any) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  @Test func `numbers`() throws {
    let integers = try statistics(.integer, [.integer(5), .null, .integer(-7), .integer(3)])
    #expect(integers.minimum == bytes(Int32(-7)))
    #expect(integers.maximum == bytes(Int32(5)))
    #expect(integers.isMinimumExact == true && integers.isMaximumExact == true)
    #expect(integers.nullCount == 1)
    let decimals = try statistics(.decimal(precision: 38, scale: 0), [.int128(-1), .int128(256)])
    #expect(decimals.minimum == [UInt8](repeating: 255, count: 16))
    #expect(decimals.maximum == [UInt8](repeating: 0, count: 14) + [1, 0])
    let booleans = try statistics(.boolean, [.boolean(true), .null, .boolean(true)])
    #expect(booleans.minimum == [1] && booleans.maximum == [1])
  }

  @Test func `floating point numbers without NaN, and zeros that include each other`() throws {
    let mixed = try statistics(.double, [.double(.nan), .double(1), .double(-2), .double(.nan)])
    #expect(mixed.minimum == bytes(-2.0))
    #expect(mixed.maximum == bytes(1.0))
    let none = try statistics(.double, [.double(.nan), .null])
    #expect(none.minimum == nil && none.maximum == nil)
    #expect(none.nullCount == 1)
    let zeros = try statistics(.real, [.double(0), .double(0)])
    #expect(zeros.minimum == bytes(-Float(0)))
    #expect(zeros.maximum == bytes(Float(0)))
  }

  @Test func `NULLs only have no bounds`() throws {
    for type in [DataType.integer, .varcharUnbounded, .boolean, .unknown] {
      let none = try statistics(type, [.null, .null])
      #expect(none.minimum == nil && none.maximum == nil && none.nullCount == 2)
    }
  }

  @Test func `text in the order of its bytes`() throws {
    let texts = try statistics(.varcharUnbounded, [.text("b"), .text("ä"), .text(""), .text("abcdefgh")])
    #expect(texts.minimum == [])
    #expect(texts.maximum == Array("ä".utf8))
    let close = try statistics(
      .varcharUnbounded, ["same prefix, b", "same prefix, a", "same prefix, c"].map { .text($0) })
    #expect(close.minimum == Array("same prefix, a".utf8))
    #expect(close.maximum == Array("same prefix, c".utf8))
  }

  @Test func `long text is cut and marked`() throws {
    let long = String(repeating: "y", count: 100)
    let cut = try statistics(.varcharUnbounded, [.text(long)])
    #expect(cut.minimum == Array(long.utf8.prefix(64)))
    #expect(cut.isMinimumExact == false)
    #expect(cut.maximum == Array(long.utf8.prefix(63)) + [UInt8(ascii: "z")])
    #expect(cut.isMaximumExact == false)
    // No character is cut in two, and one that cannot be raised is dropped.
    let wide = String(repeating: "a", count: 63) + String(repeating: "é", count: 20)
    let whole = try statistics(.varcharUnbounded, [.text(wide)])
    #expect(whole.minimum == Array(repeating: UInt8(ascii: "a"), count: 63))
    #expect(whole.maximum == Array(repeating: UInt8(ascii: "a"), count: 62) + [UInt8(ascii: "b")])
    let highest = try statistics(.varbinary, [.bytes([UInt8](repeating: 255, count: 100))])
    #expect(highest.maximum == nil && highest.minimum == nil)
  }

  @Test(arguments: [true, false])
  func `page indexes say what each page has`(usesDictionaries: Bool) throws {
    let values = (0..<1000).map { row -> Value in
      (200..<300).contains(row) || row % 10 == 0 ? .null : .text("key \(1000 + row % 500)")
    }
    let file = try WrittenFile([("v", .varcharUnbounded)], [batch(.varcharUnbounded, values)]) {
      $0.pageRows = 100
      $0.usesDictionaries = usesDictionaries
    }
    let chunk = file.metadata.rowGroups[0].columns[0]
    func decode<Index>(
      _ offset: Int64?, _ length: Int32?, _ make: (inout CompactDecoder) throws(Damage) -> Index
    ) throws -> Index {
      let start = Int(try #require(offset))
      let bytes = Array(file.bytes[start..<start + Int(try #require(length))])
      return try bytes.withUnsafeBytes { raw throws(Damage) in
        var decoder = CompactDecoder(raw)
        return try make(&decoder)
      }
    }
    let bounds = try decode(chunk.columnIndexOffset, chunk.columnIndexLength) { decoder throws(Damage) in
      try ColumnIndex(&decoder)
    }
    let places = try decode(chunk.offsetIndexOffset, chunk.offsetIndexLength) { decoder throws(Damage) in
      try OffsetIndex(&decoder)
    }
    #expect(bounds.nullPages == (0..<10).map { $0 == 2 })
    #expect(bounds.nullCounts == (0..<10).map { $0 == 2 ? 100 : 10 })
    #expect(places.pages.map(\.firstRow) == (0..<10).map { Int64($0 * 100) })
    for page in [0, 1, 3, 9] {
      let texts = values[page * 100..<page * 100 + 100].compactMap { value -> String? in
        guard case .bytes(let bytes) = value else { return nil }
        return String(decoding: bytes, as: UTF8.self)
      }
      #expect(bounds.minima[page] == texts.min().map { Array($0.utf8) })
      #expect(bounds.maxima[page] == texts.max().map { Array($0.utf8) })
    }
    let metadata = try file.chunk(0, 0)
    #expect(places.pages.first?.offset == metadata.dataPageOffset)
    let last = try #require(places.pages.last)
    let start = metadata.dictionaryPageOffset ?? metadata.dataPageOffset
    #expect(last.offset + Int64(last.compressedSize) == start + metadata.totalCompressedSize)
  }

  @Test func `statistics may be left out`() throws {
    let file = try WrittenFile([("v", .integer)], [batch(.integer, [.integer(1)])]) { $0.writesStatistics = false }
    #expect(try file.chunk(0, 0).statistics == nil)
    #expect(file.metadata.rowGroups[0].columns[0].columnIndexOffset == nil)
    #expect(file.metadata.rowGroups[0].columns[0].offsetIndexOffset != nil)
  }
}
