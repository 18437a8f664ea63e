// Owns functions that put texts together: concat, lpad, rpad.

import Base
import Columnar
import Planning

/// concat: the arguments one after the other.
func concatKernel(_ result: DataType, _ origin: Origin) -> Kernel {
  { input in
    let parts = input.arguments.map { TextOperand($0) }
    let writer = StringColumnWriter(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      var total = 0
      for part in parts { total += part[row].count }
      guard total <= maximumTextByteCount else {
        throw WaterbearError(.invalidFunctionArgument, "Concatenated string is too large", at: origin.location)
      }
      writer.put(count: total, at: row) { target in
        var at = target
        for part in parts {
          let (bytes, count) = part[row]
          at.update(from: bytes, count: count)
          at += count
        }
      }
    }
    return writer.finish(result, validity: input.validity)
  }
}

/// lpad and rpad: the text, cut or padded to a number of code points with repetitions of another text.
func padKernel(left: Bool, _ result: DataType, _ origin: Origin) -> Kernel {
  func invalid(_ message: String) -> WaterbearError {
    WaterbearError(.invalidFunctionArgument, message, at: origin.location)
  }
  return { input in
    let texts = TextOperand(input.arguments[0])
    let lengths = Operand<Int64>(input.arguments[1])
    let paddings = TextOperand(input.arguments[2])
    let writer = StringColumnWriter(count: input.count)
    for row in 0..<input.count where input.isPresent(row) {
      let (text, count) = texts[row]
      let (padding, paddingCount) = paddings[row]
      guard let length = Int32(exactly: lengths[row]), length >= 0 else {
        throw invalid("Target length must be in the range [0..2147483647]")
      }
      guard paddingCount > 0 else { throw invalid("Padding string must not be empty") }
      let codePoints = ByteSearch.countCodePoints(text, count: count)
      if codePoints >= Int(length) {
        let kept = ByteSearch.offset(of: Int(length), in: text, count: count) ?? count
        writer.put(sharing: text, count: kept, at: row)
        continue
      }
      // Whole repetitions, then a part of one.
      let missing = Int(length) - codePoints
      let paddingLength = ByteSearch.countCodePoints(padding, count: paddingCount)
      let repetitions = missing / max(paddingLength, 1)
      let rest = ByteSearch.offset(of: missing % max(paddingLength, 1), in: padding, count: paddingCount) ?? 0
      let (whole, overflow) = repetitions.multipliedReportingOverflow(by: paddingCount)
      guard !overflow, whole <= maximumTextByteCount, whole + rest + count <= maximumTextByteCount else {
        throw invalid("Padded string is too large")
      }
      writer.put(count: whole + rest + count, at: row) { target in
        var at = left ? target : target + count
        (left ? target + whole + rest : target).update(from: text, count: count)
        for _ in 0..<repetitions {
          at.update(from: padding, count: paddingCount)
          at += paddingCount
        }
        at.update(from: padding, count: rest)
      }
    }
    return writer.finish(result, validity: input.validity, sharing: [input.arguments[0]])
  }
}
