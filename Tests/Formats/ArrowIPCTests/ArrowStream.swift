// Owns reading Arrow streams for the tests: just what the writer writes, value by value.
import Columnar

/// A stream taken apart. Traps where it is malformed.
struct ArrowStream {
  struct Field: Equatable {
    var name: String
    var kind: Int
    /// The numbers in the table of the type.
    var parameters: [Int]
    var sqlType: String
  }

  private(set) var fields: [Field] = []
  /// Values by record batch, then by column. Numbers are `integer` or `int128`, text is `bytes`.
  private(set) var batches: [[[Value]]] = []
  private(set) var rows: [Int] = []

  init(_ stream: [UInt8]) {
    var position = 0
    var isFirst = true
    while true {
      precondition(position % 8 == 0, "a message at byte \(position)")
      precondition(FlatBufferTable.number(UInt32.self, stream, position) == 0xffff_ffff, "no mark")
      let length = FlatBufferTable.number(Int32.self, stream, position + 4)
      position += 8
      if length == 0 { break }
      precondition(length % 8 == 0, "metadata of \(length) bytes")
      let message = FlatBufferTable(root: Array(stream[position..<position + length]))
      position += length
      precondition(message.number(0, Int16.self) == 4, "no version 5")
      let bodyLength = message.number(3, Int64.self)
      let body = Array(stream[position..<position + bodyLength])
      position += bodyLength
      guard let header = message.table(2) else { preconditionFailure("a message without a header") }
      precondition(message.number(1, UInt8.self) == (isFirst ? 1 : 3), "a schema comes first, then batches")
      if isFirst { readSchema(header) } else { readBatch(header, body) }
      isFirst = false
    }
    precondition(position == stream.count, "bytes behind the end")
  }

  private mutating func readSchema(_ schema: FlatBufferTable) {
    precondition(schema.number(0, Int16.self) == 0, "not little-endian")
    fields = schema.tables(1).map { field in
      let kind = field.number(2, UInt8.self)
      guard let type = field.table(3) else { preconditionFailure("a field without a type") }
      precondition(field.number(1, UInt8.self) == 1, "not nullable")
      let metadata = field.tables(6)
      precondition(metadata.map { $0.string(0) } == ["waterbear.type"], "other metadata")
      return Field(
        name: field.string(0), kind: kind, parameters: Self.parameters(kind, type), sqlType: metadata[0].string(1))
    }
  }

  private static func parameters(_ kind: Int, _ type: FlatBufferTable) -> [Int] {
    switch kind {
    case 2: [type.number(0, Int32.self), type.number(1, UInt8.self)]
    case 7: [type.number(0, Int32.self), type.number(1, Int32.self), type.number(2, Int32.self)]
    case 3, 8, 10, 18: [type.number(0, Int16.self)]
    default: []
    }
  }

  private mutating func readBatch(_ header: FlatBufferTable, _ body: [UInt8]) {
    let count = header.number(0, Int64.self)
    let nodes = header.pairs(1)
    var buffers = header.pairs(2)[...]
    precondition(nodes.count == fields.count, "\(nodes.count) nodes for \(fields.count) columns")
    func next() -> [UInt8] {
      let (start, length) = buffers.removeFirst()
      precondition(start % 8 == 0, "a buffer at byte \(start)")
      return Array(body[start..<start + length])
    }
    rows.append(count)
    batches.append(
      zip(fields, nodes).map { field, node in
        precondition(node.0 == count, "\(node.0) rows in a column, not \(count)")
        if field.kind == 1 {
          precondition(node.1 == count, "values in a column of NULLs")
          return Array(repeating: .null, count: count)
        }
        let validity = next()
        precondition(validity.isEmpty == (node.1 == 0), "validity without NULLs")
        let offsets = field.kind == 4 || field.kind == 5 ? next() : []
        let data = next()
        let values = (0..<count).map { row -> Value in
          if !validity.isEmpty, validity[row / 8] >> UInt8(row % 8) & 1 == 0 { return .null }
          return Self.value(field, data, offsets, row)
        }
        precondition(values.count { $0 == .null } == node.1, "NULLs are counted wrongly")
        return values
      })
    precondition(buffers.isEmpty, "buffers without a column")
  }

  private static func value(_ field: Field, _ data: [UInt8], _ offsets: [UInt8], _ row: Int) -> Value {
    func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Value {
      .integer(Int64(FlatBufferTable.number(type, data, row * Number.bitWidth / 8)))
    }
    switch (field.kind, field.parameters.first) {
    case (2, 8): return integer(Int8.self)
    case (2, 16): return integer(Int16.self)
    case (2, 32), (8, _): return integer(Int32.self)
    case (2, 64), (10, _), (18, _): return integer(Int64.self)
    case (3, 1): return .double(Double(Float(bitPattern: UInt32(FlatBufferTable.number(UInt32.self, data, row * 4)))))
    case (3, 2):
      return .double(Double(bitPattern: UInt64(bitPattern: Int64(FlatBufferTable.number(Int64.self, data, row * 8)))))
    case (6, _): return .boolean(data[row / 8] >> UInt8(row % 8) & 1 == 1)
    case (7, _):
      let low = UInt64(bitPattern: Int64(FlatBufferTable.number(Int64.self, data, row * 16)))
      return .int128(Int128(FlatBufferTable.number(Int64.self, data, row * 16 + 8)) << 64 | Int128(low))
    case (4, _), (5, _):
      let start = FlatBufferTable.number(Int32.self, offsets, row * 4)
      return .bytes(Array(data[start..<FlatBufferTable.number(Int32.self, offsets, row * 4 + 4)]))
    default: preconditionFailure("type \(field.kind) with \(field.parameters)")
    }
  }
}
