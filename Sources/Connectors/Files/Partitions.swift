// Owns Hive's way of saying column values in directory names: `year=2024/month=05`. Reads and writes such names, and
// finds the types of the values. Opens nothing.

import Base
import Columnar

/// Names of partition directories.
enum PartitionName {
  /// What stands for NULL.
  static let null = "__HIVE_DEFAULT_PARTITION__"

  /// Column and value of a directory's name; nil for one that is no partition. A nil value is NULL.
  static func parse(_ directory: String) -> (key: String, value: String?)? {
    let border = directory.utf8.firstIndex(of: UInt8(ascii: "="))
    guard let border, border != directory.startIndex else { return nil }
    let key = unescaped(directory[..<border])
    let value = unescaped(directory[directory.utf8.index(after: border)...])
    return (key.lowercased(), value == null ? nil : value)
  }

  /// The directory's name for a value.
  static func name(key: String, value: String?) -> String {
    "\(escaped(key))=\(value.map { $0.isEmpty ? null : escaped($0) } ?? null)"
  }

  private static func unescaped(_ text: Substring) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2])
      {
        result.append(high << 4 | low)
        index += 3
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Hive escapes control characters and what file systems, shells or the form itself take for something else.
  private static func escaped(_ text: String) -> String {
    let special = Set("\"#%'*/:=?\\{}[]^\u{7f}".utf8)
    var result: [UInt8] = []
    for byte in text.utf8 {
      if byte < 0x20 || special.contains(byte) {
        let digits = Array("0123456789ABCDEF".utf8)
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}

/// The type of a partition column and the values of directory names as values of that type.
enum PartitionType {
  /// The type that all values have: bigint, date, else varchar.
  static func infer(_ values: some Sequence<String?>) -> DataType {
    var couldBeInteger = true
    var couldBeDate = true
    var isEmpty = true
    for case let value? in values {
      isEmpty = false
      if couldBeInteger, integer(value) == nil { couldBeInteger = false }
      if couldBeDate, date(value) == nil { couldBeDate = false }
      if !couldBeInteger && !couldBeDate { break }
    }
    if isEmpty { return .varcharUnbounded }
    return couldBeInteger ? .bigint : couldBeDate ? .date : .varcharUnbounded
  }

  /// The value of a directory's name; nil where it is none of `type`, which `infer` or a table's schema gave.
  static func value(_ text: String?, as type: DataType) -> Value? {
    guard let text else { return .null }
    switch type {
    case .bigint: return integer(text).map { .integer($0) }
    case .integer: return integer(text).flatMap { Int32(exactly: $0) }.map { .integer(Int64($0)) }
    case .smallint: return integer(text).flatMap { Int16(exactly: $0) }.map { .integer(Int64($0)) }
    case .tinyint: return integer(text).flatMap { Int8(exactly: $0) }.map { .integer(Int64($0)) }
    case .boolean: return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
    case .date: return date(text).map { .integer(Int64($0)) }
    case .varchar: return .text(text)
    default: return nil
    }
  }

  /// Types that a partition column can have.
  static func isSupported(_ type: DataType) -> Bool {
    switch type {
    case .bigint, .integer, .smallint, .tinyint, .boolean, .date, .varchar: true
    default: false
    }
  }

  private static func integer(_ text: String) -> Int64? {
    // `+1` would come back as another text.
    text.hasPrefix("+") ? nil : Int64(text)
  }

  private static func date(_ text: String) -> Int32? {
    guard text.utf8.count == 10 else { return nil }
    var copy = text
    return copy.withUTF8 { DateTimeText.parseDate($0) }
  }
}
