// Owns reading written files for the tests: metadata by the product's decoder, pages by the simplest code there is.
import Columnar
import Testing

@testable import Parquet

/// A file that a writer has written, taken apart.
struct WrittenFile {
  struct Page: Equatable {
    var encoding: ValueEncoding
    var rows: Int
    var values: [Value]
  }

  let bytes: [UInt8]
  let metadata: FileMetadata

  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    try #require(bytes.count > 12 && Array(bytes.prefix(4)) == Array("PAR1".utf8))
    try #require(Array(bytes.suffix(4)) == Array("PAR1".utf8))
    let length = Int(Self.number(bytes, bytes.count - 8, 4))
    let footer = Array(bytes[bytes.count - 8 - length..<bytes.count - 8])
    metadata = try footer.withUnsafeBytes { raw throws(Damage) in
      var decoder = CompactDecoder(raw)
      return try FileMetadata(&decoder, limits: ParquetLimits())
    }
  }

  /// Writes batches with the given options.
  init(
    _ columns: [(String, DataType)], _ batches: [Batch], _ change: (inout ParquetWriterOptions) -> Void = { _ in }
  ) throws {
    var options = ParquetWriterOptions()
    options.compression = .uncompressed
    change(&options)
    var written: [UInt8] = []
    let writer = try ParquetWriter(columns: columns.map { (name: $0.0, type: $0.1) }, options: options) {
      written.append(contentsOf: $0)
    }
    for batch in batches { try writer.append(batch) }
    try writer.finish()
    #expect(writer.writtenBytes == written.count)
    try self.init(written)
  }

  func chunk(_ group: Int, _ column: Int) throws -> ColumnMetadata {
    try #require(metadata.rowGroups[group].columns[column].metadata)
  }

  /// All values of a column, over all row groups.
  func values(_ column: Int) throws -> [Value] {
    try metadata.rowGroups.indices.flatMap { try pages($0, column).flatMap(\.values) }
  }

  func pages(_ group: Int, _ column: Int) throws -> [Page] {
    let chunk = try chunk(group, column)
    let start = Int(chunk.dictionaryPageOffset ?? chunk.dataPageOffset)
    var position = start
    var dictionary: [Value] = []
    var pages: [Page] = []
    var rows = 0
    while rows < Int(chunk.valueCount) {
      let (header, end) = try header(at: position)
      position = end
      // The decompressor reads and writes some bytes behind what it is given.
      let padding = [UInt8](repeating: 0, count: SnappyBlock.padding)
      let (stored, size) = (Int(header.compressedSize), Int(header.uncompressedSize))
      var raw = [UInt8](repeating: 0, count: size) + padding
      try (bytes[position..<position + stored] + padding).withUnsafeBytes { from in
        try raw.withUnsafeMutableBytes { to in
          try PageDecompressor().decompress(
            UnsafeRawBufferPointer(rebasing: from[..<stored]), chunk.codec,
            into: UnsafeMutableRawBufferPointer(rebasing: to[..<size]))
        }
      }
      raw.removeLast(padding.count)
      position += Int(header.compressedSize)
      if let page = header.dictionary {
        dictionary = try plain(raw, 0, Int(page.valueCount), column)
      } else {
        let page = try #require(header.data)
        pages.append(try self.page(raw, page, dictionary, column))
        rows += Int(page.valueCount)
      }
    }
    #expect(position - start == Int(chunk.totalCompressedSize))
    return pages
  }

  /// A page's header and where its bytes begin.
  private func header(at position: Int) throws -> (PageHeader, Int) {
    try bytes.withUnsafeBytes { raw in
      var decoder = CompactDecoder(raw, from: position)
      return (try PageHeader(&decoder), decoder.position)
    }
  }

  private func page(_ raw: [UInt8], _ header: DataPageHeader, _ dictionary: [Value], _ column: Int) throws -> Page {
    let rows = Int(header.valueCount)
    let levelsEnd = 4 + Int(Self.number(raw, 0, 4))
    let levels = Self.hybrid(Array(raw[4..<levelsEnd]), width: 1, count: rows)
    let present = levels.count { $0 == 1 }
    let values: [Value]
    if header.encoding == .rleDictionary {
      values = Self.hybrid(Array(raw[(levelsEnd + 1)...]), width: Int(raw[levelsEnd]), count: present)
        .map { dictionary[$0] }
    } else {
      values = try plain(raw, levelsEnd, present, column)
    }
    var next = 0
    let spread = levels.map { level -> Value in
      next += level
      return level == 1 ? values[next - 1] : .null
    }
    return Page(encoding: header.encoding, rows: rows, values: spread)
  }

  static func number(_ bytes: [UInt8], _ position: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
  }

  /// Runs of equal values and packed groups, bit by bit.
  static func hybrid(_ bytes: [UInt8], width: Int, count: Int) -> [Int] {
    var values: [Int] = []
    var position = 0
    while values.count < count {
      var header = 0
      var shift = 0
      repeat {
        header |= Int(bytes[position] & 0x7f) << shift
        shift += 7
        position += 1
      } while bytes[position - 1] >= 0x80
      if header & 1 == 0 {
        let value = Int(number(bytes, position, (width + 7) / 8))
        values += Array(repeating: value, count: header >> 1)
        position += (width + 7) / 8
      } else {
        for index in 0..<(header >> 1) * 8 {
          var value = 0
          for bit in 0..<width {
            let place = index * width + bit
            value |= Int(bytes[position + place / 8] >> UInt8(place % 8) & 1) << bit
          }
          values.append(value)
        }
        position += (header >> 1) * width
      }
    }
    return Array(values.prefix(count))
  }

  private func plain(_ raw: [UInt8], _ start: Int, _ count: Int, _ column: Int) throws -> [Value] {
    var position = start
    let type = try #require(metadata.schema[column + 1].type)
    func take(_ size: Int) -> UInt64 {
      defer { position += size }
      return Self.number(raw, position, size)
    }
    let values = (0..<count).map { row -> Value in
      switch type {
      case .boolean: return .boolean(raw[start + row / 8] >> UInt8(row % 8) & 1 == 1)
      case .int32: return .integer(Int64(Int32(truncatingIfNeeded: take(4))))
      case .int64: return .integer(Int64(bitPattern: take(8)))
      case .float: return .double(Double(Float(bitPattern: UInt32(take(4)))))
      case .double: return .double(Double(bitPattern: take(8)))
      case .byteArray:
        let length = Int(take(4))
        defer { position += length }
        return .bytes(Array(raw[position..<position + length]))
      case .fixedLengthByteArray:
        defer { position += 16 }
        return .int128(raw[position..<position + 16].reduce(Int128(0)) { $0 << 8 | Int128($1) })
      case .int96: preconditionFailure("INT96 is never written")
      }
    }
    #expect(type == .boolean || position == raw.count)
    return values
  }
}

/// Batches from literal values.
func vector(_ type: DataType, _ values: [Value]) -> Vector {
  var builder = VectorBuilder(type: type)
  for value in values { builder.append(value) }
  return builder.finish()
}

func batch(_ type: DataType, _ values: [Value]) -> Batch { Batch(columns: [vector(type, values)], count: values.count) }

func dictionaryVector(_ entries: Vector, _ rows: [Int]) -> Vector {
  let indices = Buffer(count: rows.count, of: Int32.self)
  for (row, index) in rows.enumerated() { indices.pointer(to: Int32.self)[row] = Int32(index) }
  return Vector(dictionary: entries, indices: indices, count: rows.count)
}
