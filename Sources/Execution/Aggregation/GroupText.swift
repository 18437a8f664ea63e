// Owns the bytes of text kept per group: copies what changed out of a batch, drops what was replaced.

#if canImport(Glibc)
import Glibc
#endif
import Columnar

/// Which groups got a new value in a batch, each once.
final class GroupChanges {
  fileprivate let flags = StateArray<UInt8>(initial: 0)
  let groups = RowIndices()

  /// Notes a group. Call `prepare` with the number of groups first.
  @inline(__always)
  func note(_ group: Int) {
    if flags.base[group] != 0 { return }
    flags.base[group] = 1
    groups.base[groups.count] = Int32(truncatingIfNeeded: group)
    groups.count &+= 1
  }

  func prepare(_ groupCount: Int) {
    flags.grow(to: groupCount)
    groups.reserve(groupCount)
  }

  func clear() {
    for index in 0..<groups.count { flags.base[Int(groups.base[index])] = 0 }
    groups.count = 0
  }

  var retainedBytes: Int { flags.retainedBytes + groups.capacity * 4 }
}

/// The heap behind the text of groups.
final class GroupText {
  private var heap = StringHeap()
  private var ownedBytes = 0
  private var liveBytes = 0
  private let changed = GroupChanges()

  var retainedBytes: Int { heap.byteCount + changed.retainedBytes }
  var heaps: [StringHeap] { [heap] }

  func reset() {
    heap = StringHeap()
    ownedBytes = 0
    liveBytes = 0
  }

  /// An empty list of changes for this many groups.
  func changes(_ groups: Int) -> GroupChanges {
    changed.prepare(groups)
    return changed
  }

  /// Copies the text of the changed groups, whose views still point into a batch, and clears the list.
  func own(_ changed: GroupChanges, in views: UnsafeMutablePointer<StringView>, _ groups: Int) {
    for index in 0..<changed.groups.count { copy(&views[Int(changed.groups.base[index])]) }
    changed.clear()
    // Values that were replaced are garbage; once they outweigh the rest, everything moves to a new heap.
    guard ownedBytes > 2 * liveBytes + (1 << 20) else { return }
    liveBytes = 0
    for group in 0..<groups where Self.isLong(views[group]) { liveBytes += views[group].count }
    guard ownedBytes > 2 * liveBytes else { return }
    let old = heap
    heap = StringHeap()
    ownedBytes = 0
    for group in 0..<groups { copy(&views[group]) }
    withExtendedLifetime(old) {}
  }

  private func copy(_ view: inout StringView) {
    guard Self.isLong(view) else { return }
    let length = view.count
    let target = heap.allocate(length)
    memcpy(target, view.farPointer, length)
    view.tail = UInt64(UInt(bitPattern: target))
    ownedBytes += length
  }

  private static func isLong(_ view: StringView) -> Bool { !view.isInline && view.head != .max }
}
