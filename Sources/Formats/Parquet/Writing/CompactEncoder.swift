// Owns writing Thrift's compact protocol, in which Parquet's metadata is kept. Knows no structs of Parquet.
// The protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

/// Writes one struct field by field, in ascending order of the fields' ids.
struct CompactEncoder {
  private enum Kind: UInt8 {
    case yes = 1
    case no = 2
    case byte = 3
    case i16 = 4
    case i32 = 5
    case i64 = 6
    case binary = 8
    case list = 9
    case structure = 12
  }

  private(set) var bytes: [UInt8] = []
  /// The id of the last field, in this struct and in those around it.
  private var lastIDs: [Int16] = [0]

  mutating func field(_ id: Int16, _ flag: Bool) { header(id, flag ? .yes : .no) }

  mutating func field(_ id: Int16, _ number: Int8) {
    header(id, .byte)
    bytes.append(UInt8(bitPattern: number))
  }

  mutating func field(_ id: Int16, _ number: Int16) {
    header(id, .i16)
    zigzag(Int64(number))
  }

  mutating func field(_ id: Int16, _ number: Int32) {
    header(id, .i32)
    zigzag(Int64(number))
  }

  mutating func field(_ id: Int16, _ number: Int64) {
    header(id, .i64)
    zigzag(number)
  }

  mutating func field(_ id: Int16, _ text: String) {
    header(id, .binary)
    binary(Array(text.utf8))
  }

  mutating func field(_ id: Int16, _ value: [UInt8]) {
    header(id, .binary)
    binary(value)
  }

  mutating func field(_ id: Int16, _ body: (inout CompactEncoder) -> Void) {
    header(id, .structure)
    structure(body)
  }

  mutating func field<Element>(
    _ id: Int16, structures elements: [Element], _ body: (inout CompactEncoder, Element) -> Void
  ) {
    list(id, elements.count, .structure)
    for element in elements { structure { body(&$0, element) } }
  }

  mutating func field(_ id: Int16, list numbers: [Int32]) {
    list(id, numbers.count, .i32)
    for number in numbers { zigzag(Int64(number)) }
  }

  mutating func field(_ id: Int16, list numbers: [Int64]) {
    list(id, numbers.count, .i64)
    for number in numbers { zigzag(number) }
  }

  mutating func field(_ id: Int16, list texts: [String]) {
    list(id, texts.count, .binary)
    for text in texts { binary(Array(text.utf8)) }
  }

  mutating func field(_ id: Int16, list values: [[UInt8]]) {
    list(id, values.count, .binary)
    for value in values { binary(value) }
  }

  mutating func field(_ id: Int16, list flags: [Bool]) {
    list(id, flags.count, .yes)
    for flag in flags { bytes.append(flag ? Kind.yes.rawValue : Kind.no.rawValue) }
  }

  /// Ends the outermost struct; gives all bytes.
  mutating func finish() -> [UInt8] {
    bytes.append(0)
    return bytes
  }

  private mutating func structure(_ body: (inout CompactEncoder) -> Void) {
    lastIDs.append(0)
    body(&self)
    lastIDs.removeLast()
    bytes.append(0)
  }

  private mutating func header(_ id: Int16, _ kind: Kind) {
    let last = lastIDs[lastIDs.count - 1]
    precondition(id > last, "field \(id) behind field \(last)")
    if id - last <= 15 {
      bytes.append(UInt8(id - last) << 4 | kind.rawValue)
    } else {
      bytes.append(kind.rawValue)
      zigzag(Int64(id))
    }
    lastIDs[lastIDs.count - 1] = id
  }

  private mutating func list(_ id: Int16, _ count: Int, _ kind: Kind) {
    header(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | kind.rawValue)
    } else {
      bytes.append(0xf0 | kind.rawValue)
      varint(UInt64(count))
    }
  }

  private mutating func binary(_ value: [UInt8]) {
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  private mutating func zigzag(_ number: Int64) { varint(UInt64(bitPattern: number << 1 ^ number >> 63)) }

  private mutating func varint(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
