// Owns what a user of a file sees of its columns, and what one asks of them.

import Base
import Columnar

/// A column of a file. Fields of structures that are no lists appear as columns named `structure.field`; a list or map
/// appears as one column that cannot be read.
public struct ParquetColumn: Sendable {
  /// Its name as the file spells it, with dots between the levels of structures.
  public var name: String
  /// The SQL type of its values, or nil where it cannot be read.
  public var type: DataType?
  /// Why it cannot be read; nil where it can.
  public var unreadable: WaterbearError?
  /// The leaves below it.
  var leaves: Range<Int>
  var mapping: ValueMapping?
  var definitionLevelMax: Int
}

/// A column that a reader gives.
public struct ParquetReadColumn: Sendable {
  /// Where its values come from.
  public enum Source: Sendable {
    /// A column of the file, by its position in `ParquetFile.columns`.
    case column(Int)
    /// The same value for every row, such as NULL for a column that this file lacks, or a partition's value.
    case constant(Value)
  }

  public var source: Source
  /// The type that comes out: the file's, or a wider one of the same kind.
  public var type: DataType

  public init(source: Source, type: DataType) {
    self.source = source
    self.type = type
  }
}

/// What a footer says of a column's values in a row group. Nil means unknown.
public struct ParquetColumnStatistics: Sendable {
  /// A lower bound of the values, in the SQL type of the column. A text may be cut off.
  public var minimum: Value?
  /// An upper bound.
  public var maximum: Value?
  public var nullCount: Int64?
  public var distinctCount: Int64?
}

extension ParquetColumn {
  /// A column of the schema, which may turn out not to be readable.
  init(_ column: SchemaColumn, file: String) {
    name = column.path.joined(separator: ".")
    leaves = column.leaves
    definitionLevelMax = column.definitionLevelMax
    if let nesting = column.nesting {
      unreadable = Self.refusal(name, file, "is \(nesting), which cannot be read")
      return
    }
    do {
      let mapping = try ValueMapping(column.element)
      self.mapping = mapping
      type = mapping.type
    } catch {
      unreadable =
        error.isUnsupported
        ? Self.refusal(name, file, "is \(error.what), which cannot be read")
        : WaterbearError(.filesBadData, "\(file), column '\(name)': \(error.what)")
    }
  }

  private static func refusal(_ name: String, _ file: String, _ what: String) -> WaterbearError {
    WaterbearError(.notSupported, "\(file): column '\(name)' \(what)", remedy: "leave the column out of the query")
  }
}
