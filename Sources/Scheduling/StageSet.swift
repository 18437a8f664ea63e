// Owns a set of stages ordered upstream first.

/// A set of small numbers, kept as bits, whose least member is found in O(stages / 64).
struct StageSet {
  private var words: [UInt64]

  init(capacity: Int) { words = Array(repeating: 0, count: (capacity + 63) / 64) }

  /// The least member.
  var first: Int? {
    for index in words.indices where words[index] != 0 {
      return index * 64 + words[index].trailingZeroBitCount
    }
    return nil
  }

  mutating func set(_ member: Int, _ isMember: Bool) {
    let bit = UInt64(1) << UInt64(member % 64)
    if isMember { words[member / 64] |= bit } else { words[member / 64] &= ~bit }
  }
}
