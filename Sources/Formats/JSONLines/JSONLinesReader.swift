// Owns reading rows of JSON lines into batches: from a range of a plain file, or all of a compressed one.

import Base
import Columnar
import ConnectorAPI
import Platform
import TextColumns

/// A key that is wanted, and the type it is read as.
public struct JSONField: Hashable, Sendable {
  /// In lower case.
  public var name: String
  public var type: DataType

  public init(name: String, type: DataType) {
    self.name = name
    self.type = type
  }
}

/// Rows of a file with one object per line. Used by one thread.
///
/// Keys are compared in lower case; a key that a line lacks, and null, are NULL. Objects and arrays are their text as
/// it is written. Other keys than those wanted are passed over.
public final class JSONLinesReader {
  private let file: OwnedDescriptor
  private let name: String
  private let wanted: [JSONField]
  private let scanner: LineScanner
  private let fields: FieldTable
  private let rows: FilteredFields
  private let input: TextInput
  private let isCompressed: Bool
  /// Offset in the text of the block's first byte.
  private var blockOffset: Int64
  private var block: TextBlock?
  /// Where in the block the next line begins.
  private var position = 0
  private var isLastBlock = false

  /// Bytes of a block, unless a line is longer.
  private static let blockBytes = 1 << 20
  private static let longestLine = 64 << 20
  static let rules = FieldRules(nullText: [], escapes: .json)

  /// Rows of the lines that begin within `range` of a file of `size` bytes; compressed files have one range. `wanted`
  /// names no key twice; `filters` count columns as it does. `name` is for messages.
  public init(
    _ file: OwnedDescriptor, name: String, size: Int64, range: Range<Int64>, compression: TextCompression,
    wanted: [JSONField], filters: [any RowFilter] = []
  ) throws {
    self.file = file
    self.name = name
    self.wanted = wanted
    scanner = LineScanner(wanted: wanted.map(\.name))
    fields = FieldTable(
      columnCount: max(wanted.count, 1),
      capacity: FieldTable.capacity(columns: wanted.count, atMost: Batch.targetRows))
    rows = FilteredFields(wanted.indices.map { .fields($0) }, filters: filters)
    isCompressed = compression != .none
    var bounds = range
    if !isCompressed {
      let start = try Self.border(file, name, size, range.lowerBound)
      bounds = start..<max(start, try Self.border(file, name, size, range.upperBound))
    }
    input = try TextInput(file, name: name, range: bounds, compression: compression)
    blockOffset = bounds.lowerBound
  }

  /// Where the first line begins at or behind `offset`. A line feed is always one: within text it is written `\n`.
  private static func border(_ file: OwnedDescriptor, _ name: String, _ size: Int64, _ offset: Int64) throws -> Int64 {
    if offset <= 0 { return 0 }
    let buffer = Buffer(byteCount: 16 << 10)
    let bytes = buffer.pointer(to: UInt8.self)
    // From the byte in front, which tells whether a line begins at the offset.
    var at = offset - 1
    while at < size {
      let count = try TextInput.read(file, name: name, at: at, into: bytes, count: buffer.byteCount)
      if count == 0 { break }
      let end = withExtendedLifetime(buffer) { UnsafeBufferPointer(start: bytes, count: count).firstIndex(of: 0x0a) }
      if let end { return min(at + Int64(end) + 1, size) }
      at += Int64(count)
    }
    return size
  }

  /// The next rows that pass the filters, or nil at the end. FILES_BAD_DATA names file, line, offset and column.
  public func next() throws -> Batch? {
    while true {
      if block == nil { try fill(atLeast: Self.blockBytes) }
      guard let block else { return nil }
      let result = scanner.scan(
        block.base, from: position, count: block.count, isLast: isLastBlock, limit: fields.capacity,
        into: fields.fields, stride: fields.capacity)
      if let fault = result.fault { throw failure(fault, at: result.end) }
      if result.rows > 0 {
        let batch = try parse(block, count: result.rows)
        position = result.end
        if let batch { return batch }
        continue
      }
      position = result.end
      if isLastBlock {
        self.block = nil
        return nil
      }
      try fill(atLeast: block.count - position + Self.blockBytes)
    }
  }

  /// Makes a block of what was not read yet and more text. Without more text the block stays and is the last.
  private func fill(atLeast size: Int) throws {
    if isLastBlock { return }
    let kept = block.map { $0.count - position } ?? 0
    guard kept < Self.longestLine else {
      throw failure(
        "a line has more than \(Self.longestLine) bytes", at: position,
        "There must be one object per line. A file that is one array can be converted with jq -c '.[]'.")
    }
    let buffer = Buffer(byteCount: size)
    let bytes = buffer.pointer(to: UInt8.self)
    if let block, kept > 0 { bytes.update(from: block.base + position, count: kept) }
    let got = try input.read(into: bytes + kept, count: size - kept)
    let isFirst = block == nil && blockOffset == 0
    blockOffset += Int64(position)
    position = 0
    isLastBlock = got < size - kept
    // The scanner's end of the last line; the buffer has room behind its bytes.
    bytes[kept + got] = 0x0a
    let isASCII = UTF8Check.isASCII(bytes, count: kept + got)
    block = TextBlock(buffer: buffer, count: kept + got, isASCII: isASCII)
    if isFirst, kept + got >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf { position = 3 }
  }

