// Owns the reading of a split: one batch after the other from the table's generator.

import Columnar
import ConnectorAPI

/// A split's rows as batches.
final class GeneratedPageSource: PageSource {
  private let generator: any TableGenerator
  private let columns: [Int]
  private var keys: Range<Int64>
  private let rows: Int

  init(table: Table, settings: GeneratorSettings, keys: Range<Int64>, columns: [Int], rows: Int = Batch.targetRows) {
    self.keys = keys
    self.columns = columns
    self.rows = rows
    generator = table.generator(settings, rows: rows)
  }

  func next() -> Batch? {
    guard !keys.isEmpty else { return nil }
    let (batch, used) = generator.batch(keys, rows: rows, columns: columns)
    keys = keys.lowerBound + used..<keys.upperBound
    return batch
  }
}
