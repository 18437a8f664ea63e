// Owns the matching of strings against a LIKE pattern that has more than one literal part. Works on memory only.

import Columnar

#if canImport(Glibc)
import Glibc
#endif

/// A LIKE pattern laid out flat, so that matching follows no array of arrays. Belongs to one thread.
final class LikeMatcher {
  /// Some literal bytes, then some `_`.
  private struct Piece {
    var start: Int
    var count: Int
    var wildcards: Int
  }

  /// What lies between two `%`: a run of pieces.
  private struct Segment {
    var firstPiece: Int
    var pieceCount: Int
    var codePoints: Int
    /// All literal bytes, for a segment without `_`.
    var start: Int
    var count: Int
    var isLiteral: Bool
  }

  private let bytes: UnsafeMutablePointer<UInt8>
  private let pieces: UnsafeMutablePointer<Piece>
  private let segments: UnsafeMutablePointer<Segment>
  private let segmentCount: Int

  init(_ pattern: LikePattern) {
    var allBytes: [UInt8] = []
    var allPieces: [Piece] = []
    var allSegments: [Segment] = []
    for (index, segment) in pattern.segments.enumerated() {
      // Empty segments matter only at the ends.
      let isEnd = index == 0 || index == pattern.segments.count - 1
      if segment.isEmpty && !isEnd { continue }
      var start = allBytes.count
      allSegments.append(
        Segment(
          firstPiece: allPieces.count, pieceCount: segment.pieces.count, codePoints: segment.codePoints,
          start: start, count: segment.bytes.count, isLiteral: segment.isLiteral))
      allBytes += segment.bytes
      for piece in segment.pieces {
        allPieces.append(Piece(start: start, count: piece.literal, wildcards: piece.wildcards))
        start += piece.literal
      }
    }
    segmentCount = allSegments.count
    bytes = .allocate(capacity: allBytes.count + 1)
    bytes.initialize(from: allBytes + [0], count: allBytes.count + 1)
    pieces = .allocate(capacity: max(allPieces.count, 1))
    pieces.initialize(from: allPieces, count: allPieces.count)
    segments = .allocate(capacity: allSegments.count)
    segments.initialize(from: allSegments, count: allSegments.count)
  }

  deinit {
    bytes.deallocate()
    pieces.deallocate()
    segments.deallocate()
  }

  /// Whether `text` matches the pattern.
  func matches(_ text: Bytes, count: Int) -> Bool {
    let start = match(segments[0], text, at: 0, count: count)
    if start < 0 { return false }
    if segmentCount == 1 { return start == count }
    // The last segment has a fixed number of code points, so it can only start at one place.
    let last = segments[segmentCount - 1]
    var lastStart = count - last.count
    if !last.isLiteral {
      guard let found = ByteSearch.offset(ofLast: last.codePoints, in: text, before: count) else { return false }
      lastStart = found
    }
    guard lastStart >= start, match(last, text, at: lastStart, count: count) == count else { return false }
    // The leftmost place for each of the others leaves most room for the rest.
    var position = start
    for index in 1..<segmentCount - 1 {
      position = find(segments[index], text, from: position, count: lastStart)
      if position < 0 { return false }
    }
    return true
  }

  /// Where `segment`, matched at byte `start`, ends; -1 where it does not match.
  @inline(__always)
  private func match(_ segment: Segment, _ text: Bytes, at start: Int, count: Int) -> Int {
    if segment.isLiteral {
      let end = start + segment.count
      return end <= count && memcmp(text + start, bytes + segment.start, segment.count) == 0 ? end : -1
    }
    var position = start
    for index in segment.firstPiece..<segment.firstPiece + segment.pieceCount {
      let piece = pieces[index]
      guard position + piece.count <= count, memcmp(text + position, bytes + piece.start, piece.count) == 0,
        let next = ByteSearch.offset(of: piece.wildcards, in: text, count: count, from: position + piece.count)
      else { return -1 }
      position = next
    }
    return position
  }

  /// The end of the leftmost match of `segment` from byte `start` on; -1 for none.
  @inline(__always)
  private func find(_ segment: Segment, _ text: Bytes, from start: Int, count: Int) -> Int {
    if segment.isLiteral {
      let found = ByteSearch.find(
        bytes + segment.start, count: segment.count, in: text, count: count, from: start)
      return found < 0 ? -1 : found + segment.count
    }
    let first = pieces[segment.firstPiece]
    var position = start
    while position <= count {
      if first.count > 0 {
        // Only where the literal at the front lies can the segment begin.
        position = ByteSearch.find(bytes + first.start, count: first.count, in: text, count: count, from: position)
        if position < 0 { return -1 }
      }
      let end = match(segment, text, at: position, count: count)
      if end >= 0 { return end }
      guard position < count else { return -1 }
      position += ByteSearch.lengthOfCodePoint(text, at: position, count: count)
    }
    return -1
  }
}
