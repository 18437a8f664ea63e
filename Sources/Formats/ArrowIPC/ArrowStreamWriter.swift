// Owns the Arrow IPC stream: schema, record batches, end, each in its frame. It must not know where the bytes go.
// The format: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
import Base
import Columnar

/// Writes batches as an Arrow IPC stream. For one thread; holds no rows between calls.
///
/// Each type becomes the Arrow type that readers have in common: short decimals are decimal128, `char` is utf8 padded
/// to its length, timestamps are in the coarsest of seconds, milliseconds and microseconds that holds their precision,
/// day-to-second intervals are durations of milliseconds, year-to-month intervals are int32 months. Dictionaries are
/// sent flat. Every field has its SQL type under the metadata key `waterbear.type`.
public struct ArrowStreamWriter {
  /// Takes bytes, which are valid during the call only.
  public typealias Output = (UnsafeRawBufferPointer) throws -> Void

  /// A record batch is cut where a column's text would be longer, which bounds memory: one long text in a dictionary
  /// may stand for many rows.
  static let mostTextBytes = 64 << 20

  private let columns: [ArrowColumn]
  private let output: Output

  /// Writes to `output`, whose errors come out of the calls below.
  public init(columns: [ArrowColumn], output: @escaping Output) {
    self.columns = columns
    self.output = output
  }

  /// Writes the schema: first, and once.
  public func begin() throws { try write(metadata: ArrowMetadata.schema(columns)) }

  /// Writes the rows of `batch`, which has the stream's columns, as one record batch or several; nothing where it has
  /// no rows. NOT_SUPPORTED for a single text of more than 2 GB. Cost: at most two passes over the values; numbers
  /// that Arrow has in the same form are not copied.
  public func append(_ batch: Batch) throws {
    precondition(batch.columns.count == columns.count, "\(batch.columns.count) columns for \(columns.count)")
    guard batch.count > 0 else { return }
    let longest = batch.columns.reduce(0) { max($0, ArrowColumnEncoder.textByteCount(of: $1)) }
    guard longest > Self.mostTextBytes else { return try write(batch) }
    guard batch.count > 1 else {
      guard longest <= Int(Int32.max) - 64 else {
        throw WaterbearError(
          .notSupported, "A text of \(longest) bytes is too long for Arrow, which counts them in 31 bits",
          remedy: "Take a part of it with substring, or another format.")
      }
      return try write(batch)
    }
    let half = batch.count / 2
    try append(batch.rows(0..<half))
    try append(batch.rows(half..<batch.count))
  }

  /// Writes the end of the stream: last, and once. Closes nothing.
  public func finish() throws { try Self.endOfStream.withUnsafeBytes(output) }

  private static let endOfStream: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
  private static let zeros = [UInt8](repeating: 0, count: 8)

  private func write(_ batch: Batch) throws {
    var nodes: [(Int64, Int64)] = []
    var places: [(Int64, Int64)] = []
    var parts: [BodyPart] = []
    var end = 0
    for (vector, column) in zip(batch.columns, columns) {
      precondition(vector.type.layout == column.type.layout, "\(vector.type) in a column of \(column.type)")
      let typed = vector.type == column.type ? vector : vector.retyped(column.type)
      let (nulls, buffers) = ArrowColumnEncoder.parts(of: typed)
      nodes.append((Int64(batch.count), Int64(nulls)))
      for part in buffers {
        places.append((Int64(end), Int64(part.byteCount)))
        parts.append(part)
        end += Self.aligned(part.byteCount)
      }
    }
    try write(
      metadata: ArrowMetadata.recordBatch(rows: batch.count, nodes: nodes, buffers: places, bodyByteCount: end))
    for part in parts where part.byteCount > 0 {
      try withExtendedLifetime(part.buffer) {
        try output(UnsafeRawBufferPointer(start: part.buffer.base, count: part.byteCount))
      }
      try pad(part.byteCount)
    }
  }

  /// A frame around a FlatBuffer of a multiple of 8 bytes: a mark, then its length.
  private func write(metadata: [UInt8]) throws {
    var frame: [UInt8] = [0xff, 0xff, 0xff, 0xff]
    withUnsafeBytes(of: UInt32(metadata.count).littleEndian) { frame.append(contentsOf: $0) }
    frame.append(contentsOf: metadata)
    try frame.withUnsafeBytes(output)
  }

  private func pad(_ byteCount: Int) throws {
    let missing = Self.aligned(byteCount) - byteCount
    guard missing > 0 else { return }
    try Self.zeros.withUnsafeBytes { try output(UnsafeRawBufferPointer(rebasing: $0[..<missing])) }
  }

  private static func aligned(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }
}

extension Batch {
  /// The rows within `range`, as a copy.
  fileprivate func rows(_ range: Range<Int>) -> Batch {
    let positions = Buffer(count: range.count, of: Int32.self)
    withExtendedLifetime(positions) {
      let target = positions.pointer(to: Int32.self)
      for (index, row) in range.enumerated() { target[index] = Int32(row) }
    }
    return gather(Selection(indices: positions, count: range.count))
  }
}
