// Owns substring: 1-based, counted in code points, from the end where the start is negative. No bytes are copied
// except into short views.

import Columnar

/// The part of a string from code point `start` on, at most `length` of them; nil length for all the rest.
/// Empty for start 0, beyond either end, and for no length, as in Trino.
@inline(__always)
func substringRange(_ bytes: Bytes, count: Int, start: Int64, length: Int64?) -> (offset: Int, count: Int) {
  if start == 0 || count == 0 { return (0, 0) }
  if let length, length <= 0 { return (0, 0) }
  if start > 0, let length, start <= Int64(count) {
    // Only the bytes up to the end of the part matter, and where they are ASCII they are code points.
    let end = min(Int64(count), start - 1 + min(length, Int64(count)))
    if ByteSearch.isASCII(bytes, count: Int(end)) { return (Int(start) - 1, Int(end - start) + 1) }
  } else if ByteSearch.isASCII(bytes, count: count) {
    guard start <= Int64(count), start >= -Int64(count) else { return (0, 0) }
    let offset = start > 0 ? Int(start) - 1 : count + Int(start)
    let rest = count - offset
    return (offset, length.map { Int(min(Int64(rest), $0)) } ?? rest)
  }
  let from: Int
  if start > 0 {
    guard start <= Int64(count), let found = ByteSearch.offset(of: Int(start) - 1, in: bytes, count: count),
      found < count
    else { return (0, 0) }
    from = found
  } else {
    guard start >= -Int64(count), let found = ByteSearch.offset(ofLast: Int(-start), in: bytes, before: count)
    else { return (0, 0) }
    from = found
  }
  guard let length, length < Int64(count),
    let end = ByteSearch.offset(of: Int(length), in: bytes, count: count, from: from)
  else { return (from, count - from) }
  return (from, end - from)
}

/// The kernel of substring(text, start) or substring(text, start, length), both bigint. The text is of type `type`; a
/// char counts with its blanks.
func substringKernel(_ type: DataType, result: DataType, hasLength: Bool) -> Kernel {
  let padding: Int
  if case .char(let length) = type { padding = length } else { padding = 0 }
  return { input in
    let text = padding > 0 ? blankPadded(input.arguments[0], length: padding, input) : input.arguments[0]
    let starts = Operand<Int64>(input.arguments[1])
    let lengths = hasLength ? Operand<Int64>(input.arguments[2]) : nil
    let writer = StringColumnWriter(count: input.count)
    let views = Operand<StringView>(text)
    for row in 0..<input.count where input.isPresent(row) {
      let view = views.pointer(row)
      let bytes = stringBytes(view)
      let part = substringRange(bytes, count: view.pointee.count, start: starts[row], length: lengths?[row])
      writer.put(sharing: bytes + part.offset, count: part.count, at: row)
    }
    return writer.finish(result, validity: input.validity, sharing: [text])
  }
}
