// The hot path over raw buffers: a published test vector, reuse of one context, and refusal of damage.
import Base
import Sealing
import Testing

struct AESGCMTests {
  /// Test case 14 of McGrew and Viega's GCM specification: AES-256, zero key, zero nonce, one zero block.
  @Test func publishedVector() throws {
    let cipher = try AESGCM(key: SealingKey(bytes: zeros(32)), direction: .sealing)
    let sealed = try seal(cipher, zeros(16), nonce: zeros(12), associated: [])
    #expect(
      sealed == [
        0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
        0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
      ])
  }

  @Test func oneContextServesManyMessages() throws {
    let key = try SealingKey.random()
    let sealer = try AESGCM(key: key, direction: .sealing)
    let opener = try AESGCM(key: key, direction: .opening)
    for number in 0..<100 {
      let plain = (0..<number * 7).map { UInt8(truncatingIfNeeded: $0 &* number) }
      var nonce = zeros(12)
      nonce[11] = UInt8(number)
      let associated = [UInt8](repeating: 3, count: number % 5)
      let sealed = try seal(sealer, plain, nonce: nonce, associated: associated)
      #expect(try open(opener, sealed, nonce: nonce, associated: associated) == plain)
    }
  }

  @Test func refusalLeavesNothingAndHarmsNoLaterMessage() throws {
    let key = try SealingKey.random()
    let sealer = try AESGCM(key: key, direction: .sealing)
    let opener = try AESGCM(key: key, direction: .opening)
    let sealed = try seal(sealer, [1, 2, 3], nonce: zeros(12), associated: [9])
    var damaged = sealed
    damaged[0] ^= 1
    #expect(try open(opener, damaged, nonce: zeros(12), associated: [9]) == nil)
    #expect(try open(opener, sealed, nonce: [1] + zeros(11), associated: [9]) == nil)
    #expect(try open(opener, sealed, nonce: zeros(12), associated: [9]) == [1, 2, 3])
  }

  @Test func randomBytesDiffer() throws {
    #expect(try RandomBytes.make(16) != RandomBytes.make(16))
    #expect(try RandomBytes.make(0).isEmpty)
  }

  private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private func seal(
    _ cipher: AESGCM, _ plain: [UInt8], nonce: [UInt8], associated: [UInt8]
  ) throws -> [UInt8] {
    var output = zeros(plain.count + AESGCM.tagByteCount)
    try output.withUnsafeMutableBytes { output in
      try plain.withUnsafeBytes { plain in
        try nonce.withUnsafeBytes { nonce in
          try associated.withUnsafeBytes { associated in
            try cipher.seal(plain, nonce: nonce, associated: associated, into: output)
          }
        }
      }
    }
    return output
  }

  /// The plain bytes, or nil where the tag does not match; the output is then all zeros.
  private func open(
    _ cipher: AESGCM, _ sealed: [UInt8], nonce: [UInt8], associated: [UInt8]
  ) throws -> [UInt8]? {
    var output = [UInt8](repeating: 0xff, count: sealed.count - AESGCM.tagByteCount)
    let matches = try output.withUnsafeMutableBytes { output in
      try sealed.withUnsafeBytes { sealed in
        try nonce.withUnsafeBytes { nonce in
          try associated.withUnsafeBytes { associated in
            try cipher.open(sealed, nonce: nonce, associated: associated, into: output)
          }
        }
      }
    }
    if !matches { #expect(output.allSatisfy { $0 == 0 }) }
    return matches ? output : nil
  }
}
