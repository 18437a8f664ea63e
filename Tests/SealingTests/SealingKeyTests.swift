// What a key promises: sealed bytes open under the same key and associated data, and under nothing else.
import Base
import Sealing
import Testing

struct SealingKeyTests {
  @Test(arguments: [0, 1, 15, 16, 17, 32, 1000])
  func roundTrips(count: Int) throws {
    let key = try SealingKey.random()
    let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let sealed = try key.seal(plain, associated: [1, 2, 3])
    #expect(sealed.count == count + SealingKey.sealOverhead)
    #expect(try key.open(sealed, associated: [1, 2, 3]) == plain)
  }

  @Test func everyFlippedBitIsSeen() throws {
    let key = try SealingKey.random()
    let sealed = try key.seal([7, 8, 9], associated: [])
    for position in sealed.indices {
      for bit in 0..<8 {
        var damaged = sealed
        damaged[position] ^= 1 << UInt8(bit)
        #expect(throws: WaterbearError.self) { try key.open(damaged, associated: []) }
      }
    }
  }

  @Test func everyTruncationIsSeen() throws {
    let key = try SealingKey.random()
    let sealed = try key.seal([7, 8, 9], associated: [])
    for count in 0..<sealed.count {
      #expect(throws: WaterbearError.self) { try key.open(Array(sealed.prefix(count)), associated: []) }
    }
  }

  @Test func otherKeyOrAssociatedDataDoesNotOpen() throws {
    let key = try SealingKey.random()
    let sealed = try key.seal([1], associated: [5])
    #expect(throws: WaterbearError.self) { try key.open(sealed, associated: [6]) }
    #expect(throws: WaterbearError.self) { try key.open(sealed, associated: []) }
    let other = try SealingKey.random()
    #expect(throws: WaterbearError.self) { try other.open(sealed, associated: [5]) }
  }

  @Test func sealingTwiceGivesDifferentBytes() throws {
    let key = try SealingKey.random()
    #expect(try key.seal([1, 2], associated: []) != key.seal([1, 2], associated: []))
  }

  @Test func keyOfWrongLengthIsRefused() {
    for count in [0, 31, 33] {
      #expect(throws: WaterbearError.self) { try SealingKey(bytes: [UInt8](repeating: 0, count: count)) }
    }
  }

  /// HKDF-Expand of RFC 5869's test case 1: OKM's first block for the given PRK and info.
  @Test func derivationIsHKDFExpand() throws {
    let key = try SealingKey(bytes: bytes("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"))
    let derived = try key.derived(for: bytes("f0f1f2f3f4f5f6f7f8f9"))
    #expect(derived.bytes == bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"))
    #expect(try key.derived(for: [1]).bytes != key.derived(for: [2]).bytes)
  }

  private func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
