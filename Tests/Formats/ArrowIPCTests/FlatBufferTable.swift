// Owns reading FlatBuffers for the tests, from the format's description and not from the builder.

/// A table in a FlatBuffer.
struct FlatBufferTable {
  let bytes: [UInt8]
  let position: Int

  /// The root of a buffer.
  init(root bytes: [UInt8]) {
    self.init(bytes, at: Self.number(UInt32.self, bytes, 0))
  }

  private init(_ bytes: [UInt8], at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  static func number<Number: FixedWidthInteger>(_ type: Number.Type, _ bytes: [UInt8], _ position: Int) -> Int {
    var value: Number = 0
    for byte in 0..<Number.bitWidth / 8 {
      value |= Number(truncatingIfNeeded: bytes[position + byte]) << Number(8 * byte)
    }
    return Int(value)
  }

  /// Where the field of a slot lies; nil where it has its default.
  private func place(_ slot: Int) -> Int? {
    let vtable = position - Self.number(Int32.self, bytes, position)
    guard 4 + 2 * slot < Self.number(UInt16.self, bytes, vtable) else { return nil }
    let offset = Self.number(UInt16.self, bytes, vtable + 4 + 2 * slot)
    return offset == 0 ? nil : position + offset
  }

  func number<Number: FixedWidthInteger>(_ slot: Int, _ type: Number.Type) -> Int {
    guard let place = place(slot) else { return 0 }
    precondition(place % (Number.bitWidth / 8) == 0, "a number of \(Number.bitWidth) bits at byte \(place)")
    return Self.number(type, bytes, place)
  }

  private func target(_ place: Int) -> Int { place + Self.number(UInt32.self, bytes, place) }

  func table(_ slot: Int) -> FlatBufferTable? { place(slot).map { FlatBufferTable(bytes, at: target($0)) } }

  func string(_ slot: Int) -> String {
    guard let place = place(slot) else { return "" }
    let start = target(place)
    let count = Self.number(UInt32.self, bytes, start)
    precondition(bytes[start + 4 + count] == 0, "a string ends with a zero")
    return String(decoding: bytes[start + 4..<start + 4 + count], as: UTF8.self)
  }

  func tables(_ slot: Int) -> [FlatBufferTable] {
    guard let place = place(slot) else { return [] }
    let start = target(place)
    return (0..<Self.number(UInt32.self, bytes, start)).map { FlatBufferTable(bytes, at: target(start + 4 + 4 * $0)) }
  }

  func pairs(_ slot: Int) -> [(Int, Int)] {
    guard let place = place(slot) else { return [] }
    let start = target(place)
    precondition((start + 4) % 8 == 0, "structs of longs at byte \(start + 4)")
    return (0..<Self.number(UInt32.self, bytes, start)).map {
      (Self.number(Int64.self, bytes, start + 4 + 16 * $0), Self.number(Int64.self, bytes, start + 12 + 16 * $0))
    }
  }
}
