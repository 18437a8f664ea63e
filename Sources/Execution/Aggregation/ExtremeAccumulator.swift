// Owns min(x) and max(x), and with them bool_and and bool_or, which are the extremes of booleans.

import Columnar

/// The accumulator of the smallest or largest value of `type`.
func makeExtreme(_ type: DataType, isMinimum: Bool) -> any Accumulator {
  struct Make: ExtremeRuleVisitor {
    let type: DataType
    func visit<Rule: ExtremeRule>(_ rule: Rule.Type) -> any Accumulator { ExtremeAccumulator<Rule>(type) }
  }
  return withExtremeRule(for: type, isMinimum: isMinimum, Make(type: type))
}

/// The best value by group; NULL for a group without values.
final class ExtremeAccumulator<Rule: ExtremeRule>: Accumulator {
  private let type: DataType
  private let bests = StateArray<Rule.Element>(initial: Rule.initial)
  private var presence = Presence()
  private let text: GroupText?

  init(_ type: DataType) {
    self.type = type
    text = type.layout == .string ? GroupText() : nil
  }

  var retainedBytes: Int { bests.retainedBytes + presence.retainedBytes + (text?.retainedBytes ?? 0) }
  func growth(to groups: Int) -> Int { bests.growth(to: groups) + presence.growth(to: groups) }
  func grow(to groups: Int) { bests.grow(to: groups) }

  func reset() {
    bests.reset()
    presence.reset()
    text?.reset()
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
  func add(_ arguments: [Vector], _ rows: GroupedRows) {
    let argument = arguments[0].flattened()
    bests.grow(to: rows.groups)
    let present = presence.prepare(
      groups: rows.groups, everyNewGroupHasValue: rows.isWholeBatch && !argument.mayHaveNulls)
    let bests = bests.base
    let ids = rows.ids
    if let present { forEachValue(of: argument, as: UInt8.self, ids: ids, count: rows.count) { present[$0] = 1 } }
    if let text {
      let changed = text.changes(rows.groups)
      forEachValue(of: argument, as: Rule.Element.self, count: rows.count) { row, value in
        let group = Int(ids[row])
        if Rule.isBetter(value, than: bests[group]) {
          bests[group] = value
          changed.note(group)
        }
      }
      text.own(changed, in: UnsafeMutableRawPointer(bests).assumingMemoryBound(to: StringView.self), rows.groups)
    } else {
      forEachValue(of: argument, as: Rule.Element.self, count: rows.count) { row, value in
        let group = Int(ids[row])
        if Rule.isBetter(value, than: bests[group]) { bests[group] = value }
      }
    }
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
  func addAll(_ arguments: [Vector], count: Int, zeros: UnsafePointer<Int32>) {
    let argument = arguments[0].flattened()
    guard text == nil, !argument.mayHaveNulls, count > 0 else {
      return add([argument], GroupedRows(ids: zeros, count: count, groups: 1, isWholeBatch: count > 0))
    }
    bests.grow(to: 1)
    if let present = presence.prepare(groups: 1, everyNewGroupHasValue: true) { present[0] = 1 }
    var best = bests.base[0]
    let values = argument.values.pointer(to: Rule.Element.self)
    for row in 0..<count { best = Rule.isBetter(values[row], than: best) ? values[row] : best }
    bests.base[0] = best
  }

  func merge(_ intermediates: [Vector], _ rows: GroupedRows) {
    // A partial result may be NULL, so no promise is made for new groups.
    add(intermediates, GroupedRows(ids: rows.ids, count: rows.count, groups: rows.groups, isWholeBatch: false))
  }

  func results(from start: Int, count: Int) -> Vector {
    let values = bests.buffer(from: start, count: count)
    let validity = presence.validity(from: start, count: count)
    if text != nil, let validity {
      let views = values.pointer(to: StringView.self)
      for row in 0..<count where !validity[row] { views[row] = .empty }
    }
    return Vector(flat: type, count: count, values: values, validity: validity, heaps: text?.heaps ?? [])
  }

  func intermediates(from start: Int, count: Int) -> [Vector] { [results(from: start, count: count)] }
}

/// Calls `body` with the group of each row that is not NULL.
@inline(__always)
private func forEachValue(
  of vector: Vector, as type: UInt8.Type, ids: UnsafePointer<Int32>, count: Int, _ body: (Int) -> Void
) {
  guard let validity = vector.validity else {
    for row in 0..<count { body(Int(ids[row])) }
    return
  }
  for row in 0..<count where validity[row] { body(Int(ids[row])) }
}
