// Owns the choice of the encoder for a column's type. What they do is theirs.
import Columnar

/// One column of a row group that is being written. A switch leads to concrete types, so that their loops are fast.
struct ColumnEncoder {
  private enum Kind {
    case boolean(BooleanColumn)
    case null(NullColumn)
    case int32(ValueColumn<Int32>)
    case int64(ValueColumn<Int64>)
    case int128(ValueColumn<Int128>)
    case float(ValueColumn<Float>)
    case double(ValueColumn<Double>)
    case text(ValueColumn<StringView>)
  }

  let plan: ColumnPlan
  let pages: PageAssembler
  private let kind: Kind
  private var converted: VectorConversion

  init(_ plan: ColumnPlan, _ options: ParquetWriterOptions, _ scratch: PageScratch) {
    self.plan = plan
    converted = VectorConversion(plan)
    pages = PageAssembler(scratch)
    switch plan.physical {
    case .boolean: kind = .boolean(BooleanColumn(pages, options))
    case .int32 where plan.logical == .null: kind = .null(NullColumn(pages, options))
    case .int32: kind = .int32(ValueColumn(pages, options))
    case .int64: kind = .int64(ValueColumn(pages, options))
    case .float: kind = .float(ValueColumn(pages, options))
    case .double: kind = .double(ValueColumn(pages, options))
    case .byteArray: kind = .text(ValueColumn(pages, options))
    case .fixedLengthByteArray: kind = .int128(ValueColumn(pages, options))
    case .int96: preconditionFailure("no SQL type is written as INT96")
    }
  }

  var retainedBytes: Int {
    switch kind {
    case .boolean(let column): column.retainedBytes
    case .null(let column): column.pages.retainedBytes
    case .int32(let column): column.retainedBytes
    case .int64(let column): column.retainedBytes
    case .int128(let column): column.retainedBytes
    case .float(let column): column.retainedBytes
    case .double(let column): column.retainedBytes
    case .text(let column): column.retainedBytes
    }
  }

  mutating func append(_ vector: Vector) throws {
    precondition(vector.type.layout == plan.type.layout, "\(vector.type) in a column of \(plan.type)")
    switch kind {
    case .boolean(let column): try column.append(vector)
    case .null(let column): try column.append(vector)
    case .int32(let column): try column.append(converted(vector))
    case .int64(let column): try column.append(converted(vector))
    case .int128(let column): try column.append(converted(vector))
    case .float(let column): try column.append(converted(vector))
    case .double(let column): try column.append(converted(vector))
    case .text(let column): try column.append(converted(vector))
    }
  }

  func endChunk(to output: (UnsafeRawBufferPointer) throws -> Void) throws -> WrittenChunk {
    switch kind {
    case .boolean(let column): try column.endChunk(to: output)
    case .null(let column): try column.endChunk(to: output)
    case .int32(let column): try column.endChunk(to: output)
    case .int64(let column): try column.endChunk(to: output)
    case .int128(let column): try column.endChunk(to: output)
    case .float(let column): try column.endChunk(to: output)
    case .double(let column): try column.endChunk(to: output)
    case .text(let column): try column.endChunk(to: output)
    }
  }
}
