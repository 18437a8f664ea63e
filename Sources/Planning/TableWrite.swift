// Owns the part of a plan that changes tables: the nodes that write rows, and what is to be done when they are written.

import Base
import Columnar
import ConnectorAPI

/// Gives the rows of `source` to the connector. One row comes out of each task, also of one without rows: how many rows
/// it wrote, and what its sink says of its output.
public struct TableWriterNode: Codable, Sendable {
  public var source: PlanNode
  /// The source's symbols for `target.columns`, in their order and of their layouts; lengths may be less.
  public var columns: [Symbol]
  /// Without a payload in a plan that is only shown.
  public var target: WriteHandle
  /// bigint.
  public var rowCount: Symbol
  /// varbinary.
  public var fragment: Symbol

  public init(source: PlanNode, columns: [Symbol], target: WriteHandle, rowCount: Symbol, fragment: Symbol) {
    self.source = source
    self.columns = columns
    self.target = target
    self.rowCount = rowCount
    self.fragment = fragment
  }
}

/// Where the outputs of all writer tasks come together. The rows pass through; the coordinator reads them and commits.
public struct TableFinishNode: Codable, Sendable {
  public var source: PlanNode
  public var target: WriteHandle

  public init(source: PlanNode, target: WriteHandle) {
    self.source = source
    self.target = target
  }
}

/// What becomes of a statement's plan when all its tasks are done: durable before the first of them starts.
public struct PlannedWrite: Codable, Sendable {
  /// The last step, which the coordinator takes.
  public enum Act: Codable, Sendable {
    /// Makes what the writer tasks left visible; the plan's rows name it.
    case commit(WriteHandle)
    /// `mayBeMissing`: IF EXISTS was written.
    case drop(TableHandle, mayBeMissing: Bool)
    /// The table is there already, or gone already.
    case nothing
  }

  public var act: Act
  /// What the client is told was done: Trino's update type, such as `CREATE TABLE`.
  public var updateType: String
  /// Whether the client is told a number of rows.
  public var countsRows: Bool

  public init(act: Act, updateType: String, countsRows: Bool) {
    self.act = act
    self.updateType = updateType
    self.countsRows = countsRows
  }

  /// The catalog whose connector takes the last step; nil where there is none to take.
  public var catalog: String? {
    switch act {
    case .commit(let handle): handle.catalog
    case .drop(let table, _): table.catalog
    case .nothing: nil
    }
  }
}

/// A write as the analyser leaves it: checked, but not begun at the connector.
public struct LogicalWrite: Sendable {
  enum Act: Sendable {
    case create(NewTable)
    case insert(TableHandle, columns: [ColumnHandle])
    case drop(TableHandle, mayBeMissing: Bool)
    case nothing
  }

  var act: Act
  var catalog: String
  var updateType: String
  var countsRows: Bool
  /// Whether the plan has writer tasks.
  var writesRows: Bool
  /// The table's name in the text.
  var location: SourceLocation
}

extension PlanNode {
  /// The same plan, writing to what the connector has begun.
  func writing(to handle: WriteHandle) -> PlanNode {
    switch self {
    case .tableWriter(var node):
      node.target = handle
      return .tableWriter(node)
    case .tableFinish(var node):
      node.target = handle
      node.source = node.source.writing(to: handle)
      return .tableFinish(node)
    default: return mapSources { $0.writing(to: handle) }
    }
  }

  /// Whether the plan gathers what writers have written.
  public var finishesTable: Bool {
    if case .tableFinish = self { return true }
    return sources.contains(where: \.finishesTable)
  }

  /// Whether a writer is part of the plan.
  public var writesTable: Bool {
    if case .tableWriter = self { return true }
    return sources.contains(where: \.writesTable)
  }
}
