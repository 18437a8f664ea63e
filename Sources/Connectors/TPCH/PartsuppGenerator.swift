// Owns the values of partsupp. Its keys are parts; the four suppliers of a part are never parted.

import Columnar

final class PartsuppGenerator: TableGenerator {
  private enum Column: Int { case partKey, supplierKey, availableQuantity, supplyCost, comment }

  private static let perPart = 4
  private static let quantityStream = RandomStream(origin: 1_671_059_989)
  private static let quantity = ValueRange(1, 9999)
  private static let costStream = RandomStream(origin: 1_051_288_424)
  private static let cost = ValueRange(100, 100_000)
  private static let comment = CommentColumn(origin: 1_961_692_154, averageLength: 124)

  private let money: MoneyMapping
  private let bridge: SupplierBridge
  private let scratch: Scratch

  init(_ settings: GeneratorSettings, rows: Int) {
    money = settings.money
    bridge = SupplierBridge(settings.scale)
    scratch = Scratch(lanes: 2, capacity: max(rows, Self.perPart))
  }

  func batch(_ keys: Range<Int64>, rows: Int, columns: [Int]) -> (batch: Batch, keys: Int64) {
    let parts = min(keys.count, max(rows / Self.perPart, 1))
    let vectors = columns.map { vector(Column(rawValue: $0)!, first: keys.lowerBound, parts: parts) }
    return (Batch(columns: vectors, count: parts * Self.perPart), Int64(parts))
  }

  private func vector(_ column: Column, first: Int64, parts: Int) -> Vector {
    let count = parts * Self.perPart
    let row = first * Int64(Self.perPart)
    let draws = scratch[0].draws
    switch column {
    case .partKey: return .identifiers(count: count) { first &+ Int64($0 / Self.perPart) &+ 1 }
    case .supplierKey:
      let key = Int32(first) + 1
      return .identifiers(count: count) {
        let part = key &+ Int32(truncatingIfNeeded: $0 / Self.perPart)
        return bridge.supplier(part: part, number: Int32(truncatingIfNeeded: $0 % Self.perPart))
      }
    case .availableQuantity:
      Self.quantityStream.fill(draws, count: count, first: row + 1)
      return .numbers(count: count) { Self.quantity.narrow(draws[$0]) }
    case .supplyCost:
      Self.costStream.fill(draws, count: count, first: row + 1)
      return money.vector(count: count) { Self.cost.narrow(draws[$0]) }
    case .comment:
      return Self.comment.vector(
        of: .varchar(length: 199), row: row, count: count, pool: .shared, scratch: scratch)
    }
  }
}
