// Owns the names of the forms in which rows are printed, and which one is taken where none was asked for.
import ArgumentParser
import Columnar

/// How rows leave.
public enum OutputFormat: String, Sendable, CaseIterable {
  case table, csv, tsv, json, jsonl, markdown, arrow, parquet

  /// The formats, for help.
  static var names: String {
    let names = allCases.map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
  }

  /// People get a table, programs get CSV.
  static func standard(for console: Console) -> OutputFormat { console.outputIsTerminal ? .table : .csv }

  func writer(to output: OutputStream) -> any ResultWriter {
    switch self {
    case .csv, .tsv, .json, .jsonl: RowWriter(self, output: output)
    case .table: AlignedWriter(.display, output: output)
    case .markdown: AlignedWriter(.markdown, output: output)
    case .arrow: ArrowWriter(output: output)
    case .parquet: ParquetResultWriter(output: output)
    }
  }

  /// Whether the output is bytes that no terminal should get.
  var isBinary: Bool { self == .arrow || self == .parquet }

  /// This format, unless it is binary and would go to a terminal.
  func allowed(on console: Console) throws -> OutputFormat {
    guard isBinary, console.outputIsTerminal else { return self }
    throw ValidationError(
      "--format \(rawValue) is binary, and standard output is a terminal; "
        + "send it to a file (> result.\(rawValue)) or to a program.")
  }
}

/// A column of what is printed.
public struct OutputColumn: Hashable, Sendable {
  public var name: String
  public var type: DataType

  public init(_ name: String, _ type: DataType) {
    self.name = name
    self.type = type
  }
}

/// Prints rows in one format. `begin` comes first and once, `finish` last and once.
protocol ResultWriter: AnyObject {
  func begin(_ columns: [OutputColumn]) throws
  /// A batch with the columns of `begin`. What it prints may be held back until `finish`.
  func write(_ batch: Batch) throws
  /// Ends the output, but flushes nothing.
  func finish() throws
  /// Who prints the result of a write instead: this one, as rows, for programs; a line for people.
  func writer(forUpdate updateType: String) -> any ResultWriter
}

extension ResultWriter {
  func writer(forUpdate updateType: String) -> any ResultWriter { self }
}

extension DataType {
  /// Whether values are numbers: to the right in a table.
  var isNumeric: Bool {
    switch self {
    case .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal: true
    default: false
    }
  }

  /// Whether JSON readers, which mostly know numbers as doubles, read a value back exactly: 15 digits survive a double
  /// (IEEE 754), longer decimals are strings. bigint is a number nevertheless, as everywhere.
  var isJSONNumber: Bool {
    switch self {
    case .decimal(let precision, _): precision <= 15
    default: isNumeric
    }
  }
}
