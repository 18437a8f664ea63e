// Owns the comparison with another program's tables: checksums of columns as tools/tpch-reference.py defines them.

import Columnar
import ConnectorAPI
import Testing

@testable import TPCHConnector

/// A table as another program made it.
struct Reference: Sendable, CustomTestStringConvertible {
  let scale: String
  let table: Table
  let rows: Int64
  /// Name, checksum of the first 100 rows, checksum of all.
  let columns: [(name: String, first: UInt64, whole: UInt64)]

  init(_ scale: String, _ table: Table, rows: Int64, columns: [(String, UInt64, UInt64)]) {
    self.scale = scale
    self.table = table
    self.rows = rows
    self.columns = columns.map { (name: $0.0, first: $0.1, whole: $0.2) }
  }

  var testDescription: String { "\(table) at \(scale)" }
}

/// The checksum of a column, built up batch by batch.
struct ColumnChecksum {
  private(set) var value: UInt64 = 0
  private(set) var rows = 0

  /// Takes up the first rows of `vector`, so that no more than `limit` have been taken up in total.
  mutating func add(_ vector: Vector, limit: Int = .max) {
    let count = min(vector.count, limit - rows)
    for row in 0..<max(count, 0) {
      let position = vector.position(of: row)
      let number: UInt64
      switch vector.type {
      case .integer, .date:
        number = UInt64(bitPattern: Int64(vector.values.pointer(to: Int32.self)[position]))
      case .bigint, .decimal: number = UInt64(bitPattern: vector.values.pointer(to: Int64.self)[position])
      default: number = vector.values.pointer(to: StringView.self)[position].withBytes { UInt64(crc32($0)) }
      }
      value = value &* 6_364_136_223_846_793_005 &+ number &+ 1
      rows += 1
    }
  }
}

/// CRC-32 as in zlib.
func crc32(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
  crcTable.withUnsafeBufferPointer { table in
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xff)] ^ (crc >> 8) }
    return ~crc
  }
}

private let crcTable: [UInt32] = (0..<256).map { index in
  (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 != 0 ? 0xedb8_8320 ^ (crc >> 1) : crc >> 1 }
}

/// A page source's rows, all of them.
func batches(_ source: any PageSource) throws -> [Batch] {
  var result: [Batch] = []
  while let batch = try source.next() { result.append(batch) }
  return result
}

/// A catalog as tests use it, with the exact types.
func makeConnector(_ properties: [String: String] = ["tpch.double-type-mapping": "DECIMAL"]) throws -> TPCHConnector {
  try TPCHConnector(catalog: "tpch", properties: properties)
}
