// Owns what the first rows of a file tell: its dialect, the names of its columns, and what their values look like.

import Base
import Columnar
import Platform
import TextColumns

/// The start of a delimited file, looked at.
public struct DelimitedSample: Sendable {
  public var dialect: Dialect
  /// In lower case, each different from the others; `column1` and so on where the file names none.
  public var names: [String]
  /// What the values look like, in the order of names.
  public var guesses: [TypeGuess]
  /// Rows that were looked at, without the header.
  public var rows: Int
  /// Bytes of text that these rows take.
  public var bytes: Int
  /// Bytes of text in front of them.
  public var headerBytes: Int
  /// Whether these are all rows of the file.
  public var isWhole: Bool

  /// Bytes that are read at most.
  private static let largestSample = 8 << 20

  /// Columns that a file may have: each costs memory for every row that is looked at.
  private static let mostColumns = 1 << 16

  /// Looks at up to `rows` rows. Nil for a file without text. `known`: a dialect that is not to be found out again, but
  /// for its number of fields. FILES_BAD_DATA where the first row is none. Cost: reads more where the first row is
  /// longer than usual.
  public static func read(
    _ file: OwnedDescriptor, name: String, size: Int64, compression: TextCompression, hints: DialectHints,
    known: Dialect? = nil, rows: Int
  ) throws -> DelimitedSample? {
    // A header and a first row mostly fit into little, and whoever asks for more rows gets them.
    var capacity = min(largestSample, max(64 << 10, rows * 256))
    while true {
      let (block, start) = try Self.text(file, name: name, size: size, compression: compression, capacity: capacity)
      if block.count == start { return nil }
      let isWhole = block.count < capacity
      let sniffer = DialectSniffer(block, from: start, isWhole: isWhole, hints: hints)
      var dialect = known ?? sniffer.sniff()
      if known != nil { dialect.fieldCount = sniffer.fieldCount(dialect) }
      guard dialect.fieldCount <= mostColumns else {
        throw WaterbearError(
          .filesBadData, "\(name) has \(dialect.fieldCount) columns, of which at most \(mostColumns) are read",
          remedy: dialectRemedy)
      }
      let sample = try DelimitedSample(
        block, from: start, isWhole: isWhole, dialect: dialect, rows: rows,
        hasHeader: known?.hasHeader ?? hints.hasHeader, name: name)
      if let sample { return sample }
      guard capacity < DelimitedReader.longestRow else {
        throw WaterbearError(
          .filesBadData, "\(name): the first row has more than \(DelimitedReader.longestRow) bytes",
          remedy: "Look for a quote that is missing.")
      }
      capacity = min(capacity * 8, DelimitedReader.longestRow)
    }
  }

  /// The first bytes of the text, and where they begin behind a byte order mark.
  private static func text(
    _ file: OwnedDescriptor, name: String, size: Int64, compression: TextCompression, capacity: Int
  ) throws -> (block: TextBlock, start: Int) {
    let buffer = Buffer(byteCount: capacity)
    let bytes = buffer.pointer(to: UInt8.self)
    let input = try TextInput(file, name: name, range: 0..<size, compression: compression)
    let count = try input.read(into: bytes, count: capacity)
    if count >= 2, bytes[0] == 0xff && bytes[1] == 0xfe || bytes[0] == 0xfe && bytes[1] == 0xff {
      throw WaterbearError(
        .notSupported, "\(name) is UTF-16", remedy: "Convert it, such as with iconv -f utf-16 -t utf-8.")
    }
    let hasMark = count >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf
    let block = TextBlock(buffer: buffer, count: count, isASCII: UTF8Check.isASCII(bytes, count: count))
    return (block, hasMark ? 3 : 0)
  }

  private static let dialectRemedy =
    "Correct the file, or set files.csv.delimiter, files.csv.quote and files.csv.escape if it is written otherwise."

  /// Nil where the first row does not end in the block.
  private init?(
    _ block: TextBlock, from start: Int, isWhole: Bool, dialect: Dialect, rows limit: Int, hasHeader: Bool?,
    name: String
  ) throws {
    self.dialect = dialect
    let columns = dialect.fieldCount
    let scanner = RowScanner(dialect, wanted: Array(0..<columns))
    let first = FieldTable(columnCount: columns, capacity: 1)
    let header = scanner.scan(
      block.base, from: start, count: block.count, isLast: isWhole, limit: 1, into: first.fields, stride: 1)
    guard header.rows == 1 else {
      guard isWhole || header.fault != nil else { return nil }
      let what = header.fault == nil ? "a quote is not closed" : "text follows a closing quote"
      throw WaterbearError(
        .filesBadData, "\(name), offset \(header.end) of its text: \(what) in the first row",
        remedy: Self.dialectRemedy)
    }
    let rules = dialect.rules
    let texts = (0..<columns).map { Self.text(first.column($0)[0], block, rules) }
    var observed = Observation(columns: columns)
    observed.observe(block, scanner, from: header.end, isWhole: isWhole, limit: limit, rules: rules)
    let isHeader = hasHeader ?? observed.looksLikeHeader(texts)
    if !isHeader {
      observed.observeRow(first, row: 0, block, rules: rules)
      observed.rows += 1
      observed.end = max(observed.end, header.end)
    }
    self.dialect.hasHeader = isHeader
    names = Self.uniqueNames(isHeader ? texts : [String](repeating: "", count: columns))
    guesses = observed.guesses
    rows = observed.rows
    headerBytes = isHeader ? header.end : start
    bytes = observed.end - headerBytes
    self.isWhole = isWhole && observed.end >= block.count
  }

