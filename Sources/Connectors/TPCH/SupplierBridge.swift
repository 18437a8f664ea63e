// Owns the rule that ties parts to suppliers; lineitem and partsupp follow it.

/// Which four suppliers sell a part: spread evenly, and different for parts that are a round of suppliers apart.
struct SupplierBridge: Sendable {
  private let suppliers: UInt32
  private let quarter: UInt32
  /// `2^64 / suppliers`, rounded up: a product's upper half is then the exact quotient of any 32-bit number
  /// (Lemire, Kaser and Kurz, 2019).
  private let reciprocal: UInt64

  init(_ scale: Scale) {
    suppliers = UInt32(scale.suppliers)
    precondition(suppliers > 1, "the reciprocal of one supplier does not fit")
    quarter = suppliers / 4
    reciprocal = UInt64.max / UInt64(suppliers) + 1
  }

  @inline(__always)
  private func quotient(_ value: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: reciprocal.multipliedFullWidth(by: UInt64(value)).high)
  }

  /// The key of supplier `number` (0 to 3) of a part.
  @inline(__always)
  func supplier(part: Int32, number: Int32) -> Int64 {
    let part = UInt32(bitPattern: part)
    let place = part &+ UInt32(bitPattern: number) &* (quarter &+ quotient(part &- 1))
    return Int64(place &- quotient(place) &* suppliers &+ 1)
  }
}
