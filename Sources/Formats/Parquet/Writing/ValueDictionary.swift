// Owns the distinct values of one column chunk, numbered in the order in which they came.
import Columnar
import Glibc

/// A hash table from values to their numbers. Long text is copied. One thread.
final class ValueDictionary<Element: PhysicalValue> {
  private(set) var count = 0
  /// Bytes of the values in PLAIN encoding.
  private(set) var byteCount = 0
  private(set) var values: UnsafeMutablePointer<Element>
  private var valueCapacity = 64
  /// Hash in the high half, number + 1 in the low half; 0 where nothing is.
  private var slots: UnsafeMutablePointer<UInt64>
  private var mask = 127
  private var heap = StringHeap()

  init() {
    values = .allocate(capacity: valueCapacity)
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
  }

  deinit {
    values.deallocate()
    slots.deallocate()
  }

  var retainedBytes: Int { valueCapacity * MemoryLayout<Element>.stride + (mask + 1) * 8 + heap.byteCount }

  /// Forgets all values and keeps the memory for numbers.
  func removeAll() {
    count = 0
    byteCount = 0
    slots.update(repeating: 0, count: mask + 1)
    heap = StringHeap()
  }

  /// The number of `value`, which is added where it is new.
  @inline(__always)
  func number(of value: Element) -> UInt32 {
    let hash = Element.hash(value)
    var slot = Int(hash) & mask
    while true {
      let entry = slots[slot]
      if entry == 0 { return add(value, hash) }
      if entry &>> 32 == UInt64(hash) {
        let number = UInt32(truncatingIfNeeded: entry) &- 1
        if Element.isSame(values[Int(number)], value) { return number }
      }
      slot = (slot &+ 1) & mask
    }
  }

  @inline(never)
  private func add(_ value: Element, _ hash: UInt32) -> UInt32 {
    if (count + 1) * 2 > mask { growSlots() }
    if count == valueCapacity { growValues() }
    values[count] = Element.kept(value, in: heap)
    byteCount += Element.plainByteCount(value)
    count += 1
    put(UInt64(hash) << 32 | UInt64(count), hash)
    return UInt32(count - 1)
  }

  private func put(_ entry: UInt64, _ hash: UInt32) {
    var slot = Int(hash) & mask
    while slots[slot] != 0 { slot = (slot &+ 1) & mask }
    slots[slot] = entry
  }

  private func growSlots() {
    let old = UnsafeMutableBufferPointer(start: slots, count: mask + 1)
    mask = (mask + 1) * 4 - 1
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
    for entry in old where entry != 0 { put(entry, UInt32(truncatingIfNeeded: entry >> 32)) }
    old.deallocate()
  }

  private func growValues() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: valueCapacity * 2)
    memcpy(larger, values, valueCapacity * MemoryLayout<Element>.stride)
    values.deallocate()
    values = larger
    valueCapacity *= 2
  }
}
