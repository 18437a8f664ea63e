// Tests reading files that pyarrow, DuckDB, Polars and Spark wrote, value by value.

import Base
import Columnar
import ConnectorAPI
import Parquet
import Testing

@Suite struct SampleTests {
  @Test(arguments: Sample.all) func `columns have the names and types of the sample`(_ sample: Sample) throws {
    let file = try ParquetFile(path: sample.path)
    let found = file.columns.map { "\($0.name):\($0.type.map(\.description) ?? "refused")" }
    #expect(found == (try sample.expected().columns))
    for column in file.columns where column.type == nil {
      #expect(column.unreadable?.code == .notSupported)
      #expect(column.unreadable?.message.contains("'\(column.name)'") == true)
    }
  }

  @Test(arguments: Sample.all) func `values are those of the sample`(_ sample: Sample) throws {
    let file = try ParquetFile(path: sample.path)
    let (columns, rows) = try sample.expected()
    #expect(file.rowCount == Int64(rows.count))
    let readable = columns.indices.filter { !columns[$0].hasSuffix(":refused") }
    let source = try file.reader(
      rowGroups: 0..<file.rowGroupCount, columns: file.reading(file.readableColumns))
    let found = try source.texts()
    #expect(found.count == rows.count)
    for (row, values) in found.enumerated() where row < rows.count {
      let wanted = readable.map { rows[row][$0] }
      guard values != wanted else { continue }
      for (index, column) in readable.enumerated() where values[index] != wanted[index] {
        Issue.record("row \(row), \(columns[column]): \(values[index]), not \(wanted[index])")
      }
    }
  }

  /// Takes the rows whose numbers leave a certain remainder, without looking at them.
  final class EveryNth: RowFilter {
    let columns: [Int]
    private let step: Int
    private let offset: Int
    private(set) var seen = 0

    init(_ columns: [Int], step: Int, offset: Int) {
      self.columns = columns
      self.step = step
      self.offset = offset
    }

    func select(_ batch: Batch) -> Selection {
      let chosen = (0..<batch.count).filter { (seen + $0) % step == offset }
      seen += batch.count
      let indices = Buffer(count: chosen.count, of: Int32.self)
      for (index, row) in chosen.enumerated() { indices.pointer(to: Int32.self)[index] = Int32(row) }
      withExtendedLifetime(indices) {}
      return chosen.isEmpty ? .none : Selection(indices: indices, count: chosen.count)
    }
  }

  @Test(arguments: Sample.all, [2, 7, 61])
  func `chosen rows are those of the sample`(_ sample: Sample, _ step: Int) throws {
    let file = try ParquetFile(path: sample.path)
    let (columns, rows) = try sample.expected()
    let readable = columns.indices.filter { !columns[$0].hasSuffix(":refused") }
    for filtered in [0, readable.count - 1] {
      let source = try file.reader(
        rowGroups: 0..<file.rowGroupCount, columns: file.reading(file.readableColumns),
        filters: [EveryNth([filtered], step: step, offset: step - 1)])
      #expect(source.appliesFilters)
      let wanted = rows.indices.filter { $0 % step == step - 1 }.map { row in readable.map { rows[row][$0] } }
      #expect(try source.texts() == wanted)
    }
  }

  @Test func `a list cannot be read, and what cannot be read is named`() throws {
    let file = try ParquetFile(path: Sample("pyarrow-nested").path)
    let column = try #require(file.columnIndex(named: "list"))
    #expect {
      try file.reader(rowGroups: [0], columns: [ParquetReadColumn(source: .column(column), type: .bigint)])
    } throws: { error in
      let error = WaterbearError.wrapping(error)
      return error.code == .notSupported && error.message.contains("'list' is a list")
    }
  }
}
