// Owns addresses: strings of random letters, digits, blanks and commas.

import Columnar

/// Addresses of a table: nine draws a row, one for the length and one for every five characters.
struct AddressColumn: Sendable {
  let stream: RandomStream

  private static let drawsPerRow = 9
  /// From 0.4 to 1.6 times the average of 25.
  private static let length = ValueRange(10, 40)
  private static let charactersPerDraw = 5
  private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,".utf8)

  /// The addresses of `count` rows from `row` on. Cost: one heap for all.
  func vector(row: Int64, count: Int) -> Vector {
    let heap = StringHeap()
    let longest = Int(Self.length.low + Self.length.span - 1)
    var cursor = heap.allocate(count * longest + Self.charactersPerDraw)
    let views = Buffer(count: count, of: StringView.self)
    let target = views.pointer(to: StringView.self)
    var draw = stream.state(after: row * Int64(Self.drawsPerRow))
    let leap = RandomStream.power(Int64(Self.drawsPerRow))
    Self.alphabet.withUnsafeBufferPointer { alphabet in
      for row in 0..<count {
        var state = RandomStream.times(draw, RandomStream.multiplier)
        let size = Int(Self.length.narrow(state))
        var written = 0
        while written < size {
          state = RandomStream.times(state, RandomStream.multiplier)
          var letters = Self.letters(state)
          for _ in 0..<Self.charactersPerDraw {
            cursor[written] = alphabet[letters & 63]
            letters &>>= 6
            written &+= 1
          }
        }
        target[row] = StringView(cursor, count: size)
        cursor += size
        draw = RandomStream.times(draw, leap)
      }
    }
    return Vector(flat: .varchar(length: 40), count: count, values: views, heaps: [heap])
  }

  /// A draw from the whole range of 32 bits. The kit's range overflows to -2^31, so its numbers are negative, and the
  /// rounding of its division shows in them: hence the doubles.
  @inline(__always)
  private static func letters(_ draw: UInt32) -> Int {
    Int(Double(Int32(bitPattern: draw)) / 2_147_483_647.0 * -2_147_483_648.0)
  }
}
