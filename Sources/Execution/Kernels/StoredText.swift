// Owns the fitting of texts to columns of tables, which unlike a CAST loses nothing but blanks.

import Base
import Columnar
import Planning

/// The kernel that makes a varchar or char one of another kind or length. INVALID_CAST_ARGUMENT, in Trino's words,
/// where more than blanks would be cut off.
func storedTextKernel(_ from: DataType, _ to: DataType, _ origin: Origin) -> Kernel {
  let cast = castTextKernel(from, to)
  let limit: Int
  switch to {
  case .varchar(let length?): limit = length
  case .char(let length): limit = length
  default: return cast
  }
  return { input in
    let text = input.arguments[0]
    let views = UnsafePointer(text.values.pointer(to: StringView.self))
    for row in 0..<input.count where views[row].count > limit && input.isPresent(row) {
      let bytes = stringBytes(views + row)
      var count = views[row].count
      while count > 0 && bytes[count - 1] == 0x20 { count -= 1 }
      guard let end = ByteSearch.offset(of: limit, in: bytes, count: count), end < count else { continue }
      throw WaterbearError(
        .invalidCastArgument, "Cannot truncate non-space characters when casting from \(from) to \(to) on INSERT",
        at: origin.location)
    }
    return try withExtendedLifetime(text) { try cast(input) }
  }
}
