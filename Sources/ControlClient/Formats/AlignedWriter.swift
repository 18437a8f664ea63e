// Owns the formats that line columns up: the table for terminals and Markdown.
import Columnar
import Glibc

/// Prints rows with columns under each other. The first rows, up to `heldRows` or `heldBytes`, are held back to find
/// the columns' widths; later rows go out as they come, and a cell wider than its column pushes the rest of its row
/// to the right. So memory is bounded whatever the size of the result.
final class AlignedWriter: ResultWriter {
  static let heldRows = 5000
  static let heldBytes = 4 << 20

  private let syntax: CellSyntax
  private let output: OutputStream
  private var page: CellPage
  private var columns: [OutputColumn] = []
  private var widths: [Int] = []
  private var rows = 0
  /// Cells that are held back, row by row; nil once the widths are fixed.
  private var held: HeldCells? = HeldCells()
  private let scratch = ByteBuffer()

  private struct HeldCells {
    let bytes = ByteBuffer(capacity: 64 << 10)
    var ends: [Int] = []
  }

  init(_ syntax: CellSyntax, output: OutputStream) {
    self.syntax = syntax
    self.output = output
    page = CellPage(syntax, types: [])
  }

  func writer(forUpdate updateType: String) -> any ResultWriter { UpdateWriter(updateType, output: output) }

  func begin(_ columns: [OutputColumn]) {
    self.columns = columns
    page = CellPage(syntax, types: columns.map(\.type))
    widths = columns.map { max(syntax == .markdown ? 3 : 1, lineWidth(of: header($0).bytes)) }
  }

  func write(_ batch: Batch) throws {
    page.load(batch)
    rows += batch.count
    guard !columns.isEmpty else { return }
    if held != nil { return try hold() }
    try printPage()
  }

  func finish() throws {
    try release()
    if syntax == .display, !columns.isEmpty { output.append(rows == 1 ? "(1 row)\n" : "(\(rows) rows)\n") }
  }

  /// Takes over the page's cells, and prints everything held where that has become much.
  private func hold() throws {
    guard var cells = held else { return }
    held = nil
    page.forEachCell(endOfRow: { _ in }) { _, column, cell in
      cells.bytes.append(cell)
      cells.ends.append(cells.bytes.count)
      widths[column] = max(widths[column], lineWidth(of: cell))
    }
    held = cells
    if cells.ends.count / columns.count >= Self.heldRows || cells.bytes.count >= Self.heldBytes { try release() }
  }

  private func release() throws {
    guard let cells = held else { return }
    held = nil
    guard !columns.isEmpty else { return }
    printHeader()
    var start = 0
    for first in stride(from: 0, to: cells.ends.count, by: columns.count) {
      let row = (first..<first + columns.count).map { index in
        defer { start = cells.ends[index] }
        return UnsafeBufferPointer(start: cells.bytes.base + start, count: cells.ends[index] - start)
      }
      printRow(row)
      try output.flushIfLarge()
    }
  }

  private func printPage() throws {
    var row: [UnsafeBufferPointer<UInt8>] = []
    row.reserveCapacity(columns.count)
    try page.forEachCell(endOfRow: { _ in
      printRow(row)
      row.removeAll(keepingCapacity: true)
      try output.flushIfLarge()
    }) { _, _, cell in row.append(cell) }
  }

  /// The column's name as it is shown; valid until the next call.
  private func header(_ column: OutputColumn) -> ByteBuffer {
    scratch.removeAll()
    syntax.append(column.name, to: scratch)
    return scratch
  }

  private func lineWidth(of cell: UnsafeBufferPointer<UInt8>) -> Int {
    guard cell.contains(0x0a) else { return DisplayWidth.of(cell) }
    return cell.split(separator: 0x0a, omittingEmptySubsequences: false).map { DisplayWidth.of(.init(rebasing: $0)) }
      .max() ?? 0
  }

  private func printHeader() {
    let names = columns.map { Array(header($0).bytes) }
    let isMarkdown = syntax == .markdown
    output.append(isMarkdown ? "| " : " ")
    for (index, name) in names.enumerated() {
      name.withUnsafeBufferPointer { put($0, width: widths[index], toTheRight: false, isLast: isLast(index)) }
      output.append(isLast(index) ? (isMarkdown ? " |\n" : "\n") : " | ")
    }
    if isMarkdown { output.append("|") }
    for index in columns.indices {
      let rule = String(repeating: "-", count: isMarkdown ? widths[index] - 1 : widths[index])
      if isMarkdown {
        output.append(" " + (columns[index].type.isNumeric ? rule + ":" : rule + "-") + " |")
      } else {
        output.append("-" + rule + (isLast(index) ? "-" : "-+"))
      }
    }
    output.append("\n")
  }

  private func printRow(_ cells: [UnsafeBufferPointer<UInt8>]) {
    let isMarkdown = syntax == .markdown
    if !isMarkdown, cells.contains(where: { $0.contains(0x0a) }) { return printTallRow(cells) }
    output.append(isMarkdown ? "| " : " ")
    for index in cells.indices {
      let toTheRight = columns[index].type.isNumeric
      put(cells[index], width: widths[index], toTheRight: toTheRight, isLast: isLast(index))
      output.append(isLast(index) ? (isMarkdown ? " |\n" : "\n") : " | ")
    }
  }

  /// A row with line breaks in its cells takes several lines; `+` behind a cell says that it goes on, as in psql.
  private func printTallRow(_ cells: [UnsafeBufferPointer<UInt8>]) {
    let lines = cells.map { cell in
      cell.split(separator: 0x0a, omittingEmptySubsequences: false).map { UnsafeBufferPointer(rebasing: $0) }
    }
    let empty = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    for line in 0..<(lines.map(\.count).max() ?? 0) {
      output.append(" ")
      for index in lines.indices {
        let part = line < lines[index].count ? lines[index][line] : empty
        let goesOn = line + 1 < lines[index].count
        put(
          part, width: widths[index], toTheRight: columns[index].type.isNumeric, isLast: isLast(index) && !goesOn)
        output.append(isLast(index) ? (goesOn ? "+\n" : "\n") : (goesOn ? "+| " : " | "))
      }
    }
  }

  private func isLast(_ index: Int) -> Bool { index == columns.count - 1 }

  /// A cell with its padding. A table's last column needs none on its right.
  private func put(_ cell: UnsafeBufferPointer<UInt8>, width: Int, toTheRight: Bool, isLast: Bool) {
    let blanks = max(0, width - DisplayWidth.of(cell))
    if toTheRight { pad(blanks) }
    output.buffer.append(cell)
    if !toTheRight, !isLast || syntax == .markdown { pad(blanks) }
  }

  private func pad(_ blanks: Int) {
    memset(output.buffer.room(blanks), 0x20, blanks)
    output.buffer.advance(blanks)
  }
}
