// Tests that files whose footers and pages claim what cannot be give an error or are read without, and never trap or
// take the memory that they claim.

import Base
import Columnar
import ConnectorAPI
import Testing

@testable import Parquet

@Suite struct HostileFileTests {
  /// A file of two columns and 600 rows in two row groups, whose footer `change` has altered; `middle` lies in front of
  /// the footer.
  private func file(
    limits: ParquetLimits = ParquetLimits(), middle: [UInt8] = [],
    _ change: (inout FileMetadata, _ middleOffset: Int64) -> Void
  ) throws -> ParquetFile {
    let batches = [0, 300].map { first in
      let numbers = vector(.integer, (first..<first + 300).map { .integer(Int64($0 / 3)) })
      let texts = vector(.varcharUnbounded, (first..<first + 300).map { .text("text \($0 % 9)") })
      return Batch(columns: [numbers, texts], count: 300)
    }
    let written = try WrittenFile([("a", .integer), ("b", .varcharUnbounded)], batches) { $0.rowGroupRows = 300 }
    let length = Int(WrittenFile.number(written.bytes, written.bytes.count - 8, 4))
    var bytes = Array(written.bytes.dropLast(length + 8))
    var metadata = written.metadata
    change(&metadata, Int64(bytes.count))
    let footer = metadata.encoded()
    bytes += middle + footer
    withUnsafeBytes(of: UInt32(footer.count).littleEndian) { bytes += $0 }
    bytes += Array("PAR1".utf8)
    let scratch = DamageTests.Scratch()
    try scratch.write(bytes)
    defer { withExtendedLifetime(scratch) {} }
    return try ParquetFile(path: scratch.path, limits: limits)
  }

