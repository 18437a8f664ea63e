// Owns what the coordinator keeps of a write: of a live query's, and of those whose query is over while attempts may
// still leave something. Everything here can be rebuilt from the store.

import Base
import Columnar
import Exchange
import Planning
import Sealing
import TaskStore

/// The write of a live query.
struct LiveWrite {
  let planned: PlannedWrite
  /// The root stage's attempts that are being read, by task.
  var wanted: [Int] = []
  /// How often in a row they could not be read for want of descriptors, memory or threads, and since when.
  var shortages: (count: Int, since: MonotonicTime)?
  /// What they left, once it has been read; stored when the commit starts.
  var outputs: WriterOutputs?
  /// How many rows the client is told of.
  var rowCount: Int64 = 0
  /// How often the commit was tried in this life of the coordinator.
  var tries = 0
  /// A coordinator ended after the commit had started.
  var endedWithin = false
  /// The commit was made, or never will be.
  var isOver = false

  init(_ planned: PlannedWrite) { self.planned = planned }
}

/// A write whose query is over, until nothing of it can be left.
struct EndedWrite {
  let planned: PlannedWrite
  var isBeingCleaned = false
  /// How often in a row nothing could be removed.
  var failures = 0
  /// Nothing is tried before then.
  var notBefore = MonotonicTime(nanoseconds: 0)
}

extension PlannedWrite {
  /// Whether attempts of workers may leave something.
  var hasAttempts: Bool {
    if case .commit = act { return true }
    return false
  }

  /// Whether there may be something to remove when it is over.
  var hasLeftovers: Bool {
    if case .nothing = act { return false }
    return true
  }
}

/// What the selected attempts of a root stage say that was written.
struct WriterOutputs: Codable, Sendable {
  var rowCount: Int64 = 0
  /// The connector's descriptions, in the order of the tasks.
  var fragments: [[UInt8]] = []

  init() {}

  /// Reads an output from the spool. Blocks on the disk; the error names the attempt whose output cannot be read.
  init(reading output: SpoolOutput, key: SealingKey?, _ spool: SpoolDirectories) throws(UnreadOutput) {
    do {
      let pages = output.partition(0).pages
      // Nothing was written into a file without pages.
      guard pages > 0 else { return }
      let reader = try SpoolReader(output.location, key: key, fileSystem: spool.fileSystem)
      for page in 0..<pages {
        try add(BatchCodec.decode(try reader.readPage(page, of: 0), types: [.bigint, .varbinary]))
      }
    } catch {
      throw UnreadOutput(output.location, error, spool)
    }
  }

  /// These, one after the other.
  init(joining parts: some Sequence<WriterOutputs>) {
    for part in parts {
      rowCount += part.rowCount
      fragments += part.fragments
    }
  }

  private mutating func add(_ batch: Batch) throws {
    for row in 0..<batch.count {
      guard case .integer(let rows) = batch.columns[0].value(at: row),
        case .bytes(let fragment) = batch.columns[1].value(at: row), rows >= 0
      else { throw WaterbearError(.exchangeDataUnrecoverable, "A writer's output says nothing of what it wrote") }
      rowCount += rows
      fragments.append(fragment)
    }
  }
}
