// Owns reading Thrift's compact protocol. Knows none of the structures that are written in it.

/// A cursor over bytes in Thrift's compact protocol (Apache Thrift, doc/specs/thrift-compact-protocol.md).
///
/// Never reads outside of its bytes, never allocates more than they can stand for, and goes at most `depthMax`
/// structures deep. The bytes must outlive it.
struct CompactDecoder {
  /// Types as a field's header or a list's header has them.
  enum Kind: UInt8 {
    case `true` = 1
    case `false` = 2
    case int8 = 3
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
    case uuid = 13
  }

  /// A field's header.
  struct Field {
    var id: Int16
    var kind: Kind
  }

  static let depthMax = 32

  private let base: UnsafePointer<UInt8>
  private let end: Int
  /// Bytes read so far.
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) {
    // An empty buffer may have no address; nothing is read from this one.
    base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(bitPattern: 1)!
    end = bytes.count
    self.position = position
  }

  /// Bytes left.
  var remaining: Int { end - position }

  /// The next field of a structure, or nil where the structure ends. `last` is 0 at its start.
  @inline(__always)
  mutating func field(after last: inout Int16) throws(Damage) -> Field? {
    let header = try byte()
    if header == 0 { return nil }
    guard let kind = Kind(rawValue: header & 0x0f) else { throw Damage("a field of unknown type \(header & 0x0f)") }
    let delta = Int16(header &>> 4)
    last = delta == 0 ? Int16(truncatingIfNeeded: try zigzag()) : last &+ delta
    return Field(id: last, kind: kind)
  }

  /// The value of a boolean field, which lies in its header.
  func boolean(_ field: Field) throws(Damage) -> Bool {
    switch field.kind {
    case .true: return true
    case .false: return false
    default: throw Self.mismatch(field, "a boolean")
    }
  }

  /// A whole number of any width.
  @inline(__always)
  mutating func integer(_ field: Field) throws(Damage) -> Int64 {
    switch field.kind {
    case .int16, .int32, .int64: return try zigzag()
    case .int8: return Int64(Int8(bitPattern: try byte()))
    default: throw Self.mismatch(field, "a number")
    }
  }

  /// A whole number that must fit 32 bits.
  @inline(__always)
  mutating func integer32(_ field: Field) throws(Damage) -> Int32 {
    guard let value = Int32(exactly: try integer(field)) else {
      throw Damage("a number beyond 32 bits in field \(field.id)")
    }
    return value
  }

  /// A copy of a field's bytes.
  mutating func bytes(_ field: Field) throws(Damage) -> [UInt8] {
    guard field.kind == .binary else { throw Self.mismatch(field, "bytes") }
    return Array(try slice())
  }

  /// A field's text; bytes that are no UTF-8 are replaced.
  mutating func text(_ field: Field) throws(Damage) -> String {
    guard field.kind == .binary else { throw Self.mismatch(field, "a text") }
    return String(decoding: try slice(), as: UTF8.self)
  }

  /// The bytes that follow their length, in place.
  mutating func slice() throws(Damage) -> UnsafeBufferPointer<UInt8> {
    let count = try unsigned()
    guard count <= UInt64(remaining) else { throw Damage("\(count) bytes where \(remaining) are left") }
    defer { position &+= Int(count) }
    return UnsafeBufferPointer(start: base + position, count: Int(count))
  }

  /// Opens a list: how many elements of `kind` follow.
  mutating func list(_ field: Field, of kind: Kind) throws(Damage) -> Int {
    guard field.kind == .list || field.kind == .set else { throw Self.mismatch(field, "a list") }
    let (count, found) = try listHeader()
    // Both names of a boolean stand for a list of booleans.
    guard found == kind || count == 0 || (found == .false && kind == .true) else {
      throw Damage("a list of \(found) where one of \(kind) belongs in field \(field.id)")
    }
    return count
  }

  /// An element of a list of numbers.
  @inline(__always)
  mutating func element() throws(Damage) -> Int64 { try zigzag() }

  /// An element of a list of booleans.
  mutating func booleanElement() throws(Damage) -> Bool { try byte() == 1 }

  /// Refuses a field that is no structure, before its own fields are read.
  func expectStructure(_ field: Field) throws(Damage) {
    guard field.kind == .structure else { throw Self.mismatch(field, "a structure") }
  }

  /// Passes over a field that nobody asks for.
  mutating func skip(_ field: Field) throws(Damage) { try skip(field.kind, depth: 0) }

  private mutating func skip(_ kind: Kind, depth: Int) throws(Damage) {
    guard depth < Self.depthMax else { throw Damage("structures more than \(Self.depthMax) deep") }
    switch kind {
    case .true, .false: break
    case .int8: _ = try byte()
    case .int16, .int32, .int64: _ = try unsigned()
    case .double: try advance(8)
    case .uuid: try advance(16)
    case .binary: _ = try slice()
    case .list, .set:
      let (count, element) = try listHeader()
      for _ in 0..<count { try skipElement(element, depth: depth + 1) }
    case .map:
      let count = try unsigned()
      guard count <= UInt64(remaining) else { throw Damage("a map of \(count) entries in \(remaining) bytes") }
      if count == 0 { return }
      let kinds = try byte()
      guard let key = Kind(rawValue: kinds &>> 4), let value = Kind(rawValue: kinds & 0x0f) else {
        throw Damage("a map of unknown types")
      }
      for _ in 0..<count {
        try skipElement(key, depth: depth + 1)
        try skipElement(value, depth: depth + 1)
      }
    case .structure:
      var last: Int16 = 0
      while let field = try field(after: &last) { try skip(field.kind, depth: depth + 1) }
    }
  }

  /// In a collection, unlike in a field's header, a boolean takes a byte.
  private mutating func skipElement(_ kind: Kind, depth: Int) throws(Damage) {
    if kind == .true || kind == .false { return try advance(1) }
    try skip(kind, depth: depth)
  }

  private mutating func listHeader() throws(Damage) -> (count: Int, kind: Kind) {
    let header = try byte()
    guard let kind = Kind(rawValue: header & 0x0f) else {
      // An empty list may have no type at all.
      if header == 0 { return (0, .true) }
      throw Damage("a list of unknown type \(header & 0x0f)")
    }
    let short = Int(header &>> 4)
    if short < 15 { return (short, kind) }
    let count = try unsigned()
    // Each element takes a byte at least.
    guard count <= UInt64(remaining) else { throw Damage("a list of \(count) elements in \(remaining) bytes") }
    return (Int(count), kind)
  }

  @inline(__always)
  private mutating func byte() throws(Damage) -> UInt8 {
    guard position < end else { throw Damage("an end in the middle of a structure") }
    defer { position &+= 1 }
    return base[position]
  }

  private mutating func advance(_ count: Int) throws(Damage) {
    guard count <= remaining else { throw Damage("an end in the middle of a structure") }
    position &+= count
  }

  @inline(__always)
  private mutating func unsigned() throws(Damage) -> UInt64 {
    let first = try byte()
    if first < 0x80 { return UInt64(first) }
    return try longUnsigned(first)
  }

  private mutating func longUnsigned(_ first: UInt8) throws(Damage) -> UInt64 {
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    while shift < 70 {
      let next = try byte()
      value |= UInt64(next & 0x7f) &<< (shift & 63)
      if next < 0x80 { return value }
      shift &+= 7
    }
    throw Damage("a number of more than ten bytes")
  }

  @inline(__always)
  private mutating func zigzag() throws(Damage) -> Int64 {
    let value = try unsigned()
    return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
  }

  private static func mismatch(_ field: Field, _ wanted: String) -> Damage {
    Damage("\(field.kind) where \(wanted) belongs in field \(field.id)")
  }
}
