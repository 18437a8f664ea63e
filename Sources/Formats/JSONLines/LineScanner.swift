// Owns taking lines apart that are a JSON object each (RFC 8259; one per line as in ndjson.org): where the values of
// wanted keys lie. Parses no value.

import CTextScan
import Columnar
import TextColumns

/// What is wrong with a line.
enum LineFault {
  case noObject
  case unclosedText
  case unclosed
  case unexpected
  case noValue
  /// What begins as a number and is none, such as `01` and `1.`.
  case noNumber
  case textBehindObject
  /// A key of the column twice.
  case duplicate(Int)
}

/// What was found in a block.
struct LineResult {
  /// Rows put down.
  var rows: Int
  /// Where the next line begins; where `fault` is, its place.
  var end: Int
  /// What is wrong with the line behind the rows.
  var fault: LineFault?
}

/// Takes blocks of text apart. Used by one thread.
final class LineScanner {
  let keys: KeyTable
  private let columnCount: Int

  /// `wanted`: names of keys, in the order of the table's columns.
  init(wanted: [String], collectsKeys: Bool = false) {
    keys = KeyTable(wanted, collects: collectsKeys)
    columnCount = wanted.count
  }

  /// Puts down the fields of up to `limit` objects from `start`. `count` bytes are there, and 64 more may be read.
  /// `isLast`: the text ends there, and a line feed is behind it, so that the last line needs none of its own.
  ///
  /// Keys that a line lacks are absent, null is a field without quotes and text. Objects and arrays are fields with all
  /// of their text, of which brackets and quotes are checked. Blank lines are no rows. Cost: two passes, of which the
  /// first only looks for line ends.
  func scan(
    _ base: UnsafePointer<UInt8>, from start: Int, count: Int, isLast: Bool, limit: Int,
    into fields: UnsafeMutablePointer<FieldRef>, stride: Int
  ) -> LineResult {
    var lineStart = start
    var row = 0
    while row < limit, lineStart < count {
      let lineEnd = Self.find(base, lineStart, count, 0x0a, 0x0a)
      if lineEnd >= count, !isLast { break }
      var line = Line(base: base, at: lineStart, end: lineEnd)
      line.skipBlanks()
      if line.at < lineEnd {
        for column in 0..<columnCount { fields[column &* stride &+ row] = .absent }
        if let fault = object(&line, fields + row, stride) {
          return LineResult(rows: row, end: row > 0 ? lineStart : min(line.at, lineEnd), fault: row > 0 ? nil : fault)
        }
        row &+= 1
      }
      lineStart = min(lineEnd &+ 1, count)
    }
    return LineResult(rows: row, end: lineStart)
  }

  /// The next of two bytes from `start`, or at least `end`.
  @inline(__always)
  fileprivate static func find(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ first: UInt8, _ second: UInt8
  ) -> Int {
    var at = start
    while at < end {
      let bits = wb_match_two(base + at, first, second)
      if bits != 0 { return min(at &+ bits.trailingZeroBitCount, end) }
      at &+= 64
    }
    return end
  }

  /// Takes the line's object apart. A fault is at `line.at`.
  @inline(__always)
  private func object(_ line: inout Line, _ fields: UnsafeMutablePointer<FieldRef>, _ stride: Int) -> LineFault? {
    keys.restart()
    guard line.byte == UInt8(ascii: "{") else { return .noObject }
    line.step()
    if line.byte == UInt8(ascii: "}") {
      line.step()
      return line.at < line.end ? .textBehindObject : nil
    }
    while true {
      guard line.byte == UInt8(ascii: "\"") else { return line.unexpected }
      let keyStart = line.at
      guard let key = line.text() else { return .unclosedText }
      guard line.byte == UInt8(ascii: ":") else { return line.unexpected }
      line.step()
      let column = keys.column(line.base + key.start, key.count)
      var field = FieldRef.absent
      if let fault = line.value(&field) { return fault }
      if column >= 0 {
        let target = fields + column &* stride
        guard target.pointee.isAbsent else {
          line.at = keyStart
          return .duplicate(column)
        }
        target.pointee = field
      }
      let next = line.byte
      if next == UInt8(ascii: ",") {
        line.step()
      } else if next == UInt8(ascii: "}") {
        line.step()
        return line.at < line.end ? .textBehindObject : nil
      } else {
        return line.unexpected
      }
    }
  }
}

