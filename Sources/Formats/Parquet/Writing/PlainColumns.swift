// Owns filling pages of columns that need no dictionary: booleans, and columns of NULLs only.
import Columnar

/// Encodes booleans, eight to a byte.
final class BooleanColumn {
  let pages: PageAssembler
  private let options: ParquetWriterOptions
  /// This page's values, a byte each.
  private let values = PageBytes(capacity: 4096)
  private var pageHas = (no: false, yes: false)
  private var chunkHas = (no: false, yes: false)

  init(_ pages: PageAssembler, _ options: ParquetWriterOptions) {
    self.pages = pages
    self.options = options
  }

  var retainedBytes: Int { pages.retainedBytes + values.capacity }

  func append(_ vector: Vector) throws {
    let flat = vector.flattened()
    var row = 0
    while row < flat.count {
      let count = min(max(1, options.pageRows - pages.levels.rows), flat.count - row)
      append(flat, from: row, count: count)
      row += count
      if pages.levels.rows >= options.pageRows { try endPage() }
    }
  }

  private func append(_ flat: Vector, from start: Int, count: Int) {
    withExtendedLifetime(flat) {
      let source = UnsafePointer(flat.values.pointer(to: UInt8.self)) + start
      let target = values.room(count).assumingMemoryBound(to: UInt8.self)
      var present = 0
      var ones = 0
      if let validity = flat.validity {
        for row in 0..<count {
          let bit = validity[start &+ row] ? 1 : 0
          target[present] = source[row]
          present &+= bit
          ones &+= bit & Int(source[row])
        }
        _ = pages.levels.append(validity, from: start, count: count)
      } else {
        for row in 0..<count {
          target[row] = source[row]
          ones &+= Int(source[row])
        }
        present = count
        pages.levels.appendPresent(count)
      }
      values.advance(present)
      pageHas.yes = pageHas.yes || ones > 0
      pageHas.no = pageHas.no || ones < present
    }
  }

  private func endPage() throws {
    guard pages.levels.rows > 0 else { return }
    try pages.endPage(.plain, bounds(pageHas)) { raw in
      let count = values.count
      let byteCount = (count + 7) / 8
      // Whole words are read below.
      values.room(8).storeBytes(of: 0, as: UInt64.self)
      let target = raw.room(byteCount).assumingMemoryBound(to: UInt8.self)
      for byte in 0..<byteCount {
        let eight = values.base.loadUnaligned(fromByteOffset: byte &* 8, as: UInt64.self)
        // The product gathers bit 0 of each byte in the highest byte.
        target[byte] = UInt8(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) &>> 56)
      }
      raw.advance(byteCount)
    }
    values.removeAll()
    chunkHas = (chunkHas.no || pageHas.no, chunkHas.yes || pageHas.yes)
    pageHas = (false, false)
  }

  func endChunk(to output: (UnsafeRawBufferPointer) throws -> Void) throws -> WrittenChunk {
    try endPage()
    defer { chunkHas = (false, false) }
    return try pages.endChunk(bounds(chunkHas), to: output)
  }

  private func bounds(_ has: (no: Bool, yes: Bool)) -> WrittenBounds? {
    guard options.writesStatistics, has.no || has.yes else { return nil }
    return WrittenBounds(
      least: [has.no ? 0 : 1], isLeastExact: true, greatest: [has.yes ? 1 : 0], isGreatestExact: true)
  }
}

/// Encodes a column of the type of a bare NULL.
final class NullColumn {
  let pages: PageAssembler
  private let options: ParquetWriterOptions

  init(_ pages: PageAssembler, _ options: ParquetWriterOptions) {
    self.pages = pages
    self.options = options
  }

  func append(_ vector: Vector) throws {
    var left = vector.count
    while left > 0 {
      let count = min(max(1, options.pageRows - pages.levels.rows), left)
      pages.levels.appendNulls(count)
      left -= count
      if pages.levels.rows >= options.pageRows { try pages.endPage(.plain, nil) { _ in } }
    }
  }

  func endChunk(to output: (UnsafeRawBufferPointer) throws -> Void) throws -> WrittenChunk {
    if pages.levels.rows > 0 { try pages.endPage(.plain, nil) { _ in } }
    return try pages.endChunk(nil, to: output)
  }
}
