// Owns small tables that the program makes itself, such as the list of queries, so that they print like results.
import Columnar

/// Rows of single values under named columns.
struct RecordTable {
  let columns: [OutputColumn]
  private var rows: [[Value]] = []

  init(_ columns: [OutputColumn]) { self.columns = columns }

  /// Adds a row with one value for each column.
  mutating func append(_ row: [Value]) {
    precondition(row.count == columns.count, "a row of \(row.count) values under \(columns.count) columns")
    rows.append(row)
  }

  func write(to writer: any ResultWriter) throws {
    try writer.begin(columns)
    let vectors = columns.indices.map { index in
      var builder = VectorBuilder(type: columns[index].type, capacity: rows.count)
      for row in rows { builder.append(row[index]) }
      return builder.finish()
    }
    try writer.write(Batch(columns: vectors, count: rows.count))
    try writer.finish()
  }

  /// Prints the whole table in one format.
  func print(as format: OutputFormat, to output: OutputStream) throws {
    try write(to: format.writer(to: output))
    try output.flush()
  }
}

extension Value {
  /// Text, or NULL where there is none.
  static func optionalText(_ text: String?) -> Value { text.map { .text($0) } ?? .null }
  /// A number; one beyond 64 bits becomes the nearest.
  static func number(_ number: some BinaryInteger) -> Value { .integer(Int64(clamping: number)) }
}
