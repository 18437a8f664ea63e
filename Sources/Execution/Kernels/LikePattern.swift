// Owns the reading of LIKE patterns: what lies between the `%`s, and escapes. Matching is `LikeMatcher`'s.

import Base
import Columnar
import Planning

/// A LIKE pattern in a form that matches fast. `%` is any text, `_` is any one code point.
struct LikePattern {
  /// A stretch between two `%`: bytes to match, and where `_` stands among them.
  struct Segment {
    var bytes: [UInt8] = []
    /// For each piece: the number of literal bytes and how many `_` follow them. Empty without any `_`.
    var pieces: [(literal: Int, wildcards: Int)] = []
    /// Code points that the segment matches.
    var codePoints = 0

    var isLiteral: Bool { pieces.isEmpty }
    var isEmpty: Bool { codePoints == 0 }
  }

  /// The stretches between the `%`s, in order. One alone must match the whole text.
  private(set) var segments: [Segment] = []
  /// The middle segments that are not empty.
  private(set) var middle: [Segment] = []

  /// Compiles `pattern`. Throws INVALID_FUNCTION_ARGUMENT for an escape of several characters, and for one that is
  /// followed by anything but `%`, `_` or itself.
  init(_ pattern: [UInt8], escape: [UInt8]?, origin: Origin) throws {
    let escapeText = try escape.map { bytes in
      let count = bytes.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map { ByteSearch.countCodePoints($0, count: buffer.count) } ?? 0
      }
      guard count == 1 else {
        throw WaterbearError(
          .invalidFunctionArgument, "Escape string must be a single character", at: origin.location)
      }
      return bytes
    }
    var segment = Segment()
    var literal = 0
    var index = 0
    var isEscaped = false
    func isEscape(at index: Int) -> Bool {
      guard let escapeText else { return false }
      return pattern[index...].starts(with: escapeText)
    }
    let badEscape = WaterbearError(
      .invalidFunctionArgument, "Escape character must be followed by '%', '_' or the escape character itself",
      at: origin.location)
    func close() {
      if !segment.pieces.isEmpty && literal > 0 { segment.pieces.append((literal, 0)) }
      segments.append(segment)
      segment = Segment()
      literal = 0
    }
    while index < pattern.count {
      let byte = pattern[index]
      if !isEscaped, isEscape(at: index), let escapeText {
        isEscaped = true
        index += escapeText.count
        guard index < pattern.count, isEscape(at: index) || pattern[index] == 0x25 || pattern[index] == 0x5f else {
          throw badEscape
        }
        continue
      }
      if !isEscaped && byte == UInt8(ascii: "%") {
        close()
        index += 1
        continue
      }
      if !isEscaped && byte == UInt8(ascii: "_") {
        if segment.pieces.isEmpty || literal > 0 {
          segment.pieces.append((literal, 1))
        } else {
          segment.pieces[segment.pieces.count - 1].wildcards += 1
        }
        literal = 0
        segment.codePoints += 1
        index += 1
        continue
      }
      isEscaped = false
      // The pattern has a byte at `index`, so its buffer has a base address.
      let length = pattern.withUnsafeBufferPointer {
        ByteSearch.lengthOfCodePoint($0.baseAddress.unsafelyUnwrapped, at: index, count: pattern.count)
      }
      segment.bytes += pattern[index..<index + length]
      literal += length
      segment.codePoints += 1
      index += length
    }
    close()
    middle = segments.dropFirst().dropLast().filter { !$0.isEmpty }
  }

  /// Whether the pattern is literal text with `%` at most at its ends, and that text.
  enum Shape {
    case exact([UInt8])
    case prefix([UInt8])
    case suffix([UInt8])
    case contains([UInt8])
    case everything
    case general
  }

  var shape: Shape {
    guard segments.allSatisfy(\.isLiteral) else { return .general }
    let first = segments[0].bytes
    if segments.count == 1 { return .exact(first) }
    let last = segments[segments.count - 1].bytes
    switch (first.isEmpty, middle.count, last.isEmpty) {
    case (true, 0, true): return .everything
    case (false, 0, true): return .prefix(first)
    case (true, 0, false): return .suffix(last)
    case (true, 1, true): return .contains(middle[0].bytes)
    default: return .general
    }
  }
}
