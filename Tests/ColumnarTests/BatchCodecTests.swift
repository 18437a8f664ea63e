// Batches as bytes: every type and encoding comes back, equal batches give equal bytes, and no bytes make it trap.
import Base
import Columnar
import Testing

struct BatchCodecTests {
  static let allTypes: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal(precision: 10, scale: 2),
    .decimal(precision: 38, scale: 4), .varcharUnbounded, .char(length: 5), .varbinary, .date,
    .timestamp(precision: 6), .unknown,
  ]

  /// A value for a row, or NULL for every third row where that is wanted.
  static func value(_ type: DataType, _ row: Int, nullable: Bool) -> Value {
    if nullable && row % 3 == 1 || type == .unknown { return .null }
    switch type.layout {
    case .boolean: return .boolean(row % 2 == 0)
    case .int8: return .integer(Int64(row % 256 - 128))
    case .int16, .int32: return .integer(Int64((row * 7 - 300) % 30_000))
    case .int64: return .integer(Int64(row) * 1_000_000_007 - 5)
    case .int128: return .int128((Int128(row) << 70) - 12345)
    case .float32, .float64: return .double(Double(row) / 4)
    case .string: return .text(String(repeating: "abcdefghij", count: row % 5) + "\(row)")
    }
  }

  static func column(_ type: DataType, count: Int, nullable: Bool = false) -> Vector {
    var builder = VectorBuilder(type: type)
    for row in 0..<count { builder.append(value(type, row, nullable: nullable)) }
    return builder.finish()
  }

  @Test(arguments: allTypes, [0, 1, 2, 63, 64, 65, 1000])
  func flatColumnsComeBack(type: DataType, count: Int) throws {
    for nullable in [false, true] {
      try expectRoundTrip(Self.column(type, count: count, nullable: nullable))
    }
  }

  @Test(arguments: allTypes)
  func constantsComeBack(type: DataType) throws {
    for value in [Self.value(type, 3, nullable: false), .null] {
      for count in [0, 1, 500] {
        let decoded = try expectRoundTrip(Vector.repeating(value, type: type, count: count))
        #expect(decoded.encoding == .constant)
      }
    }
  }

  @Test(arguments: allTypes)
  func dictionariesComeBack(type: DataType) throws {
    for (entries, count) in [(1, 10), (7, 100), (300, 5000), (300, 10), (5000, 10)] {
      for nullable in [false, true] {
        let indices = (0..<count).map { Int32(($0 * 31 + $0 / 7) % entries) }
        try expectRoundTrip(dictionary(Self.column(type, count: entries, nullable: nullable), indices))
      }
    }
    try expectRoundTrip(dictionary(Self.column(type, count: 3), []))
  }

  @Test func onlyUsedEntriesOfADictionaryTravel() throws {
    let vector = dictionary(Self.column(.varcharUnbounded, count: 1000), (0..<400).map { $0 % 2 == 0 ? 999 : 5 })
    let decoded = try expectRoundTrip(vector)
    #expect(decoded.encoding == .dictionary)
    #expect(decoded.dictionary?.count == 2)
    #expect(encode([vector]).count < 600)
  }

  @Test func dictionaryOfNullsComesBack() throws {
    let decoded = try expectRoundTrip(dictionary(Self.column(.unknown, count: 4), [0, 1, 2, 3, 3, 2, 1, 0]))
    #expect(decoded.isNull(0))
  }

  @Test(arguments: [
    (DataType.bigint, [0, 255] as [Int64], 1), (.bigint, [5_000_000_000, 5_000_000_255], 1), (.bigint, [0, 256], 2),
    (.bigint, [-1, 65_534], 2), (.bigint, [0, 65_536], 4), (.bigint, [0, 1 << 32], 8),
    (.bigint, [.min, .max], 8), (.integer, [.init(Int32.min), .init(Int32.max)], 4), (.tinyint, [-128, 127], 1),
    (.smallint, [-32768, 32767], 2), (.decimal(precision: 38, scale: 0), [-5, 250], 1),
    (.decimal(precision: 38, scale: 0), [.min, .max], 8),
  ])
  func integersTakeTheFewestBytes(type: DataType, ends: [Int64], width: Int) throws {
    var builder = VectorBuilder(type: type)
    for row in 0..<1000 { builder.append(.integer(ends[row % ends.count])) }
    let vector = builder.finish()
    try expectRoundTrip(vector)
    #expect(encode([vector]).count <= 16 + 8 + 16 + 1000 * width)
  }

  @Test func wideInt128ComesBack() throws {
    var builder = VectorBuilder(type: .decimal(precision: 38, scale: 0))
    for value in [Int128.min, .max, 0, -1, 1 << 100] { builder.append(.int128(value)) }
    try expectRoundTrip(builder.finish())
  }

  @Test func equalIntegersBecomeAConstant() throws {
    var builder = VectorBuilder(type: .date)
    for _ in 0..<5000 { builder.append(.integer(9000)) }
    let vector = builder.finish()
    #expect(try expectRoundTrip(vector).encoding == .constant)
    #expect(encode([vector]).count == 32)
  }

  @Test func bytesDoNotDependOnWhatLiesUnderNulls() throws {
    for type in Self.allTypes where type.layout != .string {
      let first = Self.column(type, count: 100, nullable: true)
      let other = Buffer(byteCount: first.values.byteCount)
      for byte in 0..<other.byteCount { other.pointer(to: UInt8.self)[byte] = 0xa5 }
      for row in 0..<100 where !first.isNull(row) {
        let stride = type.layout.stride
        (other.base + row * stride).copyMemory(from: first.values.base + row * stride, byteCount: stride)
      }
      let second = Vector(flat: type, count: 100, values: other, validity: first.validity)
      #expect(encode([first]) == encode([second]), "\(type)")
    }
  }

  @Test func bytesDoNotDependOnEarlierBatches() {
    var encoder = BatchEncoder()
    let small = Batch(columns: [Self.column(.varcharUnbounded, count: 5, nullable: true)], count: 5)
    let large = Batch(columns: [Self.column(.varcharUnbounded, count: 20_000)], count: 20_000)
    let first = encoder.encode(small) { Array($0) }
    #expect(encoder.encode(large) { $0.count } > 100_000)
    #expect(encoder.encode(small) { Array($0) } == first)
  }

  @Test func batchOfManyColumnsAndOfNone() throws {
    let columns = Self.allTypes.map { Self.column($0, count: 77, nullable: true) }
    let batch = try BatchCodec.decode(encode(columns, count: 77), types: Self.allTypes)
    #expect(batch.count == 77)
    for (decoded, column) in zip(batch.columns, columns) { expectEqual(decoded, column) }
    #expect(try BatchCodec.decode(encode([], count: 12), types: []).count == 12)
  }

  @Test func longStringsOutliveThePage() throws {
    let text = String(repeating: "long enough to lie in the page ", count: 3)
    var vector: Vector?
    do {
      let bytes = encode([Vector.repeating(.text(text), type: .varcharUnbounded, count: 4)])
      vector = try BatchCodec.decode(bytes, types: [.varcharUnbounded]).columns[0]
    }
    #expect(vector?.value(at: 3) == .text(text))
    #expect((vector?.retainedBytes ?? 0) >= text.utf8.count)
  }

  /// Pages outlive a restart: a change of these bytes needs a new version of the format.
  @Test func formatIsPinned() {
    var numbers = VectorBuilder(type: .bigint)
    var texts = VectorBuilder(type: .varcharUnbounded)
    for (number, text) in [(Value.integer(300), Value.text("a")), (.null, .null), (.integer(301), .text("bcd"))] {
      numbers.append(number)
      texts.append(text)
    }
    let flags = Vector.repeating(.boolean(true), type: .boolean, count: 3)
    let words: [UInt64] = [
      0x0000_0003_0000_0001, 3,
      // bigint: flat, int64, width 1, validity; base 300; distances 0, 0 (NULL) and 1.
      0x0000_0003_0101_0400, 0b101, 300, 0x01_00_00,
      // varchar: flat, string, width 1, validity; lengths from 0, 4 bytes in all: 1, 0, 3.
      0x0000_0003_0101_0800, 0b101, 0, 4, 0x03_00_01, 0x6463_6261,
      // boolean: a constant whose base is 1.
      0x0000_0001_0000_0001, 1,
    ]
    let expected = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    #expect(encode([numbers.finish(), texts.finish(), flags]) == expected)
  }

  @Test func wrongTypesAreRefused() {
    let bytes = encode([Self.column(.bigint, count: 3)])
    for types in [[DataType.integer], [.varcharUnbounded], [], [.bigint, .bigint]] {
      let error = #expect(throws: WaterbearError.self) { try BatchCodec.decode(bytes, types: types) }
      #expect(error?.code == .exchangeDataUnrecoverable)
    }
  }

  /// Cut, extended and changed bytes either are refused or give a batch whose every value can be read.
  @Test func damagedBytesNeverTrap() throws {
    let types: [DataType] = [.bigint, .varcharUnbounded, .varcharUnbounded, .double, .decimal(precision: 38, scale: 0)]
    let strings = Self.column(.varcharUnbounded, count: 5, nullable: true)
    let intact = encode(
      [
        Self.column(.bigint, count: 40, nullable: true), Self.column(.varcharUnbounded, count: 40),
        dictionary(strings, (0..<40).map { Int32($0 % 5) }), Vector.repeating(.null, type: .double, count: 40),
        Self.column(.decimal(precision: 38, scale: 0), count: 40),
      ], count: 40)
    for count in 0..<intact.count { #expect(!survives(Array(intact[..<count]), types), "\(count) bytes") }
    #expect(!survives(intact + [0], types))
    #expect(survives(intact, types))
    var refused = 0
    for position in intact.indices {
      for change in [1, 0x80, 0xff] as [UInt8] {
        var damaged = intact
        damaged[position] ^= change
        if !survives(damaged, types) { refused += 1 }
      }
    }
    #expect(refused > 100)
  }

  /// Whether the bytes give a batch; reads all of its values.
  private func survives(_ bytes: [UInt8], _ types: [DataType]) -> Bool {
    guard let batch = try? BatchCodec.decode(bytes, types: types) else { return false }
    var seen = 0
    for column in batch.columns {
      for row in 0..<min(column.count, 1000) where column.value(at: row) != .null { seen += 1 }
    }
    return seen >= 0
  }

  private func encode(_ columns: [Vector], count: Int? = nil) -> [UInt8] {
    var encoder = BatchEncoder()
    return encoder.encode(Batch(columns: columns, count: count ?? columns[0].count)) { Array($0) }
  }

  private func dictionary(_ entries: Vector, _ indices: [Int32]) -> Vector {
    let buffer = Buffer(count: indices.count, of: Int32.self)
    for (row, index) in indices.enumerated() { buffer.pointer(to: Int32.self)[row] = index }
    return Vector(dictionary: entries, indices: buffer, count: indices.count)
  }

  @discardableResult
  private func expectRoundTrip(_ vector: Vector) throws -> Vector {
    let batch = try BatchCodec.decode(encode([vector]), types: [vector.type])
    #expect(batch.count == vector.count)
    expectEqual(batch.columns[0], vector)
    return batch.columns[0]
  }

  private func expectEqual(_ left: Vector, _ right: Vector) {
    #expect(left.type == right.type)
    #expect(left.count == right.count)
    for row in 0..<min(left.count, right.count) where left.value(at: row) != right.value(at: row) {
      Issue.record("row \(row) of \(right.type): \(left.value(at: row)) instead of \(right.value(at: row))")
    }
  }
}
