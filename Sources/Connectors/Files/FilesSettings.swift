// Owns the properties of a files catalog: their names, defaults and meaning.

import Base
import Delimited

/// A catalog's choices.
struct FilesSettings: Sendable {
  var baseDirectory: String
  var csv = DialectHints()
  /// Rows of a text file that types are inferred from.
  var sampleRows = 20_000
  /// Partitions that one task writes to. Each holds a file open and a part of a row group in memory.
  var mostPartitions = 100

  private static let baseDirectoryKey = "files.base-directory"
  private static let delimiterKey = "files.csv.delimiter"
  private static let quoteKey = "files.csv.quote"
  private static let escapeKey = "files.csv.escape"
  private static let headerKey = "files.csv.header"
  private static let nullTextKey = "files.csv.null-text"
  private static let sampleRowsKey = "files.sample-rows"
  static let mostPartitionsKey = "files.max-partitions-per-writer"
  static let names = [
    baseDirectoryKey, delimiterKey, quoteKey, escapeKey, headerKey, nullTextKey, sampleRowsKey, mostPartitionsKey,
  ]

  /// Reads properties; CONFIGURATION_INVALID names what is missing, unknown or malformed.
  init(_ values: [String: String]) throws(WaterbearError) {
    guard let directory = values[Self.baseDirectoryKey], !directory.isEmpty else {
      throw WaterbearError(
        .configurationInvalid, "\(Self.baseDirectoryKey) is missing",
        remedy: "Name the directory whose directories are the catalog's schemas.")
    }
    baseDirectory = directory
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      switch key {
      case Self.baseDirectoryKey: break
      case Self.delimiterKey: csv.delimiter = try Self.byte(key, value)
      case Self.quoteKey: csv.quote = value.lowercased() == "none" ? .some(nil) : .some(try Self.byte(key, value))
      case Self.escapeKey: csv.escape = value.lowercased() == "none" ? .some(nil) : .some(try Self.byte(key, value))
      case Self.headerKey: csv.hasHeader = try Self.header(key, value)
      case Self.nullTextKey: csv.nullText = value
      case Self.sampleRowsKey:
        guard let rows = Int(value), (1...10_000_000).contains(rows) else {
          throw Self.invalid(key, value, "a number from 1 to 10000000")
        }
        sampleRows = rows
      case Self.mostPartitionsKey:
        guard let count = Int(value), (1...10_000).contains(count) else {
          throw Self.invalid(key, value, "a number from 1 to 10000")
        }
        mostPartitions = count
      default:
        throw WaterbearError(
          .configurationInvalid, "Configuration property '\(key)' was not used",
          remedy: "The files connector knows \(Self.names.joined(separator: ", ")).")
      }
    }
  }

  /// One ASCII character, or the name of one that cannot be seen.
  static func byte(_ key: String, _ value: String) throws(WaterbearError) -> UInt8 {
    switch value.lowercased() {
    case "\\t", "tab": return 0x09
    case "space": return 0x20
    case "comma": return UInt8(ascii: ",")
    default: break
    }
    let bytes = Array(value.utf8)
    guard bytes.count == 1, bytes[0] < 0x80, bytes[0] != 0x0a, bytes[0] != 0x0d, bytes[0] != 0 else {
      throw invalid(key, value, "one ASCII character, or \\t, tab or space")
    }
    return bytes[0]
  }

  private static func header(_ key: String, _ value: String) throws(WaterbearError) -> Bool? {
    switch value.lowercased() {
    case "auto": return nil
    case "true": return true
    case "false": return false
    default: throw invalid(key, value, "auto, true or false")
    }
  }

  private static func invalid(_ key: String, _ value: String, _ valid: String) -> WaterbearError {
    WaterbearError(
      .configurationInvalid, "Invalid value '\(value)' for property '\(key)'", remedy: "Valid is \(valid).")
  }
}
