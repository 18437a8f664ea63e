// Owns the decoding of CBOR (RFC 8949) into Codable values. The bytes may be hostile: every length is checked against
// what is there before anything is allocated, and nesting is bounded.

/// Reads what `BinaryEncoder` wrote. Throws MALFORMED_FRAME for anything else.
public enum BinaryDecoder {
  /// One value that takes up all of `bytes`.
  public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
    let reader = CBORReader(bytes)
    let end = try reader.skip(0)
    guard end == bytes.count else { throw CBORReader.malformed("\(bytes.count - end) bytes behind the value", end) }
    do {
      return try reader.read(type, at: 0)
    } catch let error as DecodingError {
      throw WaterbearError(.malformedFrame, "The encoded \(Value.self) does not fit", causes: ["\(error)"])
    }
  }
}


/// Random access to encoded values by offset.
private final class CBORReader {
  static let nestingLimit = 4096

  /// What stands at an offset: major type, its argument (nil: indefinite length), and where the content begins.
  struct Head {
    var major: UInt8
    var minor: UInt8
    var argument: UInt64?
    var next: Int
  }

  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func malformed(_ what: String, _ offset: Int) -> WaterbearError {
    WaterbearError(.malformedFrame, "Malformed encoding at byte \(offset): \(what)")
  }

  func head(_ offset: Int) throws -> Head {
    guard offset < bytes.count else { throw Self.malformed("the bytes end", offset) }
    let first = bytes[offset]
    let minor = first & 31
    var head = Head(major: first >> 5, minor: minor, argument: UInt64(minor), next: offset + 1)
    switch minor {
    case 0..<24: break
    case 24...27:
      let width = 1 << Int(minor - 24)
      guard bytes.count - head.next >= width else { throw Self.malformed("the bytes end", offset) }
      var argument: UInt64 = 0
      for index in 0..<width { argument = argument << 8 | UInt64(bytes[head.next + index]) }
      head.argument = argument
      head.next += width
    case 31: head.argument = nil
    default: throw Self.malformed("reserved length", offset)
    }
    return head
  }

  /// The offset behind the value at `offset`. Checks the form of all it passes.
  func skip(_ offset: Int) throws -> Int {
    var position = offset
    // Open containers: how many items remain, or nil until a break comes.
    var open: [UInt64?] = []
    repeat {
      let here = try head(position)
      if here.major == 7, here.minor == 31 {
        guard let last = open.popLast(), last == nil else { throw Self.malformed("unexpected break", position) }
        position = here.next
      } else {
        if let remaining = open.last, let count = remaining { open[open.count - 1] = count - 1 }
        position = try skipHead(here, at: position, open: &open)
      }
      while let remaining = open.last, remaining == 0 { open.removeLast() }
    } while !open.isEmpty
    return position
  }

  private func skipHead(_ here: Head, at position: Int, open: inout [UInt64?]) throws -> Int {
    switch here.major {
    case 0, 1: return here.next
    case 7: return here.next
    case 2, 3:
      guard let length = here.argument, length <= UInt64(bytes.count - here.next) else {
        throw Self.malformed("a string is longer than what is there", position)
      }
      return here.next + Int(length)
    case 4, 5:
      guard open.count < Self.nestingLimit else { throw Self.malformed("nested too deep", position) }
      if let count = here.argument {
        guard count <= UInt64(bytes.count) else { throw Self.malformed("a container is too long", position) }
        open.append(here.major == 5 ? count * 2 : count)
      } else {
        open.append(nil)
      }
      return here.next
    default: throw Self.malformed("tags are not used", position)
    }
  }

  func isNull(_ offset: Int) -> Bool { bytes[offset] == 0xf6 }

  func mismatch(_ type: Any.Type, _ offset: Int) -> WaterbearError { Self.malformed("expected \(type)", offset) }

  func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int) throws -> Integer {
    let here = try head(offset)
    guard let argument = here.argument else { throw mismatch(type, offset) }
    let value: Integer?
    switch here.major {
    case 0: value = Integer(exactly: argument)
    case 1: value = argument <= UInt64(Int64.max) ? Integer(exactly: ~Int64(argument)) : nil
    default: value = nil
    }
    guard let value else { throw mismatch(type, offset) }
    return value
  }

  func text(at offset: Int) throws -> String {
    let here = try head(offset)
    guard here.major == 3, let length = here.argument else { throw mismatch(String.self, offset) }
    return String(decoding: bytes[here.next..<here.next + Int(length)], as: UTF8.self)
  }

  func byteString(at offset: Int) throws -> [UInt8] {
    let here = try head(offset)
    guard here.major == 2, let length = here.argument else { throw mismatch([UInt8].self, offset) }
    return Array(bytes[here.next..<here.next + Int(length)])
  }

  func bool(at offset: Int) throws -> Bool {
    switch bytes[offset] {
    case 0xf5: return true
    case 0xf4: return false
    default: throw mismatch(Bool.self, offset)
    }
  }

  func double(at offset: Int) throws -> Double {
    let here = try head(offset)
    guard here.major == 7, here.minor == 27, let bits = here.argument else { throw mismatch(Double.self, offset) }
    return Double(bitPattern: bits)
  }

  func read<Value: Decodable>(_ type: Value.Type, at offset: Int) throws -> Value {
    // Each cast is to the very type that was just compared, so it cannot fail.
    if type == [UInt8].self { return try byteString(at: offset) as! Value }
    if type == String.self { return try text(at: offset) as! Value }
    if type == Int.self { return try integer(Int.self, at: offset) as! Value }
    if type == Int64.self { return try integer(Int64.self, at: offset) as! Value }
    return try Value(from: CBORDecoder(reader: self, offset: offset))
  }

  /// Offsets of the items of an array or, alternating, of the keys and values of a map.
  func items(major: UInt8, at offset: Int) throws -> [Int] {
    let here = try head(offset)
    guard here.major == major else { throw mismatch(major == 5 ? [String: Any].self : [Any].self, offset) }
    var found: [Int] = []
    var position = here.next
    if let count = here.argument {
      for _ in 0..<(major == 5 ? count * 2 : count) {
        found.append(position)
        position = try skip(position)
      }
    } else {
      while bytes[position] != 0xff {
        found.append(position)
        position = try skip(position)
      }
    }
    return found
  }
}

