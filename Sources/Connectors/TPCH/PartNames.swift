// Owns the names of parts.

import Columnar

/// p_name: five different colours.
enum PartNames {
  private static let stream = RandomStream(origin: 709_314_158)
  private static let words = 5
  private static let colors = Words.colors.map { Array($0.utf8) }
  /// A row owns as many draws as there are colours, though it uses five.
  private static let drawsPerRow = Int64(Words.colors.count)

  /// The names of `count` parts from `row` on.
  static func vector(row: Int64, count: Int) -> Vector {
    // Each colour with a blank behind it, in slots of 16 bytes.
    let slot = 16
    var texts = [UInt8](repeating: UInt8(ascii: " "), count: colors.count * slot)
    for (index, color) in colors.enumerated() {
      texts.replaceSubrange(index * slot..<index * slot + color.count, with: color)
    }
    let lengths = colors.map { $0.count + 1 }
    let last = Int32(colors.count - 1)
    let ranges = (0..<words).map { ValueRange(Int32($0), last) }
    var order = (0..<colors.count).map { UInt8($0) }
    var swaps = [Int](repeating: 0, count: words)

    let heap = StringHeap()
    var cursor = heap.allocate(count * words * slot + slot)
    let views = Buffer(count: count, of: StringView.self)
    let target = views.pointer(to: StringView.self)
    var draw = stream.state(after: row * drawsPerRow)
    let leap = RandomStream.power(drawsPerRow)
    for row in 0..<count {
      var state = draw
      var end = cursor
      for word in 0..<words {
        state = RandomStream.times(state, RandomStream.multiplier)
        let other = Int(ranges[word].narrow(state))
        swaps[word] = other
        order.swapAt(word, other)
        let color = Int(order[word])
        for index in 0..<slot { end[index] = texts[color &* slot &+ index] }
        end += lengths[color]
      }
      // The list is put back by undoing the swaps, last first.
      for word in (0..<words).reversed() { order.swapAt(word, swaps[word]) }
      let size = end - cursor - 1
      target[row] = StringView(cursor, count: size)
      cursor = end
      draw = RandomStream.times(draw, leap)
    }
    return Vector(flat: .varchar(length: 55), count: count, values: views, heaps: [heap])
  }
}
