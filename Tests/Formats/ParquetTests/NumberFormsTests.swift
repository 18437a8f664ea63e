// Tests numbers in forms that only Parquet has.

import Testing

@testable import Parquet

@Suite struct NumberFormsTests {
  @Test func `two's complement of any length`() {
    #expect(BigEndianInteger.decode([]) == 0)
    #expect(BigEndianInteger.decode([0x7f]) == 127)
    #expect(BigEndianInteger.decode([0xff]) == -1)
    #expect(BigEndianInteger.decode([0xff, 0x7f]) == -129)
    #expect(BigEndianInteger.decode([0x80] + [UInt8](repeating: 0, count: 15)) == Int128.min)
    #expect(BigEndianInteger.decode([0, 0] + [0x7f] + [UInt8](repeating: 0xff, count: 15)) == Int128.max)
    #expect(BigEndianInteger.decode([0xff] + [0x80] + [UInt8](repeating: 0, count: 15)) == Int128.min)
    #expect(BigEndianInteger.decode([0] + [0x80] + [UInt8](repeating: 0, count: 15)) == nil)
    #expect(BigEndianInteger.decode([1] + [UInt8](repeating: 0, count: 16)) == nil)
  }

  @Test func `halves are the same numbers in 32 bits`() {
    #expect(HalfFloat.float(0x3c00) == 1)
    #expect(HalfFloat.float(0xc000) == -2)
    #expect(HalfFloat.float(0x7bff) == 65504)
    #expect(HalfFloat.float(0x0001) == 0x1p-24)
    #expect(HalfFloat.float(0x8000).sign == .minus)
    #expect(HalfFloat.float(0x7c00) == .infinity)
    #expect(HalfFloat.float(0x7e00).isNaN)
  }

  @Test func `quotients are rounded down`() {
    #expect(Int64(1999).flooredQuotient(by: 1000) == 1)
    #expect(Int64(-1).flooredQuotient(by: 1000) == -1)
    #expect(Int64(-1000).flooredQuotient(by: 1000) == -1)
    #expect(Int64.min.flooredQuotient(by: 1000) == Int64.min / 1000 - 1)
  }
}
