// Owns the values of part, and the retail price, which lineitem and orders use.

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
