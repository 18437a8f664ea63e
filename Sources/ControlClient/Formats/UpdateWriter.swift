// Owns how people are told what a write has done: one line, as Trino's command line prints it.
import Columnar

/// Prints `CREATE TABLE: 25 rows`, or only `DROP TABLE` where no rows are counted.
final class UpdateWriter: ResultWriter {
  private let updateType: String
  private let output: OutputStream
  private var count: Value?

  init(_ updateType: String, output: OutputStream) {
    self.updateType = updateType
    self.output = output
  }

  func begin(_ columns: [OutputColumn]) {}

  func write(_ batch: Batch) {
    if batch.count == 1, batch.columns.count == 1 { count = batch.columns[0].value(at: 0) }
  }

  func finish() {
    CellSyntax.display.append(updateType, to: output.buffer)
    if case .integer(let rows)? = count { output.append(rows == 1 ? ": 1 row" : ": \(rows) rows") }
    output.append("\n")
  }
}
