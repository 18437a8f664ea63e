// Owns the filters that a scan hands to its page source: conditions of the query, and keys of joins further up.

import Columnar
import ConnectorAPI
import Planning

/// A filter of a scan that knows how well it did, so that the next page source gets the best one first.
protocol RankedFilter: RowFilter {
  /// Price per row dropped, in comparisons of numbers; the least goes first.
  var rank: Double { get }
}

/// Some conjuncts of a scan's condition, all over the same columns and none of which can fail.
final class ConjunctFilter: RankedFilter {
  let columns: [Int]
  private let program: FilterProgram
  private let price: Double
  private var passed = PassRate()
  private var known = DictionaryAnswers()

  /// `conjuncts` read the symbols `layout` only, which are at `columns` of the scan.
  init(_ conjuncts: [Expression], layout: [Symbol], columns: [Int], seed: UInt64) throws {
    self.columns = columns
    program = try FilterProgram(.and(conjuncts), layout: layout, seed: seed)
    let reading = layout.reduce(0) { $0 + ($1.type.layout == .string ? 6 : 2) }
    price = Double(program.cost + reading)
  }

  var rank: Double { passed.rank(price: price) }

  func select(_ batch: Batch) throws -> Selection {
    let selection = try answer(batch)
    passed.note(batch.count, selection.count)
    return selection
  }

  private func answer(_ batch: Batch) throws -> Selection {
    if columns.count == 1, let dictionary = batch.columns[0].dictionary, known.isWorth(dictionary, batch.count) {
      return try known.select(batch.columns[0]) { values, flags in
        let selected = try program.select(Batch(columns: [values], count: values.count))
        guard let indices = selected.indices else { return flags.update(repeating: 1, count: values.count) }
        flags.update(repeating: 0, count: values.count)
        let rows = indices.pointer(to: Int32.self)
        for index in 0..<selected.count { flags[Int(rows[index])] = 1 }
        withExtendedLifetime(indices) {}
      }
    }
    return try program.select(batch)
  }
}

/// Conjuncts that can fail, after all others: they see only rows that passed those.
final class FailingFilter: RowFilter {
  let columns: [Int]
  private let program: FilterProgram

  init(_ conjuncts: [Expression], layout: [Symbol], columns: [Int], seed: UInt64) throws {
    self.columns = columns
    program = try FilterProgram(.and(conjuncts), layout: layout, seed: seed)
  }

  func select(_ batch: Batch) throws -> Selection { try program.select(batch) }
}

/// Keeps rows whose key may have a partner in the table of a join.
final class KeyFilter: RankedFilter {
  let columns: [Int]
  private let keys: KeySummary
  private var passed = PassRate()
  private var known = DictionaryAnswers()

  init(_ keys: KeySummary, column: Int) {
    self.keys = keys
    columns = [column]
  }

  var rank: Double { passed.rank(price: 6) }

  /// Whether the filter drops so few rows that it is not worth its price: most rows have a partner.
  var isUseless: Bool { passed.rowsIn > 100_000 && passed.rowsOut > 0.8 * passed.rowsIn }

  func select(_ batch: Batch) -> Selection {
    let column = batch.columns[0]
    let selection: Selection
    if keys.isEmpty {
      selection = .none
    } else if let dictionary = column.dictionary, known.isWorth(dictionary, batch.count) {
      selection = known.select(column) { values, flags in test(values, flags) }
    } else {
      let flat = column.flattened()
      let flags = Buffer(byteCount: batch.count)
      test(flat, flags.pointer(to: UInt8.self))
      selection = Truth.positions(in: flags, equal: 1, count: batch.count)
    }
    passed.note(batch.count, selection.count)
    return selection
  }

  private func test(_ values: Vector, _ flags: UnsafeMutablePointer<UInt8>) {
    keys.test(values, into: flags)
    guard let validity = values.validity else { return }
    for row in 0..<values.count where !validity[row] { flags[row] = 0 }
  }
}

/// How many rows a filter saw and passed. Starts with the guess that half of them pass.
private struct PassRate {
  private(set) var rowsIn = 1.0
  private(set) var rowsOut = 0.5

  mutating func note(_ seen: Int, _ passed: Int) {
    rowsIn += Double(seen)
    rowsOut += Double(passed)
  }

  func rank(price: Double) -> Double { (price + 1) / max(1 - rowsOut / rowsIn, 0.001) }
}

/// A filter's answers for the values of the dictionary it saw last.
private struct DictionaryAnswers {
  private var dictionary: Vector?
  private var flags = Buffer(byteCount: 0)
  /// The dictionary of the last batch: one that comes a second time is worth more.
  private var last: Vector?

  /// Whether asking about each value of the dictionary is cheaper than asking about each of `rows` rows. Large
  /// dictionaries are: they serve many batches, and the answer for one that does not is not much dearer.
  mutating func isWorth(_ dictionary: Vector, _ rows: Int) -> Bool {
    defer { last = dictionary }
    if dictionary === self.dictionary || dictionary.count <= rows { return true }
    return dictionary === last && dictionary.count <= 8 * rows
  }

  /// The rows of `column` whose value passes; `answer` writes 0 or 1 for each value of a dictionary that is new.
  mutating func select(
    _ column: Vector, answer: (Vector, UnsafeMutablePointer<UInt8>) throws -> Void
  ) rethrows -> Selection {
    // A dictionary vector has both parts by construction.
    let (values, positions) = (column.dictionary!, column.indices!)
    if values !== dictionary {
      let fresh = Buffer(byteCount: values.count)
      try answer(values, fresh.pointer(to: UInt8.self))
      flags = fresh
      dictionary = values
    }
    let selected = Buffer(count: column.count, of: Int32.self)
    let rows = selected.pointer(to: Int32.self)
    let codes = UnsafePointer(positions.pointer(to: Int32.self))
    let passes = UnsafePointer(flags.pointer(to: UInt8.self))
    var count = 0
    for row in 0..<column.count {
      rows[count] = Int32(truncatingIfNeeded: row)
      count &+= Int(passes[Int(codes[row])])
    }
    return count == column.count ? .all(count) : Selection(indices: selected, count: count)
  }
}
