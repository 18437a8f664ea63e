// Owns the last steps of writes: commits, drops and aborts, one after the other on a thread of their own, as connectors
// may block. Knows no query and no event loop but the one it answers to.

import Base
import ConnectorAPI
import NIOCore
import Planning
import Platform
import TaskStore

/// Calls connectors that are written to. What is handed in first is done first: a step that is taken again after a
/// restart so comes before all that new queries want of the same table.
final class TableCommits: Sendable {
  private let catalogs: Catalogs
  private let store: TaskStore
  private let jobs = BlockingQueue<@Sendable () -> Void>()

  init(catalogs: Catalogs, store: TaskStore) throws {
    self.catalogs = catalogs
    self.store = store
    let jobs = jobs
    try NamedThread.start("commits") {
      while true { jobs.next()() }
    }
  }

  /// Takes the last step of a write whose start has been noted. `isRepeated`: an earlier try may have done all of it.
  /// `endedWithin`: a coordinator has ended in the middle of an earlier try.
  func commit(
    _ write: PlannedWrite, outputs: [[UInt8]], isRepeated: Bool, endedWithin: Bool, on loop: any EventLoop,
    done: @escaping @Sendable (WaterbearError?) -> Void
  ) {
    run(on: loop, done: done) { [self] in
      // After a power cut the intent must be there before anything of what it leads to.
      try store.sync()
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
          return
        }
      }
    }
  }

  /// Removes what the attempts of a write have left and nobody sees.
  func abort(
    _ write: PlannedWrite, on loop: any EventLoop, done: @escaping @Sendable (WaterbearError?) -> Void
  ) {
    run(on: loop, done: done) { [self] in
      if case .commit(let handle) = write.act { try connector(handle.catalog).abort(handle) }
    }
  }

  private func run(
    on loop: any EventLoop, done: @escaping @Sendable (WaterbearError?) -> Void,
    _ step: @escaping @Sendable () throws -> Void
  ) {
    jobs.append {
      var failure: WaterbearError?
      do {
        try step()
      } catch {
        failure = WaterbearError.wrapping(error)
      }
      let outcome = failure
      loop.execute { done(outcome) }
    }
  }

  private func connector(_ catalog: String) throws -> any WritableConnector {
    guard let connector = try catalogs.connector(catalog) as? any WritableConnector else {
      throw WaterbearError(
        .configurationInvalid, "Catalog '\(catalog)' has another connector now, which cannot be written to",
        remedy: "configure it as it was when the query was submitted")
    }
    return connector
  }
}
