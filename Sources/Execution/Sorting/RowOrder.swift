// Owns the comparison of two rows by orderings, for places where there are few comparisons. Agrees with `SortKey`.

import Columnar
import Planning

/// Compares rows of batches with the same columns.
struct RowOrder {
  private let orderings: [Ordering]

  init(_ orderings: [Ordering]) { self.orderings = orderings }

  /// Below 0 where row `i` of `left` comes first, above 0 where row `j` of `right` does, 0 where they are equal. Both
  /// have one flat column for each ordering.
  func compare(_ left: [Vector], _ i: Int, _ right: [Vector], _ j: Int) -> Int {
    for (place, ordering) in orderings.enumerated() {
      let order = Self.compare(left[place], i, right[place], j, ordering)
      if order != 0 { return order }
    }
    return 0
  }

  private static func compare(_ left: Vector, _ i: Int, _ right: Vector, _ j: Int, _ ordering: Ordering) -> Int {
    let isNull = (left.isNull(i), right.isNull(j))
    if isNull.0 || isNull.1 { return isNull.0 == isNull.1 ? 0 : isNull.0 == ordering.nullsFirst ? -1 : 1 }
    let order: Int
    switch left.type.layout {
    case .boolean: order = integers(UInt8.self, left, i, right, j)
    case .int8: order = integers(Int8.self, left, i, right, j)
    case .int16: order = integers(Int16.self, left, i, right, j)
    case .int32: order = integers(Int32.self, left, i, right, j)
    case .int64: order = integers(Int64.self, left, i, right, j)
    case .int128: order = integers(Int128.self, left, i, right, j)
    case .float32: return floats(Float.self, left, i, right, j, ordering)
    case .float64: return floats(Double.self, left, i, right, j, ordering)
    case .string: order = texts(left, i, right, j)
    }
    return ordering.ascending ? order : -order
  }

  private static func integers<Element: FixedWidthInteger & BitwiseCopyable>(
    _: Element.Type, _ left: Vector, _ i: Int, _ right: Vector, _ j: Int
  ) -> Int {
    let (a, b) = (left.values.pointer(to: Element.self)[i], right.values.pointer(to: Element.self)[j])
    return a < b ? -1 : a > b ? 1 : 0
  }

  /// NaN lies between the other values and NULL in either direction.
  private static func floats<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _: Element.Type, _ left: Vector, _ i: Int, _ right: Vector, _ j: Int, _ ordering: Ordering
  ) -> Int {
    let (a, b) = (left.values.pointer(to: Element.self)[i], right.values.pointer(to: Element.self)[j])
    if a.isNaN || b.isNaN { return a.isNaN == b.isNaN ? 0 : a.isNaN == ordering.nullsFirst ? -1 : 1 }
    let order = a < b ? -1 : a > b ? 1 : 0
    return ordering.ascending ? order : -order
  }

  private static func texts(_ left: Vector, _ i: Int, _ right: Vector, _ j: Int) -> Int {
    let padding: UInt8? = if case .char = left.type { 0x20 } else { nil }
    let (a, b) = (left.values.pointer(to: StringView.self)[i], right.values.pointer(to: StringView.self)[j])
    return a.withBytes { a in
      b.withBytes { b in
        let common = min(a.count, b.count)
        for index in 0..<common where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        guard let padding else { return a.count < b.count ? -1 : a.count > b.count ? 1 : 0 }
        for index in common..<a.count where a[index] != padding { return a[index] < padding ? -1 : 1 }
        for index in common..<b.count where b[index] != padding { return padding < b[index] ? -1 : 1 }
        return 0
      }
    }
  }
}
