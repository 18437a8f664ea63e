// Owns amounts with two decimal places: the type a catalog shows them in, and the vectors of them.

import Columnar

/// Setting `tpch.double-type-mapping`.
enum MoneyMapping: String, CaseIterable, Sendable {
  case double = "DOUBLE"
  case decimal = "DECIMAL"

  var type: DataType {
    switch self {
    case .double: .double
    case .decimal: .decimal(precision: 12, scale: 2)
    }
  }

  /// `count` amounts; `cents` gives row `i`'s in hundredths.
  @inline(__always)
  func vector(count: Int, cents: (Int) -> Int32) -> Vector {
    switch self {
    case .double:
      let values = Buffer(count: count, of: Double.self)
      let target = values.pointer(to: Double.self)
      for row in 0..<count { target[row] = Double(cents(row)) / 100 }
      return Vector(flat: type, count: count, values: values)
    case .decimal:
      let values = Buffer(count: count, of: Int64.self)
      let target = values.pointer(to: Int64.self)
      for row in 0..<count { target[row] = Int64(cents(row)) }
      return Vector(flat: type, count: count, values: values)
    }
  }
}
