// Owns reading rows of delimited text into batches: from a range of a plain file, or all of a compressed one.

import Base
import Columnar
import ConnectorAPI
import Platform
import TextColumns

/// A field that is wanted, and the type it is read as.
public struct WantedField: Hashable, Sendable {
  /// The position in a row; nil for a column that the file does not have, which is NULL.
  public var position: Int?
  public var name: String
  public var type: DataType

  public init(position: Int?, name: String, type: DataType) {
    self.position = position
    self.name = name
    self.type = type
  }
}

/// Rows of a file. Used by one thread.
public final class DelimitedReader {
  private let file: OwnedDescriptor
  private let name: String
  private let dialect: Dialect
  private let wanted: [WantedField]
  private let scanner: RowScanner
  private let fields: FieldTable
  private let rows: FilteredFields
  private let input: TextInput
  private let isCompressed: Bool
  /// Offset in the text of the block's first byte.
  private var blockOffset: Int64
  /// Whether the range ends with the file.
  private let endsWithFile: Bool
  private var block: TextBlock?
  /// Where in the block the next row begins.
  private var position = 0
  private var isLastBlock = false
  private var skipsHeader: Bool

  /// Bytes of a block, unless a row is longer.
  private static let blockBytes = 1 << 20
  /// A longer row is taken for a missing quote.
  static let longestRow = 64 << 20

  /// Rows that begin within `range` of a file of `size` bytes; compressed files have one range. `wanted` names no
  /// position twice; `filters` count columns as it does. `name` is for messages.
  public init(
    _ file: OwnedDescriptor, name: String, size: Int64, range: Range<Int64>, compression: TextCompression,
    dialect: Dialect, wanted: [WantedField], filters: [any RowFilter] = []
  ) throws {
    self.file = file
    self.name = name
    self.dialect = dialect
    self.wanted = wanted
    var positions: [Int] = []
    let sources = wanted.map { field -> FilteredFields.Source in
      guard let position = field.position else { return .null(field.type) }
      positions.append(position)
      return .fields(positions.count - 1)
    }
    scanner = RowScanner(dialect, wanted: positions)
    fields = FieldTable(
      columnCount: max(positions.count, 1),
      capacity: FieldTable.capacity(columns: positions.count, atMost: Batch.targetRows))
    rows = FilteredFields(sources, filters: filters)
    isCompressed = compression != .none
    var bounds = range
    if !isCompressed {
      let border = RowBorder(dialect, size: size, name: name)
      let read: RowBorder.Read = { try TextInput.read(file, name: name, at: $0, into: $1, count: $2) }
      let start = try border.find(range.lowerBound, read: read)
      bounds = start..<max(start, try border.find(range.upperBound, read: read))
    }
    input = try TextInput(file, name: name, range: bounds, compression: compression)
    blockOffset = bounds.lowerBound
    endsWithFile = isCompressed || bounds.upperBound >= size
    skipsHeader = dialect.hasHeader && (isCompressed || bounds.lowerBound == 0)
  }

  /// The next rows that pass the filters, or nil at the end. FILES_BAD_DATA names file, line and column.
  public func next() throws -> Batch? {
    while true {
      if block == nil { try fill(atLeast: Self.blockBytes) }
      guard let block else { return nil }
      if skipsHeader {
        if try skipHeader(block) { skipsHeader = false }
        continue
      }
      let result = scanner.scan(
        block.base, from: position, count: block.count, isLast: isLastBlock, limit: fields.capacity,
        into: fields.fields, stride: fields.capacity)
      if result.rows > 0 {
        let batch = try parse(block, count: result.rows)
        position = result.end
        if let batch { return batch }
        continue
      }
      if let fault = result.fault { throw failure(fault, at: result.end) }
      position = result.end
      if isLastBlock {
        if position < block.count { throw unfinished(result) }
        self.block = nil
        return nil
      }
      try fill(atLeast: block.count - position + Self.blockBytes)
    }
  }

