// When pages are compressed, when that is given up, and when it is tried again.
import Testing

@testable import Exchange

struct PageCompressorTests {
  /// Not nil for a codec that does something.
  private let compressor = PageCompressor(.lz4)!
  private let decompressor = PageDecompressor()

  @Test(arguments: [SpoolCodec.lz4, .zstd], [100, 5000, 1 << 20])
  func compressesAndBack(codec: SpoolCodec, count: Int) throws {
    let raw = pattern(count)
    let compressor = try #require(PageCompressor(codec))
    let packed = try #require(compress(raw, with: compressor))
    #expect(packed.count < count * 9 / 10)
    var back = [UInt8](repeating: 0, count: count)
    #expect(try decompress(packed, codec, into: &back))
    #expect(back == raw)
  }

  @Test func keepsWhatDoesNotShrinkByATenth() {
    #expect(compress([]) == nil)
    #expect(compress([1]) == nil)
    // One byte in twenty could be saved.
    #expect(compress(noise(9500) + [UInt8](repeating: 0, count: 500)) == nil)
    #expect(compress(noise(8000) + [UInt8](repeating: 0, count: 2000)) != nil)
  }

  @Test func givesUpForAWhileAndTriesAgain() {
    for pause in [8, 16, 32, 64, 64] {
      // Four failures start the first pause; after a pause a single one starts the next.
      for _ in 0..<(pause == 8 ? 4 : 1) { #expect(compress(noise(1000)) == nil) }
      for _ in 0..<pause { #expect(compress(pattern(1000)) == nil) }
    }
    #expect(compress(pattern(1000)) != nil)
    // A success starts all over.
    for _ in 0..<3 { #expect(compress(noise(1000)) == nil) }
    #expect(compress(pattern(1000)) != nil)
  }

  @Test(arguments: [SpoolCodec.lz4, .zstd])
  func otherLengthIsRefused(codec: SpoolCodec) throws {
    let compressor = try #require(PageCompressor(codec))
    let packed = try #require(compress(pattern(1000), with: compressor))
    var shorter = [UInt8](repeating: 0, count: 999)
    #expect(try !decompress(packed, codec, into: &shorter))
    var longer = [UInt8](repeating: 0, count: 1001)
    #expect(try !decompress(packed, codec, into: &longer))
    var same = [UInt8](repeating: 0, count: 1000)
    #expect(try !decompress(Array(packed.dropLast()), codec, into: &same))
    #expect(try !decompress([], codec, into: &same))
    #expect(try !decompress(noise(1000), codec, into: &same))
  }

  private func compress(_ raw: [UInt8]) -> [UInt8]? { compress(raw, with: compressor) }

  private func compress(_ raw: [UInt8], with compressor: PageCompressor) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: raw.count + 1)
    let count = raw.withUnsafeBytes { raw in output.withUnsafeMutableBytes { compressor.compress(raw, into: $0) } }
    return count.map { Array(output[..<$0]) }
  }

  private func decompress(_ packed: [UInt8], _ codec: SpoolCodec, into output: inout [UInt8]) throws -> Bool {
    try packed.withUnsafeBytes { packed in
      try output.withUnsafeMutableBytes { try decompressor.decompress(packed, codec, into: $0) }
    }
  }
}