  private func parse(_ block: TextBlock, count: Int) throws -> Batch? {
    try rows.batch(of: fields, count: count) { column, number, count in
      let refs = fields.column(number)
      let type = wanted[column].type
      do throws(FieldFailure) {
        try ValueKinds.check(refs, count: count, base: block.base, type: type)
        return try ColumnParser.parse(type, fields: refs, count: count, of: block, rules: Self.rules)
      } catch {
        throw failure(error, wanted[column], refs[error.row], block)
      }
    }
  }

  // MARK: Messages

  private func failure(_ error: FieldFailure, _ field: JSONField, _ ref: FieldRef, _ block: TextBlock)
    -> WaterbearError
  {
    switch error.reason {
    case .malformedEscape:
      return failure(
        "the text of column \(field.name) has a malformed escape", at: ref.start,
        "Behind a backslash comes one of \"\\/bfnrt, or u and four hexadecimal digits.")
    case .notUTF8:
      return failure(
        "the text of column \(field.name) is no UTF-8", at: ref.start,
        "Convert the file, such as with iconv -f latin1 -t utf-8.")
    case .notOfType:
      let shown = String(decoding: UnsafeBufferPointer(start: block.base + ref.start, count: min(ref.count, 60)),
        as: UTF8.self)
      return failure(
        "\(ref.isQuoted ? "\"\(shown)\"" : shown) in column \(field.name) is no \(field.type)", at: ref.start,
        "The type was inferred from the first rows. If the value is right, let files.sample-rows cover it; if it "
          + "stands for nothing, write null.")
    }
  }

  private func failure(_ fault: LineFault, at position: Int) -> WaterbearError {
    failure(fault.text(wanted.map(\.name)), at: position, LineFault.remedy)
  }

  private func failure(_ what: String, at position: Int, _ remedy: String) -> WaterbearError {
    let offset = blockOffset + Int64(position)
    let place = isCompressed ? "offset \(offset) of its text" : "offset \(offset)"
    let line = isCompressed ? nil : TextInput.line(of: offset, in: file, name: name, lineEnd: 0x0a)
    return WaterbearError(
      .filesBadData, "\(name), \(line.map { "line \($0), " } ?? "")\(place): \(what)", remedy: remedy)
  }
}

extension LineFault {
  /// What is wrong, for people. `names` are those of the columns.
  func text(_ names: [String]) -> String {
    switch self {
    case .noObject: "the line is no object"
    case .unclosedText: "a text is not closed at the end of the line"
    case .unclosed: "the object is not closed at the end of the line"
    case .unexpected: "a character is not where it may be"
    case .noValue: "there is no value"
    case .noNumber: "this is no number of JSON"
    case .textBehindObject: "something follows the object"
    case .duplicate(let column): "the key '\(names[column])' is there twice"
    }
  }

  static let remedy =
    "There must be one JSON object per line, in which keys are different in lower case too. A file that is one array, "
    + "or that has objects over several lines, can be converted with jq -c; a file cut short must be made anew."
}

/// Which kinds of JSON values a type takes.
enum ValueKinds {
  /// A text is no number, even if it reads as one, except for decimals, of which numbers might lose digits; a date is
  /// a text. Texts take everything.
  static func check(
    _ fields: UnsafePointer<FieldRef>, count: Int, base: UnsafePointer<UInt8>, type: DataType
  ) throws(FieldFailure) {
    switch type {
    case .varchar: return
    case .date, .timestamp:
      for row in 0..<count {
        let field = fields[row]
        // Without quotes and text it is null.
        if field.isAbsent || (field.count == 0 && !field.isQuoted) { continue }
        if !field.isQuoted || field.count == 0 { throw FieldFailure(row: row, reason: .notOfType) }
      }
    case .decimal:
      for row in 0..<count where !fields[row].isAbsent && fields[row].isQuoted && fields[row].count == 0 {
        throw FieldFailure(row: row, reason: .notOfType)
      }
    case .real, .double:
      for row in 0..<count {
        let field = fields[row]
        if field.isAbsent || !field.isQuoted { continue }
        // What no number of JSON can say is written as text by some.
        guard field.count > 1 else { throw FieldFailure(row: row, reason: .notOfType) }
        let first = base[field.start] == UInt8(ascii: "-") ? base[field.start &+ 1] : base[field.start]
        if first != UInt8(ascii: "N"), first != UInt8(ascii: "I") {
          throw FieldFailure(row: row, reason: .notOfType)
        }
      }
    default:
      for row in 0..<count where !fields[row].isAbsent && fields[row].isQuoted {
        throw FieldFailure(row: row, reason: .notOfType)
      }
    }
  }
}
