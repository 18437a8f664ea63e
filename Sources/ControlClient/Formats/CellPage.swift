// Owns the spelling of a batch: column by column, every distinct value once, ready to be put into rows.
import Columnar

/// The cells of one batch in one syntax. Used again for batch after batch, so that memory is allocated once.
///
/// A cell's bytes are those between two neighbouring starts. A constant column has one cell, a dictionary column one
/// for each entry of its dictionary.
final class CellPage {
  /// Where a column's cells are: cell `p` goes from `starts[first + p]` to `starts[first + p + 1]`. No references, so
  /// that walking over cells counts none; `batch` keeps what the pointer leads to.
  private struct Column {
    let first: Int
    let encoding: Encoding
    let indices: UnsafePointer<Int32>?

    @inline(__always)
    func position(of row: Int) -> Int {
      switch encoding {
      case .flat: row
      case .constant: 0
      // A dictionary vector has indices by construction.
      case .dictionary: Int(indices.unsafelyUnwrapped[row])
      }
    }
  }

  private(set) var count = 0
  private var batch = Batch(columns: [], count: 0)
  private var columns: [Column] = []
  private var starts: [Int] = []
  private let cells = ByteBuffer(capacity: 64 << 10)
  private let syntax: CellSyntax
  private let types: [DataType]

  init(_ syntax: CellSyntax, types: [DataType]) {
    self.syntax = syntax
    self.types = types
  }

  /// Spells `batch`, whose columns have this page's types. What was there before is gone.
  func load(_ batch: Batch) {
    cells.removeAll()
    starts.removeAll(keepingCapacity: true)
    columns.removeAll(keepingCapacity: true)
    count = batch.count
    self.batch = batch
    for (vector, type) in zip(batch.columns, types) {
      let indices = vector.indices.map { UnsafePointer($0.pointer(to: Int32.self)) }
      columns.append(Column(first: starts.count, encoding: vector.encoding, indices: indices))
      switch vector.encoding {
      case .flat, .constant: load(vector, type, positions: vector.encoding == .constant ? 1 : vector.count)
      // A dictionary vector has a dictionary by construction.
      case .dictionary: load(vector, type, positions: vector.dictionary!.count)
      }
      starts.append(cells.count)
    }
  }

  private func load(_ vector: Vector, _ type: DataType, positions: Int) {
    starts.reserveCapacity(starts.count + positions + 1)
    switch type {
    case .varchar: loadText(vector, positions: positions)
    case .char, .varbinary: loadFormattedText(vector, type, positions: positions)
    default: loadFixed(vector, type, positions: positions)
    }
  }

  private func loadText(_ vector: Vector, positions: Int) {
    let views = vector.values.pointer(to: StringView.self)
    for position in 0..<positions {
      starts.append(cells.count)
      if isNull(vector, position) { continue }
      views[position].withBytes { syntax.append($0, to: cells) }
    }
  }

  private func loadFormattedText(_ vector: Vector, _ type: DataType, positions: Int) {
    let formatter = ValueFormatter(type)
    // Positions, not rows: a flat vector over the same values.
    let flat = Vector(
      flat: vector.type, count: positions, values: vector.values, validity: vector.validity, heaps: vector.heaps)
    var text: [UInt8] = []
    for position in 0..<positions {
      starts.append(cells.count)
      if isNull(vector, position) { continue }
      text.removeAll(keepingCapacity: true)
      _ = formatter.append(flat, row: position, to: &text)
      text.withUnsafeBufferPointer { syntax.append($0, to: cells) }
    }
  }

  private func loadFixed(_ vector: Vector, _ type: DataType, positions: Int) {
    let formatter = ValueFormatter(type)
    let isJSON = syntax == .json
    let isQuoted = isJSON && !type.isJSONNumber && type != .boolean
    let isFloating = type == .double || type == .real
    for position in 0..<positions {
      starts.append(cells.count)
      if isNull(vector, position) { continue }
      let target = cells.room(NumberText.maximumByteCount + 2)
      let written = formatter.write(vector.values, at: position, to: target + 1)
      let isDigit = target[written] >= UInt8(ascii: "0") && target[written] <= UInt8(ascii: "9")
      if isQuoted || (isJSON && isFloating && !isDigit) {
        // NaN and the infinities are no JSON numbers.
        target[0] = UInt8(ascii: "\"")
        target[written + 1] = UInt8(ascii: "\"")
        cells.advance(written + 2)
      } else {
        target.update(from: target + 1, count: written)
        cells.advance(written)
      }
    }
  }

  /// Whether the value at `position` is NULL, which is then spelled.
  private func isNull(_ vector: Vector, _ position: Int) -> Bool {
    guard let validity = vector.validity, !validity[position] else { return false }
    let null = syntax.null
    cells.append(UnsafeBufferPointer(start: null.utf8Start, count: null.utf8CodeUnitCount))
    return true
  }

  /// Calls `body` for each cell, row by row. The bytes are valid during the call only.
  @inline(__always)
  func forEachCell(
    endOfRow: (_ row: Int) throws -> Void,
    _ body: (_ row: Int, _ column: Int, UnsafeBufferPointer<UInt8>) -> Void
  ) rethrows {
    let base = UnsafePointer(cells.base)
    try starts.withUnsafeBufferPointer { starts in
      try columns.withUnsafeBufferPointer { columns in
        for row in 0..<count {
          for index in 0..<columns.count {
            let column = columns[index]
            let cell = column.first &+ column.position(of: row)
            let start = starts[cell]
            body(row, index, UnsafeBufferPointer(start: base + start, count: starts[cell + 1] - start))
          }
          try endOfRow(row)
        }
      }
    }
  }
}
