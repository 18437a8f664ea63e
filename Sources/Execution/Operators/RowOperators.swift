// Owns the operators that treat each batch by itself: filter, project, limit, union, enforce single row.

import Base
import Columnar
import Planning

/// Keeps the rows for which the predicate is true.
final class FilterOperator: Operator {
  private let source: any Operator
  private let program: FilterProgram

  init(_ node: FilterNode, source: any Operator, seed: UInt64) throws {
    self.source = source
    program = try FilterProgram(node.predicate, layout: node.source.outputs, seed: seed)
  }

  func next() throws -> Batch? {
    while let batch = try source.next() {
      let selection = try program.select(batch)
      if selection.count > 0 { return batch.gather(selection) }
    }
    return nil
  }
}

/// Computes columns. A column that is only renamed, moved or repeated is passed on untouched.
final class ProjectOperator: Operator {
  private enum Column {
    case input(Int)
    case computed(Int)
  }

  private let source: any Operator
  private let columns: [Column]
  /// Nil where nothing is computed.
  private let program: ProjectionProgram?

  init(_ node: ProjectNode, source: any Operator, seed: UInt64) throws {
    self.source = source
    let layout = ColumnLayout(node.source.outputs)
    var computed: [Expression] = []
    columns = node.assignments.map { assignment in
      if case .symbol(let symbol) = assignment.expression { return .input(layout.position(of: symbol)) }
      computed.append(assignment.expression)
      return .computed(computed.count - 1)
    }
    program = computed.isEmpty ? nil : try ProjectionProgram(computed, layout: layout.symbols, seed: seed)
  }

  func next() throws -> Batch? {
    guard let batch = try source.next() else { return nil }
    let computed = try program?.evaluate(batch) ?? []
    let vectors = columns.map { column in
      switch column {
      case .input(let position): batch.columns[position]
      case .computed(let index): computed[index]
      }
    }
    return Batch(columns: vectors, count: batch.count)
  }
}

/// Reorders and drops columns.
final class SelectColumnsOperator: Operator {
  private let source: any Operator
  private let positions: [Int]

  init(source: any Operator, positions: [Int]) {
    self.source = source
    self.positions = positions
  }

  func next() throws -> Batch? { try source.next()?.selectingColumns(positions) }
}

/// Drops the first rows and ends after enough of them; then it asks its source no more.
final class LimitOperator: Operator {
  private let source: any Operator
  private var toSkip: Int
  private var toPass: Int

  init(_ node: LimitNode, source: any Operator) {
    self.source = source
    toSkip = node.offset
    toPass = node.count ?? .max
  }

  func next() throws -> Batch? {
    while toPass > 0, let batch = try source.next() {
      if toSkip >= batch.count {
        toSkip -= batch.count
        continue
      }
      let length = min(batch.count - toSkip, toPass)
      let rows = batch.slice(from: toSkip, count: length)
      toSkip = 0
      toPass -= length
      return rows
    }
    return nil
  }
}

/// All rows of one source after the other.
final class UnionOperator: Operator {
  private let sources: [any Operator]
  private let positions: [[Int]]
  private let types: [DataType]
  private var current = 0

  init(_ node: UnionNode, sources: [any Operator]) {
    self.sources = sources
    positions = zip(node.sources, node.mappings).map { ColumnLayout($0.outputs).positions(of: $1) }
    types = node.outputs.map(\.type)
  }

  func next() throws -> Batch? {
    while current < sources.count {
      if let batch = try sources[current].next() {
        let columns = zip(positions[current], types).map { position, type in
          let column = batch.columns[position]
          return column.type == type ? column : column.retyped(type)
        }
        return Batch(columns: columns, count: batch.count)
      }
      current += 1
    }
    return nil
  }
}

/// Exactly one row: the source's only one, or NULLs where it has none.
final class EnforceSingleRowOperator: Operator {
  private let source: any Operator
  private let types: [DataType]
  private let origin: Origin
  private var isDone = false

  init(_ node: EnforceSingleRowNode, source: any Operator) {
    self.source = source
    types = node.source.outputs.map(\.type)
    origin = node.origin
  }

  func next() throws -> Batch? {
    if isDone { return nil }
    isDone = true
    guard let first = try source.next() else {
      return Batch(columns: types.map { .repeating(.null, type: $0, count: 1) }, count: 1)
    }
    guard first.count == 1, try source.next() == nil else {
      throw WaterbearError(
        .subqueryMultipleRows, "Scalar sub-query has returned multiple rows", at: origin.location)
    }
    return first
  }
}
