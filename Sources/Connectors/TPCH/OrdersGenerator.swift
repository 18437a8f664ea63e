// Owns the values of orders. Total price and status come from the order's lines, which are made along where asked for.

import Columnar

final class OrdersGenerator: KeyedGenerator {
  private enum Column: Int {
    case orderKey, customerKey, orderStatus, totalPrice, orderDate, orderPriority, clerk, shipPriority, comment
  }

  private static let customerStream = RandomStream(origin: 851_767_375)
  private static let priorityStream = RandomStream(origin: 591_449_447)
  private static let clerkStream = RandomStream(origin: 1_171_034_773)
  private static let statuses = WordList(["F", "O", "P"], length: 1)
  private static let priorities = WordList(Words.priorities, length: 15)
  private static let comment = CommentColumn(origin: 276_090_261, averageLength: 49)

  private let money: MoneyMapping
  private let customers: ValueRange
  private let clerks: ValueRange
  private let lines: Lines
  private let lineRows: Int
  private let scratch: Scratch

  init(_ settings: GeneratorSettings, rows: Int) {
    money = settings.money
    customers = ValueRange(1, Int32(settings.scale.customers))
    clerks = ValueRange(1, Int32(settings.scale.clerks))
    lineRows = max(rows, Lines.mostPerOrder)
    lines = Lines(scale: settings.scale, rows: lineRows)
    scratch = Scratch(lanes: 2, capacity: rows)
  }

  /// The key of the order at `position`: of every 32 keys the first eight are used. The first order has key 1.
  @inline(__always)
  static func key(_ position: Int64) -> Int64 {
    let number = position &+ 1
    return (number &>> 3) &<< 5 | (number & 7)
  }

  func vector(_ column: Int, first: Int64, count: Int) -> Vector {
    let draws = scratch[0].draws
    switch Column(rawValue: column)! {
    case .orderKey: return .identifiers(count: count) { Self.key(first &+ Int64($0)) }
    case .customerKey: return customerKeys(first: first, count: count)
    case .orderStatus: return orderStatuses(first: first, count: count)
    case .totalPrice: return totalPrices(first: first, count: count)
    case .orderDate:
      Lines.orderDateStream.fill(draws, count: count, first: first + 1)
      return .numbers(.date, count: count) { Lines.orderDate.narrow(draws[$0]) }
    case .orderPriority:
      Self.priorityStream.fill(draws, count: count, first: first + 1)
      let range = Self.priorities.range
      return .picks(of: Self.priorities, count: count) { range.narrow(draws[$0]) }
    case .clerk:
      Self.clerkStream.fill(draws, count: count, first: first + 1)
      clerks.apply(to: draws, count: count)
      return NumberedName.clerk.vector(length: 15, count: count) { Int64(draws[$0]) }
    case .shipPriority: return Vector.repeating(.integer(0), type: .integer, count: count)
    case .comment:
      return Self.comment.vector(
        of: .varchar(length: 79), row: first, count: count, pool: .shared, scratch: scratch)
    }
  }

  /// A third of the customers, those whose keys three divides, never order: their neighbour does.
  private func customerKeys(first: Int64, count: Int) -> Vector {
    let keys = scratch[0]
    Self.customerStream.fill(keys.draws, count: count, first: first + 1)
    customers.apply(to: keys.draws, count: count)
    let values = keys.draws
    let last = UInt32(customers.span)
    return .identifiers(count: count) { row in
      let key = values[row]
      guard key % 3 == 0 else { return Int64(key) }
      return Int64(key) &+ (key == last ? -1 : 1)
    }
  }

  private func totalPrices(first: Int64, count: Int) -> Vector {
    let totals = scratch[0].values
    var row = 0
    while row < count {
      lines.load(first: first + Int64(row), orders: count - row, rows: lineRows)
      let quantities = lines.quantities
      let discounts = lines.discounts
      let taxes = lines.taxes
      let keys = lines.partKeys
      var line = 0
      for order in 0..<lines.orders {
        var total: Int32 = 0
        for _ in 0..<lines.lineCounts[order] {
          let price = PartGenerator.price(key: keys[line]) &* quantities[line]
          let discounted = price &* (100 &- discounts[line]) / 100
          total &+= discounted &* (100 &+ taxes[line]) / 100
          line &+= 1
        }
        totals[row] = total
        row += 1
      }
    }
    return money.vector(count: count) { totals[$0] }
  }

  /// F where all lines were shipped by today, O where none was, P between.
  private func orderStatuses(first: Int64, count: Int) -> Vector {
    let indices = Buffer(count: count, of: Int32.self)
    let target = indices.pointer(to: Int32.self)
    var row = 0
    while row < count {
      lines.load(first: first + Int64(row), orders: count - row, rows: lineRows)
      let dates = lines.shipDates
      var line = 0
      for order in 0..<lines.orders {
        let lineCount = Int(lines.lineCounts[order])
        var shipped = 0
        for _ in 0..<lineCount {
          shipped &+= dates[line] <= Lines.today ? 1 : 0
          line &+= 1
        }
        target[row] = shipped == lineCount ? 0 : shipped == 0 ? 1 : 2
        row += 1
      }
    }
    return Vector(dictionary: Self.statuses.dictionary, indices: indices, count: count)
  }
}
