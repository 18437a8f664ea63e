// Owns writing rows as delimited text (RFC 4180): header, quotes, NULL. It must not know where the text goes.

import Base
import Columnar
import TextColumns

/// Writes batches as rows of text. Used by one thread.
///
/// NULL is the dialect's text for it, unquoted; a value that would read as NULL is quoted, so that an empty text is
/// `""`. Numbers are written as clients see them. Types: those of `ColumnParser.isSupported`.
public final class DelimitedWriter {
  private let dialect: Dialect
  private let names: [String]
  private let output: TextOutput
  private let rules: QuoteRules
  /// Whether numbers, dates and booleans may need quotes, too.
  private let mayQuoteValues: Bool
  private var needsHeader: Bool
  private var room = Buffer(byteCount: 64 << 10)
  /// Bytes in `room`.
  private var filled = 0

  /// Rows with these columns go to `output`. Nothing is written yet.
  public init(columns names: [String], dialect: Dialect, output: TextOutput) {
    self.dialect = dialect
    self.names = names
    self.output = output
    rules = QuoteRules(dialect)
    mayQuoteValues = rules.mayBeInValues
    needsHeader = dialect.hasHeader
  }

  /// Bytes held in memory.
  public var retainedBytes: Int { room.byteCount + output.retainedBytes }

  /// Takes the rows of a batch, which has the file's columns. NOT_SUPPORTED for a value that needs quotes where the
  /// dialect has none, and for a text that is no UTF-8, which no reader of the file would take.
  public func append(_ batch: Batch) throws {
    try writeHeader()
    guard batch.count > 0 else { return }
    // Flat texts, which live until the loop is through.
    let texts = batch.columns.map { column -> Vector in
      let flat = column.flattened()
      return flat.type.layout == .string ? flat : ValueFormatter(flat.type).texts(flat)
    }
    let columns = zip(texts, batch.columns).map { text, column in
      ColumnCursor(
        views: UnsafePointer(text.values.pointer(to: StringView.self)),
        validity: text.validity.map { UnsafePointer($0.words) },
        mayNeedQuotes: mayQuoteValues || column.type.layout == .string)
    }
    try withExtendedLifetime(texts) {
      try columns.withUnsafeBufferPointer { try writeRows($0, count: batch.count) }
    }
  }

  /// Writes what is left; also a header alone. Called once, last.
  public func finish() throws {
    try writeHeader()
    try output.finish()
  }

  private struct ColumnCursor {
    let views: UnsafePointer<StringView>
    let validity: UnsafePointer<UInt64>?
    let mayNeedQuotes: Bool
  }

  private func writeRows(_ columns: UnsafeBufferPointer<ColumnCursor>, count: Int) throws {
    let nullText = Array(dialect.nullText.utf8)
    for row in 0..<count {
      for index in 0..<columns.count {
        let column = columns[index]
        if index > 0 { put(dialect.delimiter) }
        if let validity = column.validity, (validity[row &>> 6] &>> UInt64(row & 63)) & 1 == 0 {
          for byte in nullText { put(byte) }
          continue
        }
        let view = column.views[row]
        if column.mayNeedQuotes {
          try putText(view)
        } else {
          reserve(view.count)
          view.copyBytes(to: room.pointer(to: UInt8.self) + filled)
          filled &+= view.count
        }
      }
      put(dialect.rowEnd)
      if filled >= 32 << 10 { try flush() }
    }
    try flush()
  }

  @inline(__always)
  private func put(_ byte: UInt8) {
    if filled == room.byteCount { grow(1) }
    room.pointer(to: UInt8.self)[filled] = byte
    filled &+= 1
  }

  @inline(__always)
  private func reserve(_ count: Int) { if filled &+ count > room.byteCount { grow(count) } }

  @inline(never)
  private func grow(_ count: Int) {
    let larger = Buffer(byteCount: max(filled + count, room.byteCount * 2))
    larger.base.copyMemory(from: room.base, byteCount: filled)
    room = larger
  }

