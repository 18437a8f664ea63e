// Owns the search for bytes in bytes, and steps over UTF-8 code points. Works on memory only.

import Columnar

#if canImport(Glibc)
import Glibc
#endif

typealias Bytes = UnsafePointer<UInt8>

/// Searches and code point arithmetic on raw bytes.
enum ByteSearch {
  /// The first position from `start` at which `needle` lies in `haystack`, or -1.
  ///
  /// Eight positions at a time: a position is a candidate if the needle's first and last byte match there.
  static func find(
    _ needle: Bytes, count needleCount: Int, in haystack: Bytes, count: Int, from start: Int = 0
  ) -> Int {
    if needleCount == 0 { return start <= count ? start : -1 }
    let last = count - needleCount
    guard start <= last else { return -1 }
    let lanes: UInt64 = 0x0101_0101_0101_0101
    let firstBytes = UInt64(needle[0]) &* lanes
    let lastBytes = UInt64(needle[needleCount &- 1]) &* lanes
    let raw = UnsafeRawPointer(haystack)
    var position = start
    // The last block overlaps the one before it; where there is room for no block, the bytes are tried one by one.
    guard last &- start >= 7 else {
      while position <= last {
        if haystack[position] == needle[0], memcmp(haystack + position, needle, needleCount) == 0 { return position }
        position &+= 1
      }
      return -1
    }
    while true {
      let block = min(position, last &- 7)
      let differences = (raw.loadUnaligned(fromByteOffset: block, as: UInt64.self) ^ firstBytes)
        | (raw.loadUnaligned(fromByteOffset: block &+ needleCount &- 1, as: UInt64.self) ^ lastBytes)
      // The high bit of each zero byte (and of some bytes above it, which the comparison sorts out).
      var candidates = (differences &- lanes) & ~differences & 0x8080_8080_8080_8080
      while candidates != 0 {
        let candidate = block &+ candidates.trailingZeroBitCount &>> 3
        if candidate >= start, memcmp(haystack + candidate, needle, needleCount) == 0 { return candidate }
        candidates &= candidates &- 1
      }
      if block == last &- 7 { return -1 }
      position = block &+ 8
    }
  }

  /// Code points in `bytes`: bytes that do not continue one.
  @inline(__always)
  static func countCodePoints(_ bytes: Bytes, count: Int) -> Int {
    var total = 0
    for index in 0..<count { total &+= bytes[index] & 0xc0 != 0x80 ? 1 : 0 }
    return total
  }

  /// Whether all bytes are ASCII, so that code points are bytes.
  @inline(__always)
  static func isASCII(_ bytes: Bytes, count: Int) -> Bool {
    var all: UInt8 = 0
    for index in 0..<count { all |= bytes[index] }
    return all < 0x80
  }

  /// Bytes of the code point that starts at `index`, at least 1 and never past the end.
  @inline(__always)
  static func lengthOfCodePoint(_ bytes: Bytes, at index: Int, count: Int) -> Int {
    let lead = bytes[index]
    if lead < 0x80 { return 1 }
    var length = 1
    while length < 4 && index &+ length < count && bytes[index &+ length] & 0xc0 == 0x80 { length &+= 1 }
    return length
  }

  /// The byte offset `codePoints` code points behind byte `start`, or nil where the text is shorter.
  @inline(__always)
  static func offset(of codePoints: Int, in bytes: Bytes, count: Int, from start: Int = 0) -> Int? {
    if codePoints == 0 { return start }
    var index = start
    var left = codePoints
    while index < count {
      index &+= lengthOfCodePoint(bytes, at: index, count: count)
      left &-= 1
      if left == 0 { return index }
    }
    return nil
  }

  /// The byte offset at which the last `codePoints` code points before byte `end` start, or nil for fewer.
  @inline(__always)
  static func offset(ofLast codePoints: Int, in bytes: Bytes, before end: Int) -> Int? {
    var index = end
    for _ in 0..<codePoints {
      guard index > 0 else { return nil }
      index &-= 1
      while index > 0 && bytes[index] & 0xc0 == 0x80 { index &-= 1 }
    }
    return index
  }
}

/// Where the bytes of the string at `view` lie: in the view itself or behind its pointer. Valid while both live.
@inline(__always)
func stringBytes(_ view: UnsafePointer<StringView>) -> Bytes {
  view.pointee.isInline
    ? UnsafeRawPointer(view).advanced(by: 4).assumingMemoryBound(to: UInt8.self) : view.pointee.farPointer
}