/// A line and a place in it. At `end` is a line feed, which ends whatever is looked at.
private struct Line {
  let base: UnsafePointer<UInt8>
  var at: Int
  let end: Int

  @inline(__always)
  var byte: UInt8 { base[at] }

  var unexpected: LineFault { at >= end ? .unclosed : .unexpected }

  @inline(__always)
  mutating func skipBlanks() {
    while byte == 0x20 || byte == 0x09 || byte == 0x0d { at &+= 1 }
  }

  /// Behind the byte and the blanks that follow it.
  @inline(__always)
  mutating func step() {
    at &+= 1
    skipBlanks()
  }

  /// The text whose opening quote is here; then behind it and the blanks that follow. Nil where it is not closed.
  @inline(__always)
  mutating func text() -> FieldRef? {
    let start = at &+ 1
    guard let isEscaped = skipText() else { return nil }
    let field = FieldRef(start: start, count: at &- start, isQuoted: true, isEscaped: isEscaped)
    step()
    return field
  }

  /// From a text's opening quote to its closing one; whether there are escapes. Nil where it is not closed.
  @inline(__always)
  private mutating func skipText() -> Bool? {
    var isEscaped = false
    var position = at &+ 1
    while true {
      position = LineScanner.find(base, position, end, UInt8(ascii: "\""), UInt8(ascii: "\\"))
      if position >= end { return nil }
      if base[position] == UInt8(ascii: "\"") { break }
      isEscaped = true
      position &+= 2
    }
    at = position
    return isEscaped
  }

  /// The value that begins here; then behind it and the blanks that follow.
  @inline(__always)
  mutating func value(_ field: inout FieldRef) -> LineFault? {
    let first = byte
    if first == UInt8(ascii: "\"") {
      guard let text = text() else { return .unclosedText }
      field = text
      return nil
    }
    let start = at
    if first &- 48 <= 9 || first == UInt8(ascii: "-") {
      guard skipNumber() else {
        at = start
        return .noNumber
      }
    } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      if let fault = skipNested() { return fault }
    } else if skipWord("null") {
      field = FieldRef(start: start, count: 0)
      skipBlanks()
      return nil
    } else if !(skipWord("true") || skipWord("false") || skipWord("NaN") || skipWord("Infinity")) {
      return at >= end ? .unclosed : .noValue
    }
    field = FieldRef(start: start, count: at &- start)
    skipBlanks()
    return nil
  }

  /// Whether the word is here; then behind it.
  @inline(__always)
  private mutating func skipWord(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard end &- at >= count else { return false }
    for index in 0..<count where base[at &+ index] != word.utf8Start[index] { return false }
    at &+= count
    return true
  }

  @inline(__always)
  private mutating func skipDigits() -> Int {
    let start = at
    while byte &- 48 <= 9 { at &+= 1 }
    return at &- start
  }

  /// Whether a number of JSON's grammar is here, or an infinity; then behind it.
  @inline(__always)
  private mutating func skipNumber() -> Bool {
    if byte == UInt8(ascii: "-") {
      at &+= 1
      if byte == UInt8(ascii: "I") { return skipWord("Infinity") }
    }
    let isZero = byte == UInt8(ascii: "0")
    let whole = skipDigits()
    if whole == 0 || (isZero && whole > 1) { return false }
    if byte == UInt8(ascii: ".") {
      at &+= 1
      if skipDigits() == 0 { return false }
    }
    if byte | 0x20 == UInt8(ascii: "e") {
      at &+= 1
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { at &+= 1 }
      return skipDigits() > 0
    }
    return true
  }

  /// From an opening bracket to behind the one that closes it.
  @inline(never)
  private mutating func skipNested() -> LineFault? {
    // Of brackets that are open whether they are braces: up to 64 of the innermost, the others by 64.
    var braces: UInt64 = 0
    var outer: [UInt64] = []
    var depth = 0
    while at < end {
      switch byte {
      case UInt8(ascii: "\""):
        if skipText() == nil { return .unclosedText }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        if depth > 0, depth & 63 == 0 {
          outer.append(braces)
          braces = 0
        }
        braces = braces &<< 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
        depth &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if (braces & 1 == 1) != (byte == UInt8(ascii: "}")) { return .unexpected }
        braces = braces &>> 1
        depth &-= 1
        if depth == 0 {
          at &+= 1
          return nil
        }
        if depth & 63 == 0, let before = outer.popLast() { braces = before }
      default: break
      }
      at &+= 1
    }
    return .unclosed
  }
}
