// Owns greatest and least of two operands of one type. NaN loses against any number.

import Columnar

private struct PickInteger<Element: Comparable & BitwiseCopyable>: BinaryOperation {
  let wantsGreatest: Bool
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element {
    (right > left) == wantsGreatest && right != left ? right : left
  }
}

private struct PickFloat<Element: BinaryFloatingPoint & BitwiseCopyable>: BinaryOperation {
  let wantsGreatest: Bool
  @inline(__always)
  func apply(_ left: Element, _ right: Element) -> Element {
    if left != left { return right }
    return (wantsGreatest ? right > left : right < left) ? right : left
  }
}

/// The kernel of greatest or least of two values of type `type`.
func pickKernel(greatest: Bool, _ type: DataType) -> Kernel {
  switch type.layout {
  case .boolean: binaryKernel(PickInteger<UInt8>(wantsGreatest: greatest), type)
  case .int8: binaryKernel(PickInteger<Int8>(wantsGreatest: greatest), type)
  case .int16: binaryKernel(PickInteger<Int16>(wantsGreatest: greatest), type)
  case .int32: binaryKernel(PickInteger<Int32>(wantsGreatest: greatest), type)
  case .int64: binaryKernel(PickInteger<Int64>(wantsGreatest: greatest), type)
  case .int128: binaryKernel(PickInteger<Int128>(wantsGreatest: greatest), type)
  case .float32: binaryKernel(PickFloat<Float>(wantsGreatest: greatest), type)
  case .float64: binaryKernel(PickFloat<Double>(wantsGreatest: greatest), type)
  case .string: pickStringKernel(greatest: greatest, type)
  }
}

private func pickStringKernel(greatest: Bool, _ type: DataType) -> Kernel {
  let isPadded = if case .char = type { true } else { false }
  return { input in
    let left = Operand<StringView>(input.arguments[0])
    let right = Operand<StringView>(input.arguments[1])
    let writer = StringColumnWriter(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      let (a, b) = (left[row], right[row])
      let order = isPadded ? StringView.compareBlankPadded(b, a) : StringView.compare(b, a)
      writer.put((greatest ? order > 0 : order < 0) ? b : a, at: row)
    }
    return writer.finish(type, validity: input.validity, sharing: input.arguments)
  }
}
