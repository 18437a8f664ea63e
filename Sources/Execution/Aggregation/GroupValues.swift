// Owns one value of any type per group, taken from rows of batches; and any_value, which keeps the first.

import Columnar

/// A value per group, NULL at first.
final class GroupValues {
  private let type: DataType
  private let bytes = StateArray<UInt8>(initial: 0)
  private let valid = StateArray<UInt8>(initial: 0)
  private let text: GroupText?

  init(_ type: DataType) {
    self.type = type
    text = type.layout == .string ? GroupText() : nil
  }

  var retainedBytes: Int { bytes.retainedBytes + valid.retainedBytes + (text?.retainedBytes ?? 0) }

  func growth(to groups: Int) -> Int {
    bytes.growth(to: groups * type.layout.stride) + valid.growth(to: groups)
  }

  func grow(to groups: Int) {
    bytes.grow(to: groups * type.layout.stride)
    valid.grow(to: groups)
  }

  func reset() {
    bytes.reset()
    valid.reset()
    text?.reset()
  }

  /// Sets the value of each group in `groups` to that of the row beside it in `rows`.
  func set(_ groups: UnsafePointer<Int32>, from rows: UnsafePointer<Int32>, count: Int, of vector: Vector) {
    guard count > 0 else { return }
    let source = vector.flattened()
    let valid = valid.base
    for index in 0..<count { valid[Int(groups[index])] = source.isNull(Int(rows[index])) ? 0 : 1 }
    switch type.layout.stride {
    case 1: copy(UInt8.self, groups, rows, count, source)
    case 2: copy(UInt16.self, groups, rows, count, source)
    case 4: copy(UInt32.self, groups, rows, count, source)
    case 8: copy(UInt64.self, groups, rows, count, source)
    default: copy(UInt128.self, groups, rows, count, source)
    }
    guard let text else { return }
    let views = UnsafeMutableRawPointer(bytes.base).assumingMemoryBound(to: StringView.self)
    let changed = text.changes(self.valid.count)
    for index in 0..<count {
      let group = Int(groups[index])
      if valid[group] == 0 { views[group] = .empty }
      changed.note(group)
    }
    text.own(changed, in: views, self.valid.count)
  }

  private func copy<Element: BitwiseCopyable>(
    _: Element.Type, _ groups: UnsafePointer<Int32>, _ rows: UnsafePointer<Int32>, _ count: Int, _ source: Vector
  ) {
    let target = UnsafeMutableRawPointer(bytes.base).assumingMemoryBound(to: Element.self)
    let values = source.values.pointer(to: Element.self)
    for index in 0..<count { target[Int(groups[index])] = values[Int(rows[index])] }
  }

  func vector(from start: Int, count: Int) -> Vector {
    let stride = type.layout.stride
    let values = bytes.buffer(from: start * stride, count: count * stride)
    var bits: Bitmap?
    for row in 0..<count where valid.base[start + row] == 0 {
      let target = bits ?? Bitmap(repeating: true, count: count)
      target.clear(row)
      bits = target
    }
    return Vector(flat: type, count: count, values: values, validity: bits, heaps: text?.heaps ?? [])
  }
}

/// any_value(x): the first value by group that is not NULL.
final class AnyValueAccumulator: Accumulator {
  private let values: GroupValues
  private let known = StateArray<UInt8>(initial: 0)
  private let groups = RowIndices()
  private let rows = RowIndices()

  init(_ type: DataType) { values = GroupValues(type) }

  var retainedBytes: Int { values.retainedBytes + known.retainedBytes }
  func growth(to groups: Int) -> Int { values.growth(to: groups) + known.growth(to: groups) }

  func grow(to groups: Int) {
    values.grow(to: groups)
    known.grow(to: groups)
  }

  func reset() {
    values.reset()
    known.reset()
  }

  func add(_ arguments: [Vector], _ added: GroupedRows) {
    grow(to: added.groups)
    let argument = arguments[0].flattened()
    let known = known.base
    groups.reserve(added.count)
    rows.reserve(added.count)
    let groups = groups.base
    let rows = rows.base
    var found = 0
    for row in 0..<added.count {
      let group = Int(added.ids[row])
      if known[group] != 0 || argument.isNull(row) { continue }
      known[group] = 1
      groups[found] = Int32(truncatingIfNeeded: group)
      rows[found] = Int32(truncatingIfNeeded: row)
      found &+= 1
    }
    values.set(groups, from: rows, count: found, of: argument)
  }

  func merge(_ intermediates: [Vector], _ rows: GroupedRows) { add(intermediates, rows) }

  func results(from start: Int, count: Int) -> Vector { values.vector(from: start, count: count) }
  func intermediates(from start: Int, count: Int) -> [Vector] { [results(from: start, count: count)] }
}
