// Owns what lineitem and orders share: how many lines the orders of a range have, and the draws of those lines.

/// The lines of some consecutive orders, loaded for one batch after the other; each column of draws is made when first
/// asked for. For one thread.
final class Lines {
  /// Lines an order has at most.
  static let mostPerOrder = 7
  private static let lineCountStream = RandomStream(origin: 1_434_868_289)
  private static let lineCount = ValueRange(1, 7)
  static let orderDateStream = RandomStream(origin: 1_066_728_069)
  /// Days since 1970-01-01: 1992-01-01 to 1998-08-02, the last from which all dates of a line lie in 1998.
  static let orderDate = ValueRange(8035, 8035 + 2405)
  /// The benchmark's "today", 1995-06-17, in days since 1970-01-01.
  static let today: Int32 = 9298

  private static let quantity = LineColumn(209_208_115, ValueRange(1, 50))
  private static let discount = LineColumn(554_590_007, ValueRange(0, 10))
  private static let tax = LineColumn(721_958_466, ValueRange(0, 8))
  private static let shipDays = LineColumn(1_769_349_045, ValueRange(1, 121))
  private static let receiptDays = LineColumn(373_135_028, ValueRange(1, 30))
  private let partKey: LineColumn

  private(set) var firstOrder: Int64 = 0
  private(set) var orders = 0
  private(set) var count = 0
  /// Lines of each loaded order.
  let lineCounts: UnsafeMutablePointer<UInt8>

  /// Columns kept for a batch, as several outputs need them.
  private enum Lane: Int, CaseIterable { case quantity, discount, tax, partKey, orderDate, shipDate, receiptDate, work }
  private let lanes: Scratch
  private var loaded = 0

  /// Room for `rows` lines.
  init(scale: Scale, rows: Int) {
    partKey = LineColumn(1_808_217_256, ValueRange(1, Int32(scale.parts)))
    lanes = Scratch(lanes: Lane.allCases.count, capacity: rows + 2 * Self.mostPerOrder)
    lineCounts = .allocate(capacity: rows)
  }

  deinit { lineCounts.deallocate() }

  /// Takes up orders from `first` on: at most `orders`, and no more than have `rows` lines together (at least one).
  func load(first: Int64, orders limit: Int, rows: Int) {
    precondition(rows >= Self.mostPerOrder, "a batch must have room for the lines of one order")
    let draws = lanes[Lane.work.rawValue].draws
    let candidates = min(limit, rows / 3)
    Self.lineCountStream.fill(draws, count: candidates, first: first + 1)
    var order = 0
    var total = 0
    while order < candidates {
      let lines = Int(Self.lineCount.narrow(draws[order]))
      if total + lines > rows { break }
      lineCounts[order] = UInt8(truncatingIfNeeded: lines)
      total += lines
      order += 1
    }
    firstOrder = first
    orders = order
    count = total
    loaded = 0
  }

  /// Lines of `orders` orders from the first on. Cost: a nanosecond an order.
  static func total(orders: Int64) -> Int64 {
    let buffer = DrawBuffer(capacity: 4096)
    var total: Int64 = 0
    var first: Int64 = 0
    while first < orders {
      let count = Int(min(4096, orders - first))
      lineCountStream.fill(buffer.draws, count: count, first: first + 1)
      for row in 0..<count { total += Int64(lineCount.narrow(buffer.draws[row])) }
      first += Int64(count)
    }
    return total
  }

  var quantities: UnsafePointer<Int32> { values(.quantity, Self.quantity) }
  /// Hundredths.
  var discounts: UnsafePointer<Int32> { values(.discount, Self.discount) }
  /// Hundredths.
  var taxes: UnsafePointer<Int32> { values(.tax, Self.tax) }
  var partKeys: UnsafePointer<Int32> { values(.partKey, partKey) }

  /// The order's date for each line, in days since 1970-01-01.
  var orderDates: UnsafePointer<Int32> {
    let lane = lanes[Lane.orderDate.rawValue]
    if isNew(.orderDate) {
      let draws = lanes[Lane.work.rawValue].draws
      Self.orderDateStream.fill(draws, count: orders, first: firstOrder + 1)
      forEachOrder(lane.values) { cursor, order in
        let date = Self.orderDate.narrow(draws[order])
        for line in 0..<Self.mostPerOrder { cursor[line] = date }
      }
    }
    return UnsafePointer(lane.values)
  }

  var shipDates: UnsafePointer<Int32> { dates(.shipDate, Self.shipDays, after: { self.orderDates }) }
  var receiptDates: UnsafePointer<Int32> { dates(.receiptDate, Self.receiptDays, after: { self.shipDates }) }

  /// Draws of a column that is read once a batch; valid until the next call of any column.
  func draws(of column: LineColumn) -> UnsafePointer<UInt32> {
    let lane = lanes[Lane.work.rawValue]
    column.stream.fillLines(lane.draws, lineCounts: lineCounts, orders: orders, firstOrder: firstOrder)
    return UnsafePointer(lane.draws)
  }

  /// Calls `body` with each order's place in `target`, which it may fill for seven lines.
  @inline(__always)
  func forEachOrder<Element>(
    _ target: UnsafeMutablePointer<Element>, _ body: (UnsafeMutablePointer<Element>, Int) -> Void
  ) {
    var cursor = target
    for order in 0..<orders {
      body(cursor, order)
      cursor += Int(lineCounts[order])
    }
  }

  /// Whether the lane has not been made for this batch yet; it counts as made from now on.
  private func isNew(_ lane: Lane) -> Bool {
    let bit = 1 << lane.rawValue
    defer { loaded |= bit }
    return loaded & bit == 0
  }

  private func values(_ lane: Lane, _ column: LineColumn) -> UnsafePointer<Int32> {
    let buffer = lanes[lane.rawValue]
    if isNew(lane) {
      column.stream.fillLines(buffer.draws, lineCounts: lineCounts, orders: orders, firstOrder: firstOrder)
      column.range.apply(to: buffer.draws, count: count)
    }
    return UnsafePointer(buffer.values)
  }

  private func dates(
    _ lane: Lane, _ column: LineColumn, after base: () -> UnsafePointer<Int32>
  ) -> UnsafePointer<Int32> {
    let buffer = lanes[lane.rawValue]
    if isNew(lane) {
      let start = base()
      let draws = buffer.draws
      column.stream.fillLines(draws, lineCounts: lineCounts, orders: orders, firstOrder: firstOrder)
      let target = buffer.values
      let range = column.range
      for line in 0..<count { target[line] = start[line] &+ range.narrow(draws[line]) }
    }
    return UnsafePointer(buffer.values)
  }
}

/// A column with one draw a line, seven an order.
struct LineColumn: Sendable {
  let stream: RandomStream
  let range: ValueRange

  init(_ origin: UInt32, _ range: ValueRange) {
    stream = RandomStream(origin: origin)
    self.range = range
  }
}
