// Proves that the tables are those of dbgen: row by row for the ends of each, by checksum for all of it.

import Base
import Columnar
import ConnectorAPI
import Foundation
import Testing

@testable import TPCHConnector

struct TableContentTests {
  /// Comments need the whole pool of text, which takes seconds to make without optimisation; there, the first hundred
  /// rows of each table are compared, and `swift test -c release` compares them all.
  #if DEBUG
  private static let comparesAllComments = false
  #else
  private static let comparesAllComments = true
  #endif

  @Test(arguments: Reference.all)
  func everyColumnIsThatOfAnotherProgram(_ reference: Reference) throws {
    let connector = try makeConnector()
    let metadata = try #require(connector.table(schema: "sf\(reference.scale)", name: reference.table.name))
    #expect(metadata.columns.map(\.name) == reference.columns.map(\.name))
    for (column, expected) in zip(metadata.columns, reference.columns) {
      let isWhole = column.name != "comment" || Self.comparesAllComments
      let limit = isWhole ? Int.max : 100
      var checksum = ColumnChecksum()
      for split in try connector.splits(of: metadata.handle, columns: [column], constraint: .all) {
        if !isWhole && checksum.rows == 100 { break }
        var piece = try KeySplit(payload: split.payload)
        if !isWhole { piece.keys = piece.keys.clamped(to: 0..<100) }
        let source = GeneratedPageSource(
          table: piece.table, settings: GeneratorSettings(scale: piece.scale, money: .decimal), keys: piece.keys,
          columns: [column.index])
        while let batch = source.next() { checksum.add(batch.columns[0], limit: limit) }
      }
      #expect(checksum.value == (isWhole ? expected.whole : expected.first), "\(column.name)")
      if isWhole { #expect(Int64(checksum.rows) == reference.rows) }
    }
  }

  @Test(arguments: Table.allCases)
  func theFirstAndLastRowsAreThoseOfAnotherProgram(_ table: Table) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let sample = try String(
      contentsOf: folder.appendingPathComponent("Samples/\(table.name).tbl"), encoding: .utf8)
    let expected = sample.split(separator: "\n").map(String.init)
    let keys = Scale(factor: 0.01)!.keys(of: table)
    // Four keys at each end have at least four rows.
    let ends = keys > 8 ? [0..<4, keys - 4..<keys] : [0..<keys]
    var rows: [[String]] = []
    for range in ends {
      let source = GeneratedPageSource(
        table: table, settings: GeneratorSettings(scale: Scale(factor: 0.01)!, money: .decimal), keys: range,
        columns: Array(table.columns.indices))
      rows.append(try batches(source).flatMap { tblRows($0, of: table) })
    }
    if rows.count == 1 {
      #expect(rows[0] == expected)
    } else {
      #expect(Array(rows[0].prefix(4)) == Array(expected.prefix(4)))
      #expect(Array(rows[1].suffix(4)) == Array(expected.suffix(4)))
    }
  }
}

/// Rows in the form of dbgen's files.
private func tblRows(_ batch: Batch, of table: Table) -> [String] {
  (0..<batch.count).map { row in
    zip(batch.columns, table.columns).map { vector, spec in
      switch (vector.value(at: row), vector.type) {
      case (.integer(let cents), .decimal):
        if spec.name == "quantity" { return "\(cents / 100)" }
        let sign = cents < 0 ? "-" : ""
        let magnitude = abs(cents)
        return "\(sign)\(magnitude / 100).\(magnitude % 100 < 10 ? "0" : "")\(magnitude % 100)"
      case (.integer(let day), .date): return isoDate(day)
      case (.integer(let number), _): return "\(number)"
      case (.bytes(let bytes), _): return String(decoding: bytes, as: UTF8.self)
      case (let other, let type): return "\(other) as \(type)"
      }
    }.joined(separator: "|") + "|"
  }
}

private func isoDate(_ day: Int64) -> String {
  let formatter = ISO8601DateFormatter()
  formatter.formatOptions = [.withFullDate]
  return formatter.string(from: Date(timeIntervalSince1970: Double(day) * 86_400))
}