private struct CBORDecoder: Decoder {
  let reader: CBORReader
  let offset: Int
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try KeyedReader<Key>(reader: reader, offset: offset))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    UnkeyedReader(reader: reader, offsets: try reader.items(major: 4, at: offset))
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    SingleReader(reader: reader, offset: offset)
  }
}

private struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
  /// From so many fields on they are found by their hash: a hostile map of a million keys must not cost their square.
  private static var indexedCount: Int { 16 }

  let reader: CBORReader
  let entries: [(key: String, offset: Int)]
  /// Offsets by key; empty for a small map.
  private let index: [String: Int]
  var codingPath: [any CodingKey] { [] }

  init(reader: CBORReader, offset: Int) throws {
    self.reader = reader
    let items = try reader.items(major: 5, at: offset)
    guard items.count.isMultiple(of: 2) else { throw CBORReader.malformed("a key has no value", offset) }
    entries = try stride(from: 0, to: items.count, by: 2).map {
      (key: try reader.text(at: items[$0]), offset: items[$0 + 1])
    }
    let isSmall = entries.count < Self.indexedCount
    index = isSmall ? [:] : Dictionary(entries.map { ($0.key, $0.offset) }) { first, _ in first }
  }

  private func find(_ key: String) -> Int? {
    index.isEmpty ? entries.first { $0.key == key }?.offset : index[key]
  }

  var allKeys: [Key] { entries.compactMap { Key(stringValue: $0.key) } }
  func contains(_ key: Key) -> Bool { find(key.stringValue) != nil }

  private func offset(_ key: Key) throws -> Int {
    guard let offset = find(key.stringValue) else {
      throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: "no field '\(key.stringValue)'"))
    }
    return offset
  }

  func decodeNil(forKey key: Key) throws -> Bool { reader.isNull(try offset(key)) }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try reader.bool(at: offset(key)) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try reader.double(at: offset(key)) }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try reader.read(type, at: offset(key)) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    KeyedDecodingContainer(try KeyedReader<Nested>(reader: reader, offset: offset(key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    UnkeyedReader(reader: reader, offsets: try reader.items(major: 4, at: offset(key)))
  }

  func superDecoder() throws -> any Decoder { preconditionFailure("classes with superclasses are not encoded") }
  func superDecoder(forKey key: Key) throws -> any Decoder {
    preconditionFailure("classes with superclasses are not encoded")
  }
}

private struct UnkeyedReader: UnkeyedDecodingContainer {
  let reader: CBORReader
  let offsets: [Int]
  var currentIndex = 0

  init(reader: CBORReader, offsets: [Int]) {
    self.reader = reader
    self.offsets = offsets
  }

  var codingPath: [any CodingKey] { [] }
  var count: Int? { offsets.count }
  var isAtEnd: Bool { currentIndex == offsets.count }

  private mutating func next() throws -> Int {
    guard !isAtEnd else { throw CBORReader.malformed("an array is too short", offsets.last ?? 0) }
    defer { currentIndex += 1 }
    return offsets[currentIndex]
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd else { throw CBORReader.malformed("an array is too short", offsets.last ?? 0) }
    guard reader.isNull(offsets[currentIndex]) else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try reader.read(type, at: next()) }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    KeyedDecodingContainer(try KeyedReader<Nested>(reader: reader, offset: next()))
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    UnkeyedReader(reader: reader, offsets: try reader.items(major: 4, at: next()))
  }

  mutating func superDecoder() throws -> any Decoder {
    preconditionFailure("classes with superclasses are not encoded")
  }
}

private struct SingleReader: SingleValueDecodingContainer {
  let reader: CBORReader
  let offset: Int
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { reader.isNull(offset) }
  func decode(_ type: Bool.Type) throws -> Bool { try reader.bool(at: offset) }
  func decode(_ type: String.Type) throws -> String { try reader.text(at: offset) }
  func decode(_ type: Double.Type) throws -> Double { try reader.double(at: offset) }
  func decode(_ type: Float.Type) throws -> Float { Float(try reader.double(at: offset)) }
  func decode(_ type: Int.Type) throws -> Int { try reader.integer(type, at: offset) }
  func decode(_ type: Int8.Type) throws -> Int8 { try reader.integer(type, at: offset) }
  func decode(_ type: Int16.Type) throws -> Int16 { try reader.integer(type, at: offset) }
  func decode(_ type: Int32.Type) throws -> Int32 { try reader.integer(type, at: offset) }
  func decode(_ type: Int64.Type) throws -> Int64 { try reader.integer(type, at: offset) }
  func decode(_ type: UInt.Type) throws -> UInt { try reader.integer(type, at: offset) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try reader.integer(type, at: offset) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try reader.integer(type, at: offset) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try reader.integer(type, at: offset) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try reader.integer(type, at: offset) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try reader.read(type, at: offset) }
}
