// Owns min_by(x, y) and max_by(x, y).

import Columnar

/// The accumulator of the value that comes with the smallest or largest key.
func makeExtremeBy(value: DataType, key: DataType, isMinimum: Bool) -> any Accumulator {
  struct Make: ExtremeRuleVisitor {
    let value: DataType
    let key: DataType
    func visit<Rule: ExtremeRule>(_ rule: Rule.Type) -> any Accumulator {
      ExtremeByAccumulator<Rule>(value: value, key: key)
    }
  }
  return withExtremeRule(for: key, isMinimum: isMinimum, Make(value: value, key: key))
}

/// The best key by group and the value of the first row that had it. Rows with a NULL key do not count.
final class ExtremeByAccumulator<Rule: ExtremeRule>: Accumulator {
  private let keyType: DataType
  private let values: GroupValues
  private let keys = StateArray<Rule.Element>(initial: Rule.initial)
  private let known = StateArray<UInt8>(initial: 0)
  private let keyText: GroupText?
  private let winners = StateArray<Int32>(initial: 0)
  private let changed = GroupChanges()
  private let rows = RowIndices()

  init(value: DataType, key: DataType) {
    keyType = key
    values = GroupValues(value)
    keyText = key.layout == .string ? GroupText() : nil
  }

  var retainedBytes: Int {
    values.retainedBytes + keys.retainedBytes + known.retainedBytes + winners.retainedBytes
      + changed.retainedBytes + (keyText?.retainedBytes ?? 0)
  }

  func growth(to groups: Int) -> Int {
    values.growth(to: groups) + keys.growth(to: groups) + known.growth(to: groups) + winners.growth(to: groups)
  }

  func grow(to groups: Int) {
    values.grow(to: groups)
    keys.grow(to: groups)
    known.grow(to: groups)
    winners.grow(to: groups)
  }

  func reset() {
    values.reset()
    keys.reset()
    known.reset()
    winners.reset()
    keyText?.reset()
  }

  @specialized(where Rule == IntegerMinimum<UInt8>)
  @specialized(where Rule == IntegerMinimum<Int8>)
  @specialized(where Rule == IntegerMinimum<Int16>)
  @specialized(where Rule == IntegerMinimum<Int32>)
  @specialized(where Rule == IntegerMinimum<Int64>)
  @specialized(where Rule == IntegerMinimum<Int128>)
  @specialized(where Rule == FloatMinimum<Float>)
  @specialized(where Rule == FloatMinimum<Double>)
  @specialized(where Rule == TextMinimum<ByteTextOrder>)
  @specialized(where Rule == TextMinimum<PaddedTextOrder>)
  @specialized(where Rule == IntegerMaximum<UInt8>)
  @specialized(where Rule == IntegerMaximum<Int8>)
  @specialized(where Rule == IntegerMaximum<Int16>)
  @specialized(where Rule == IntegerMaximum<Int32>)
  @specialized(where Rule == IntegerMaximum<Int64>)
  @specialized(where Rule == IntegerMaximum<Int128>)
  @specialized(where Rule == FloatMaximum<Float>)
  @specialized(where Rule == FloatMaximum<Double>)
  @specialized(where Rule == TextMaximum<ByteTextOrder>)
  @specialized(where Rule == TextMaximum<PaddedTextOrder>)
  func add(_ arguments: [Vector], _ added: GroupedRows) {
    grow(to: added.groups)
    changed.prepare(added.groups)
    let keyChanges = keyText?.changes(added.groups)
    let keys = keys.base
    let known = known.base
    let winners = winners.base
    let changed = changed
    forEachValue(of: arguments[1].flattened(), as: Rule.Element.self, count: added.count) { row, key in
      let group = Int(added.ids[row])
      guard known[group] == 0 || Rule.isBetter(key, than: keys[group]) else { return }
      known[group] = 1
      keys[group] = key
      winners[group] = Int32(truncatingIfNeeded: row)
      changed.note(group)
    }
    let count = changed.groups.count
    rows.reserve(count)
    for index in 0..<count {
      let group = Int(changed.groups.base[index])
      rows.base[index] = winners[group]
      keyChanges?.note(group)
    }
    values.set(changed.groups.base, from: rows.base, count: count, of: arguments[0])
    if let keyText, let keyChanges {
      keyText.own(
        keyChanges, in: UnsafeMutableRawPointer(keys).assumingMemoryBound(to: StringView.self), added.groups)
    }
    changed.clear()
  }

  func merge(_ intermediates: [Vector], _ rows: GroupedRows) { add(intermediates, rows) }

  func results(from start: Int, count: Int) -> Vector { values.vector(from: start, count: count) }

  func intermediates(from start: Int, count: Int) -> [Vector] {
    let copied = keys.buffer(from: start, count: count)
    var bits: Bitmap?
    for row in 0..<count where known.base[start + row] == 0 {
      let target = bits ?? Bitmap(repeating: true, count: count)
      target.clear(row)
      bits = target
      if keyText != nil { copied.pointer(to: StringView.self)[row] = .empty }
    }
    return [
      values.vector(from: start, count: count),
      Vector(flat: keyType, count: count, values: copied, validity: bits, heaps: keyText?.heaps ?? []),
    ]
  }
}
