// Owns handing rows to the Arrow stream writer. Knows nothing of the format.
import ArrowIPC
import Columnar

/// Writes rows as an Arrow IPC stream. Batches leave as they come.
final class ArrowWriter: ResultWriter {
  private let output: OutputStream
  private var stream: ArrowStreamWriter?

  init(output: OutputStream) { self.output = output }

  func begin(_ columns: [OutputColumn]) throws {
    let output = output
    let stream = ArrowStreamWriter(columns: columns.map { ArrowColumn($0.name, $0.type) }) { bytes in
      output.buffer.append(bytes.bindMemory(to: UInt8.self))
      try output.flushIfLarge()
    }
    try stream.begin()
    self.stream = stream
  }

  func write(_ batch: Batch) throws { try stream?.append(batch) }

  func finish() throws { try stream?.finish() }
}
