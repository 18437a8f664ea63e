// Owns the numbering of distinct keys: each gets the next number when it first appears. Serves aggregation, DISTINCT
// and joins. Knows nothing of what is kept per group.

import Base
import Columnar

/// Numbers distinct keys from 0 in the order of their first appearance. NULL equals NULL and NaN equals NaN here.
///
/// Batches take one of three ways: small dictionaries and constants through an array from combined dictionary
/// position to group; a single integer key through a loop that compares it directly; everything else by hash, then
/// column by column. All three share the slots and the keys, so batches of different encodings mix.
final class GroupTable {
  let keys: [ColumnBuilder]
  private(set) var groupCount = 0
  /// The group of each row of the last batch; -1 where `find` found none.
  let ids = RowIndices()

  private var slots = HashSlots()
  /// Takes the place of the slots once no more groups are made, where integer keys lie close together.
  private var direct: DirectGroups?
  /// The group of NULL in the integer way, or -1.
  private var nullGroup: Int32 = -1
  private let isInteger: Bool
  private var matcher = KeyMatcher()
  private var dictionaries = DictionaryCodes()
  private var hashes = Buffer(byteCount: 0)

  init(types: [DataType]) {
    keys = types.map { ColumnBuilder(type: $0) }
    switch types.first?.layout {
    case .int16, .int32, .int64: isInteger = types.count == 1
    default: isInteger = false
    }
  }

  /// A table for lookups only, with working memory of its own; shares slots and keys, which must not change any more.
  init(probing other: GroupTable) {
    keys = other.keys
    groupCount = other.groupCount
    slots = other.slots
    direct = other.direct
    nullGroup = other.nullGroup
    isInteger = other.isInteger
  }

  var retainedBytes: Int {
    slots.retainedBytes + (direct?.retainedBytes ?? 0) + keys.reduce(0) { $0 + $1.retainedBytes }
      + dictionaries.retainedBytes
      + hashes.byteCount + matcher.retainedBytes + ids.capacity * 4
  }

  /// Bytes that `assign` may allocate for a batch of `count` rows, without text.
  func growth(for count: Int) -> Int {
    slots.growth(forEntries: groupCount + count) + keys.reduce(0) { $0 + $1.growth(for: count) }
  }

  /// Speeds up `find` where the keys allow it, if the memory is granted: `others` is what `account` holds besides this
  /// table. No groups may be made afterwards.
  func finish(account: MemoryAccount, others: Int) throws {
    guard isInteger, nullGroup < 0, direct == nil else { return }
    switch keys[0].type.layout {
    case .int16: try makeDirect(Int16.self, account, others)
    case .int32: try makeDirect(Int32.self, account, others)
    default: try makeDirect(Int64.self, account, others)
    }
  }

  private func makeDirect<Key: FixedWidthInteger & BitwiseCopyable>(
    _ type: Key.Type, _ account: MemoryAccount, _ others: Int
  ) throws {
    let values = UnsafePointer(keys[0].valuesBase.assumingMemoryBound(to: Key.self))
    let limit = 2 * slots.retainedBytes
    guard let bytes = DirectGroups.bytes(for: values, count: groupCount, limit: limit) else { return }
    try account.set(others + retainedBytes + bytes)
    direct = DirectGroups(values, count: groupCount)
    slots = HashSlots()
    try account.set(others + retainedBytes)
  }

  /// Forgets all groups.
  func reset() {
    groupCount = 0
    slots = HashSlots()
    nullGroup = -1
    for key in keys { _ = key.take() }
    dictionaries = DictionaryCodes()
  }

  /// Sets `ids` to the group of each row, making new groups as needed. `columns` are the keys, in any encoding.
  func assign(_ columns: [Vector], count: Int) throws {
    guard groupCount + count < Int32.max else {
      throw WaterbearError(
        .exceededLocalMemoryLimit, "A task cannot hold more than \(Int32.max) groups",
        remedy: "more partitions make smaller tasks")
    }
    resolve(columns, count: count, insert: true)
  }

  /// Sets `ids` to the group of each row, or -1 where there is none. Changes nothing else.
  func find(_ columns: [Vector], count: Int) { resolve(columns, count: count, insert: false) }

