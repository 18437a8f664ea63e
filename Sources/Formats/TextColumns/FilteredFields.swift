// Owns the order in which the columns of rows are parsed: those of filters first, the others for the rows that are
// left. Knows no format.

import Columnar
import ConnectorAPI

/// Makes batches of fields of which only the rows are parsed that filters leave. Used by one thread.
public struct FilteredFields {
  /// One column of a batch.
  public enum Source {
    /// Fields in the table's column of this number; each at most once.
    case fields(Int)
    /// NULL in every row.
    case null(DataType)
  }

  private let sources: [Source]
  private let filters: [any RowFilter]

  /// `filters` count columns as `sources` does.
  public init(_ sources: [Source], filters: [any RowFilter]) {
    self.sources = sources
    self.filters = filters
  }

  /// The rows that pass of the first `count` in `table`, whose fields may be moved; nil where none does. `parse` gives
  /// the values of a column's first `count` fields, which are the table's column `number`; it is called at most once
  /// for a column, and not where no row is left. What is wrong with fields of other rows may go unnoticed.
  public func batch(
    of table: FieldTable, count: Int, parse: (_ column: Int, _ number: Int, _ count: Int) throws -> Vector
  ) throws -> Batch? {
    var rows = count
    var vectors = [Vector?](repeating: nil, count: sources.count)
    func column(_ index: Int) throws -> Vector {
      if let known = vectors[index] { return known }
      let vector =
        switch sources[index] {
        case .fields(let number): try parse(index, number, rows)
        case .null(let type): Vector.repeating(.null, type: type, count: rows)
        }
      vectors[index] = vector
      return vector
    }
    for filter in filters where rows > 0 {
      let inputs = try filter.columns.map { try column($0) }
      let selection = try filter.select(Batch(columns: inputs, count: rows))
      guard let indices = selection.indices, selection.count < rows else { continue }
      rows = selection.count
      keep(indices, rows, of: table, &vectors)
    }
    if rows == 0 { return nil }
    return Batch(columns: try sources.indices.map { try column($0) }, count: rows)
  }

  /// Leaves rows of what was parsed and of the fields that were not.
  private func keep(_ indices: Buffer, _ count: Int, of table: FieldTable, _ vectors: inout [Vector?]) {
    let rows = UnsafePointer(indices.pointer(to: Int32.self))
    for (index, source) in sources.enumerated() {
      if let vector = vectors[index] {
        vectors[index] = vector.gather(rows, count: count)
      } else if case .fields(let number) = source {
        let fields = table.fields + number &* table.capacity
        // Positions ascend: none is read after it was written.
        for row in 0..<count { fields[row] = fields[Int(rows[row])] }
      }
    }
    withExtendedLifetime(indices) {}
  }
}
