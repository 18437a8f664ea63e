// Owns reading one line of the daemon's log: a flat JSON object. Does no I/O.
import Base

/// A log line's fields in their order. Values that are no strings keep their JSON spelling.
struct LogRecord: Equatable {
  struct Field: Equatable {
    var name: String
    var text: String
    var isString: Bool
  }

  private(set) var fields: [Field] = []

  /// Nil where the line is no JSON object (such as one that is being written).
  init?(_ line: some Collection<UInt8>) {
    var scanner = Scanner(Array(line))
    guard scanner.take("{") else { return nil }
    if !scanner.take("}") {
      repeat {
        guard let name = scanner.string(), scanner.take(":"), let field = scanner.value(named: name) else { return nil }
        fields.append(field)
      } while scanner.take(",")
      guard scanner.take("}") else { return nil }
    }
    guard scanner.isAtEnd else { return nil }
  }

  subscript(name: String) -> String? { fields.first { $0.name == name }?.text }

  var level: LogLevel? { self["level"].flatMap(LogLevel.init(rawValue:)) }
}

/// Walks through JSON text.
private struct Scanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return position == bytes.count
    }
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
  }

  /// Goes over `mark` if it comes next.
  mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  mutating func value(named name: String) -> LogRecord.Field? {
    skipBlanks()
    guard position < bytes.count else { return nil }
    if bytes[position] == UInt8(ascii: "\"") {
      return string().map { LogRecord.Field(name: name, text: $0, isString: true) }
    }
    let start = position
    var depth = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        guard string() != nil else { return nil }
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ","):
        if depth == 0 {
          guard position > start else { return nil }
          let text = String(decoding: bytes[start..<position], as: UTF8.self)
          return LogRecord.Field(name: name, text: text, isString: false)
        }
        if bytes[position] != UInt8(ascii: ",") { depth -= 1 }
      default: break
      }
      position += 1
    }
    return nil
  }

  mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard appendEscape(to: &text) else { return nil }
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func appendEscape(to text: inout [UInt8]) -> Bool {
    guard position < bytes.count else { return false }
    let mark = bytes[position]
    position += 1
    switch mark {
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "u"):
      guard var value = hexadecimal() else { return false }
      if (0xd800..<0xdc00).contains(value), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        guard let low = hexadecimal() else { return false }
        value = 0x10000 + (value & 0x3ff) << 10 + (low & 0x3ff)
      }
      // Half a pair is no character.
      text += String(Character(Unicode.Scalar(value) ?? "\u{fffd}")).utf8
    default: text.append(mark)
    }
    return true
  }

  private mutating func hexadecimal() -> UInt32? {
    guard position + 4 <= bytes.count,
      let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { return nil }
    position += 4
    return value
  }
}
