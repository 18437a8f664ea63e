// Owns printing text results as they are: plans, for instance.
import Columnar

/// Prints the first column's text without a header, a line feed behind each row that does not end with one.
final class RawWriter: ResultWriter {
  private let output: OutputStream
  private var formatter = ValueFormatter(.varcharUnbounded)

  init(output: OutputStream) { self.output = output }

  func begin(_ columns: [OutputColumn]) {
    if let first = columns.first { formatter = ValueFormatter(first.type) }
  }

  func write(_ batch: Batch) throws {
    guard let column = batch.columns.first else { return }
    for row in 0..<batch.count {
      var text: [UInt8] = []
      _ = formatter.append(column, row: row, to: &text)
      if text.last != 0x0a { text.append(0x0a) }
      text.withUnsafeBufferPointer { output.buffer.append($0) }
      try output.flushIfLarge()
    }
  }

  func finish() {}
}
