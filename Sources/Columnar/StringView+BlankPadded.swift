// Owns the order of char values, which are stored without their trailing blanks but compare as if padded with them.

extension StringView {
  /// The order of two char values: as bytes after padding the shorter with blanks. Negative, zero or positive.
  public static func compareBlankPadded(_ left: StringView, _ right: StringView) -> Int {
    left.withBytes { a in
      right.withBytes { b in
        let shared = min(a.count, b.count)
        for index in 0..<shared where a[index] != b[index] { return Int(a[index]) - Int(b[index]) }
        for index in shared..<a.count where a[index] != 0x20 { return Int(a[index]) - 0x20 }
        for index in shared..<b.count where b[index] != 0x20 { return 0x20 - Int(b[index]) }
        return 0
      }
    }
  }
}
