// Owns the spelling of numbers in a spool file: little-endian, fixed width. It must not know what they mean.

/// Appends numbers to a byte array.
struct SpoolBytesWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }
}

extension UnsafeRawBufferPointer {
  /// The little-endian number at `offset`, which must lie within.
  func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Number.Type) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Puts `number` at `offset` in little-endian order.
  func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
    storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
  }
}