  private func flush() throws {
    try output.write(UnsafeRawBufferPointer(start: room.base, count: filled))
    filled = 0
    // One huge value does not keep its room.
    if room.byteCount > 1 << 20 { room = Buffer(byteCount: 64 << 10) }
  }

  private func putText(_ view: StringView) throws {
    // Each byte may need an escape in front, and there are two quotes.
    reserve(2 &* view.count &+ 2)
    let target = room.pointer(to: UInt8.self) + filled
    let form = view.withBytes { rules.form($0) }
    if form == .notUTF8 { throw TextOutput.notUTF8(view) }
    guard form == .quoted else {
      view.copyBytes(to: target)
      filled &+= view.count
      return
    }
    guard let quote = dialect.quote else { throw Self.cannotQuote(view.text) }
    filled &+= view.withBytes { rules.quoted($0, quote: quote, to: target) }
  }

  private static func cannotQuote(_ text: String) -> WaterbearError {
    WaterbearError(
      .notSupported, "The value '\(text.prefix(100))' needs quotes, and this table's files are written without",
      remedy: "Write it into a table of another format, or replace the characters that part fields and rows.")
  }

  private func writeHeader() throws {
    guard needsHeader else { return }
    needsHeader = false
    let heap = StringHeap()
    for (index, name) in names.enumerated() {
      if index > 0 { put(dialect.delimiter) }
      try putText(heap.store(name))
    }
    put(dialect.rowEnd)
    try flush()
    withExtendedLifetime(heap) {}
  }
}

/// How a text is written.
private enum TextForm {
  case plain
  case quoted
  case notUTF8
}

/// Which texts need quotes, and how they are quoted.
private struct QuoteRules {
  /// For each byte whether a text with it needs quotes.
  private let special: Buffer
  private let nullText: [UInt8]
  private let quote: UInt8
  private let escape: UInt8

  init(_ dialect: Dialect) {
    special = Buffer(zeroed: 256)
    let table = special.pointer(to: Bool.self)
    for byte in [dialect.delimiter, dialect.rowEnd, 0x0a, 0x0d] { table[Int(byte)] = true }
    if let quote = dialect.quote { table[Int(quote)] = true }
    nullText = Array(dialect.nullText.utf8)
    quote = dialect.quote ?? 0
    escape = dialect.escape ?? quote
  }

  /// Whether a number, a date or a boolean can hold what needs quotes.
  var mayBeInValues: Bool {
    let table = special.pointer(to: Bool.self)
    let bytes = Array("0123456789+-.: EINTaefilnrstuy".utf8)
    return bytes.contains { table[Int($0)] } || (!nullText.isEmpty && nullText.allSatisfy(bytes.contains))
  }

  func form(_ text: UnsafeBufferPointer<UInt8>) -> TextForm {
    // An empty text is quoted under any dialect: others take nothing for NULL.
    guard let start = text.baseAddress, text.count > 0 else { return .quoted }
    let table = special.pointer(to: Bool.self)
    var found = false
    var high: UInt8 = 0
    for index in 0..<text.count {
      found = found || table[Int(text[index])]
      high |= text[index]
    }
    if high >= 0x80, !UTF8Check.isValid(start, count: text.count) { return .notUTF8 }
    if found { return .quoted }
    // Blanks at the ends are dropped by some readers.
    if text[0] == 0x20 || text[text.count &- 1] == 0x20 { return quote != 0 ? .quoted : .plain }
    return text.count == nullText.count && text.elementsEqual(nullText) ? .quoted : .plain
  }

  /// Writes the text with its quotes at `target`; the bytes written.
  func quoted(_ text: UnsafeBufferPointer<UInt8>, quote: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = quote
    var written = 1
    for index in 0..<text.count {
      let byte = text[index]
      if byte == quote || byte == escape {
        target[written] = escape
        written &+= 1
      }
      target[written] = byte
      written &+= 1
    }
    target[written] = quote
    return written &+ 1
  }
}
