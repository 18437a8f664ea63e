// Owns the formats that need no look ahead: CSV, TSV, JSON and JSON lines. Rows leave as they come.
import Columnar
import Glibc

/// Prints rows one behind the other: each cell behind its column's prefix, each row with an end.
///
/// CSV and TSV have a header line; lines end with a line feed. JSON is one array with one object on each line.
final class RowWriter: ResultWriter {
  private let format: OutputFormat
  private let syntax: CellSyntax
  private let output: OutputStream
  private var page: CellPage
  private var prefixes: [[UInt8]] = []
  private var rowEnd: [UInt8]
  private var isFirstRow = true

  init(_ format: OutputFormat, output: OutputStream) {
    self.format = format
    self.output = output
    switch format {
    case .csv: syntax = .csv
    case .tsv: syntax = .tsv
    default: syntax = .json
    }
    switch format {
    case .json: rowEnd = Array("}".utf8)
    case .jsonl: rowEnd = Array("}\n".utf8)
    default: rowEnd = Array("\n".utf8)
    }
    page = CellPage(syntax, types: [])
  }

  func begin(_ columns: [OutputColumn]) {
    page = CellPage(syntax, types: columns.map(\.type))
    let scratch = ByteBuffer()
    for (index, column) in columns.enumerated() {
      scratch.removeAll()
      switch syntax {
      case .json:
        scratch.append(index == 0 ? "{" : ",")
        syntax.append(column.name, to: scratch)
        scratch.append(":")
      default:
        let separator = syntax == .csv ? "," : "\t"
        if index > 0 {
          scratch.append(separator)
          output.append(separator)
        }
        syntax.append(column.name, to: output.buffer)
      }
      prefixes.append(Array(scratch.bytes))
    }
    switch format {
    case .json: output.append("[")
    case .jsonl: break
    default: if !columns.isEmpty { output.append("\n") }
    }
  }

  func write(_ batch: Batch) throws {
    page.load(batch)
    guard !prefixes.isEmpty else { return }
    let buffer = output.buffer
    let end = rowEnd
    let isArray = format == .json
    if isArray, batch.count > 0 { buffer.append(isFirstRow ? "\n" : ",\n") }
    let last = batch.count - 1
    try withPrefixes { prefixes in
      try page.forEachCell(endOfRow: { row in
        end.withUnsafeBufferPointer { buffer.append($0) }
        if isArray, row < last { buffer.append(",\n") }
        try output.flushIfLarge()
      }) { _, column, cell in
        let prefix = prefixes[column]
        let target = buffer.room(prefix.count + cell.count)
        if let start = prefix.baseAddress { memcpy(target, start, prefix.count) }
        if let start = cell.baseAddress { memcpy(target + prefix.count, start, cell.count) }
        buffer.advance(prefix.count + cell.count)
      }
    }
    isFirstRow = isFirstRow && batch.count == 0
  }

  /// Calls `body` with the prefix of each column, as pointers that cost nothing to copy.
  private func withPrefixes(_ body: (UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Void) rethrows {
    let bytes = prefixes.flatMap(\.self)
    try bytes.withUnsafeBufferPointer { bytes in
      var start = 0
      let parts = prefixes.map { prefix in
        defer { start += prefix.count }
        return UnsafeBufferPointer(rebasing: bytes[start..<start + prefix.count])
      }
      try parts.withUnsafeBufferPointer(body)
    }
  }

  func finish() {
    if format == .json { output.append(isFirstRow ? "]\n" : "\n]\n") }
  }
}
