// Owns the rule by which a plain file is cut into ranges of rows.

import Base
import Columnar
import TextColumns

/// Finds where the first row begins at or behind an offset, by the bytes around it alone.
///
/// A byte in the middle of a file may be inside or outside of quotes, which only the whole text in front of it could
/// tell. So each possibility is tried on the text behind it, and the one that gives proper rows is taken; where several
/// do, that without quotes. All readers of a file come to the same borders, since they look at the same bytes. And a
/// wrong guess is never silent: the reader of the range in front of a border, which began at a true border, finds that
/// no row ends there. By induction from the start of the file all rows of a file that was read without an error were
/// read exactly once.
///
/// The idea is that of Ge, Li, Eilebrecht, Chandramouli and Kossmann, "Speculative Distributed CSV Data Parsing for Big
/// Data Analytics" (SIGMOD 2019).
public struct RowBorder: Sendable {
  /// Reads bytes at an offset; fewer only at the end of the file.
  public typealias Read = (Int64, UnsafeMutablePointer<UInt8>, Int) throws -> Int

  private let dialect: Dialect
  private let size: Int64
  private let name: String

  /// Bytes that are looked at first, and at most: as many as two of the longest rows.
  private static let window = 32 << 10
  private static let largestWindow = 2 * DelimitedReader.longestRow
  /// Rows that a possibility must give to be believed before the text ends; in windows from `longWindow` on one.
  private static let rowsToBelieve = 24
  private static let longWindow = 8 << 20

  /// Borders of a file of `size` bytes; `name` is for messages.
  public init(_ dialect: Dialect, size: Int64, name: String) {
    self.dialect = dialect
    self.size = size
    self.name = name
  }

  /// Where the first row begins at or behind `offset`; the size of the file where none does.
  public func find(_ offset: Int64, read: Read) throws -> Int64 {
    if offset <= 0 { return 0 }
    if offset >= size { return size }
    var length = Self.window
    while true {
      // From the byte in front, which tells whether a row or field begins at the offset.
      let buffer = Buffer(byteCount: length)
      let bytes = buffer.pointer(to: UInt8.self)
      let count = try read(offset - 1, bytes, length)
      let isLast = offset - 1 + Int64(count) >= size
      let found = withExtendedLifetime(buffer) { border(bytes, count, isLast: isLast) }
      if let found { return offset - 1 + Int64(found) }
      guard !isLast, length < Self.largestWindow else {
        throw WaterbearError(
          .filesBadData, "\(name): no row ends within \(count) bytes behind offset \(offset)",
          remedy: "Look whether a quote is missing, or whether delimiter and quote are the right ones.")
      }
      length = min(length * 4, Self.largestWindow)
    }
  }

  private struct Candidate {
    var start: Int
    var rows: Int
    /// All of the text that was looked at was proper.
    var isProper: Bool
  }

  /// The position of the first row that begins behind the first byte; nil where more text is needed.
  private func border(_ bytes: UnsafePointer<UInt8>, _ count: Int, isLast: Bool) -> Int? {
    guard count > 1 else { return count }
    let enough = count < Self.longWindow ? Self.rowsToBelieve : 1
    guard let quote = dialect.quote, contains(bytes, count, quote) else {
      for index in 0..<count where bytes[index] == dialect.rowEnd { return index + 1 }
      return isLast ? count : nil
    }
    var candidates: [Candidate] = []
    for guess in [outside(bytes, count), inside(bytes, count, from: 1), inside(bytes, count, from: 2)] {
      guard let guess else { continue }
      let candidate = follow(bytes, count, from: guess, isLast: isLast)
      if candidate.isProper, candidate.rows >= enough || isLast { candidates.append(candidate) }
    }
    if let best = candidates.first { return best.start }
    return isLast ? count : nil
  }

  /// Where the next row begins if the byte at 1 is outside of quotes.
  private func outside(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int? {
    if bytes[0] == dialect.rowEnd { return 1 }
    // The rest of the field at 1, which begins there behind a delimiter only.
    let isFieldStart = bytes[0] == dialect.delimiter
    return rowEnd(bytes, count, from: 1, isFieldStart: isFieldStart)
  }

  /// Where the next row begins if the byte at `start` is inside of quotes.
  private func inside(_ bytes: UnsafePointer<UInt8>, _ count: Int, from start: Int) -> Int? {
    guard let quote = dialect.quote, start < count else { return nil }
    // The second of two quotes that stand for one.
    if start == 2, !(bytes[0] == quote && bytes[1] == quote) { return nil }
    guard let close = closingQuote(bytes, count, from: start), close + 1 < count else { return nil }
    let next = bytes[close + 1]
    guard next == dialect.delimiter || next == dialect.rowEnd || next == 0x0d else { return nil }
    return rowEnd(bytes, count, from: close + 1, isFieldStart: false)
  }

  /// The position behind the end of the row, of which `start` is outside of quotes.
  private func rowEnd(_ bytes: UnsafePointer<UInt8>, _ count: Int, from start: Int, isFieldStart: Bool) -> Int? {
    var at = start
    var isFieldStart = isFieldStart
    while at < count {
      if isFieldStart, bytes[at] == dialect.quote {
        guard let close = closingQuote(bytes, count, from: at + 1) else { return nil }
        at = close + 1
        isFieldStart = false
        continue
      }
      if bytes[at] == dialect.rowEnd { return at + 1 }
      isFieldStart = bytes[at] == dialect.delimiter
      at += 1
    }
    return nil
  }

  private func closingQuote(_ bytes: UnsafePointer<UInt8>, _ count: Int, from start: Int) -> Int? {
    var at = start
    while at < count {
      if bytes[at] == dialect.escape, dialect.escape != dialect.quote {
        at += 2
      } else if bytes[at] == dialect.quote {
        guard dialect.escape == dialect.quote, at + 1 < count, bytes[at + 1] == dialect.quote else { return at }
        at += 2
      } else {
        at += 1
      }
    }
    return nil
  }

  /// How well the text reads as rows from `start` on.
  private func follow(_ bytes: UnsafePointer<UInt8>, _ count: Int, from start: Int, isLast: Bool) -> Candidate {
    let scanner = RowScanner(dialect, wanted: [])
    let nowhere = FieldTable(columnCount: 1, capacity: 1)
    let result = scanner.scan(
      bytes, from: start, count: count, isLast: isLast, limit: Self.rowsToBelieve, into: nowhere.fields, stride: 0)
    let isOpenEnd = isLast && result.isInQuotes
    return Candidate(
      start: start, rows: result.rows, isProper: result.fault == nil && !isOpenEnd)
  }

  private func contains(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ byte: UInt8) -> Bool {
    UnsafeBufferPointer(start: bytes, count: count).contains(byte)
  }
}
