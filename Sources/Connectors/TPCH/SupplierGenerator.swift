// Owns the values of supplier, and the complaints and recommendations hidden in some suppliers' comments.

import Columnar

final class SupplierGenerator: KeyedGenerator {
  private enum Column: Int { case key, name, address, nationKey, phone, balance, comment }

  private static let address = AddressColumn(stream: RandomStream(origin: 706_178_559))
  private static let nationStream = RandomStream(origin: 110_356_601)
  private static let phoneStream = RandomStream(origin: 884_434_366)
  private static let balanceStream = RandomStream(origin: 962_338_209)
  private static let comment = CommentColumn(origin: 1_341_315_363, averageLength: 63)

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
    case .name: return NumberedName.supplier.vector(length: 25, count: count) { first &+ Int64($0) &+ 1 }
    case .address: return Self.address.vector(row: first, count: count)
    case .nationKey:
      Self.nationStream.fill(draws, count: count, first: first + 1)
      return .identifiers(count: count) { Int64(CustomerGenerator.nation.narrow(draws[$0])) }
    case .phone:
      let nations = scratch[3].draws
      Self.nationStream.fill(nations, count: count, first: first + 1)
      return PhoneNumbers.vector(stream: Self.phoneStream, row: first, count: count, scratch: scratch) {
        CustomerGenerator.nation.narrow(nations[$0])
      }
    case .balance:
      Self.balanceStream.fill(draws, count: count, first: first + 1)
      return money.vector(count: count) { CustomerGenerator.balance.narrow(draws[$0]) }
    case .comment:
      let comments = Self.comment.vector(
        of: .varchar(length: 101), row: first, count: count, pool: .shared, scratch: scratch)
      SupplierRemarks.write(into: comments, row: first, count: count, scratch: scratch)
      return comments
    }
  }
}

/// The Better Business Bureau's remarks: ten suppliers of ten thousand have one, which overwrites parts of the comment.
private enum SupplierRemarks {
  private static let chanceStream = RandomStream(origin: 202_794_285)
  private static let chance = ValueRange(1, 10_000)
  private static let gapStream = RandomStream(origin: 263_032_577)
  private static let placeStream = RandomStream(origin: 715_851_524)
  private static let kindStream = RandomStream(origin: 753_643_799)
  private static let kind = ValueRange(0, 100)
  private static let subject = Array("Customer ".utf8)
  private static let complaint = Array("Complaints".utf8)
  private static let recommendation = Array("Recommends".utf8)

  /// Writes the remarks of `count` suppliers from `row` on into their comments.
  static func write(into comments: Vector, row first: Int64, count: Int, scratch: Scratch) {
    let draws = scratch[0].draws
    chanceStream.fill(draws, count: count, first: first + 1)
    let views = comments.values.pointer(to: StringView.self)
    for row in 0..<count where chance.narrow(draws[row]) <= 10 {
      let draw = first + Int64(row) + 1
      let length = Int32(views[row].count)
      let remark = Int32(subject.count + complaint.count)
      let gap = ValueRange(0, length - remark).narrow(gapStream.state(after: draw))
      let place = ValueRange(0, length - remark - gap).narrow(placeStream.state(after: draw))
      let isComplaint = kind.narrow(kindStream.state(after: draw)) < 50
      // A comment has 25 bytes at least and so lies in the heap, which nobody else has seen yet.
      let start = UnsafeMutablePointer(mutating: views[row].farPointer)
      for (index, byte) in subject.enumerated() { start[Int(place) + index] = byte }
      let second = Int(place + gap) + subject.count
      for (index, byte) in (isComplaint ? complaint : recommendation).enumerated() { start[second + index] = byte }
      views[row] = StringView(start, count: Int(length))
    }
  }
}
