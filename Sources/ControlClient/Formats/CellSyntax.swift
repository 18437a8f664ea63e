// Owns how a single value is spelled in each format: quotes, escapes, and what stands for NULL.
import Columnar
import Glibc

/// The spelling of values.
enum CellSyntax {
  /// RFC 4180: quotes where a comma, a quote or a line break asks for them. NULL is nothing, empty text is `""`.
  case csv
  /// Backslash escapes for tab, line breaks and backslash. NULL is nothing, empty text is `""`; the text `""` is `\""`.
  case tsv
  /// RFC 8259.
  case json
  /// For people: control characters, which could steer a terminal, are shown as escapes. Line feeds stay.
  case display
  /// As `display`, but a cell is one line, and bars do not end it.
  case markdown

  var null: StaticString {
    switch self {
    case .csv, .tsv: ""
    case .json: "null"
    case .display, .markdown: "NULL"
    }
  }

  /// Appends text as a cell.
  func append(_ text: UnsafeBufferPointer<UInt8>, to cells: ByteBuffer) {
    switch self {
    case .csv: Self.appendCSV(text, to: cells)
    case .tsv: Self.appendTSV(text, to: cells)
    case .json: Self.appendJSON(text, to: cells)
    case .display: Self.appendDisplay(text, isOneLine: false, to: cells)
    case .markdown: Self.appendDisplay(text, isOneLine: true, to: cells)
    }
  }

  func append(_ text: String, to cells: ByteBuffer) {
    var text = text
    text.withUTF8 { append($0, to: cells) }
  }

  /// `text` in this spelling, for messages.
  func spelled(_ text: String) -> String {
    let cells = ByteBuffer()
    append(text, to: cells)
    return String(decoding: cells.bytes, as: UTF8.self)
  }

  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  private static func appendCSV(_ text: UnsafeBufferPointer<UInt8>, to cells: ByteBuffer) {
    var needsQuotes = text.isEmpty
    for byte in text where byte == quote || byte == 0x2c || byte == 0x0a || byte == 0x0d { needsQuotes = true }
    guard needsQuotes else { return cells.append(text) }
    let target = cells.room(text.count * 2 + 2)
    target[0] = quote
    var count = 1
    for byte in text {
      if byte == quote {
        target[count] = quote
        count += 1
      }
      target[count] = byte
      count += 1
    }
    target[count] = quote
    cells.advance(count + 1)
  }

  private static func appendTSV(_ text: UnsafeBufferPointer<UInt8>, to cells: ByteBuffer) {
    if text.isEmpty { return cells.append("\"\"") }
    if text.count == 2, text[0] == quote, text[1] == quote { return cells.append("\\\"\"") }
    let target = cells.room(text.count * 2)
    var count = 0
    for byte in text {
      let escape: UInt8
      switch byte {
      case 0x09: escape = UInt8(ascii: "t")
      case 0x0a: escape = UInt8(ascii: "n")
      case 0x0d: escape = UInt8(ascii: "r")
      case backslash: escape = backslash
      default:
        target[count] = byte
        count += 1
        continue
      }
      target[count] = backslash
      target[count + 1] = escape
      count += 2
    }
    cells.advance(count)
  }

  private static func appendJSON(_ text: UnsafeBufferPointer<UInt8>, to cells: ByteBuffer) {
    let target = cells.room(text.count * 6 + 2)
    target[0] = quote
    var count = 1
    for byte in text {
      if byte >= 0x20 && byte != quote && byte != backslash && byte != 0x7f {
        target[count] = byte
        count += 1
        continue
      }
      count += writeEscape(byte, to: target + count)
    }
    target[count] = quote
    cells.advance(count + 1)
  }

  /// Writes at most six bytes; returns how many.
  private static func writeEscape(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = backslash
    switch byte {
    case quote, backslash: target[1] = byte
    case 0x0a: target[1] = UInt8(ascii: "n")
    case 0x0d: target[1] = UInt8(ascii: "r")
    case 0x09: target[1] = UInt8(ascii: "t")
    default:
      target[1] = UInt8(ascii: "u")
      target[2] = UInt8(ascii: "0")
      target[3] = UInt8(ascii: "0")
      target[4] = hexDigit(byte >> 4)
      target[5] = hexDigit(byte & 15)
      return 6
    }
    return 2
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  private static func appendDisplay(_ text: UnsafeBufferPointer<UInt8>, isOneLine: Bool, to cells: ByteBuffer) {
    let target = cells.room(text.count * 6)
    var count = 0
    for (index, byte) in text.enumerated() {
      switch byte {
      case 0x0a where !isOneLine:
        target[count] = byte
        count += 1
      case 0x0a:
        for mark in StaticText.lineBreak {
          target[count] = mark
          count += 1
        }
      case UInt8(ascii: "|") where isOneLine:
        target[count] = backslash
        target[count + 1] = byte
        count += 2
      case 0..<0x20, 0x7f: count += writeEscape(byte, to: target + count)
      // The control characters U+0080 to U+009F are C2 80 to C2 9F; the C2 has been written already.
      case 0x80...0x9f where index > 0 && text[index - 1] == 0xc2:
        count += writeEscape(byte, to: target + count - 1) - 1
      default:
        target[count] = byte
        count += 1
      }
    }
    cells.advance(count)
  }

  private enum StaticText {
    static let lineBreak = Array("<br>".utf8)
  }
}
