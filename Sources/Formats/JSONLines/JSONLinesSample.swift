// Owns what the first lines of a file tell: which keys there are, and what their values look like.

import Base
import Columnar
import Platform
import TextColumns

/// The start of a file of JSON lines, looked at.
public struct JSONLinesSample: Sendable {
  /// Keys in lower case, in the order in which they are first seen.
  public var names: [String]
  /// What the values look like, in the order of names.
  public var guesses: [TypeGuess]
  /// Rows that were looked at.
  public var rows: Int
  /// Bytes of text that these rows take.
  public var bytes: Int
  /// Whether these are all rows of the file.
  public var isWhole: Bool

  /// Bytes that are read at most.
  private static let largestSample = 8 << 20

  /// Looks at up to `rows` rows, but at the first at least where it is not too long. Nil for a file without rows.
  ///
  /// What is wrong with a line is said when it is read, unless it is the first: then FILES_BAD_DATA. NOT_SUPPORTED for
  /// UTF-16 and for more keys than a table should have.
  public static func read(
    _ file: OwnedDescriptor, name: String, size: Int64, compression: TextCompression, rows: Int
  ) throws -> JSONLinesSample? {
    let (buffer, count) = try start(
      of: file, name: name, size: size, compression: compression,
      capacity: min(largestSample, max(64 << 10, rows * 512)))
    let bytes = buffer.pointer(to: UInt8.self)
    bytes[count] = 0x0a
    if count >= 2, bytes[0] == 0xff && bytes[1] == 0xfe || bytes[0] == 0xfe && bytes[1] == 0xff {
      throw WaterbearError(
        .notSupported, "\(name) is UTF-16", remedy: "Convert it, such as with iconv -f utf-16 -t utf-8.")
    }
    let hasMark = count >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf
    let block = TextBlock(buffer: buffer, count: count, isASCII: UTF8Check.isASCII(bytes, count: count))
    let lines = SampledLines(
      block: block, start: hasMark ? 3 : 0, isWhole: count < buffer.byteCount, limit: rows, name: name)
    let sample = try lines.look()
    return sample.rows == 0 ? nil : sample
  }

  /// The first bytes of the text, `capacity` or, where these hold no line, as many as are read at most.
  private static func start(
    of file: OwnedDescriptor, name: String, size: Int64, compression: TextCompression, capacity: Int
  ) throws -> (Buffer, Int) {
    let buffer = Buffer(byteCount: capacity)
    let bytes = buffer.pointer(to: UInt8.self)
    let input = try TextInput(file, name: name, range: 0..<size, compression: compression)
    let count = try input.read(into: bytes, count: capacity)
    if count < capacity || capacity >= largestSample || UnsafeBufferPointer(start: bytes, count: count).contains(0x0a) {
      return (buffer, count)
    }
    return try start(of: file, name: name, size: size, compression: compression, capacity: largestSample)
  }
}

/// The lines of a sample.
private struct SampledLines {
  let block: TextBlock
  let start: Int
  let isWhole: Bool
  let limit: Int
  let name: String

  func look() throws -> JSONLinesSample {
    let names = try names()
    var guesses = [TypeGuess](repeating: TypeGuess(), count: names.count)
    let scanner = LineScanner(wanted: names)
    let table = FieldTable(columnCount: max(names.count, 1), capacity: max(1, min(1024, 65_536 / max(names.count, 1))))
    var rows = 0
    var end = start
    var isDamaged = false
    while rows < limit {
      let result = scanner.scan(
        block.base, from: end, count: block.count, isLast: isWhole, limit: min(table.capacity, limit - rows),
        into: table.fields, stride: table.capacity)
      if let fault = result.fault {
        if rows == 0 { throw failure(fault.text(names), at: result.end) }
        isDamaged = true
        break
      }
      for column in names.indices {
        Self.observe(table.column(column), count: result.rows, block, &guesses[column])
      }
      rows += result.rows
      end = result.end
      if result.rows == 0 { break }
    }
    if rows == 0, !isWhole {
      throw failure("no line ends within \(block.count) bytes", at: start)
    }
    return JSONLinesSample(
      names: names, guesses: guesses, rows: rows, bytes: end - start,
      isWhole: isWhole && !isDamaged && end >= block.count)
  }

  /// All keys of the rows.
  private func names() throws -> [String] {
    let scanner = LineScanner(wanted: [], collectsKeys: true)
    let nowhere = FieldTable(columnCount: 1, capacity: 1)
    _ = scanner.scan(
      block.base, from: start, count: block.count, isLast: isWhole, limit: limit, into: nowhere.fields, stride: 0)
    let names = scanner.keys.found
    guard names.count <= KeyTable.mostFound else {
      throw WaterbearError(
        .notSupported, "\(name) has objects with more than \(KeyTable.mostFound) different keys",
        remedy: "Keys that are data belong into an object within the object.")
    }
    return names
  }

  private static func observe(
    _ fields: UnsafePointer<FieldRef>, count: Int, _ block: TextBlock, _ guess: inout TypeGuess
  ) {
    for row in 0..<count {
      let field = fields[row]
      if field.isAbsent || (field.count == 0 && !field.isQuoted) { continue }
      let text = block.base + field.start
      if field.isQuoted {
        if field.isEscaped || field.count == 0 { guess.observeText() } else { guess.observeQuoted(text, field.count) }
      } else if text[0] == UInt8(ascii: "{") || text[0] == UInt8(ascii: "[") {
        guess.observeText()
      } else {
        guess.observe(text, field.count)
      }
    }
  }

  private func failure(_ what: String, at offset: Int) -> WaterbearError {
    var line = 1
    for index in 0..<offset where block.base[index] == 0x0a { line += 1 }
    return WaterbearError(
      .filesBadData, "\(name), line \(line), offset \(offset): \(what)", remedy: LineFault.remedy)
  }
}
