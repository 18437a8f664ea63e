// Owns how a share of a task's rows is named, for tasks too big to run as a whole. Knows no hash: workers agree on one.
import Base

/// One of `count` equal shares of the rows that a task would read, told by their hash.
///
/// All shares of one count together hold each row once, and share i of n is shares ki to ki + k - 1 of kn.
public struct TaskShare: Hashable, Codable, Sendable {
  /// Which rows are divided.
  public enum Axis: Hashable, Codable, Sendable {
    /// Those of the partitioned inputs, by the columns that they are partitioned by.
    case partitions
    /// Those of both sides of the join that builds the broadcast input from this stage, by its keys.
    case build(stage: Int)
  }

  public var axis: Axis
  /// From 0 to `count` - 1.
  public var index: Int
  public var count: Int

  public init(axis: Axis, index: Int, count: Int) {
    self.axis = axis
    self.index = index
    self.count = count
  }
}
