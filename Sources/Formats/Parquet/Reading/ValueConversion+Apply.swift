// Owns turning stored values into values of a SQL type, some thousand at a time.

import Columnar

extension ValueConversion {
  /// Converts `count` values. `source` and `target` do not overlap; texts that are made go to `heap`.
  func apply(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, count: Int, heap: StringHeap
  ) throws(Damage) {
    switch self {
    case .none: preconditionFailure("values that stay as they are are not converted")
    case .int32ToInt8: try narrow(Int32.self, Int8.self, source, target, count)
    case .int32ToInt16: try narrow(Int32.self, Int16.self, source, target, count)
    case .int32ToInt64: widen(Int32.self, Int64.self, source, target, count)
    case .int32ToInt128: widen(Int32.self, Int128.self, source, target, count)
    case .uint32ToInt64: widen(UInt32.self, Int64.self, source, target, count)
    case .int64ToInt128: widen(Int64.self, Int128.self, source, target, count)
    case .uint64ToInt128: widen(UInt64.self, Int128.self, source, target, count)
    case .floatToDouble: Self.widenFloats(source, target, count)
    case .millisToMicros: try Self.multiply(source, target, count)
    case .nanosToMicros: Self.divide(source, target, count)
    case .int96ToMicros: try Self.julian(source, target, count)
    case .halfToFloat, .halfToDouble, .bytesToInt64, .bytesToInt128, .uuidToText:
      try applyToViews(source.assumingMemoryBound(to: StringView.self), target, count, heap)
    }
  }

  @inline(__always)
  private func widen<Source: FixedWidthInteger & BitwiseCopyable, Target: FixedWidthInteger & BitwiseCopyable>(
    _: Source.Type, _: Target.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) {
    let values = source.assumingMemoryBound(to: Source.self)
    let results = target.assumingMemoryBound(to: Target.self)
    for index in 0..<count { results[index] = Target(truncatingIfNeeded: values[index]) }
  }

  /// As `widen`, of values that must fit.
  @inline(__always)
  private func narrow<Source: FixedWidthInteger & BitwiseCopyable, Target: FixedWidthInteger & BitwiseCopyable>(
    _: Source.Type, _: Target.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int
  ) throws(Damage) {
    let values = source.assumingMemoryBound(to: Source.self)
    let results = target.assumingMemoryBound(to: Target.self)
    var lost: Source = 0
    for index in 0..<count {
      let result = Target(truncatingIfNeeded: values[index])
      lost |= values[index] ^ Source(truncatingIfNeeded: result)
      results[index] = result
    }
    guard lost == 0 else { throw Damage("an integer of more than \(Target.bitWidth) bits") }
  }

  private static func widenFloats(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int) {
    let values = source.assumingMemoryBound(to: Float.self)
    let results = target.assumingMemoryBound(to: Double.self)
    for index in 0..<count { results[index] = Double(values[index]) }
  }

  private static func multiply(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int)
    throws(Damage)
  {
    let values = source.assumingMemoryBound(to: Int64.self)
    let results = target.assumingMemoryBound(to: Int64.self)
    var isInRange = true
    for index in 0..<count {
      let (micros, overflow) = values[index].multipliedReportingOverflow(by: 1000)
      isInRange = isInRange && !overflow
      results[index] = micros
    }
    guard isInRange else { throw Damage("a timestamp beyond 64 bits of microseconds") }
  }

  private static func divide(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int) {
    let values = source.assumingMemoryBound(to: Int64.self)
    let results = target.assumingMemoryBound(to: Int64.self)
    for index in 0..<count { results[index] = values[index].flooredQuotient(by: 1000) }
  }

  private static func julian(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int)
    throws(Damage)
  {
    let results = target.assumingMemoryBound(to: Int64.self)
    for index in 0..<count {
      let nanos = source.loadUnaligned(fromByteOffset: index &* 12, as: Int64.self)
      let day = source.loadUnaligned(fromByteOffset: index &* 12 &+ 8, as: Int32.self)
      // 2440588 is the Julian day of 1970-01-01.
      let micros = (Int64(day) &- 2_440_588).multipliedReportingOverflow(by: 86_400_000_000)
      let sum = micros.partialValue.addingReportingOverflow(nanos.flooredQuotient(by: 1000))
      guard !micros.overflow, !sum.overflow else { throw Damage("a timestamp beyond 64 bits of microseconds") }
      results[index] = sum.partialValue
    }
  }

  private func applyToViews(
    _ views: UnsafePointer<StringView>, _ target: UnsafeMutableRawPointer, _ count: Int, _ heap: StringHeap
  ) throws(Damage) {
    for index in 0..<count {
      let view = views[index]
      switch self {
      case .halfToFloat: (target + index &* 4).storeBytes(of: Self.half(view), as: Float.self)
      case .halfToDouble: (target + index &* 8).storeBytes(of: Double(Self.half(view)), as: Double.self)
      case .bytesToInt64:
        let number = try Self.number(view)
        guard let short = Int64(exactly: number) else { throw Damage("a decimal of more than 18 digits") }
        (target + index &* 8).storeBytes(of: short, as: Int64.self)
      case .bytesToInt128: (target + index &* 16).storeBytes(of: try Self.number(view), as: Int128.self)
      default:
        let text = view.withBytes { UUIDText.of($0) }
        let stored = text.withUnsafeBufferPointer { heap.store($0) }
        (target + index &* 16).storeBytes(of: stored, as: StringView.self)
      }
    }
  }

  private static func half(_ view: StringView) -> Float {
    HalfFloat.float(UInt16(truncatingIfNeeded: view.head &>> 32))
  }

  @inline(__always)
  private static func number(_ view: StringView) throws(Damage) -> Int128 {
    let count = view.count
    if count > 0, count <= 8 {
      // The bytes lie in the view: all but the first four in the tail's low bytes.
      let bytes = view.head &>> 32 | view.tail &<< 32
      let shift = Int64(64 &- count &* 8)
      return Int128(Int64(bitPattern: bytes.byteSwapped) &>> shift)
    }
    guard let number = view.withBytes({ BigEndianInteger.decode($0) }) else {
      throw Damage("a decimal of more than 38 digits")
    }
    return number
  }
}