  private func resolve(_ columns: [Vector], count: Int, insert: Bool) {
    precondition(!insert || direct == nil, "groups made in a finished table")
    ids.count = 0
    ids.reserve(count)
    ids.count = count
    if dictionaries.encode(columns, count: count) {
      // Rows with the first appearance of a code are resolved as a small batch of their own.
      let newRows = dictionaries.newRows
      if newRows.count > 0 {
        let firsts = columns.map { $0.gather(newRows.base, count: newRows.count).flattened() }
        let saved = RowIndices(capacity: newRows.count)
        resolveFlat(firsts, count: newRows.count, into: saved.base, insert: insert)
        dictionaries.learn(saved.base)
      }
      dictionaries.decode(into: ids.base, count: count)
      return
    }
    resolveFlat(columns.map { $0.flattened() }, count: count, into: ids.base, insert: insert)
  }

  private func resolveFlat(_ columns: [Vector], count: Int, into ids: UnsafeMutablePointer<Int32>, insert: Bool) {
    if insert {
      slots.grow(forEntries: groupCount + count)
      for key in keys { key.reserve(groupCount + count) }
    }
    guard isInteger else { return resolveByHash(columns, count: count, into: ids, insert: insert) }
    switch columns[0].type.layout {
    case .int16: resolveIntegers(columns[0], of: Int16.self, count: count, into: ids, insert: insert)
    case .int32: resolveIntegers(columns[0], of: Int32.self, count: count, into: ids, insert: insert)
    default: resolveIntegers(columns[0], of: Int64.self, count: count, into: ids, insert: insert)
    }
  }
}

/// A single integer key.
extension GroupTable {
  private func resolveIntegers<Key: FixedWidthInteger & BitwiseCopyable>(
    _ column: Vector, of type: Key.Type, count: Int, into ids: UnsafeMutablePointer<Int32>, insert: Bool
  ) {
    let values = UnsafePointer(column.values.pointer(to: Key.self))
    let known = keys[0].valuesBase.assumingMemoryBound(to: Key.self)
    if let direct {
      direct.find(values, count: count, into: ids)
      // A finished table has no NULL.
      if let validity = column.validity { for row in 0..<count where !validity[row] { ids[row] = -1 } }
      return
    }
    let before = groupCount
    var groups = groupCount
    if let validity = column.validity {
      for row in 0..<count {
        if validity[row] {
          ids[row] = insert
            ? assignInteger(values[row], slots, known, &groups) : findInteger(values[row], slots, known)
        } else {
          if nullGroup < 0, insert {
            nullGroup = Int32(truncatingIfNeeded: groups)
            known[groups] = 0
            groups &+= 1
          }
          ids[row] = nullGroup
        }
      }
    } else {
      let slots = slots
      if insert {
        for row in 0..<count { ids[row] = assignInteger(values[row], slots, known, &groups) }
      } else {
        for row in 0..<count { ids[row] = findInteger(values[row], slots, known) }
      }
    }
    groupCount = groups
    keys[0].advance(by: groups - before)
    if Int(nullGroup) >= before { keys[0].markNull(Int(nullGroup)) }
  }
}

@inline(__always)
private func integerHash<Key: FixedWidthInteger>(_ key: Key) -> UInt32 {
  let wide = UInt64(truncatingIfNeeded: key)
  // The upper half is folded in, else keys that differ only there would collide.
  return UInt32(truncatingIfNeeded: ((wide ^ (wide &>> 32)) &* 0x9e37_79b9_7f4a_7c15) &>> 32)
}

@inline(__always)
private func assignInteger<Key: FixedWidthInteger & BitwiseCopyable>(
  _ key: Key, _ table: HashSlots, _ known: UnsafeMutablePointer<Key>, _ groups: inout Int
) -> Int32 {
  let slots = table.base
  let hash = integerHash(key)
  var place = Int(truncatingIfNeeded: hash &>> table.shift)
  while true {
    let slot = slots[place]
    if slot == 0 {
      slots[place] = HashSlots.pack(hash: hash, entry: groups)
      known[groups] = key
      groups &+= 1
      return Int32(truncatingIfNeeded: groups &- 1)
    }
    if UInt32(truncatingIfNeeded: slot &>> 32) == hash {
      let group = Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1
      if known[group] == key { return Int32(truncatingIfNeeded: group) }
    }
    place = (place &+ 1) & table.mask
  }
}

