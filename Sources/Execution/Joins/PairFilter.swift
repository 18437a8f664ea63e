// Owns the further condition of a join: evaluates it over pairs of rows, columns of both sides gathered as needed.

import Columnar
import Planning

/// A condition over pairs of a probe row and a build row.
final class PairFilter {
  private enum Column {
    case probe(Int)
    case build(Int)
  }

  private let columns: [Column]
  private let program: FilterProgram

  /// `probe` and `build` are the columns of the probe batches and of the table's payload.
  init(_ predicate: Expression, probe: ColumnLayout, build: ColumnLayout, seed: UInt64) throws {
    let symbols = predicate.symbols.sorted { $0.id < $1.id }
    columns = symbols.map { symbol in
      probe.contains(symbol) ? .probe(probe.position(of: symbol)) : .build(build.position(of: symbol))
    }
    program = try FilterProgram(predicate, layout: symbols, seed: seed)
  }

  /// Leaves in both lists the pairs for which the condition is true.
  func apply(_ batch: Batch, _ payload: Batch, probe: RowIndices, build: RowIndices) throws {
    let vectors = columns.map { column in
      switch column {
      case .probe(let position): batch.columns[position].gather(probe.base, count: probe.count)
      case .build(let position): payload.columns[position].gather(build.base, count: build.count)
      }
    }
    let selection = try program.select(Batch(columns: vectors, count: probe.count))
    guard let indices = selection.indices else { return }
    let kept = indices.pointer(to: Int32.self)
    for index in 0..<selection.count {
      probe.base[index] = probe.base[Int(kept[index])]
      build.base[index] = build.base[Int(kept[index])]
    }
    probe.count = selection.count
    build.count = selection.count
  }
}
