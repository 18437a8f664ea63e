// Owns the unit that a stage runs: a piece of plan between exchanges, with how its work is cut into tasks and how its
// output is partitioned.

import Base

/// How the work of a fragment is divided into tasks.
public enum FragmentKind: String, Codable, Sendable {
  /// By the splits of its table scans.
  case source
  /// By hash partitions of its partitioned inputs.
  case hash
  /// One task.
  case single
}

/// How a task reads an input fragment's output.
public enum InputMode: String, Codable, Sendable {
  /// The partitions that the task covers.
  case partitioned
  /// All of it, in every task.
  case broadcast
  /// All of it, in the one task.
  case gathered
}

/// A fragment that another one reads, and how.
public struct FragmentInput: Hashable, Codable, Sendable {
  public var fragment: Int
  public var mode: InputMode
  /// Of a partitioned input: which columns of its pages, in order, say by their hash where a row belongs.
  public var keys: [Int]?

  public init(fragment: Int, mode: InputMode, keys: [Int]? = nil) {
    self.fragment = fragment
    self.mode = mode
    self.keys = keys
  }
}

/// How a fragment's rows are spread over the partitions of each spool file.
public enum OutputPartitioning: Hashable, Codable, Sendable {
  /// All rows in partition 0 (gathered, broadcast or the query's result).
  case single
  /// Row to partition by the hash of `symbols`, see `Execution`'s partition function; `count` partitions.
  case hash(symbols: [Symbol], count: Int)

  /// How many partitions the output has.
  public var partitionCount: Int {
    switch self {
    case .single: 1
    case .hash(_, let count): count
    }
  }
}

/// Keys of another fragment's rows, for a scan: rows with other values are not wanted, since a join further up would
/// drop them. The scan may read them all the same. (A dynamic filter that passes a border between stages.)
public struct KeySource: Hashable, Codable, Sendable {
  /// The fragment whose rows hold the keys; an input of this fragment, in mode broadcast.
  public var fragment: Int
  /// The columns of that fragment's pages, in order.
  public var columns: [Symbol]
  /// Which of them holds the keys.
  public var key: Symbol
  /// The scan, and which of its symbols the keys restrict.
  public var scan: Int
  public var restricted: Symbol

  public init(fragment: Int, columns: [Symbol], key: Symbol, scan: Int, restricted: Symbol) {
    self.fragment = fragment
    self.columns = columns
    self.key = key
    self.scan = scan
    self.restricted = restricted
  }
}

/// A piece of plan whose leaves are scans, values and remote sources. Fragment 0 gives the query's result.
public struct PlanFragment: Codable, Sendable {
  public var number: Int
  public var root: PlanNode
  public var kind: FragmentKind
  public var inputs: [FragmentInput]
  public var output: OutputPartitioning
  /// What is known of the rows that a scan is to give from stages that have ended before.
  public var keySources: [KeySource] = []
  /// The columns of the fragment's pages, in order.
  public var outputSymbols: [Symbol]
  /// Whether running a task again on the same inputs may give other rows (random(), LIMIT without order).
  public var isDeterministic: Bool
  /// Estimates for sizing; nil where nothing is known.
  public var estimatedOutputBytes: Int64?

  public init(
    number: Int, root: PlanNode, kind: FragmentKind, inputs: [FragmentInput], output: OutputPartitioning,
    outputSymbols: [Symbol], isDeterministic: Bool = true, estimatedOutputBytes: Int64? = nil
  ) {
    self.number = number
    self.root = root
    self.kind = kind
    self.inputs = inputs
    self.output = output
    self.outputSymbols = outputSymbols
    self.isDeterministic = isDeterministic
    self.estimatedOutputBytes = estimatedOutputBytes
  }
}

/// A query's fragments with the names and types of the result's columns.
public struct FragmentedPlan: Codable, Sendable {
  /// Sorted by number; inputs have higher numbers than their consumers.
  public var fragments: [PlanFragment]
  public var columnNames: [String]
  /// What is to be done when all fragments have run; nil for a query. The root's rows are then not the result, but what
  /// the writers left: how many rows, and the sink's description, for each of their tasks.
  public var write: PlannedWrite?

  public init(fragments: [PlanFragment], columnNames: [String], write: PlannedWrite? = nil) {
    self.fragments = fragments
    self.columnNames = columnNames
    self.write = write
  }
}
