// The checksum against the reference implementation's values.
import Base
import Testing

struct XXH64Tests {
  @Test(arguments: [
    ("", 0, 0xef46_db37_51d8_e999), ("a", 0, 0xd24e_c4f1_a98c_6e5b), ("abc", 0, 0x44bc_2cf5_ad77_0999),
    ("", 1, 0xd5af_ba13_36a3_be4b),
    ("Nobody inspects the spammish repetition", 0, 0xfbce_a83c_8a37_8bf1),
  ] as [(String, UInt64, UInt64)])
  func matchesReference(text: String, seed: UInt64, expected: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes { XXH64.hash($0, seed: seed) } == expected)
  }

  @Test func everyLengthAndByteCounts() {
    var seen = Set<UInt64>()
    for count in 0..<200 {
      seen.insert([UInt8](repeating: 0, count: count).withUnsafeBytes { XXH64.hash($0) })
      for position in 0..<count {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes[position] = 1
        seen.insert(bytes.withUnsafeBytes { XXH64.hash($0) })
      }
    }
    #expect(seen.count == 200 + 199 * 200 / 2)
  }
}