  private func rows(_ file: ParquetFile, constraint: TupleDomain = .all) throws -> Int {
    try file.reader(
      rowGroups: 0..<file.rowGroupCount, columns: file.reading(file.readableColumns), constraint: constraint
    ).texts().count
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return WaterbearError.wrapping(error).message
    }
  }

  @Test func `sizes of chunks that cannot be give no estimate and no trap`() throws {
    for size in [Int64.min, -1] {
      let file = try file { metadata, _ in
        for column in 0..<2 {
          metadata.rowGroups[0].columns[column].metadata?.totalUncompressedSize = size
          metadata.rowGroups[0].columns[column].metadata?.encodingStatistics = nil
        }
      }
      #expect(file.dictionarySize(ofRowGroup: 0, column: 1)?.isComplete == false)
      #expect(file.uncompressedBytes(ofRowGroup: 0, columns: [0, 1]) == 0)
      #expect(try rows(file) == 600)
    }
  }

  @Test func `a list without values is refused`() throws {
    let message = message {
      _ = try file { metadata, _ in
        metadata.schema[0].childCount = 3
        var list = SchemaElement()
        list.name = "empty"
        list.repetition = .optional
        list.childCount = 0
        list.convertedType = .list
        metadata.schema.append(list)
      }
    }
    #expect(message.contains("a list 'empty' without values"))
  }

  @Test func `more rows than a file may have are refused`() throws {
    let message = message {
      _ = try file { metadata, _ in
        for group in 0..<2 {
          metadata.rowGroups[group].rowCount = 1 << 40
          for column in 0..<2 { metadata.rowGroups[group].columns[column].metadata?.valueCount = 1 << 40 }
        }
        metadata.rowCount = 1 << 41
      }
    }
    #expect(message.contains("2199023255552 rows, more than 1099511627776"))
  }

  @Test func `dictionaries beyond the limits are refused before they are read`() throws {
    var limits = ParquetLimits()
    limits.dictionaryValues = 8
    #expect(message { _ = try rows(try file(limits: limits) { _, _ in }) }.contains("a dictionary of 100 values in"))
    limits.dictionaryValues = 100
    #expect(try rows(try file(limits: limits) { _, _ in }) == 600)
    limits.dictionaryBytes = 99
    #expect(message { _ = try rows(try file(limits: limits) { _, _ in }) }.contains("a dictionary of 100 values in"))
  }

  @Test func `page indexes without pages leave nothing out`() throws {
    let (bounds, places) = (ColumnIndex().encoded(), OffsetIndex().encoded())
    let file = try file(middle: bounds + places) { metadata, offset in
      for group in 0..<2 {
        metadata.rowGroups[group].columns[0].columnIndexOffset = offset
        metadata.rowGroups[group].columns[0].columnIndexLength = Int32(bounds.count)
        metadata.rowGroups[group].columns[0].offsetIndexOffset = offset + Int64(bounds.count)
        metadata.rowGroups[group].columns[0].offsetIndexLength = Int32(places.count)
      }
    }
    let column = ColumnHandle(name: "a", type: .integer, index: 0)
    let constraint = TupleDomain(columns: [ColumnDomain(column: column, values: [.integer(5)])])
    #expect(try rows(file, constraint: constraint) == 300)
  }

  @Test func `integers that do not fit their type are refused`() throws {
    for (bits, fits) in [(Int8(8), false), (16, true)] {
      let file = try file { metadata, _ in
        metadata.schema[1].logicalType = .integer(bits: bits, isSigned: true)
        metadata.schema[1].convertedType = nil
      }
      if fits {
        #expect(try rows(file) == 600)
      } else {
        #expect(message { _ = try rows(file) }.contains("column 'a': an integer of more than 8 bits"))
      }
    }
  }

  @Test func `names that differ in case alone are told apart from those that are missing`() throws {
    let file = try file { metadata, _ in
      metadata.schema[1].name = "Key"
      metadata.schema[2].name = "KEY"
    }
    #expect(file.columnIndex(named: "key") == nil && file.isAmbiguous("key"))
    #expect(file.columnIndex(named: "KEY") == 1 && !file.isAmbiguous("KEY"))
    #expect(file.columnIndex(named: "other") == nil && !file.isAmbiguous("other"))
  }

  // MARK: Pages

  @Test func `levels above the highest are refused`() throws {
    for (bytes, isDamaged) in [
      // Eight numbers of two bits, packed; then one number six times.
      ([3, 0b10_00_01_10, 0b00_00_00_00], false), ([3, 0b10_00_01_10, 0b11_00_00_00], true), ([12, 1, 12, 2], false),
      ([12, 1, 12, 3], true),
    ] as [([UInt8], Bool)] {
      let padded = bytes + [UInt8](repeating: 0, count: 64)
      let isRefused = padded.withUnsafeBufferPointer { buffer in
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2) { words in
          do throws(Damage) {
            var runs = try HybridRuns(UnsafeBufferPointer(rebasing: buffer[..<bytes.count]), width: 2)
            _ = try runs.matches(8, of: 2, into: words.baseAddress!)
            return false
          } catch {
            return error.what.contains("a level of 3 where 2 is the highest")
          }
        }
      }
      #expect(isRefused == isDamaged, "\(bytes)")
    }
  }

  /// Numbers `0, step, 2 * step, …` in DELTA_BINARY_PACKED.
  private static func deltas(count: Int, first: Int, step: Int) -> [UInt8] {
    func varint(_ number: Int) -> [UInt8] {
      number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7f) | 0x80] + varint(number >> 7)
    }
    var bytes = varint(128) + varint(4) + varint(count) + varint(first * 2)
    for _ in 0..<(count + 126) / 128 { bytes += varint(step * 2) + [0, 0, 0, 0] }
    return bytes
  }

  /// Each value is the one before and 40 bytes more: the square of what the page takes.
  @Test func `values that grow without end are refused, and those passed over are not kept`() throws {
    let count = 1000
    let page = Self.deltas(count: count, first: 0, step: 40) + Self.deltas(count: count, first: 40, step: 0)
      + [UInt8](repeating: 0x78, count: 40 * count)
    let padded = page + [UInt8](repeating: 0, count: 64)
    try padded.withUnsafeBufferPointer { buffer in
      let bytes = UnsafeBufferPointer(rebasing: buffer[..<page.count])
      let views = UnsafeMutableRawPointer.allocate(byteCount: 16 * count, alignment: 16)
      defer { views.deallocate() }
      let decoder = try DeltaBytesDecoder(bytes, fixedLength: nil)
      try decoder.skip(count - 10)
      try decoder.decode(10, into: views)
      #expect(views.load(fromByteOffset: 16 * 9, as: StringView.self).count == 40 * count)
      #expect(try #require(decoder.heap).byteCount <= 20 * 40 * count)
      // In all there are 20,020,000 bytes, however few are taken at once.
      let bounded = try DeltaBytesDecoder(bytes, fixedLength: nil, bytesMax: 20_019_999)
      #expect(message { for _ in 0..<count { try bounded.decode(1, into: views) } }.contains("values are too long"))
      let enough = try DeltaBytesDecoder(bytes, fixedLength: nil, bytesMax: 20_020_000)
      for _ in 0..<count { try enough.decode(1, into: views) }
    }
  }
}
