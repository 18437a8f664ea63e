// Owns the encoding of Codable values as CBOR (RFC 8949): what frames, the task store and spool indexes hold.
// Maps are keyed by field name, so that an older reader skips what it does not know.

/// Writes a Codable value as CBOR. `[UInt8]` becomes a byte string. Cost: one pass, one growing array.
public enum BinaryEncoder {
  public static func encode(_ value: some Encodable) throws -> [UInt8] {
    let writer = CBORWriter()
    try writer.write(value, codingPath: [])
    return writer.bytes
  }
}

/// The bytes so far and the stack of containers that are still open. Containers have indefinite length: Codable says
/// neither how many fields follow nor when a container ends, so a container is closed when something is written to
/// one that encloses it.
private final class CBORWriter {
  var bytes: [UInt8] = []
  var depth = 0

  init() { bytes.reserveCapacity(256) }

  func open(_ major: UInt8) -> Int {
    bytes.append(major << 5 | 31)
    depth += 1
    return depth
  }

  /// Ends every container deeper than `level`.
  func close(to level: Int) {
    precondition(level <= depth, "a container was written to after its end")
    while depth > level {
      bytes.append(0xff)
      depth -= 1
    }
  }

  func head(_ major: UInt8, _ argument: UInt64) {
    let top = major << 5
    switch argument {
    case 0..<24: bytes.append(top | UInt8(argument))
    case 24...0xff: bytes += [top | 24, UInt8(argument)]
    case 0x100...0xffff: bytes += [top | 25, UInt8(argument >> 8), UInt8(argument & 0xff)]
    case 0x1_0000...0xffff_ffff:
      bytes.append(top | 26)
      for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: argument >> shift)) }
    default:
      bytes.append(top | 27)
      for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: argument >> shift)) }
    }
  }

  func integer(_ value: some FixedWidthInteger) {
    if value >= 0 { head(0, UInt64(value)) } else { head(1, UInt64(~Int64(value))) }
  }

  func text(_ value: String) {
    head(3, UInt64(value.utf8.count))
    bytes += value.utf8
  }

  func double(_ value: Double) {
    bytes.append(7 << 5 | 27)
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
    }
  }

  func null() { bytes.append(0xf6) }
  func bool(_ value: Bool) { bytes.append(value ? 0xf5 : 0xf4) }

  /// Writes any value; scalars without a detour over containers.
  func write<T: Encodable>(_ value: T, codingPath: [any CodingKey]) throws {
    // By type, not by `as`: an empty array of any element would pass for one of bytes.
    if T.self == [UInt8].self, let value = value as? [UInt8] {
      head(2, UInt64(value.count))
      bytes += value
      return
    }
    switch value {
    case let value as String: text(value)
    case let value as Int: integer(value)
    case let value as Int64: integer(value)
    case let value as Bool: bool(value)
    case let value as Double: double(value)
    default:
      let level = depth
      let start = bytes.count
      try value.encode(to: CBOREncoder(writer: self, codingPath: codingPath))
      close(to: level)
      // A type without stored values writes nothing by itself.
      if bytes.count == start { bytes += [5 << 5] }
    }
  }
}

private struct CBOREncoder: Encoder {
  let writer: CBORWriter
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedWriter<Key>(writer: writer, level: writer.open(5), codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedWriter(writer: writer, level: writer.open(4), codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SingleWriter(writer: writer, codingPath: codingPath)
  }
}

private struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let writer: CBORWriter
  let level: Int
  let codingPath: [any CodingKey]

  private func begin(_ key: Key) {
    writer.close(to: level)
    writer.text(key.stringValue)
  }

  mutating func encodeNil(forKey key: Key) throws {
    begin(key)
    writer.null()
  }

  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    begin(key)
    try writer.write(value, codingPath: codingPath)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy keyType: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    begin(key)
    return KeyedEncodingContainer(
      KeyedWriter<Nested>(writer: writer, level: writer.open(5), codingPath: codingPath))
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    begin(key)
    return UnkeyedWriter(writer: writer, level: writer.open(4), codingPath: codingPath)
  }

  mutating func superEncoder() -> any Encoder { preconditionFailure("classes with superclasses are not encoded") }
  mutating func superEncoder(forKey key: Key) -> any Encoder {
    preconditionFailure("classes with superclasses are not encoded")
  }
}

private struct UnkeyedWriter: UnkeyedEncodingContainer {
  let writer: CBORWriter
  let level: Int
  let codingPath: [any CodingKey]
  var count = 0

  init(writer: CBORWriter, level: Int, codingPath: [any CodingKey]) {
    self.writer = writer
    self.level = level
    self.codingPath = codingPath
  }

  private mutating func begin() {
    writer.close(to: level)
    count += 1
  }

  mutating func encodeNil() throws {
    begin()
    writer.null()
  }

  mutating func encode<T: Encodable>(_ value: T) throws {
    begin()
    try writer.write(value, codingPath: codingPath)
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
    begin()
    return KeyedEncodingContainer(
      KeyedWriter<Nested>(writer: writer, level: writer.open(5), codingPath: codingPath))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    begin()
    return UnkeyedWriter(writer: writer, level: writer.open(4), codingPath: codingPath)
  }

  mutating func superEncoder() -> any Encoder { preconditionFailure("classes with superclasses are not encoded") }
}

private struct SingleWriter: SingleValueEncodingContainer {
  let writer: CBORWriter
  let codingPath: [any CodingKey]

  mutating func encodeNil() throws { writer.null() }
  mutating func encode(_ value: Bool) throws { writer.bool(value) }
  mutating func encode(_ value: String) throws { writer.text(value) }
  mutating func encode(_ value: Double) throws { writer.double(value) }
  mutating func encode(_ value: Float) throws { writer.double(Double(value)) }
  mutating func encode(_ value: Int) throws { writer.integer(value) }
  mutating func encode(_ value: Int8) throws { writer.integer(value) }
  mutating func encode(_ value: Int16) throws { writer.integer(value) }
  mutating func encode(_ value: Int32) throws { writer.integer(value) }
  mutating func encode(_ value: Int64) throws { writer.integer(value) }
  mutating func encode(_ value: UInt) throws { writer.integer(value) }
  mutating func encode(_ value: UInt8) throws { writer.integer(value) }
  mutating func encode(_ value: UInt16) throws { writer.integer(value) }
  mutating func encode(_ value: UInt32) throws { writer.integer(value) }
  mutating func encode(_ value: UInt64) throws { writer.integer(value) }
  mutating func encode<T: Encodable>(_ value: T) throws { try writer.write(value, codingPath: codingPath) }
}
