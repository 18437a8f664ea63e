// Owns the last steps of writes: commits and drops, one after the other, and the removal of what they leave, on threads
// of their own, as connectors may block. Knows no query and no event loop but the one it answers to.

import Base
import ConnectorAPI
import NIOCore
import Planning
import Platform
import Synchronization
import TaskStore

/// Calls connectors that are written to. Of each catalog, what is handed in first is done first: a step that is taken
/// again after a restart so comes before all that new queries want of the same table. A file system that hangs holds up
/// the writes of its own catalog only.
final class TableCommits: Sendable {
  typealias Done = @Sendable (WaterbearError?) -> Void

  private enum Kind: Hashable {
    case commits, removals
  }

  private struct Line: Hashable {
    var kind: Kind
    var catalog: String
  }

  private struct State {
    var queues: [Line: BlockingQueue<@Sendable () -> Void>] = [:]
    /// Commits and drops that were handed in and have not answered.
    var unfinished = 0
    var isClosed = false
  }

  private let catalogs: Catalogs
  private let store: TaskStore
  private let state = Mutex(State())

  init(catalogs: Catalogs, store: TaskStore) {
    self.catalogs = catalogs
    self.store = store
  }

  /// Takes the last step of a write whose start has been noted. `isRepeated`: an earlier try may have done all of it.
  /// `endedWithin`: a coordinator has ended in the middle of an earlier try.
  ///
  /// CONFIGURATION_INVALID where the catalog is not there or another one now: then nothing has been done, and another
  /// configuration can change that.
  func commit(
    _ write: PlannedWrite, outputs: [[UInt8]], isRepeated: Bool, endedWithin: Bool, on loop: any EventLoop,
    done: @escaping Done
  ) {
    run(.commits, write, on: loop, done: done) { [self] in
      // After a power cut the intent must be there before anything of what it leads to.
      try store.sync()
      CrashPoint.reach("commit.begin")
      switch write.act {
      case .nothing: break
      case .commit(let handle):
        let connector = try connector(handle.catalog)
        if endedWithin && !connector.supportsQueryRetries {
          throw WaterbearError(
            .notSupported,
            "The coordinator ended while it committed rows to table \(handle.schema).\(handle.table), and the "
              + "connector does not support that this is repeated; some of the rows may be there")
        }
        try connector.commit(handle, outputs: outputs)
      case .drop(let table, let mayBeMissing):
        do {
          try connector(table.catalog).drop(table)
        } catch let error as WaterbearError where error.code == .tableNotFound && (isRepeated || mayBeMissing) {
          break
        }
      }
      CrashPoint.reach("commit.done")
    }
  }

  /// Removes what a write has left and nobody sees. Beside commits: a large table takes its time.
  func removeLeftovers(of write: PlannedWrite, on loop: any EventLoop, done: @escaping Done) {
    run(.removals, write, on: loop, done: done) { [self] in
      CrashPoint.reach("removal.begin")
      switch write.act {
      case .nothing: break
      case .commit(let handle): try connector(handle.catalog).abort(handle)
      case .drop(let table, _): try connector(table.catalog).finishDrop(table)
      }
      CrashPoint.reach("removal.done")
    }
  }

  /// Removes what writes have left that nobody knows any more, of all catalogs.
  func sweep(on loop: any EventLoop, isLeftover: @escaping @Sendable (String) -> Bool, done: @escaping Done) {
    for catalog in catalogs.names {
      // Each name that is listed has a connector.
      guard let connector = try? catalogs.connector(catalog) as? any WritableConnector else { continue }
      run(Line(kind: .removals, catalog: catalog), on: loop, done: done) { try connector.sweep(isLeftover) }
    }
  }

  /// Begins no more commits, and waits for those under way and for their answers to be on their loops. False where that
  /// took longer. Not on an event loop.
  func finish(within limit: TimeSpan) -> Bool {
    state.withLock { $0.isClosed = true }
    let deadline = SystemClock.monotonic() + limit
    while state.withLock({ $0.unfinished }) > 0 {
      guard SystemClock.monotonic() < deadline else { return false }
      SystemClock.sleep(.milliseconds(5))
    }
    return true
  }

  // MARK: Lines

  private func run(
    _ kind: Kind, _ write: PlannedWrite, on loop: any EventLoop, done: @escaping Done,
    _ step: @escaping @Sendable () throws -> Void
  ) {
    run(Line(kind: kind, catalog: write.catalog ?? ""), on: loop, done: done, step)
  }

  private func run(
    _ line: Line, on loop: any EventLoop, done: @escaping Done, _ step: @escaping @Sendable () throws -> Void
  ) {
    let isCommit = line.kind == .commits
    if isCommit { state.withLock { $0.unfinished += 1 } }
    let job: @Sendable () -> Void = { [self] in
      defer { if isCommit { state.withLock { $0.unfinished -= 1 } } }
      // Who comes next takes the step; nothing of it was begun.
      if state.withLock({ $0.isClosed }) { return }
      var failure: WaterbearError?
      do {
        try step()
      } catch {
        failure = WaterbearError.wrapping(error)
      }
      let outcome = failure
      loop.execute { done(outcome) }
    }
    do {
      try queue(line).append(job)
    } catch {
      if isCommit { state.withLock { $0.unfinished -= 1 } }
      let error = WaterbearError.wrapping(error)
      loop.execute { done(error) }
    }
  }

  /// The queue of a line, with a thread that empties it.
  private func queue(_ line: Line) throws -> BlockingQueue<@Sendable () -> Void> {
    try state.withLock { state in
      if let known = state.queues[line] { return known }
      let queue = BlockingQueue<@Sendable () -> Void>()
      try NamedThread.start("\(line.kind)", stackBytes: 8 << 20) {
        while true { queue.next()() }
      }
      state.queues[line] = queue
      return queue
    }
  }

  private func connector(_ catalog: String) throws -> any WritableConnector {
    let found: any Connector
    do {
      found = try catalogs.connector(catalog)
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "Catalog '\(catalog)', of which a table is being written, is not configured any more",
        code: .configurationInvalid)
    }
    guard let connector = found as? any WritableConnector else {
      throw WaterbearError(
        .configurationInvalid, "Catalog '\(catalog)' has another connector now, which cannot be written to",
        remedy: "configure it as it was when the query was submitted")
    }
    return connector
  }
}