  /// False where more text is needed.
  private func skipHeader(_ block: TextBlock) throws -> Bool {
    let header = RowScanner(dialect, wanted: [])
    let result = header.scan(
      block.base, from: position, count: block.count, isLast: isLastBlock, limit: 1, into: fields.fields, stride: 0)
    if let fault = result.fault { throw failure(fault, at: result.end) }
    position = result.end
    if result.rows > 0 || (isLastBlock && result.end >= block.count) { return true }
    if isLastBlock { throw unfinished(result) }
    try fill(atLeast: block.count - position + Self.blockBytes)
    return false
  }

  /// Makes a block of what was not read yet and more text. Without more text the block stays and is the last.
  private func fill(atLeast size: Int) throws {
    if isLastBlock { return }
    let kept = block.map { $0.count - position } ?? 0
    guard kept < Self.longestRow else {
      throw failure("a row has more than \(Self.longestRow) bytes", at: position, "Look for a quote that is missing.")
    }
    let buffer = Buffer(byteCount: size)
    let bytes = buffer.pointer(to: UInt8.self)
    if let block, kept > 0 { bytes.update(from: block.base + position, count: kept) }
    let got = try input.read(into: bytes + kept, count: size - kept)
    let isFirst = block == nil && blockOffset == 0
    blockOffset += Int64(position)
    position = 0
    isLastBlock = got < size - kept
    let isASCII = UTF8Check.isASCII(bytes, count: kept + got)
    block = TextBlock(buffer: buffer, count: kept + got, isASCII: isASCII)
    if isFirst, kept + got >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf { position = 3 }
  }

  private func parse(_ block: TextBlock, count: Int) throws -> Batch? {
    let rules = dialect.rules
    return try rows.batch(of: fields, count: count) { column, number, count in
      let refs = fields.column(number)
      do throws(FieldFailure) {
        return try ColumnParser.parse(wanted[column].type, fields: refs, count: count, of: block, rules: rules)
      } catch {
        throw failure(error, wanted[column], refs[error.row], block)
      }
    }
  }

  // MARK: Messages

  private func failure(_ error: FieldFailure, _ field: WantedField, _ ref: FieldRef, _ block: TextBlock)
    -> WaterbearError
  {
    switch error.reason {
    case .notUTF8, .malformedEscape:
      return failure(
        "the text of column \(field.name) is no UTF-8", at: ref.start,
        "Convert the file, such as with iconv -f latin1 -t utf-8.")
    case .notOfType:
      let shown = UnsafeBufferPointer(start: block.base + ref.start, count: min(ref.count, 60))
      return failure(
        "'\(String(decoding: shown, as: UTF8.self))' in column \(field.name) is no \(field.type)", at: ref.start,
        "The type was inferred from the first rows. If the value is right, let files.sample-rows cover it; if it "
          + "stands for nothing, name it in files.csv.null-text.")
    }
  }

  private func failure(_ fault: RowFault, at start: Int) -> WaterbearError {
    switch fault {
    case .tooFewFields(let count):
      failure("the row has \(count) fields, not \(dialect.fieldCount)", at: start, Self.dialectRemedy)
    case .tooManyFields:
      failure("the row has more than \(dialect.fieldCount) fields", at: start, Self.dialectRemedy)
    case .textBehindQuote: failure("text follows a closing quote", at: start, Self.dialectRemedy)
    }
  }

  private func unfinished(_ result: ScanResult) -> WaterbearError {
    if !endsWithFile {
      return failure(
        "a row that begins here does not end where the next range begins", at: result.end,
        "Its quoted text looks like rows. Compress the file, which is then read in one piece.")
    }
    return failure("a quote is not closed", at: result.end, "The file is damaged or was not written to its end.")
  }

  private static let dialectRemedy =
    "Correct the file, or set files.csv.delimiter, files.csv.quote and files.csv.escape if it is written otherwise."

  private func failure(_ what: String, at position: Int, _ remedy: String) -> WaterbearError {
    let offset = blockOffset + Int64(position)
    let place = isCompressed ? "offset \(offset) of its text" : "offset \(offset)"
    let line = isCompressed ? nil : TextInput.line(of: offset, in: file, name: name, lineEnd: dialect.rowEnd)
    return WaterbearError(
      .filesBadData, "\(name), \(line.map { "line \($0), " } ?? "")\(place): \(what)", remedy: remedy)
  }
}
