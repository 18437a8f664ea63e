// Owns finding out how a text is delimited, from its first bytes.

import Columnar
import TextColumns

/// Tries the usual dialects on the start of a text.
struct DialectSniffer {
  private let base: UnsafePointer<UInt8>
  private let count: Int
  private let isWhole: Bool
  private let hints: DialectHints

  private static let delimiters: [UInt8] = [
    UInt8(ascii: ","), 0x09, UInt8(ascii: "|"), UInt8(ascii: ";"),
  ]
  /// Rows that a dialect is tried on.
  private static let rows = 500

  /// `start` is behind a byte order mark; `isWhole`: the text ends with the block.
  init(_ block: TextBlock, from start: Int, isWhole: Bool, hints: DialectHints) {
    base = block.base + start
    count = block.count - start
    self.isWhole = isWhole
    self.hints = hints
  }

  private struct Attempt {
    var dialect: Dialect
    var rows: Int
    var hasFault: Bool

    /// How far it is to be believed. Every text can be read as rows of one field, so that says little.
    private var trust: Int {
      if dialect.fieldCount > 1 { return !hasFault ? 3 : rows >= 2 ? 2 : 0 }
      return hasFault ? 0 : 1
    }

    /// The most trusted first, then those that part the rows into most fields.
    func isBetter(than other: Attempt) -> Bool {
      if trust != other.trust { return trust > other.trust }
      if hasFault, rows != other.rows { return rows > other.rows }
      return dialect.fieldCount > other.dialect.fieldCount
    }
  }

  /// The dialect that suits best, without saying whether there is a header.
  func sniff() -> Dialect {
    let quote = hints.quote ?? UInt8(ascii: "\"")
    var escapes: [UInt8?] = [quote]
    if let known = hints.escape { escapes = [known ?? quote] } else if quote != nil { escapes.append(0x5c) }
    var best: Attempt?
    for escape in escapes {
      for delimiter in hints.delimiter.map({ [$0] }) ?? Self.delimiters {
        let attempt = attempt(delimiter, quote, escape)
        if best.map({ attempt.isBetter(than: $0) }) ?? true { best = attempt }
      }
      if let best, !best.hasFault { break }
    }
    return best?.dialect ?? Dialect()
  }

  private func attempt(_ delimiter: UInt8, _ quote: UInt8?, _ escape: UInt8?) -> Attempt {
    var dialect = Dialect(
      delimiter: delimiter, quote: quote, escape: escape, rowEnd: rowEnd, nullText: hints.nullText ?? "")
    dialect.fieldCount = firstRow(dialect).fields
    let nowhere = FieldTable(columnCount: 1, capacity: 1)
    let result = RowScanner(dialect, wanted: []).scan(
      base, from: 0, count: count, isLast: isWhole, limit: Self.rows, into: nowhere.fields, stride: 0)
    return Attempt(dialect: dialect, rows: result.rows, hasFault: result.fault != nil)
  }

  private var rowEnd: UInt8 {
    let text = UnsafeBufferPointer(start: base, count: count)
    return !text.contains(0x0a) && text.contains(0x0d) ? 0x0d : 0x0a
  }

  /// The fields of the first row that is not blank.
  private func firstRow(_ dialect: Dialect) -> (fields: Int, isComplete: Bool) {
    var fields = 1
    var isFieldStart = true
    var isBlank = true
    var at = 0
    while at < count {
      let byte = base[at]
      if isFieldStart, byte == dialect.quote {
        at = behindQuotes(dialect, from: at + 1)
        isFieldStart = false
        isBlank = false
        continue
      }
      if byte == dialect.rowEnd {
        if !isBlank { return (fields, true) }
        fields = 1
      } else if byte == dialect.delimiter {
        fields += 1
        isBlank = false
      } else if byte != 0x0d {
        isBlank = false
      }
      isFieldStart = byte == dialect.delimiter || byte == dialect.rowEnd
      at += 1
    }
    return (fields, isWhole)
  }

  private func behindQuotes(_ dialect: Dialect, from start: Int) -> Int {
    var at = start
    while at < count {
      if base[at] == dialect.escape, dialect.escape != dialect.quote {
        at += 2
      } else if base[at] == dialect.quote {
        guard dialect.escape == dialect.quote, at + 1 < count, base[at + 1] == dialect.quote else { return at + 1 }
        at += 2
      } else {
        at += 1
      }
    }
    return count
  }

  /// Fields of the first row in a dialect that is known.
  func fieldCount(_ dialect: Dialect) -> Int { firstRow(dialect).fields }
}
