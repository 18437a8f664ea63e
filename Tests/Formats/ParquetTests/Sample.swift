// Owns the samples of other writers and what they hold. tools/parquet-samples.py makes them.

import Columnar
import ConnectorAPI
import Foundation
import Parquet
import Testing

/// A small file of another writer.
struct Sample: Sendable, CustomTestStringConvertible {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Samples")

  /// All of them.
  static let all: [Sample] = {
    // A directory that cannot be listed fails each test that wants its samples.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.filter { $0.hasSuffix(".parquet") }.sorted().map { Sample(String($0.dropLast(8))) }
  }()

  let name: String

  init(_ name: String) { self.name = name }

  var testDescription: String { name }
  var path: String { Self.directory.appending(path: "\(name).parquet").path }

  /// The file's bytes.
  func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

  /// `column:type` for each column, and a text for each value of each row.
  func expected() throws -> (columns: [String], rows: [[String]]) {
    var parts = name.split(separator: "-")
    while true {
      let file = Self.directory.appending(path: parts.joined(separator: "-") + ".txt")
      if FileManager.default.fileExists(atPath: file.path) || parts.count <= 1 {
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let rows = lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        return (rows[0], Array(rows.dropFirst()))
      }
      parts.removeLast()
    }
  }
}

/// Values as the samples' texts have them.
enum SampleText {
  static func of(_ value: Value) -> String {
    switch value {
    case .null: "\\N"
    case .boolean(let flag): flag ? "true" : "false"
    case .integer(let number): String(number)
    case .int128(let number): String(number)
    case .double(let number): hex(number.bitPattern.bigEndianBytes)
    case .bytes(let bytes): hex(bytes)
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}

extension UInt64 {
  fileprivate var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) } }
}

extension ParquetFile {
  /// The columns `names` with the types they have.
  func reading(_ names: [String]) -> [ParquetReadColumn] {
    names.map { name in
      let index = columnIndex(named: name)!
      return ParquetReadColumn(source: .column(index), type: columns[index].type!)
    }
  }

  /// Every readable column.
  var readableColumns: [String] { columns.filter { $0.type != nil }.map(\.name) }
}

extension PageSource {
  /// All rows as texts.
  func texts() throws -> [[String]] {
    var rows: [[String]] = []
    while let batch = try next() {
      for row in 0..<batch.count { rows.append(batch.columns.map { SampleText.of($0.value(at: row)) }) }
    }
    return rows
  }
}
