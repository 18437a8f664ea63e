// Owns the flat arrays that aggregates keep per group. Knows no aggregate.

import Columnar

/// One value per group in flat memory, each starting as `initial`. Loops take `base` once and index it.
final class StateArray<Element: BitwiseCopyable> {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity = 0
  let initial: Element

  init(initial: Element) {
    self.initial = initial
    base = .allocate(capacity: 0)
  }

  deinit { base.deallocate() }

  var retainedBytes: Int { capacity * MemoryLayout<Element>.stride }

  /// Bytes that `grow(to: groups)` would allocate.
  func growth(to groups: Int) -> Int {
    groups > capacity ? max(groups, capacity * 2, 64) * MemoryLayout<Element>.stride : 0
  }

  /// Has a value for each of `groups` groups from now on.
  func grow(to groups: Int) {
    guard groups > count else { return }
    if groups > capacity {
      let newCapacity = max(groups, capacity * 2, 64)
      let larger = UnsafeMutablePointer<Element>.allocate(capacity: newCapacity)
      larger.update(from: base, count: count)
      base.deallocate()
      base = larger
      capacity = newCapacity
    }
    (base + count).update(repeating: initial, count: groups - count)
    count = groups
  }

  /// Forgets all groups, keeps the memory.
  func reset() { count = 0 }

  /// The values of some groups as a vector's buffer.
  func buffer(from start: Int, count length: Int) -> Buffer {
    let copy = Buffer(count: length, of: Element.self)
    copy.pointer(to: Element.self).update(from: base + start, count: length)
    return copy
  }
}

/// Which groups have had a value. As long as every group got one in the batch that made it, this costs nothing per row.
struct Presence {
  /// Nil as long as all of the first `settled` groups have a value and no others exist.
  private var flags: StateArray<UInt8>?
  private var settled = 0

  var retainedBytes: Int { flags?.retainedBytes ?? 0 }
  func growth(to groups: Int) -> Int { flags?.growth(to: groups) ?? 0 }

  mutating func reset() {
    flags = nil
    settled = 0
  }

  /// To be called before a batch's rows are added. `everyNewGroupHasValue`: the batch has no NULLs and includes the
  /// rows that made the groups. Returns the flags that the rows' loop must set to 1, or nil where it need not.
  mutating func prepare(groups: Int, everyNewGroupHasValue: Bool) -> UnsafeMutablePointer<UInt8>? {
    if flags == nil && everyNewGroupHasValue {
      settled = groups
      return nil
    }
    let flags = self.flags ?? StateArray(initial: 0)
    if self.flags == nil {
      flags.grow(to: settled)
      flags.base.update(repeating: 1, count: settled)
      self.flags = flags
    }
    flags.grow(to: groups)
    return flags.base
  }

  /// Whether a group has had a value.
  func has(_ group: Int) -> Bool {
    guard let flags else { return group < settled }
    return group < flags.count && flags.base[group] != 0
  }

  /// The flags of some groups as validity; nil where all are set.
  func validity(from start: Int, count length: Int) -> Bitmap? {
    var isComplete = true
    for group in start..<(start + length) where !has(group) { isComplete = false }
    if isComplete { return nil }
    let bits = Bitmap(repeating: false, count: length)
    for row in 0..<length where has(start + row) { bits.set(row) }
    return bits
  }
}

/// Calls `body` with number and value of each row of a flat vector that is not NULL.
@inline(__always)
func forEachValue<Element: BitwiseCopyable>(
  of vector: Vector, as type: Element.Type, count: Int, _ body: (Int, Element) -> Void
) {
  precondition(vector.encoding == .flat, "values of an encoded vector")
  precondition(vector.type.layout.stride == MemoryLayout<Element>.stride, "\(vector.type) read as \(type)")
  let values = UnsafePointer(vector.values.pointer(to: Element.self))
  guard let validity = vector.validity else {
    for row in 0..<count { body(row, values[row]) }
    return
  }
  let words = UnsafePointer(validity.words)
  for row in 0..<count where (words[row &>> 6] &>> UInt64(truncatingIfNeeded: row & 63)) & 1 != 0 {
    body(row, values[row])
  }
}
