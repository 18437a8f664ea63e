// Proves the encodings of numbers of few bits against a reader that goes bit by bit.
import Columnar
import Testing

@testable import Parquet

@Suite struct HybridEncoderTests {
  private func encoded(_ values: [UInt32], width: Int) -> [UInt8] {
    let bytes = PageBytes()
    values.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress {
        HybridEncoder.append(start, count: buffer.count, width: width, to: bytes)
      }
    }
    return Array(bytes.bytes)
  }

  @Test(arguments: 1...32)
  func `values of every width come back`(width: Int) {
    var random = SplitMix(seed: UInt64(width))
    for count in [1, 7, 8, 9, 64, 100, 1000] {
      var values: [UInt32] = []
      while values.count < count {
        // Runs of all lengths among values of their own.
        let value = UInt32(truncatingIfNeeded: random.next() & (~0 >> UInt64(64 - width)))
        values += Array(repeating: value, count: random.next() % 4 == 0 ? Int(random.next() % 40) + 1 : 1)
      }
      values = Array(values.prefix(count))
      let bytes = encoded(values, width: width)
      #expect(WrittenFile.hybrid(bytes, width: width, count: count) == values.map { Int($0) })
    }
  }

  @Test func `a run takes a header and one value`() {
    #expect(encoded(Array(repeating: 5, count: 1000), width: 3) == [0xd0, 0x0f, 5])
    #expect(encoded(Array(repeating: 300, count: 8), width: 9) == [16, 0x2c, 1])
    // The numbers 0 to 7 in 3 bits, as the format's description has them.
    #expect(encoded([0, 1, 2, 3, 4, 5, 6, 7], width: 3) == [3, 0b1000_1000, 0b1100_0110, 0b1111_1010])
  }

  @Test func `widths`() {
    #expect([0, 1, 2, 3, 4, 5, 256, 257].map { HybridEncoder.width(below: $0) } == [1, 1, 1, 2, 2, 3, 8, 9])
  }

  @Test func `levels are the rows that have values`() {
    var random = SplitMix(seed: 1)
    for _ in 0..<200 {
      var levels = LevelBits()
      var expected: [Int] = []
      for _ in 0..<Int(random.next() % 6) + 1 {
        let count = Int(random.next() % 200)
        switch random.next() % 3 {
        case 0:
          levels.appendPresent(count)
          expected += Array(repeating: 1, count: count)
        case 1:
          levels.appendNulls(count)
          expected += Array(repeating: 0, count: count)
        default:
          let start = Int(random.next() % 70)
          let validity = Bitmap(repeating: true, count: start + count)
          let density = random.next() % 3
          for row in 0..<start + count where random.next() % 3 < density { validity.clear(row) }
          let present = levels.append(validity, from: start, count: count)
          let bits = (start..<start + count).map { validity[$0] ? 1 : 0 }
          #expect(present == bits.reduce(0, +))
          expected += bits
        }
      }
      #expect(levels.rows == expected.count)
      #expect(levels.nulls == expected.count { $0 == 0 })
      guard !expected.isEmpty else { continue }
      let bytes = PageBytes()
      levels.encode(to: bytes)
      let all = Array(bytes.bytes)
      #expect(Int(WrittenFile.number(all, 0, 4)) == all.count - 4)
      #expect(WrittenFile.hybrid(Array(all[4...]), width: 1, count: expected.count) == expected)
    }
  }
}
