// Owns handing rows to the Parquet writer. Knows nothing of the format.
import Columnar
import Parquet

/// Writes rows as a Parquet file, compressed by zstd: it goes over networks and lies on disks more often than it is
/// read. Row groups leave as they are full.
final class ParquetResultWriter: ResultWriter {
  private let output: OutputStream
  private var file: ParquetWriter?

  init(output: OutputStream) { self.output = output }

  func begin(_ columns: [OutputColumn]) throws {
    let output = output
    var options = ParquetWriterOptions()
    options.compression = .zstd(level: 3)
    file = try ParquetWriter(columns: columns.map { ($0.name, $0.type) }, options: options) { bytes in
      output.buffer.append(bytes.bindMemory(to: UInt8.self))
      try output.flushIfLarge()
    }
  }

  func write(_ batch: Batch) throws { try file?.append(batch) }

  func finish() throws { try file?.finish() }
}
