// When pages are compressed, when that is given up, and when it is tried again.
import Testing

@testable import Exchange

struct PageCompressorTests {
  private let compressor = PageCompressor()

  @Test(arguments: [100, 5000, 1 << 20])
  func compressesAndBack(count: Int) throws {
    let raw = pattern(count)
    let packed = try #require(compress(raw))
    #expect(packed.count < count * 9 / 10)
    var back = [UInt8](repeating: 0, count: count)
    #expect(decompress(packed, into: &back))
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

  @Test func otherLengthIsRefused() throws {
    let packed = try #require(compress(pattern(1000)))
    var shorter = [UInt8](repeating: 0, count: 999)
    #expect(!decompress(packed, into: &shorter))
    var longer = [UInt8](repeating: 0, count: 1001)
    #expect(!decompress(packed, into: &longer))
    var same = [UInt8](repeating: 0, count: 1000)
    #expect(!decompress(Array(packed.dropLast()), into: &same))
    #expect(!decompress([], into: &same))
  }

  private func compress(_ raw: [UInt8]) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: raw.count + 1)
    let count = raw.withUnsafeBytes { raw in output.withUnsafeMutableBytes { compressor.compress(raw, into: $0) } }
    return count.map { Array(output[..<$0]) }
  }

  private func decompress(_ packed: [UInt8], into output: inout [UInt8]) -> Bool {
    packed.withUnsafeBytes { packed in
      output.withUnsafeMutableBytes { PageCompressor.decompress(packed, into: $0) }
    }
  }
}
