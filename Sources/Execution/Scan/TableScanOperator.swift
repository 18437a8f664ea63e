// Owns the reading of a table's splits with the conditions that stand right above the scan and the keys of joins
// further up. Knows no file formats.

import Columnar
import ConnectorAPI
import Planning

/// Reads splits one after the other; gives the rows that pass the condition and may pass the joins above.
final class TableScanOperator: Operator {
  private let scan: TableScanNode
  private let splits: [Split]
  private let connector: any Connector
  private let handles: [ColumnHandle]
  private let input: TaskInput
  private let conditions: ScanConditions
  private let dynamicFilters: [DynamicFilter]
  /// By place in `dynamicFilters`; nil until its keys are known.
  private var keyFilters: [KeyFilter?]

  private var source: (any PageSource)?
  private var nextSplit = 0

  init(
    _ scan: TableScanNode, splits: [Split], connector: any Connector, conditions: ScanConditions,
    dynamicFilters: [DynamicFilter], input: TaskInput
  ) {
    self.scan = scan
    self.splits = splits
    self.connector = connector
    self.conditions = conditions
    self.dynamicFilters = dynamicFilters
    self.input = input
    handles = scan.columns.map(\.column)
    keyFilters = dynamicFilters.map { _ in nil }
  }

  func next() throws -> Batch? {
    while true {
      try input.checkStop()
      if let source {
        while let batch = try source.next() {
          precondition(batch.columns.count == handles.count, "\(batch.columns.count) columns for \(handles.count)")
          input.count(batch)
          let rows = source.appliesFilters ? batch : try filtered(batch)
          if rows.count > 0 { return rows }
          try input.checkStop()
        }
        self.source = nil
      }
      if nextSplit == splits.count { return nil }
      source = try open(splits[nextSplit])
      nextSplit += 1
    }
  }

  private func open(_ split: Split) throws -> any PageSource {
    for (index, filter) in dynamicFilters.enumerated() where keyFilters[index] == nil {
      try filter.prepare()
      keyFilters[index] = filter.keys.map { KeyFilter($0, column: filter.column) }
    }
    let ranked: [any RankedFilter] = conditions.safe + usefulKeyFilters
    return try connector.pageSource(
      for: split, of: scan.table, columns: handles,
      constraint: scan.constraint.narrowed(handles, by: dynamicFilters),
      filters: ranked.sorted { $0.rank < $1.rank } + conditions.failing)
  }

  private var usefulKeyFilters: [KeyFilter] { keyFilters.compactMap { $0 }.filter { !$0.isUseless } }

  /// What a page source that applies no filters has left to do.
  private func filtered(_ batch: Batch) throws -> Batch {
    var rows = batch
    if let program = conditions.whole { rows = rows.gather(try program.select(rows)) }
    for filter in usefulKeyFilters where rows.count > 0 {
      rows = rows.gather(filter.select(rows.selectingColumns(filter.columns)))
    }
    return rows
  }
}

/// The condition that stands right above a scan, in the two forms in which it can be applied.
struct ScanConditions {
  /// For page sources that apply filters: by the columns they read, in no order.
  let safe: [ConjunctFilter]
  /// After all of those, at most one.
  let failing: [FailingFilter]
  /// For page sources that do not; nil where there is no condition.
  let whole: FilterProgram?

  /// No condition.
  static var none: ScanConditions { ScanConditions(safe: [], failing: [], whole: nil) }

  private init(safe: [ConjunctFilter], failing: [FailingFilter], whole: FilterProgram?) {
    self.safe = safe
    self.failing = failing
    self.whole = whole
  }

  /// `predicate` must be deterministic; `layout` are the scan's symbols.
  init(_ predicate: Expression, layout: [Symbol], seed: UInt64) throws {
    whole = try FilterProgram(predicate, layout: layout, seed: seed)
    var groups: [(columns: [Int], conjuncts: [Expression])] = []
    var failing: [Expression] = []
    for conjunct in predicate.conjuncts {
      if try FilterProgram(conjunct, layout: layout, seed: seed).canFail {
        failing.append(conjunct)
        continue
      }
      let columns = Self.columns(of: [conjunct], layout)
      if let known = groups.firstIndex(where: { $0.columns == columns }) {
        groups[known].conjuncts.append(conjunct)
      } else {
        groups.append((columns, [conjunct]))
      }
    }
    safe = try groups.map { group in
      try ConjunctFilter(
        group.conjuncts, layout: group.columns.map { layout[$0] }, columns: group.columns, seed: seed)
    }
    let columns = Self.columns(of: failing, layout)
    self.failing = failing.isEmpty
      ? [] : [try FailingFilter(failing, layout: columns.map { layout[$0] }, columns: columns, seed: seed)]
  }

  private static func columns(of conjuncts: [Expression], _ layout: [Symbol]) -> [Int] {
    let symbols = conjuncts.reduce(into: Set<Symbol>()) { $0.formUnion($1.symbols) }
    return layout.indices.filter { symbols.contains(layout[$0]) }
  }
}
