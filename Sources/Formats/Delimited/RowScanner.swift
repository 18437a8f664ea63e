// Owns finding rows and fields in a block of delimited text: one pass over the bytes, 64 at a time. Parses no value.

import CTextScan
import Columnar
import Glibc
import TextColumns

/// What is wrong with a row.
public enum RowFault: Hashable, Sendable {
  /// Fields that the row has.
  case tooFewFields(Int)
  case tooManyFields
  case textBehindQuote
}

/// What a scan found.
public struct ScanResult: Sendable {
  /// Whole rows whose fields were put down.
  public var rows: Int
  /// Where the first row begins that was not put down.
  public var end: Int
  /// What is wrong with the row that begins at `end`.
  public var fault: RowFault?
  /// Whether the last row, which is not complete, ends within quotes.
  public var isInQuotes = false
}

/// Takes blocks of text apart. Immutable.
public struct RowScanner: Sendable {
  let delimiter: UInt8
  let rowEnd: UInt8
  /// Without quotes, no field is looked at for them.
  private let hasQuotes: Bool
  let quote: UInt8
  let escape: UInt8
  let fieldCount: Int
  /// For each field the column it is wanted for, or -1.
  private let columns: [Int32]

  /// `wanted`: the fields, by position in a row, that are put down, in the order of the table's columns; each at most
  /// once.
  public init(_ dialect: Dialect, wanted: [Int]) {
    delimiter = dialect.delimiter
    rowEnd = dialect.rowEnd
    hasQuotes = dialect.quote != nil
    quote = dialect.quote ?? 0
    escape = dialect.escape ?? dialect.quote ?? 0
    fieldCount = dialect.fieldCount
    var columns = [Int32](repeating: -1, count: max(dialect.fieldCount, 1))
    for (column, field) in wanted.enumerated() { columns[field] = Int32(column) }
    self.columns = columns
  }

  /// Puts down the fields of up to `limit` rows that begin at `start`. `count` bytes are there, and 64 more may be
  /// read; `isLast`: the text ends there, so that the last row needs no line end.
  ///
  /// Lines without text are no rows unless rows have one field. Cost: one pass.
  public func scan(
    _ base: UnsafePointer<UInt8>, from start: Int, count: Int, isLast: Bool, limit: Int,
    into fields: UnsafeMutablePointer<FieldRef>, stride: Int
  ) -> ScanResult {
    columns.withUnsafeBufferPointer { columns in
      scan(
        Text(base: base, count: count, isLast: isLast), from: start, limit: limit,
        Target(columns: columns.baseAddress.unsafelyUnwrapped, fields: fields, stride: stride))  // It is never empty.
    }
  }

  private struct Text {
    let base: UnsafePointer<UInt8>
    let count: Int
    let isLast: Bool
  }

  private struct Target {
    let columns: UnsafePointer<Int32>
    let fields: UnsafeMutablePointer<FieldRef>
    let stride: Int

    @inline(__always)
    func put(_ field: FieldRef, _ index: Int, _ row: Int) {
      let column = Int(columns[index])
      if column >= 0 { fields[column &* stride &+ row] = field }
    }
  }

  @inline(__always)
  private func scan(_ text: Text, from first: Int, limit: Int, _ target: Target) -> ScanResult {
    let base = text.base
    var borders = BorderBits(base: base, delimiter: delimiter, rowEnd: rowEnd, from: first)
    var row = 0
    var rowStart = first
    while row < limit, rowStart < text.count {
      var start = rowStart
      var field = 0
      while true {
        var end: Int
        if hasQuotes, start < text.count, base[start] == quote {
          switch quoted(text, start) {
          case .incomplete(let isOpen):
            return ScanResult(rows: row, end: rowStart, isInQuotes: isOpen)
          case .malformed: return ScanResult(rows: row, end: rowStart, fault: .textBehindQuote)
          case .field(let ref, let next):
            if field >= fieldCount { return ScanResult(rows: row, end: rowStart, fault: .tooManyFields) }
            target.put(ref, field, row)
            end = next
            borders.move(to: next)
          }
        } else {
          end = borders.peek(text.count)
          if end >= text.count {
            if !text.isLast { return ScanResult(rows: row, end: rowStart) }
            end = text.count
          }
          if field >= fieldCount { return ScanResult(rows: row, end: rowStart, fault: .tooManyFields) }
          var length = end &- start
          if length > 0, base[end &- 1] == 0x0d, end == text.count || base[end] == rowEnd { length &-= 1 }
          target.put(FieldRef(start: start, count: length), field, row)
        }
        field &+= 1
        if end < text.count { borders.take() }
        start = end &+ 1
        if end >= text.count || base[end] != delimiter { break }
      }
      if field == fieldCount {
        row &+= 1
      } else if !isBlank(text, rowStart, start &- 1) {
        return ScanResult(rows: row, end: rowStart, fault: .tooFewFields(field))
      }
      rowStart = min(start, text.count)
    }
    return ScanResult(rows: row, end: rowStart)
  }

