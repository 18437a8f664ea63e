// Owns count(*), count(x) and count_if(x).

import Columnar

/// Counts rows by group.
final class CountAccumulator: Accumulator {
  enum Subject {
    case rows
    /// Rows whose argument is not NULL.
    case values
    /// Rows whose argument is true.
    case trueValues
  }

  private let subject: Subject
  private let counts = StateArray<Int64>(initial: 0)

  init(_ subject: Subject) { self.subject = subject }

  var retainedBytes: Int { counts.retainedBytes }
  func growth(to groups: Int) -> Int { counts.growth(to: groups) }
  func grow(to groups: Int) { counts.grow(to: groups) }
  func reset() { counts.reset() }

  func add(_ arguments: [Vector], _ rows: GroupedRows) {
    counts.grow(to: rows.groups)
    let counts = counts.base
    let ids = rows.ids
    if subject == .trueValues {
      forEachValue(of: arguments[0].flattened(), as: UInt8.self, count: rows.count) { row, flag in
        counts[Int(ids[row])] &+= flag == 0 ? 0 : 1
      }
    } else if subject == .values, let validity = Self.validity(of: arguments[0]) {
      for row in 0..<rows.count { counts[Int(ids[row])] &+= validity[row] ? 1 : 0 }
    } else {
      for row in 0..<rows.count { counts[Int(ids[row])] &+= 1 }
    }
  }

  func addAll(_ arguments: [Vector], count: Int, zeros: UnsafePointer<Int32>) {
    counts.grow(to: 1)
    switch subject {
    case .rows: counts.base[0] += Int64(count)
    case .values:
      counts.base[0] += Int64(Self.validity(of: arguments[0])?.setCount ?? count)
    case .trueValues:
      var total: Int64 = 0
      forEachValue(of: arguments[0].flattened(), as: UInt8.self, count: count) { _, flag in
        total &+= flag == 0 ? 0 : 1
      }
      counts.base[0] += total
    }
  }

  /// A bit for each row; nil where no row is NULL. Without NULLs the encoding does not matter.
  private static func validity(of argument: Vector) -> Bitmap? {
    argument.mayHaveNulls ? argument.flattened().validity : nil
  }

  func merge(_ intermediates: [Vector], _ rows: GroupedRows) {
    counts.grow(to: rows.groups)
    let counts = counts.base
    let ids = rows.ids
    forEachValue(of: intermediates[0].flattened(), as: Int64.self, count: rows.count) { row, count in
      counts[Int(ids[row])] &+= count
    }
  }

  func results(from start: Int, count: Int) -> Vector {
    Vector(flat: .bigint, count: count, values: counts.buffer(from: start, count: count))
  }

  func intermediates(from start: Int, count: Int) -> [Vector] { [results(from: start, count: count)] }
}
