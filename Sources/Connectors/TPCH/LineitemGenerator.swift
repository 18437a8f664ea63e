// Owns the values of lineitem. Its keys are orders; the lines of an order are never parted.

import Columnar

final class LineitemGenerator: TableGenerator {
  private enum Column: Int {
    case orderKey, partKey, supplierKey, lineNumber, quantity, extendedPrice, discount, tax, returnFlag, lineStatus
    case shipDate, commitDate, receiptDate, shipInstruction, shipMode, comment
  }

  private static let commitDays = LineColumn(904_914_315, ValueRange(30, 90))
  private static let supplierNumber = LineColumn(2_095_021_727, ValueRange(0, 3))
  private static let returnFlag = LineColumn(717_419_739, ValueRange(0, 1))
  private static let returnFlags = WordList(["R", "A", "N"], length: 1)
  private static let lineStatuses = WordList(["O", "F"], length: 1)
  private static let instructions = WordList(Words.instructions, length: 25)
  private static let instruction = LineColumn(1_371_272_478, instructions.range)
  private static let shipModes = WordList(Words.shipModes, length: 10)
  private static let shipMode = LineColumn(675_466_456, shipModes.range)
  private static let comment = CommentColumn(origin: 1_095_462_486, averageLength: 27)

  private let money: MoneyMapping
  private let bridge: SupplierBridge
  private let lines: Lines
  /// Two lanes, for comments.
  private let scratch: Scratch

  init(_ settings: GeneratorSettings, rows: Int) {
    money = settings.money
    bridge = SupplierBridge(settings.scale)
    lines = Lines(scale: settings.scale, rows: rows)
    scratch = Scratch(lanes: 2, capacity: rows + Lines.mostPerOrder)
  }

  func batch(_ keys: Range<Int64>, rows: Int, columns: [Int]) -> (batch: Batch, keys: Int64) {
    lines.load(first: keys.lowerBound, orders: keys.count, rows: rows)
    let vectors = columns.map { vector(Column(rawValue: $0)!) }
    return (Batch(columns: vectors, count: lines.count), Int64(lines.orders))
  }

  private func vector(_ column: Column) -> Vector {
    let count = lines.count
    switch column {
    case .orderKey: return orderKeys()
    case .partKey:
      let keys = lines.partKeys
      return .identifiers(count: count) { Int64(keys[$0]) }
    case .supplierKey:
      let keys = lines.partKeys
      let draws = lines.draws(of: Self.supplierNumber)
      let range = Self.supplierNumber.range
      return .identifiers(count: count) { bridge.supplier(part: keys[$0], number: range.narrow(draws[$0])) }
    case .lineNumber: return lineNumbers()
    case .quantity:
      let values = lines.quantities
      return money.vector(count: count) { values[$0] &* 100 }
    case .extendedPrice:
      let quantities = lines.quantities
      let keys = lines.partKeys
      return money.vector(count: count) { PartGenerator.price(key: keys[$0]) &* quantities[$0] }
    case .discount:
      let values = lines.discounts
      return money.vector(count: count) { values[$0] }
    case .tax:
      let values = lines.taxes
      return money.vector(count: count) { values[$0] }
    case .returnFlag: return returnFlags()
    case .lineStatus:
      let dates = lines.shipDates
      return .picks(of: Self.lineStatuses, count: count) { dates[$0] <= Lines.today ? 1 : 0 }
    case .shipDate:
      let dates = lines.shipDates
      return .numbers(.date, count: count) { dates[$0] }
    case .commitDate:
      let dates = lines.orderDates
      let draws = lines.draws(of: Self.commitDays)
      let range = Self.commitDays.range
      return .numbers(.date, count: count) { dates[$0] &+ range.narrow(draws[$0]) }
    case .receiptDate:
      let dates = lines.receiptDates
      return .numbers(.date, count: count) { dates[$0] }
    case .shipInstruction: return picks(Self.instruction, Self.instructions)
    case .shipMode: return picks(Self.shipMode, Self.shipModes)
    case .comment: return comments()
    }
  }

  private func picks(_ column: LineColumn, _ words: WordList) -> Vector {
    let draws = lines.draws(of: column)
    let range = words.range
    return .picks(of: words, count: lines.count) { range.narrow(draws[$0]) }
  }

  private func orderKeys() -> Vector {
    let values = Buffer(count: lines.count + Lines.mostPerOrder, of: Int64.self)
    let first = lines.firstOrder
    lines.forEachOrder(values.pointer(to: Int64.self)) { cursor, order in
      let key = OrdersGenerator.key(first &+ Int64(order))
      for line in 0..<Lines.mostPerOrder { cursor[line] = key }
    }
    return Vector(flat: .bigint, count: lines.count, values: values)
  }

  private func lineNumbers() -> Vector {
    let values = Buffer(count: lines.count + Lines.mostPerOrder, of: Int32.self)
    lines.forEachOrder(values.pointer(to: Int32.self)) { cursor, _ in
      for line in 0..<Lines.mostPerOrder { cursor[line] = Int32(truncatingIfNeeded: line &+ 1) }
    }
    return Vector(flat: .integer, count: lines.count, values: values)
  }

  /// Only a line that was received by today draws R or A, so the draws of an order go to those of its lines in turn.
  private func returnFlags() -> Vector {
    let dates = lines.receiptDates
    let draws = lines.draws(of: Self.returnFlag)
    let range = Self.returnFlag.range
    let indices = Buffer(count: lines.count, of: Int32.self)
    let target = indices.pointer(to: Int32.self)
    var line = 0
    for order in 0..<lines.orders {
      let end = line &+ Int(lines.lineCounts[order])
      var next = line
      while line < end {
        let isReceived = dates[line] <= Lines.today
        target[line] = isReceived ? range.narrow(draws[next]) : 2
        next &+= isReceived ? 1 : 0
        line &+= 1
      }
    }
    return Vector(dictionary: Self.returnFlags.dictionary, indices: indices, count: lines.count)
  }

  private func comments() -> Vector {
    for lane in 0..<2 {
      Self.comment.stream.fillLines(
        scratch[lane].draws, lineCounts: lines.lineCounts, orders: lines.orders, firstOrder: lines.firstOrder,
        drawsPerLine: 2, call: lane + 1)
    }
    return Self.comment.vector(
      of: .varchar(length: 44), count: lines.count, pool: .shared, scratch: scratch)
  }
}
