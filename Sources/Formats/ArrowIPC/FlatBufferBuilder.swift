// Owns writing FlatBuffers, the encoding of Arrow's metadata: tables, strings and vectors. It must not know Arrow.
// The layout: https://flatbuffers.dev/internals/

/// Builds one FlatBuffer from its end to its start, since what is referred to must lie behind what refers to it.
///
/// So a reference is the distance of an object's first byte from the end of the buffer, and alignment is that distance
/// modulo the alignment: the whole buffer is a multiple of 8 bytes.
struct FlatBufferBuilder {
  /// Where an object begins, counted from the end.
  struct Reference {
    fileprivate let distance: Int
  }

  /// A field of a table; nil in a list of fields is one that has its default value.
  enum Field {
    case bool(Bool)
    case byte(UInt8)
    case short(Int16)
    case int(Int32)
    case long(Int64)
    case reference(Reference)
  }

  /// The bytes from the last to the first.
  private var reversed: [UInt8] = []

  init() { reversed.reserveCapacity(1024) }

  mutating func string(_ text: String) -> Reference {
    let bytes = Array(text.utf8)
    pad(toAlign: 4, afterWriting: bytes.count + 1)
    reversed.append(0)
    reversed.append(contentsOf: bytes.reversed())
    put(UInt32(bytes.count))
    return Reference(distance: reversed.count)
  }

  /// A vector of references to tables or strings.
  mutating func vector(_ references: [Reference]) -> Reference {
    pad(toAlign: 4, afterWriting: 0)
    for reference in references.reversed() { put(reference) }
    put(UInt32(references.count))
    return Reference(distance: reversed.count)
  }

  /// A vector of structs of two longs each.
  mutating func vector(_ pairs: [(Int64, Int64)]) -> Reference {
    pad(toAlign: 8, afterWriting: 0)
    for pair in pairs.reversed() {
      put(pair.1)
      put(pair.0)
    }
    put(UInt32(pairs.count))
    return Reference(distance: reversed.count)
  }

  /// A table with `fields` in the order of their slots.
  mutating func table(_ fields: [Field?]) -> Reference {
    let end = reversed.count
    var places = [Int](repeating: 0, count: fields.count)
    for (slot, field) in fields.enumerated().reversed() {
      guard let field else { continue }
      put(field)
      places[slot] = reversed.count
    }
    pad(toAlign: 4, afterWriting: 0)
    // The table begins with the way back to its vtable, which is put right in front of it.
    let vtableBytes = 4 + 2 * fields.count
    put(Int32(vtableBytes))
    let start = reversed.count
    for place in places.reversed() { put(place == 0 ? 0 : UInt16(start - place)) }
    put(UInt16(start - end))
    put(UInt16(vtableBytes))
    return Reference(distance: start)
  }

  /// The finished buffer, a multiple of 8 bytes.
  mutating func finish(_ root: Reference) -> [UInt8] {
    pad(toAlign: 8, afterWriting: 4)
    put(root)
    return reversed.reversed()
  }

  private mutating func put(_ field: Field) {
    switch field {
    case .bool(let flag): reversed.append(flag ? 1 : 0)
    case .byte(let value): reversed.append(value)
    case .short(let value): put(aligned: value)
    case .int(let value): put(aligned: value)
    case .long(let value): put(aligned: value)
    case .reference(let reference):
      pad(toAlign: 4, afterWriting: 0)
      put(reference)
    }
  }

  private mutating func put<Number: FixedWidthInteger>(aligned value: Number) {
    pad(toAlign: Number.bitWidth / 8, afterWriting: 0)
    put(value)
  }

  /// A reference as FlatBuffers have it: the way from here to there.
  private mutating func put(_ reference: Reference) { put(UInt32(reversed.count + 4 - reference.distance)) }

  private mutating func put<Number: FixedWidthInteger>(_ value: Number) {
    for byte in 1...Number.bitWidth / 8 {
      reversed.append(UInt8(truncatingIfNeeded: value >> Number(Number.bitWidth - 8 * byte)))
    }
  }

  /// Zeros, so that what comes behind `byteCount` further bytes is aligned.
  private mutating func pad(toAlign alignment: Int, afterWriting byteCount: Int) {
    while (reversed.count + byteCount) % alignment != 0 { reversed.append(0) }
  }
}