@inline(__always)
private func findInteger<Key: FixedWidthInteger & BitwiseCopyable>(
  _ key: Key, _ table: HashSlots, _ known: UnsafeMutablePointer<Key>
) -> Int32 {
  let slots = table.base
  let hash = integerHash(key)
  var place = Int(truncatingIfNeeded: hash &>> table.shift)
  while true {
    let slot = slots[place]
    if slot == 0 { return -1 }
    if UInt32(truncatingIfNeeded: slot &>> 32) == hash {
      let group = Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1
      if known[group] == key { return Int32(truncatingIfNeeded: group) }
    }
    place = (place &+ 1) & table.mask
  }
}

/// Any keys, by hash.
extension GroupTable {
  private func resolveByHash(_ columns: [Vector], count: Int, into ids: UnsafeMutablePointer<Int32>, insert: Bool) {
    if hashes.byteCount < count * 8 { hashes = Buffer(count: count, of: UInt64.self) }
    let hash = hashes.pointer(to: UInt64.self)
    hashRows(columns, count: count, into: hash)
    matcher.start(count: count)
    // A round takes each open row to its next candidate; rows whose candidate has another key go to the next round.
    while matcher.open.count > 0 {
      let before = groupCount
      if insert {
        groupCount = assignCandidates(hash, ids, groups: groupCount)
        for (key, column) in zip(keys, columns) {
          key.append(column, rows: matcher.created.base, count: groupCount - before)
        }
      } else {
        findCandidates(hash, ids)
      }
      matcher.compare(columns, keys, ids)
    }
  }

  /// Gives free slots to the first rows that reach them; others become candidates of what is in their slot.
  private func assignCandidates(
    _ hashes: UnsafePointer<UInt64>, _ ids: UnsafeMutablePointer<Int32>, groups: Int
  ) -> Int {
    let table = slots
    let slots = table.base
    let open = matcher.open.base
    let places = matcher.places.base
    let candidates = matcher.candidates.base
    let created = matcher.created.base
    let isFirstRound = matcher.isFirstRound
    var candidateCount = 0
    var createdCount = 0
    for index in 0..<matcher.open.count {
      let row = Int(open[index])
      let hash = UInt32(truncatingIfNeeded: hashes[row])
      var place = isFirstRound
        ? Int(truncatingIfNeeded: hash &>> table.shift) : (Int(places[row]) &+ 1) & table.mask
      while true {
        let slot = slots[place]
        if slot == 0 {
          let group = groups &+ createdCount
          slots[place] = HashSlots.pack(hash: hash, entry: group)
          created[createdCount] = Int32(truncatingIfNeeded: row)
          createdCount &+= 1
          ids[row] = Int32(truncatingIfNeeded: group)
          break
        }
        if UInt32(truncatingIfNeeded: slot &>> 32) == hash {
          ids[row] = Int32(truncatingIfNeeded: slot & 0xffff_ffff) &- 1
          candidates[candidateCount] = Int32(truncatingIfNeeded: row)
          candidateCount &+= 1
          break
        }
        place = (place &+ 1) & table.mask
      }
      places[row] = Int32(truncatingIfNeeded: place)
    }
    matcher.candidates.count = candidateCount
    return groups + createdCount
  }

  private func findCandidates(_ hashes: UnsafePointer<UInt64>, _ ids: UnsafeMutablePointer<Int32>) {
    let table = slots
    let slots = table.base
    let open = matcher.open.base
    let places = matcher.places.base
    let candidates = matcher.candidates.base
    let isFirstRound = matcher.isFirstRound
    var candidateCount = 0
    for index in 0..<matcher.open.count {
      let row = Int(open[index])
      let hash = UInt32(truncatingIfNeeded: hashes[row])
      var place = isFirstRound
        ? Int(truncatingIfNeeded: hash &>> table.shift) : (Int(places[row]) &+ 1) & table.mask
      ids[row] = -1
      while true {
        let slot = slots[place]
        if slot == 0 { break }
        if UInt32(truncatingIfNeeded: slot &>> 32) == hash {
          ids[row] = Int32(truncatingIfNeeded: slot & 0xffff_ffff) &- 1
          candidates[candidateCount] = Int32(truncatingIfNeeded: row)
          candidateCount &+= 1
          break
        }
        place = (place &+ 1) & table.mask
      }
      places[row] = Int32(truncatingIfNeeded: place)
    }
    matcher.candidates.count = candidateCount
  }
}
