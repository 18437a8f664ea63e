// Owns `value IN (constants)`: a few comparisons for a short list, a hash table for a long one.

import Columnar

/// The kernel of `value IN (list)` for a value of type `type` and constant `list`. NULL where the value is not found
/// and the list has a NULL; NaN is never found.
func inListKernel(_ type: DataType, _ list: [Value]) -> Kernel {
  let present = list.filter { !$0.isNull }
  let hasNull = present.count < list.count
  switch type.layout {
  case .boolean: return kernel(present.map(\.truthByte), hasNull)
  case .int8: return kernel(present.map { Int8($0.asInt128!) }, hasNull)
  case .int16: return kernel(present.map { Int16($0.asInt128!) }, hasNull)
  case .int32: return kernel(present.map { Int32($0.asInt128!) }, hasNull)
  case .int64: return kernel(present.map { Int64($0.asInt128!) }, hasNull)
  case .int128: return kernel(present.map { $0.asInt128! }, hasNull)
  case .float32: return kernel(present.compactMap { $0.asFloat }, hasNull)
  case .float64: return kernel(present.compactMap { $0.asDouble }, hasNull)
  case .string: return stringKernel(StringSet(present), hasNull)
  }
}

extension Value {
  fileprivate var truthByte: UInt8 { self == .boolean(true) ? 1 : 0 }
  /// Nil for NaN, which equals nothing.
  fileprivate var asDouble: Double? {
    guard case .double(let value) = self, !value.isNaN else { return nil }
    return value
  }
  fileprivate var asFloat: Float? { asDouble.map { Float($0) } }
}

/// A list of up to this many numbers is compared one by one.
private let linearLimit = 4

private func kernel<Element: Hashable & Comparable & BitwiseCopyable>(
  _ list: [Element], _ hasNull: Bool
) -> Kernel {
  let distinct = Array(Set(list)).sorted()
  let table = distinct.count > linearLimit ? NumberTable(distinct) : nil
  return { input in
    let output = Buffer(zeroed: input.count)
    let target = output.pointer(to: UInt8.self)
    let values = UnsafePointer(input.arguments[0].values.pointer(to: Element.self))
    if let table {
      for row in 0..<input.count { target[row] = table.contains(values[row]) ? 1 : 0 }
    } else {
      for candidate in distinct {
        for row in 0..<input.count { target[row] |= values[row] == candidate ? 1 : 0 }
      }
    }
    return finish(output, input, hasNull)
  }
}

private func stringKernel(_ set: StringSet, _ hasNull: Bool) -> Kernel {
  { input in
    let output = Buffer(zeroed: input.count)
    let target = output.pointer(to: UInt8.self)
    let values = UnsafePointer(input.arguments[0].values.pointer(to: StringView.self))
    for row in 0..<input.count where input.isPresent(row) { target[row] = set.contains(values[row]) ? 1 : 0 }
    return finish(output, input, hasNull)
  }
}

/// With a NULL in the list, a value that is not found may still be that NULL.
private func finish(_ found: Buffer, _ input: KernelInput, _ hasNull: Bool) -> Vector {
  var validity = input.validity
  if hasNull {
    let known = Bitmap(bytes: found, count: input.count)
    validity = validity.map { $0.and(known) } ?? known
  }
  return Vector(flat: .boolean, count: input.count, values: found, validity: validity)
}

/// An open-addressing table of numbers, at most half full.
///
/// Unchecked Sendable is not needed: a kernel and its table belong to one thread.
private final class NumberTable<Element: Hashable & Comparable & BitwiseCopyable> {
  private let slots: UnsafeMutablePointer<Element>
  private let mask: Int
  /// Marks an empty slot: a member that is looked for separately, so that no value is lost.
  private let filler: Element

  init(_ members: [Element]) {
    var capacity = 16
    while capacity < members.count * 2 { capacity *= 2 }
    mask = capacity - 1
    filler = members[0]
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: members[0], count: capacity)
    for member in members.dropFirst() {
      var slot = Self.hash(member) & mask
      while slots[slot] != filler { slot = (slot + 1) & mask }
      slots[slot] = member
    }
  }

  deinit { slots.deallocate() }

  @inline(__always)
  func contains(_ value: Element) -> Bool {
    if value == filler { return true }
    var slot = Self.hash(value) & mask
    while slots[slot] != filler {
      if slots[slot] == value { return true }
      slot = (slot &+ 1) & mask
    }
    return false
  }

  @inline(__always)
  private static func hash(_ value: Element) -> Int {
    var bits: UInt64
    // The type is known where this is specialised, so that one branch is left.
    switch value {
    case let number as Int128: bits = UInt64(truncatingIfNeeded: number ^ (number >> 64))
    // Adding zero makes both zeros one.
    case let number as Double: bits = (number + 0.0).bitPattern
    case let number as Float: bits = UInt64((number + 0.0).bitPattern)
    case let number as Int64: bits = UInt64(bitPattern: number)
    case let number as Int32: bits = UInt64(truncatingIfNeeded: number)
    case let number as Int16: bits = UInt64(truncatingIfNeeded: number)
    case let number as Int8: bits = UInt64(truncatingIfNeeded: number)
    default: bits = 0
    }
    bits = bits &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: bits ^ (bits &>> 32))
  }
}

/// A set of strings, by content.
private final class StringSet {
  private let members: Vector
  private let slots: [Int32]
  private let mask: Int

  init(_ list: [Value]) {
    var builder = VectorBuilder(type: .varcharUnbounded, capacity: max(list.count, 1))
    for value in Set(list) { builder.append(value) }
    members = builder.finish()
    var capacity = 16
    while capacity < members.count * 2 { capacity *= 2 }
    mask = capacity - 1
    var slots = [Int32](repeating: -1, count: capacity)
    let views = members.values.pointer(to: StringView.self)
    for member in 0..<members.count {
      var slot = Self.hash(views[member]) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(member)
    }
    self.slots = slots
  }

  @inline(__always)
  func contains(_ view: StringView) -> Bool {
    let views = members.values.pointer(to: StringView.self)
    var slot = Self.hash(view) & mask
    return slots.withUnsafeBufferPointer { slots in
      while slots[slot] >= 0 {
        if StringView.equal(views[Int(slots[slot])], view) { return true }
        slot = (slot &+ 1) & mask
      }
      return false
    }
  }

  /// Length, prefix and, for short strings, all bytes; long strings that share these are compared in full.
  @inline(__always)
  private static func hash(_ view: StringView) -> Int {
    var bits = view.head ^ (view.isInline ? view.tail &* 0xd6e8_feb8_6659_fd93 : 0)
    bits = bits &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: bits ^ (bits &>> 32))
  }
}
