// Owns the values of customer.

import Columnar

final class CustomerGenerator: KeyedGenerator {
  private enum Column: Int { case key, name, address, nationKey, phone, balance, segment, comment }

  private static let address = AddressColumn(stream: RandomStream(origin: 881_155_353))
  private static let nationStream = RandomStream(origin: 1_489_529_863)
  private static let phoneStream = RandomStream(origin: 1_521_138_112)
  private static let balanceStream = RandomStream(origin: 298_370_230)
  private static let segmentStream = RandomStream(origin: 1_140_279_430)
  private static let segments = WordList(Words.segments, length: 10)
  private static let comment = CommentColumn(origin: 1_335_826_707, averageLength: 73)
  static let nation = ValueRange(0, 24)
  static let balance = ValueRange(-99_999, 999_999)

  private let money: MoneyMapping
  private let scratch: Scratch

  init(_ settings: GeneratorSettings, rows: Int) {
    money = settings.money
    scratch = Scratch(lanes: 4, capacity: rows)
  }

  func vector(_ column: Int, first: Int64, count: Int) -> Vector {
    let draws = scratch[0].draws
    switch Column(rawValue: column)! {
    case .key: return .identifiers(count: count) { first &+ Int64($0) &+ 1 }
    case .name: return NumberedName.customer.vector(length: 25, count: count) { first &+ Int64($0) &+ 1 }
    case .address: return Self.address.vector(row: first, count: count)
    case .nationKey:
      Self.nationStream.fill(draws, count: count, first: first + 1)
      return .identifiers(count: count) { Int64(Self.nation.narrow(draws[$0])) }
    case .phone:
      let nations = scratch[3].draws
      Self.nationStream.fill(nations, count: count, first: first + 1)
      return PhoneNumbers.vector(stream: Self.phoneStream, row: first, count: count, scratch: scratch) {
        Self.nation.narrow(nations[$0])
      }
    case .balance:
      Self.balanceStream.fill(draws, count: count, first: first + 1)
      return money.vector(count: count) { Self.balance.narrow(draws[$0]) }
    case .segment:
      Self.segmentStream.fill(draws, count: count, first: first + 1)
      return .picks(of: Self.segments, count: count) { Self.segments.range.narrow(draws[$0]) }
    case .comment:
      return Self.comment.vector(
        of: .varchar(length: 117), row: first, count: count, pool: .shared, scratch: scratch)
    }
  }
}
