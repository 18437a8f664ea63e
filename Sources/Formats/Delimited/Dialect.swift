// Owns how delimited text is written: the characters that part fields and rows, and what is fixed of that beforehand.

import TextColumns

/// How the fields and rows of a text are told apart (RFC 4180 and its relatives).
public struct Dialect: Hashable, Codable, Sendable {
  public var delimiter: UInt8
  /// Around fields that hold delimiters, quotes or line ends; nil where quotes mean nothing.
  public var quote: UInt8?
  /// In front of a quote inside of a quoted field; the quote itself where it is doubled.
  public var escape: UInt8?
  /// The last byte of a row: a line feed, which may have a carriage return in front, or a carriage return alone.
  public var rowEnd: UInt8
  public var hasHeader: Bool
  /// Unquoted text that is NULL; nothing between two delimiters where it is empty.
  public var nullText: String
  /// Fields of a row.
  public var fieldCount: Int

  public init(
    delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""), escape: UInt8? = nil,
    rowEnd: UInt8 = UInt8(ascii: "\n"), hasHeader: Bool = true, nullText: String = "", fieldCount: Int = 1
  ) {
    self.delimiter = delimiter
    self.quote = quote
    self.escape = escape ?? quote
    self.rowEnd = rowEnd
    self.hasHeader = hasHeader
    self.nullText = nullText
    self.fieldCount = fieldCount
  }

  /// What stands for NULL, and how quoted fields are read.
  public var rules: FieldRules {
    FieldRules(nullText: Array(nullText.utf8), escapes: .byte(escape ?? quote ?? UInt8(ascii: "\"")))
  }
}

/// What somebody knows of a dialect; nil is to be found out.
public struct DialectHints: Hashable, Codable, Sendable {
  public var delimiter: UInt8?
  /// Inner nil: there are no quotes.
  public var quote: UInt8??
  /// Inner nil: quotes are doubled.
  public var escape: UInt8??
  public var hasHeader: Bool?
  public var nullText: String?

  public init() {}
}
