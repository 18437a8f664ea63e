// Owns the open-addressing slots of hash tables: 32 bits of hash and an entry number in each. Knows no keys.

import Columnar

/// Slots with linear probing. A slot is 0 where free, else `hash << 32 | entry + 1`. The upper bits of the 32-bit hash
/// give the place, so that growing reads and writes in order and needs no keys.
struct HashSlots {
  private(set) var buffer: Buffer
  /// Slots less one; the number of slots is a power of two.
  private(set) var mask: Int
  /// How far a hash is shifted right to give its place.
  private(set) var shift: UInt32

  private static let minimumBits: UInt32 = 10

  init() { self.init(bits: Self.minimumBits) }

  private init(bits: UInt32) {
    buffer = Buffer(zeroed: 8 << Int(bits))
    mask = 1 << Int(bits) - 1
    shift = 32 - bits
  }

  var retainedBytes: Int { buffer.byteCount }

  @inline(__always)
  var base: UnsafeMutablePointer<UInt64> { buffer.pointer(to: UInt64.self) }

  @inline(__always)
  static func pack(hash: UInt32, entry: Int) -> UInt64 {
    UInt64(hash) &<< 32 | UInt64(truncatingIfNeeded: entry &+ 1)
  }

  /// The bytes that `grow(forEntries:)` would allocate.
  func growth(forEntries entries: Int) -> Int {
    let bits = Self.bits(forEntries: entries)
    return bits > 32 - shift ? 8 << Int(bits) : 0
  }

  /// Makes room for this many entries at a load of at most 5/8.
  mutating func grow(forEntries entries: Int) {
    let bits = Self.bits(forEntries: entries)
    guard bits > 32 - shift else { return }
    let old = self
    self = HashSlots(bits: bits)
    let slots = base
    for index in 0...old.mask {
      let slot = old.base[index]
      if slot == 0 { continue }
      var place = Int(truncatingIfNeeded: UInt32(truncatingIfNeeded: slot &>> 32) &>> shift)
      while slots[place] != 0 { place = (place &+ 1) & mask }
      slots[place] = slot
    }
  }

  private static func bits(forEntries entries: Int) -> UInt32 {
    var bits = minimumBits
    while (1 << Int(bits)) * 5 < entries * 8 { bits += 1 }
    precondition(bits <= 31, "a table of \(entries) entries")
    return bits
  }
}
