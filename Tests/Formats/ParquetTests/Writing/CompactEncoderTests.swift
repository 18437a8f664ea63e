// Proves that structures have the bytes that Thrift's compact protocol asks for.
import Testing

@testable import Parquet

@Suite struct CompactEncoderTests {
  @Test func `fields of every kind`() {
    var encoder = CompactEncoder()
    encoder.field(1, true)
    encoder.field(2, false)
    encoder.field(3, Int8(-1))
    encoder.field(4, Int16(-1))
    encoder.field(20, Int32(150))
    encoder.field(21, Int64.min)
    encoder.field(22, "hé")
    encoder.field(23) { $0.field(1, Int32(1)) }
    encoder.field(24, list: [Int32(1), -1])
    encoder.field(25, list: (0..<16).map { Int64($0) })
    encoder.field(26, list: [true, false])
    let expected: [[UInt8]] = [
      [0x11], [0x12], [0x13, 0xff], [0x14, 0x01],
      [0x05, 40, 0xac, 0x02],  // too far behind field 4: the id in full
      [0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x18, 3, 0x68, 0xc3, 0xa9],
      [0x1c, 0x15, 2, 0],
      [0x19, 0x25, 2, 1],
      [0x19, 0xf6, 16] + (0..<16).map { UInt8($0 * 2) },
      [0x19, 0x21, 1, 2],
      [0],
    ]
    #expect(encoder.finish() == expected.flatMap(\.self))
  }
}
