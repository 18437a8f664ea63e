// Owns columns whose values come from a short list.

import Columnar

/// The values a column is picked from, as a dictionary that all its vectors share.
struct WordList: Sendable {
  let dictionary: Vector
  /// Positions in the dictionary.
  let range: ValueRange

  init(_ words: [String], length: Int) {
    var builder = VectorBuilder(type: .varchar(length: length), capacity: words.count)
    for word in words { builder.append(.text(word)) }
    dictionary = builder.finish()
    range = ValueRange(0, Int32(words.count - 1))
  }
}

extension Vector {
  /// `count` rows out of `words`; `position` gives row `i`'s.
  @inline(__always)
  static func picks(of words: WordList, count: Int, position: (Int) -> Int32) -> Vector {
    let indices = Buffer(count: count, of: Int32.self)
    let target = indices.pointer(to: Int32.self)
    for row in 0..<count { target[row] = position(row) }
    return Vector(dictionary: words.dictionary, indices: indices, count: count)
  }
}