  private func isBlank(_ text: Text, _ start: Int, _ end: Int) -> Bool {
    start >= end || (start &+ 1 == end && text.base[start] == 0x0d)
  }

  private enum Quoted {
    /// The field, and where the border behind it is.
    case field(FieldRef, Int)
    /// The text ends before the field does; within its quotes or just behind.
    case incomplete(isOpen: Bool)
    case malformed
  }

  /// The quoted field whose opening quote is at `start`.
  @inline(never)
  private func quoted(_ text: Text, _ start: Int) -> Quoted {
    var isEscaped = false
    var at = start &+ 1
    let close: Int
    while true {
      at = nextQuote(text, at)
      if at >= text.count { return .incomplete(isOpen: true) }
      let byte = text.base[at]
      if byte == escape, escape != quote {
        isEscaped = true
        at &+= 2
        continue
      }
      if escape == quote {
        if at &+ 1 >= text.count, !text.isLast { return .incomplete(isOpen: true) }
        if at &+ 1 < text.count, text.base[at &+ 1] == quote {
          isEscaped = true
          at &+= 2
          continue
        }
      }
      close = at
      break
    }
    let field = FieldRef(start: start &+ 1, count: close &- start &- 1, isQuoted: true, isEscaped: isEscaped)
    let next = close &+ 1
    if next >= text.count { return text.isLast ? .field(field, text.count) : .incomplete(isOpen: false) }
    let byte = text.base[next]
    if byte == delimiter || byte == rowEnd { return .field(field, next) }
    guard byte == 0x0d, rowEnd == 0x0a else { return .malformed }
    if next &+ 1 >= text.count { return text.isLast ? .field(field, text.count) : .incomplete(isOpen: false) }
    return text.base[next &+ 1] == rowEnd ? .field(field, next &+ 1) : .malformed
  }

  /// The next quote or escape from `start`, or the end of the text.
  @inline(__always)
  private func nextQuote(_ text: Text, _ start: Int) -> Int {
    var at = start
    while at < text.count {
      let bits = wb_match_two(text.base + at, quote, escape)
      if bits != 0 { return min(at &+ bits.trailingZeroBitCount, text.count) }
      at &+= 64
    }
    return text.count
  }
}

/// Where delimiters and row ends are, from some position on.
private struct BorderBits {
  let base: UnsafePointer<UInt8>
  let delimiter: UInt8
  let rowEnd: UInt8
  private var block: Int
  private var bits: UInt64

  @inline(__always)
  init(base: UnsafePointer<UInt8>, delimiter: UInt8, rowEnd: UInt8, from start: Int) {
    self.base = base
    self.delimiter = delimiter
    self.rowEnd = rowEnd
    block = start
    bits = wb_match_two(base + start, delimiter, rowEnd)
  }

  /// The next border, or at least `count` where there is none.
  @inline(__always)
  mutating func peek(_ count: Int) -> Int {
    while bits == 0 {
      block &+= 64
      if block >= count { return count }
      bits = wb_match_two(base + block, delimiter, rowEnd)
    }
    return block &+ bits.trailingZeroBitCount
  }

  /// Goes behind the border that `peek` gave or `move` went to.
  @inline(__always)
  mutating func take() { bits &= bits &- 1 }

  /// Goes to `position`, which lies ahead and is a border or the end.
  @inline(__always)
  mutating func move(to position: Int) {
    if position &- block < 64 {
      bits &= ~0 &<< UInt64(position &- block)
    } else {
      block = position
      bits = wb_match_two(base + block, delimiter, rowEnd)
    }
  }
}
