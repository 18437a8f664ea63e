// Owns the lookup of integer keys that lie close together: an array from key to group in place of hash slots.

import Columnar

/// The group of each key from `lowest` on, -1 for keys that do not occur. Immutable.
struct DirectGroups {
  private let groups: Buffer
  private let lowest: Int64
  /// Keys covered.
  private let range: UInt64

  /// A table this small is always worth it.
  private static let smallBytes = 1 << 20

  var retainedBytes: Int { groups.byteCount }

  /// The bytes of an array for the `count` keys; nil where there are none or it would be larger than `limit` (and not
  /// small). The keys are distinct, and key i belongs to group i.
  static func bytes<Key: FixedWidthInteger>(for keys: UnsafePointer<Key>, count: Int, limit: Int) -> Int? {
    guard let (_, range) = bounds(keys, count), range < UInt64(max(limit, smallBytes) / 4) else { return nil }
    return Int(range + 1) * 4
  }

  init?<Key: FixedWidthInteger>(_ keys: UnsafePointer<Key>, count: Int) {
    guard let (lowest, range) = Self.bounds(keys, count) else { return nil }
    self.lowest = lowest
    self.range = range
    // One entry more than there are keys: where all other keys are sent.
    groups = Buffer(count: Int(range) + 1, of: Int32.self)
    let target = groups.pointer(to: Int32.self)
    target.update(repeating: -1, count: Int(range) + 1)
    for group in 0..<count { target[Int(Int64(keys[group]) - lowest)] = Int32(truncatingIfNeeded: group) }
  }

  private static func bounds<Key: FixedWidthInteger>(
    _ keys: UnsafePointer<Key>, _ count: Int
  ) -> (lowest: Int64, range: UInt64)? {
    guard count > 0 else { return nil }
    var lowest = keys[0]
    var highest = keys[0]
    for index in 1..<count {
      lowest = min(lowest, keys[index])
      highest = max(highest, keys[index])
    }
    let span = UInt64(bitPattern: Int64(highest)) &- UInt64(bitPattern: Int64(lowest))
    return span >= 1 << 32 ? nil : (Int64(lowest), span + 1)
  }

  /// Writes the group of each key, -1 for none.
  @inline(__always)
  func find<Key: FixedWidthInteger>(
    _ keys: UnsafePointer<Key>, count: Int, into ids: UnsafeMutablePointer<Int32>
  ) {
    let groups = UnsafePointer(groups.pointer(to: Int32.self))
    let (lowest, range) = (UInt64(bitPattern: lowest), range)
    for row in 0..<count {
      let offset = UInt64(bitPattern: Int64(truncatingIfNeeded: keys[row])) &- lowest
      ids[row] = groups[Int(truncatingIfNeeded: min(offset, range))]
    }
  }
}
