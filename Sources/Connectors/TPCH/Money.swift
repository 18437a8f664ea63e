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

  /// `count` rows out of `words`; `position` gives row `i`'s.
  @inline(__always)
  static func picks(of words: WordList, count: Int, position: (Int) -> Int32) -> Vector {
    let indices = Buffer(count: count, of: Int32.self)
    let target = indices.pointer(to: Int32.self)
    for row in 0..<count { target[row] = position(row) }
    return Vector(dictionary: words.dictionary, indices: indices, count: count)
  }
}

/// The values a column is picked from, as a dictionary that all its vectors share.
struct WordList: Sendable {
  let dictionary: Vector
  /// Positions in the dictionary.
  let range: ValueRange

  init(_ words: [String], length: Int) {
    var builder = VectorBuilder(type: .varchar(length: length), capacity: words.count)
    for word in words { builder.append(.text(word)) }
    dictionary = builder.finish()
    range = ValueRange(0, Int32(words.count - 1))
  }
}
