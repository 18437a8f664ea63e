// Owns the filling of flat vectors of keys, whole numbers and dates.

import Columnar

extension Vector {
  /// `count` identifiers; `key` gives row `i`'s.
  @inline(__always)
  static func identifiers(count: Int, key: (Int) -> Int64) -> Vector {
    let values = Buffer(count: count, of: Int64.self)
    let target = values.pointer(to: Int64.self)
    for row in 0..<count { target[row] = key(row) }
    return Vector(flat: .bigint, count: count, values: values)
  }

  /// `count` integers or dates; `number` gives row `i`'s.
  @inline(__always)
  static func numbers(_ type: DataType = .integer, count: Int, number: (Int) -> Int32) -> Vector {
    let values = Buffer(count: count, of: Int32.self)
    let target = values.pointer(to: Int32.self)
    for row in 0..<count { target[row] = number(row) }
    return Vector(flat: type, count: count, values: values)
  }
}