  /// Guesses of all columns over many rows.
  private struct Observation {
    var guesses: [TypeGuess]
    /// Columns in which a value was missing.
    private var hasGaps: [Bool]
    var rows = 0
    var end = 0

    init(columns: Int) {
      guesses = [TypeGuess](repeating: TypeGuess(), count: columns)
      hasGaps = [Bool](repeating: false, count: columns)
    }

    mutating func observe(
      _ block: TextBlock, _ scanner: RowScanner, from start: Int, isWhole: Bool, limit: Int, rules: FieldRules
    ) {
      let capacity = FieldTable.capacity(columns: guesses.count, atMost: 1024)
      let table = FieldTable(columnCount: guesses.count, capacity: capacity)
      end = start
      while rows < limit {
        let result = scanner.scan(
          block.base, from: end, count: block.count, isLast: isWhole, limit: min(table.capacity, limit - rows),
          into: table.fields, stride: table.capacity)
        for row in 0..<result.rows { observeRow(table, row: row, block, rules: rules) }
        rows += result.rows
        end = result.end
        // What is wrong with a row is said when it is read.
        if result.rows == 0 { return }
      }
    }

    mutating func observeRow(_ table: FieldTable, row: Int, _ block: TextBlock, rules: FieldRules) {
      for column in guesses.indices {
        let field = table.column(column)[row]
        if field.count == 0 || Self.isNullText(field, block, rules) {
          hasGaps[column] = true
          continue
        }
        if field.isEscaped {
          guesses[column].observeText()
        } else {
          guesses[column].observe(block.base + field.start, field.count)
        }
      }
    }

    /// Whether a row over those seen names the columns. It does where a field of it is a word in a column that has only
    /// values of another type otherwise, whatever its other fields are. Where no column says so, all fields must be
    /// different words; one may be missing over a column that is empty, as may that of an index in front.
    func looksLikeHeader(_ texts: [String]) -> Bool {
      var names = Set<String>()
      var areNames = true
      for (column, text) in texts.enumerated() {
        let word = DelimitedSample.plainName(text)
        if word.isEmpty {
          let isIndex = column == 0 && rows > 0 && !hasGaps[column]
          if !isIndex && (rows == 0 || !guesses[column].isEmpty) { areNames = false }
          continue
        }
        if !names.insert(word).inserted || !Self.isWord(word) {
          areNames = false
        } else if !guesses[column].isEmpty, guesses[column].type != .varcharUnbounded, Self.isName(word) {
          return true
        }
      }
      return areNames && !names.isEmpty
    }

    /// Whether the text reads as nothing but text.
    private static func isWord(_ text: String) -> Bool {
      var guess = TypeGuess()
      Array(text.utf8).withUnsafeBufferPointer { bytes in
        if let start = bytes.baseAddress { guess.observe(start, bytes.count) }
      }
      return guess.isText
    }

    /// Whether a text may stand over values: no damaged number, and not what people write for a missing one.
    private static func isName(_ word: String) -> Bool {
      let first = word.drop { "+-.".contains($0) }.first
      return !(first?.isNumber ?? true) && !["na", "n/a", "null", "none", "nil", "\\n", "?"].contains(word)
    }

    private static func isNullText(_ field: FieldRef, _ block: TextBlock, _ rules: FieldRules) -> Bool {
      guard !field.isQuoted, field.count == rules.nullText.count else { return false }
      return rules.nullText.elementsEqual(UnsafeBufferPointer(start: block.base + field.start, count: field.count))
    }
  }

  private static func text(_ field: FieldRef, _ block: TextBlock, _ rules: FieldRules) -> String {
    let bytes = UnsafeBufferPointer(start: block.base + field.start, count: field.count)
    guard field.isEscaped else { return String(decoding: bytes, as: UTF8.self) }
    let copy = Buffer(byteCount: max(field.count, 1))
    let target = copy.pointer(to: UInt8.self)
    let count = rules.escapes.unescape(bytes, to: target) ?? 0
    return withExtendedLifetime(copy) {
      String(decoding: UnsafeBufferPointer(start: target, count: count), as: UTF8.self)
    }
  }

  /// In lower case, without blanks around it.
  private static func plainName(_ text: String) -> String {
    var trimmed = Substring(text.lowercased())
    while trimmed.first?.isWhitespace ?? false { trimmed.removeFirst() }
    while trimmed.last?.isWhitespace ?? false { trimmed.removeLast() }
    return String(trimmed)
  }

  private static func uniqueNames(_ texts: [String]) -> [String] {
    var seen = Set<String>()
    return texts.enumerated().map { index, text in
      let plain = plainName(text)
      let base = plain.isEmpty ? "column\(index + 1)" : plain
      var name = base
      var number = 2
      while !seen.insert(name).inserted {
        name = "\(base)_\(number)"
        number += 1
      }
      return name
    }
  }
}
