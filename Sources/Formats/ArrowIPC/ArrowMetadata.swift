// Owns Arrow's metadata: what a schema and a record batch say of themselves. Knows no values.
// Names and numbers: https://arrow.apache.org/docs/format/Columnar.html and Schema.fbs, Message.fbs of the format.
import Columnar

/// A column of an Arrow stream. Names may be empty, and may be equal to others.
public struct ArrowColumn: Hashable, Sendable {
  public var name: String
  public var type: DataType

  public init(_ name: String, _ type: DataType) {
    self.name = name
    self.type = type
  }
}

/// The metadata of messages, as FlatBuffers.
enum ArrowMetadata {
  /// The key under which each field tells its SQL type, which Arrow's type does not always: char(5) is utf8 there.
  static let typeKey = "waterbear.type"

  /// MetadataVersion.V5.
  private static let version: FlatBufferBuilder.Field = .short(4)

  static func schema(_ columns: [ArrowColumn]) -> [UInt8] {
    var builder = FlatBufferBuilder()
    let fields = columns.map { field($0, &builder) }
    // endianness (little, the default), fields
    let schema = builder.table([nil, .reference(builder.vector(fields))])
    return message(kind: 1, schema, bodyByteCount: 0, &builder)
  }

  /// `nodes` are each column's rows and NULLs, `buffers` each buffer's place and length in the body.
  static func recordBatch(
    rows: Int, nodes: [(Int64, Int64)], buffers: [(Int64, Int64)], bodyByteCount: Int
  ) -> [UInt8] {
    var builder = FlatBufferBuilder()
    let buffers = builder.vector(buffers)
    let nodes = builder.vector(nodes)
    let batch = builder.table([.long(Int64(rows)), .reference(nodes), .reference(buffers)])
    return message(kind: 3, batch, bodyByteCount: bodyByteCount, &builder)
  }

  private static func message(
    kind: UInt8, _ header: FlatBufferBuilder.Reference, bodyByteCount: Int, _ builder: inout FlatBufferBuilder
  ) -> [UInt8] {
    let root = builder.table([version, .byte(kind), .reference(header), .long(Int64(bodyByteCount))])
    return builder.finish(root)
  }

  private static func field(_ column: ArrowColumn, _ builder: inout FlatBufferBuilder) -> FlatBufferBuilder.Reference {
    let key = builder.string(typeKey)
    let value = builder.string(column.type.description)
    let pair = builder.table([.reference(key), .reference(value)])
    let metadata = builder.vector([pair])
    let children = builder.vector([FlatBufferBuilder.Reference]())
    let (kind, type) = arrowType(column.type, &builder)
    let name = builder.string(column.name)
    // name, nullable, kind of type, type, dictionary, children, metadata
    return builder.table([
      .reference(name), .bool(true), .byte(kind), .reference(type), nil, .reference(children), .reference(metadata),
    ])
  }

  /// The number of a type in Arrow's union of types, and its table.
  private static func arrowType(
    _ type: DataType, _ builder: inout FlatBufferBuilder
  ) -> (UInt8, FlatBufferBuilder.Reference) {
    switch type {
    case .unknown: (1, builder.table([]))
    // Months are plain numbers: Polars 2.1 panics on an interval column, and Python has no value for one.
    case .tinyint: (2, builder.table([.int(8), .bool(true)]))
    case .smallint: (2, builder.table([.int(16), .bool(true)]))
    case .integer, .intervalYearToMonth: (2, builder.table([.int(32), .bool(true)]))
    case .bigint: (2, builder.table([.int(64), .bool(true)]))
    case .real: (3, builder.table([.short(1)]))
    case .double: (3, builder.table([.short(2)]))
    case .varbinary: (4, builder.table([]))
    case .varchar, .char: (5, builder.table([]))
    case .boolean: (6, builder.table([]))
    case .decimal(let precision, let scale):
      (7, builder.table([.int(Int32(precision)), .int(Int32(scale)), .int(128)]))
    case .date: (8, builder.table([.short(0)]))
    case .timestamp(let precision): (10, builder.table([.short(TimestampUnit(precision: precision).rawValue)]))
    case .intervalDayToSecond: (18, builder.table([.short(TimestampUnit.milliseconds.rawValue)]))
    }
  }
}

/// Arrow's TimeUnit, and how many microseconds one of it has.
enum TimestampUnit: Int16 {
  case seconds = 0
  case milliseconds = 1
  case microseconds = 2

  /// The coarsest unit that holds `precision` fractional digits.
  init(precision: Int) {
    self = precision == 0 ? .seconds : precision <= 3 ? .milliseconds : .microseconds
  }

  var microseconds: Int64 {
    switch self {
    case .seconds: 1_000_000
    case .milliseconds: 1000
    case .microseconds: 1
    }
  }
}
