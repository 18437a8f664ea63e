// Tests the decoder of Snappy blocks against the library's encoder, and on damage.

import CSnappy
import Columnar
import Testing

@testable import Parquet

@Suite struct SnappyBlockTests {
  private func compressed(_ raw: [UInt8]) -> [UInt8] {
    var count = snappy_max_compressed_length(raw.count)
    var block = [UInt8](repeating: 0, count: count)
    let status = raw.withUnsafeBufferPointer { raw in
      block.withUnsafeMutableBufferPointer { block in
        snappy_compress(
          UnsafeRawPointer(raw.baseAddress!).assumingMemoryBound(to: CChar.self), raw.count,
          UnsafeMutableRawPointer(block.baseAddress!).assumingMemoryBound(to: CChar.self), &count)
      }
    }
    #expect(status == SNAPPY_OK)
    return Array(block[..<count])
  }

  /// What comes out of `block`, which is put into padded memory first.
  private func decompressed(_ block: [UInt8], count: Int) -> [UInt8]? {
    let input = Buffer(byteCount: block.count)
    block.withUnsafeBytes { input.base.copyMemory(from: $0.baseAddress!, byteCount: block.count) }
    let output = Buffer(byteCount: count)
    let isComplete = SnappyBlock.decompress(
      UnsafeRawBufferPointer(start: input.base, count: block.count),
      into: UnsafeMutableRawBufferPointer(start: output.base, count: count))
    defer { withExtendedLifetime((input, output)) {} }
    return isComplete ? Array(UnsafeRawBufferPointer(start: output.base, count: count)) : nil
  }

  /// Bytes with repetitions at distances near and far.
  private func sample(_ count: Int, seed: UInt64) -> [UInt8] {
    var chance = SplitMix(seed: seed)
    var bytes: [UInt8] = []
    while bytes.count < count {
      switch chance.next() % 4 {
      case 0: bytes += (0..<chance.next() % 90).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
      case 1: bytes += [UInt8](repeating: UInt8(chance.next() % 3), count: Int(chance.next() % 100))
      default:
        guard !bytes.isEmpty else { continue }
        let distance = 1 + Int(chance.next() % UInt64(min(bytes.count, chance.next() % 2 == 0 ? 20 : 70000)))
        for _ in 0..<chance.next() % 80 { bytes.append(bytes[bytes.count - distance]) }
      }
    }
    return Array(bytes.prefix(count))
  }

  @Test(arguments: [1, 2, 59, 60, 61, 64, 65, 255, 256, 257, 1000, 65536, 70000, 300_000])
  func `what the library compressed comes out again`(_ count: Int) {
    for seed in 0..<20 as Range<UInt64> {
      let raw = sample(count, seed: seed &* 31 &+ UInt64(count))
      #expect(decompressed(compressed(raw), count: count) == raw)
    }
  }

  @Test func `overlapping copies of every distance and length`() {
    for distance in 1...70 {
      for length in 1...64 {
        let start = (0..<70).map { UInt8($0) }
        // A literal of 70 bytes, then a copy with an offset of two bytes.
        let total = 70 + length
        var block = total < 128 ? [UInt8(total)] : [UInt8(total & 0x7f | 0x80), UInt8(total >> 7)]
        block += [60 << 2, 69] + start
        block += [UInt8((length - 1) << 2 | 2), UInt8(distance), 0]
        var wanted = start
        for _ in 0..<length { wanted.append(wanted[wanted.count - distance]) }
        #expect(decompressed(block, count: total) == wanted)
      }
    }
  }

  @Test func `damage gives no page and stays within it`() {
    let raw = sample(2000, seed: 5)
    let block = compressed(raw)
    #expect(decompressed(block, count: 1999) == nil)
    #expect(decompressed(block, count: 2001) == nil)
    for count in 1..<block.count { #expect(decompressed(Array(block[..<count]), count: 2000) == nil) }
    var chance = SplitMix(seed: 6)
    for _ in 0..<5000 {
      var damaged = block
      damaged[Int(chance.next() % UInt64(block.count))] = UInt8(truncatingIfNeeded: chance.next())
      _ = decompressed(damaged, count: 2000)
    }
  }
}
