// Owns the collecting of output rows into pages, one builder for each partition. Keeps dictionaries where it can.

import Columnar

/// Rows on their way into one partition.
final class PageBuilder {
  /// A page is full with this many rows or bytes, whichever comes first.
  static let fullRows = Batch.targetRows
  static let fullBytes = 512 << 10

  private let columns: [PageColumn]
  private(set) var count = 0

  init(types: [DataType]) { columns = types.map { PageColumn(type: $0) } }

  /// Bytes held.
  var retainedBytes: Int { columns.reduce(0) { $0 + $1.retainedBytes } }
  var isFull: Bool { count >= Self.fullRows || retainedBytes >= Self.fullBytes }

  /// Appends the rows of `batch` listed in `rows`.
  func append(_ batch: Batch, rows: UnsafePointer<Int32>?, count added: Int) {
    for (column, vector) in zip(columns, batch.columns) { column.append(vector, rows: rows, count: added) }
    count += added
  }

  /// The page, leaving the builder empty.
  func take() -> Batch {
    defer { count = 0 }
    return Batch(columns: columns.map { $0.take() }, count: count)
  }
}

/// A column of a page: indices as long as all rows share one dictionary, else flat values.
private final class PageColumn {
  private let flat: ColumnBuilder
  private let indices = ColumnBuilder(type: .integer)
  private var dictionary: Vector?

  init(type: DataType) { flat = ColumnBuilder(type: type) }

  var retainedBytes: Int { flat.retainedBytes + indices.retainedBytes }

  func append(_ vector: Vector, rows: UnsafePointer<Int32>?, count added: Int) {
    if let source = vector.dictionary, flat.count == 0, dictionary == nil || dictionary === source,
      source.count <= Batch.targetRows, let positions = vector.indices {
      dictionary = source
      let view = Vector(flat: .integer, count: vector.count, values: positions)
      indices.append(view, rows: rows, count: added)
      return
    }
    if dictionary != nil { flatten() }
    flat.append(vector, rows: rows, count: added)
  }

  func take() -> Vector {
    defer { dictionary = nil }
    guard let dictionary else { return flat.take() }
    let positions = indices.take()
    return Vector(dictionary: dictionary, indices: positions.values, count: positions.count)
  }

  /// Turns what was collected under a dictionary into flat values.
  private func flatten() {
    guard indices.count > 0 else { return dictionary = nil }
    let collected = take()
    flat.append(collected, rows: nil, count: collected.count)
  }
}
