// Owns the values of part, and the rules about parts that other tables follow: prices and suppliers.

import Columnar

final class PartGenerator: KeyedGenerator {
  private enum Column: Int {
    case partKey, name, manufacturer, brand, type, size, container, retailPrice, comment
  }

  private static let manufacturerStream = RandomStream(origin: 1)
  private static let brandStream = RandomStream(origin: 46_831_694)
  private static let typeStream = RandomStream(origin: 1_841_581_359)
  private static let sizeStream = RandomStream(origin: 1_193_163_244)
  private static let containerStream = RandomStream(origin: 727_633_698)
  private static let fifth = ValueRange(0, 4)
  private static let size = ValueRange(1, 50)
  private static let manufacturers = WordList((1...5).map { "Manufacturer#\($0)" }, length: 25)
  private static let brands = WordList(
    (1...5).flatMap { maker in (1...5).map { "Brand#\(maker)\($0)" } }, length: 10)
  private static let types = WordList(Words.types, length: 25)
  private static let containers = WordList(Words.containers, length: 10)
  private static let comment = CommentColumn(origin: 804_159_733, averageLength: 14)

  private let money: MoneyMapping
  private let scratch: Scratch

  init(_ settings: GeneratorSettings, rows: Int) {
    money = settings.money
    scratch = Scratch(lanes: 2, capacity: rows)
  }

  /// The retail price of the part with `key`, in hundredths.
  @inline(__always)
  static func price(key: Int32) -> Int32 {
    let number = UInt32(bitPattern: key)
    return Int32(bitPattern: 90_000 &+ number / 10 % 20_001 &+ number % 1000 &* 100)
  }

  func vector(_ column: Int, first: Int64, count: Int) -> Vector {
    let draws = scratch[0].draws
    switch Column(rawValue: column)! {
    case .partKey: return .identifiers(count: count) { first &+ Int64($0) &+ 1 }
    case .name: return PartNames.vector(row: first, count: count)
    case .manufacturer:
      Self.manufacturerStream.fill(draws, count: count, first: first + 1)
      return .picks(of: Self.manufacturers, count: count) { Self.fifth.narrow(draws[$0]) }
    case .brand:
      let more = scratch[1].draws
      Self.manufacturerStream.fill(draws, count: count, first: first + 1)
      Self.brandStream.fill(more, count: count, first: first + 1)
      return .picks(of: Self.brands, count: count) {
        Self.fifth.narrow(draws[$0]) &* 5 &+ Self.fifth.narrow(more[$0])
      }
    case .type:
      Self.typeStream.fill(draws, count: count, first: first + 1)
      return .picks(of: Self.types, count: count) { Self.types.range.narrow(draws[$0]) }
    case .size:
      Self.sizeStream.fill(draws, count: count, first: first + 1)
      return .numbers(count: count) { Self.size.narrow(draws[$0]) }
    case .container:
      Self.containerStream.fill(draws, count: count, first: first + 1)
      return .picks(of: Self.containers, count: count) { Self.containers.range.narrow(draws[$0]) }
    case .retailPrice:
      let key = Int32(first) + 1
      return money.vector(count: count) { Self.price(key: key &+ Int32(truncatingIfNeeded: $0)) }
    case .comment:
      return Self.comment.vector(
        of: .varchar(length: 23), row: first, count: count, pool: .shared, scratch: scratch)
    }
  }
}

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

/// Which four suppliers sell a part: spread evenly, and different for parts that are a round of suppliers apart.
struct SupplierBridge: Sendable {
  private let suppliers: UInt32
  private let quarter: UInt32
  /// `2^64 / suppliers`, rounded up: a product's upper half is then the exact quotient of any 32-bit number
  /// (Lemire, Kaser and Kurz, 2019).
  private let reciprocal: UInt64

  init(_ scale: Scale) {
    suppliers = UInt32(scale.suppliers)
    precondition(suppliers > 1, "the reciprocal of one supplier does not fit")
    quarter = suppliers / 4
    reciprocal = UInt64.max / UInt64(suppliers) + 1
  }

  @inline(__always)
  private func quotient(_ value: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: reciprocal.multipliedFullWidth(by: UInt64(value)).high)
  }

  /// The key of supplier `number` (0 to 3) of a part.
  @inline(__always)
  func supplier(part: Int32, number: Int32) -> Int64 {
    let part = UInt32(bitPattern: part)
    let place = part &+ UInt32(bitPattern: number) &* (quarter &+ quotient(part &- 1))
    return Int64(place &- quotient(place) &* suppliers &+ 1)
  }
}
