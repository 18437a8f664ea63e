// Owns names made of a word and a number, and phone numbers: texts of fixed form and length.

import Columnar

/// Names such as `Customer#000000001`.
struct NumberedName: Sendable {
  static let customer = NumberedName("Customer#")
  static let supplier = NumberedName("Supplier#")
  static let clerk = NumberedName("Clerk#")

  private let word: [UInt8]
  /// Digits of the number, with zeros in front; a larger number takes more.
  private static let digits = 9

  private init(_ word: String) { self.word = Array(word.utf8) }

  /// `count` names; `number` gives row `i`'s, which is at most 9,999,999,999.
  @inline(__always)
  func vector(length: Int, count: Int, number: (Int) -> Int64) -> Vector {
    let heap = StringHeap()
    let mostBytes = word.count + Self.digits + 1
    var cursor = heap.allocate(count * mostBytes)
    let views = Buffer(count: count, of: StringView.self)
    let target = views.pointer(to: StringView.self)
    word.withUnsafeBufferPointer { word in
      for row in 0..<count {
        let value = number(row)
        let width = value > 999_999_999 ? Self.digits + 1 : Self.digits
        for index in 0..<word.count { cursor[index] = word[index] }
        writeDigits(value, to: cursor + word.count, width: width)
        target[row] = StringView(cursor, count: word.count &+ width)
        cursor += word.count &+ width
      }
    }
    return Vector(flat: .varchar(length: length), count: count, values: views, heaps: [heap])
  }
}

/// Phone numbers such as `25-989-741-2988`: the nation's code and three drawn groups.
enum PhoneNumbers {
  private static let group = ValueRange(100, 999)
  private static let lastGroup = ValueRange(1000, 9999)
  private static let bytes = 15

  /// The numbers of `count` rows from `row` on, three draws of `stream` a row; `nation` gives row `i`'s key.
  static func vector(
    stream: RandomStream, row: Int64, count: Int, scratch: Scratch, nation: (Int) -> Int32
  ) -> Vector {
    for group in 0..<3 {
      stream.fill(scratch[group].draws, count: count, first: row * 3 + Int64(group) + 1, stride: 3)
    }
    let first = scratch[0].draws
    let second = scratch[1].draws
    let third = scratch[2].draws
    let heap = StringHeap()
    var cursor = heap.allocate(count * bytes)
    let views = Buffer(count: count, of: StringView.self)
    let target = views.pointer(to: StringView.self)
    let hyphen = UInt8(ascii: "-")
    for row in 0..<count {
      writeDigits(Int64(10 &+ nation(row)), to: cursor, width: 2)
      cursor[2] = hyphen
      writeDigits(Int64(group.narrow(first[row])), to: cursor + 3, width: 3)
      cursor[6] = hyphen
      writeDigits(Int64(group.narrow(second[row])), to: cursor + 7, width: 3)
      cursor[10] = hyphen
      writeDigits(Int64(lastGroup.narrow(third[row])), to: cursor + 11, width: 4)
      target[row] = StringView(cursor, count: bytes)
      cursor += bytes
    }
    return Vector(flat: .varchar(length: 15), count: count, values: views, heaps: [heap])
  }
}

/// Writes `value` in exactly `width` decimal digits.
@inline(__always)
private func writeDigits(_ value: Int64, to target: UnsafeMutablePointer<UInt8>, width: Int) {
  var rest = UInt64(bitPattern: value)
  var index = width &- 1
  while index >= 0 {
    target[index] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
    rest /= 10
    index &-= 1
  }
}
