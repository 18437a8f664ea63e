// Owns writing rows as JSON lines (RFC 8259): keys, values, escapes. It must not know where the text goes.

import Base
import Columnar
import TextColumns

/// Writes batches as one object per line. Used by one thread.
///
/// Every key is in every object, so that others see the same columns in all files; NULL is null. Numbers are written as
/// clients see them, dates and timestamps as text like `2024-01-31 12:34:56.789`. Decimals of more than 15 digits are
/// text too: many programs read numbers as doubles, which keep no more. NaN and the infinities are bare words, which
/// JSON does not have but its readers do. Types: those of `ColumnParser.isSupported`.
public final class JSONLinesWriter {
  private let output: TextOutput
  /// Of each column what stands in front of its values.
  private let prefixes: [[UInt8]]
  private var room = Buffer(byteCount: 64 << 10)
  /// Bytes in `room`.
  private var filled = 0

  /// Rows with these columns go to `output`. Nothing is written yet.
  public init(columns names: [String], output: TextOutput) {
    self.output = output
    prefixes = names.enumerated().map { index, name in
      var text = Array(name.utf8)
      let quoted = text.withUnsafeMutableBufferPointer { bytes -> [UInt8] in
        let room = Buffer(byteCount: JSONEscapes.mostBytes(of: bytes.count))
        let target = room.pointer(to: UInt8.self)
        let count = JSONEscapes.quoted(UnsafeBufferPointer(bytes), to: target)
        return withExtendedLifetime(room) { Array(UnsafeBufferPointer(start: target, count: count)) }
      }
      return [index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ",")] + quoted + [UInt8(ascii: ":")]
    }
  }

  /// Bytes held in memory.
  public var retainedBytes: Int { room.byteCount + output.retainedBytes }

  /// Takes the rows of a batch, which has the file's columns.
  public func append(_ batch: Batch) throws {
    guard batch.count > 0 else { return }
    // Flat texts, which live until the loop is through.
    let texts = batch.columns.map { column -> Vector in
      let flat = column.flattened()
      return flat.type.layout == .string ? flat : ValueFormatter(flat.type).texts(flat)
    }
    let columns = zip(texts, batch.columns).map { text, column in
      ColumnCursor(
        views: UnsafePointer(text.values.pointer(to: StringView.self)),
        validity: text.validity.map { UnsafePointer($0.words) }, style: .init(column.type))
    }
    try withExtendedLifetime(texts) {
      try columns.withUnsafeBufferPointer { try writeRows($0, count: batch.count) }
    }
  }

  /// Writes what is left. Called once, last.
  public func finish() throws { try output.finish() }

  private enum Style {
    case plain
    /// Text that needs no escapes.
    case quoted
    case text

    init(_ type: DataType) {
      switch type {
      case .date, .timestamp: self = .quoted
      case .decimal(let precision, _) where precision > 15: self = .quoted
      default: self = type.layout == .string ? .text : .plain
      }
    }
  }

  private struct ColumnCursor {
    let views: UnsafePointer<StringView>
    let validity: UnsafePointer<UInt64>?
    let style: Style
  }

  private static let null = Array("null".utf8)
  private static let end = Array("}\n".utf8)
  private static let emptyObject = Array("{}\n".utf8)

  private func writeRows(_ columns: UnsafeBufferPointer<ColumnCursor>, count: Int) throws {
    for row in 0..<count {
      for index in 0..<columns.count {
        let column = columns[index]
        put(prefixes[index])
        if let validity = column.validity, (validity[row &>> 6] &>> UInt64(row & 63)) & 1 == 0 {
          put(Self.null)
          continue
        }
        try put(column.views[row], column.style)
      }
      put(columns.isEmpty ? Self.emptyObject : Self.end)
      if filled >= 32 << 10 { try flush() }
    }
    try flush()
  }

  @inline(__always)
  private func put(_ view: StringView, _ style: Style) throws {
    reserve(JSONEscapes.mostBytes(of: view.count))
    let target = room.pointer(to: UInt8.self) + filled
    switch style {
    case .plain:
      view.copyBytes(to: target)
      filled &+= view.count
    case .quoted:
      target[0] = UInt8(ascii: "\"")
      view.copyBytes(to: target + 1)
      target[view.count &+ 1] = UInt8(ascii: "\"")
      filled &+= view.count &+ 2
    case .text:
      let written = view.withBytes { JSONEscapes.quoted($0, to: target) }
      if written < 0 { throw TextOutput.notUTF8(view) }
      filled &+= written
    }
  }

  @inline(__always)
  private func put(_ bytes: [UInt8]) {
    reserve(bytes.count)
    let target = room.pointer(to: UInt8.self) + filled
    for index in 0..<bytes.count { target[index] = bytes[index] }
    filled &+= bytes.count
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
}

/// Texts in JSON's quotes.
private enum JSONEscapes {
  /// Bytes that a text of `count` bytes needs at most.
  @inline(__always)
  static func mostBytes(of count: Int) -> Int { 6 &* count &+ 2 }

  /// Writes the text with its quotes at `target`; the bytes written, or -1 where it is no UTF-8.
  @inline(__always)
  static func quoted(_ text: UnsafeBufferPointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = UInt8(ascii: "\"")
    var written = 1
    var high: UInt8 = 0
    for index in 0..<text.count {
      let byte = text[index]
      high |= byte
      if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        target[written] = byte
        written &+= 1
      } else {
        written &+= escape(byte, to: target + written)
      }
    }
    if high >= 0x80, let start = text.baseAddress, !UTF8Check.isValid(start, count: text.count) { return -1 }
    target[written] = UInt8(ascii: "\"")
    return written &+ 1
  }

  @inline(never)
  private static func escape(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = UInt8(ascii: "\\")
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): target[1] = byte
    case 0x08: target[1] = UInt8(ascii: "b")
    case 0x09: target[1] = UInt8(ascii: "t")
    case 0x0a: target[1] = UInt8(ascii: "n")
    case 0x0c: target[1] = UInt8(ascii: "f")
    case 0x0d: target[1] = UInt8(ascii: "r")
    default:
      let low = byte & 15
      for (index, digit) in [UInt8(ascii: "u"), 48, 48, 48 + byte >> 4].enumerated() { target[index + 1] = digit }
      target[5] = low < 10 ? 48 + low : 87 + low
      return 6
    }
    return 2
  }
}
