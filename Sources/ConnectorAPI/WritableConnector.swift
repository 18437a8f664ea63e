// Owns what a connector that takes rows promises: output of its own for each attempt, and one commit that makes the
// selected attempts' output visible.

import Base
import Columnar

/// A connector with tables that can be made, filled and dropped.
///
/// A write goes through these steps, each of which may be repeated after a crash:
///
/// ```
///   begin… ──► pageSink (each attempt) ──► commit (selected attempts' outputs) ──► done
///                        │                    └── refused ──┐                       │
///                        └── anything failed ───────────────┴──────► abort ◄────────┘
///
/// beginDrop ──► drop ──► done, or refused ──► finishDrop
/// ```
///
/// Readers see nothing of a write before `commit` and all of it afterwards. Calls of `commit` and `drop` come one after
/// the other, for all writes of a coordinator. `abort` and `finishDrop` come when those of the same statement have
/// returned for the last time, beside those of others. All of them may block.
public protocol WritableConnector: Connector {
  /// Whether `commit` may be repeated and attempts may be discarded without a row appearing twice. A connector that
  /// cannot promise that is not written to under a retry policy.
  var supportsQueryRetries: Bool { get }

  /// Prepares a table that does not exist yet. Looks, but makes nothing: the coordinator may die before it has noted
  /// the write. TABLE_ALREADY_EXISTS, or INVALID_TABLE_PROPERTY for a property that is unknown or malformed.
  func beginCreate(_ table: NewTable, query: QueryID) throws -> WriteHandle

  /// Prepares the adding of rows that have all of the table's columns, in the table's order. Makes nothing either.
  func beginInsert(into table: TableHandle, columns: [ColumnHandle], query: QueryID) throws -> WriteHandle

  /// Where one attempt's rows go. Called in a worker; a late one may call it when the write has been committed or
  /// aborted already.
  func pageSink(for handle: WriteHandle, attempt: AttemptID) throws -> any PageSink

  /// Makes the outputs visible, all of them and nothing else. `outputs` are what the selected attempts' sinks gave;
  /// none for a table that is made without rows. Repeated with the same arguments after a crash at any point, it
  /// completes what is missing. What is left besides is for `abort`: that it cannot be removed makes no commit fail.
  ///
  /// An error of type USER_ERROR is a refusal: nothing was made visible, and nothing will be (the table was made or
  /// dropped by somebody else meanwhile). After any other error the call is repeated.
  func commit(_ handle: WriteHandle, outputs: [[UInt8]]) throws

  /// Removes all that the write has left and no reader sees. Nothing to remove is fine. Comes at least once for each
  /// write, also after `commit` has returned, and again when an attempt that was given up has ended late, or when it
  /// has failed: what `commit` has made visible stays.
  func abort(_ handle: WriteHandle) throws

  /// Prepares a drop; changes nothing. The payload of what it gives is for `drop`, and says which table was meant: one
  /// that is made under the same name afterwards is another.
  func beginDrop(_ table: TableHandle, query: QueryID) throws -> TableHandle

  /// Takes a table away from readers, all at once; TABLE_NOT_FOUND where the one that was meant is not there (any
  /// more). Repeated after a crash, also when another table has been made under the name, it does nothing where the
  /// table is gone already, or says TABLE_NOT_FOUND.
  func drop(_ table: TableHandle) throws

  /// Removes what `drop` has left: space that nobody sees any more. Nothing to remove is fine. May come several times.
  func finishDrop(_ table: TableHandle) throws

  /// Removes what writes and drops have left of which `isLeftover` says so, asked for the query's text after something
  /// of it was found. For those that nobody knows any more, so that no handle names them.
  func sweep(_ isLeftover: (String) -> Bool) throws
}

extension WritableConnector {
  /// For a connector of which nothing outlives the process.
  public func sweep(_ isLeftover: (String) -> Bool) throws {}
}

/// Takes the rows of one attempt, on one thread.
public protocol PageSink: AnyObject {
  /// Bytes held in memory, for the task's account.
  var retainedBytes: Int64 { get }

  /// Takes rows with the handle's columns in order.
  func append(_ batch: Batch) throws

  /// Completes the attempt's output, durable but invisible, and describes it for `commit`: some kilobytes at most.
  func finish() throws -> [UInt8]

  /// Discards what was written. Called instead of `finish`, or after it has thrown.
  func abort()
}

/// A table to be made.
public struct NewTable: Hashable, Codable, Sendable {
  public var schema: String
  public var name: String
  public var columns: [ColumnHandle]
  /// What the statement's WITH says, by lower-case name.
  public var properties: [String: PropertyValue]

  public init(schema: String, name: String, columns: [ColumnHandle], properties: [String: PropertyValue] = [:]) {
    self.schema = schema
    self.name = name
    self.columns = columns
    self.properties = properties
  }
}

/// The value of a table property.
public enum PropertyValue: Hashable, Codable, Sendable {
  case text(String)
  case integer(Int64)
  case boolean(Bool)
  case list([PropertyValue])
}

/// A write under way. `payload` belongs to the connector; it travels to workers and outlives the coordinator.
public struct WriteHandle: Hashable, Codable, Sendable {
  public var catalog: String
  public var schema: String
  public var table: String
  /// What the rows look like.
  public var columns: [ColumnHandle]
  public var payload: [UInt8]

  public init(catalog: String, schema: String, table: String, columns: [ColumnHandle], payload: [UInt8]) {
    self.catalog = catalog
    self.schema = schema
    self.table = table
    self.columns = columns
    self.payload = payload
  }
}
