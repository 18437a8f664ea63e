// Owns the text of one log line: JSON for the file, words for standard error. Does no I/O.
import Base
import Glibc
import Platform

/// A line on its way out.
struct LogLine {
  /// A longer line is cut down to whole fields, so that it stays one JSON object and one write(2).
  static let maxBytes = 16 * 1024
  /// A longer string is cut.
  static let maxStringBytes = 8 * 1024

  var wallMicroseconds: Int64
  var level: LogLevel
  var event: String
  var role: String
  var processID: Int32
  var subject: LogSubject?
  var fields: LogFields

  /// One JSON object and a line feed.
  func json() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256)
    bytes += "{\"time\":\"".utf8
    bytes += SystemClock.isoText(wallMicroseconds: wallMicroseconds).utf8
    bytes += "\",\"level\":\"\(level.rawValue)\",\"event\":".utf8
    Self.appendJSON(event, to: &bytes)
    bytes += ",\"role\":".utf8
    Self.appendJSON(role, to: &bytes)
    bytes += ",\"pid\":\(processID)".utf8
    if let subject {
      Self.append("query", .string(subject.query.text), to: &bytes)
      for (name, value) in subject.numbers { Self.append(name, .int(value), to: &bytes) }
    }
    var isCut = false
    for (name, value) in fields.pairs {
      let length = bytes.count
      Self.append(name, value, to: &bytes)
      if bytes.count > Self.maxBytes - 32 {
        bytes.removeSubrange(length...)
        isCut = true
      }
    }
    if isCut { bytes += ",\"truncated\":true".utf8 }
    bytes += "}\n".utf8
    return bytes
  }

  /// `event key=value …` and a line feed, with systemd's priority in front if asked for (sd-daemon(3)).
  func words(withPriority: Bool) -> [UInt8] {
    var text = ""
    if withPriority {
      switch level {
      case .debug: text += "<7>"
      case .info: text += "<6>"
      case .warning: text += "<4>"
      case .error: text += "<3>"
      }
    } else {
      text += "\(SystemClock.isoText(wallMicroseconds: wallMicroseconds)) \(level.rawValue) "
    }
    text += "\(role): \(event)"
    if let subject {
      let name =
        switch subject {
        case .query(let id): id.description
        case .stage(let id): id.description
        case .task(let id): id.description
        case .attempt(let id): id.description
        }
      text += " \(name)"
    }
    for (name, value) in fields.pairs {
      var bytes: [UInt8] = []
      Self.appendValue(value, to: &bytes)
      text += " \(name)=\(String(decoding: bytes, as: UTF8.self))"
    }
    return Array(text.utf8.prefix(Self.maxBytes)) + [0x0A]
  }

  private static func append(_ name: String, _ value: LogValue, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: ","))
    appendJSON(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendValue(value, to: &bytes)
  }

  private static func appendValue(_ value: LogValue, to bytes: inout [UInt8]) {
    switch value {
    case .string(let text): appendJSON(text, to: &bytes)
    case .integer(let number): bytes += String(number).utf8
    case .double(let number):
      // JSON has no NaN and no infinities.
      if number.isFinite { bytes += String(number).utf8 } else { appendJSON(String(number), to: &bytes) }
    case .bool(let flag): bytes += (flag ? "true" : "false").utf8
    case .strings(let texts):
      bytes.append(UInt8(ascii: "["))
      for (index, text) in texts.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        appendJSON(text, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    }
  }

  /// A JSON string (RFC 8259); control characters as escapes, so that a line stays a line.
  private static func appendJSON(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var end = text.utf8.endIndex
    let isCut = text.utf8.count > maxStringBytes
    if isCut {
      end = text.utf8.index(text.startIndex, offsetBy: maxStringBytes)
      // Not in the middle of a character: continuation bytes are 10xxxxxx.
      while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
    }
    for byte in text.utf8[..<end] {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0x0A: bytes += "\\n".utf8
      case 0x0D: bytes += "\\r".utf8
      case 0x09: bytes += "\\t".utf8
      case 0..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        bytes += "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8
      default: bytes.append(byte)
      }
    }
    if isCut { bytes += "…".utf8 }
    bytes.append(UInt8(ascii: "\""))
  }
}
