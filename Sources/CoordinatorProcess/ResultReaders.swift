// Owns reading pages of results from the spool, off the event loop. Keeps the last reader of each query, as a client
// takes one page after the other from the same file.

import Base
import Exchange
import Sealing
import Synchronization

/// A selected output could not be read.
struct UnreadOutput: Error {
  let attempt: AttemptID
  /// What that says of the output.
  let miss: SpoolMiss
  let error: WaterbearError

  /// Asks the disk where that is needed to know what `error` means.
  init(_ location: SpoolLocation, _ error: any Error, _ spool: SpoolDirectories) {
    attempt = location.attempt
    self.error = WaterbearError.wrapping(error)
    miss = spool.fileSystem.miss(self.error, reading: location)
  }

  /// The directory of the output could not be asked: it does not answer and was waited for, or there was nobody to.
  init(unasked attempt: AttemptID, _ error: any Error) {
    self.attempt = attempt
    self.error = WaterbearError.wrapping(error)
    miss = self.error.code == .exchangeDataUnrecoverable ? .lost : .shortage
  }
}

final class ResultReaders: Sendable {
  /// Unchecked Sendable: a reader is taken out of the table while it is used, so only one thread has it.
  private struct Held: @unchecked Sendable {
    let attempt: AttemptID
    let reader: SpoolReader
  }

  private let spool: SpoolDirectories
  private let held = Mutex<[QueryID: Held]>([:])

  init(_ spool: SpoolDirectories) { self.spool = spool }

  /// A page of partition 0 of an output. Blocks on the disk.
  func page(_ number: Int, of output: SpoolOutput, key: SealingKey?) throws(UnreadOutput) -> [UInt8] {
    do {
      return try read(number, of: output, key: key)
    } catch {
      throw UnreadOutput(output.location, error, spool)
    }
  }

  private func read(_ number: Int, of output: SpoolOutput, key: SealingKey?) throws -> [UInt8] {
    let query = output.attempt.task.stage.query
    let cached = held.withLock { $0.removeValue(forKey: query) }
    let reader: SpoolReader
    if let cached, cached.attempt == output.attempt {
      reader = cached.reader
    } else {
      reader = try SpoolReader(
        output.location, key: key, fileSystem: spool.fileSystem, buffers: SpoolReadBuffers())
    }
    let bytes = try reader.readPage(number, of: 0)
    let used = Held(attempt: output.attempt, reader: reader)
    // One that it takes the place of is closed here, and not under the lock.
    let old = held.withLock { $0.updateValue(used, forKey: query) }
    withExtendedLifetime(old) {}
    return bytes
  }

  /// Closes what is open of a query's result, on the thread that read it: closing may wait for a disk.
  func close(_ query: QueryID) {
    guard let open = held.withLock({ $0.removeValue(forKey: query) }) else { return }
    let kept = Kept(open)
    _ = spool.run(.reading, in: open.reader.location.directory) { kept.letGo() }
  }
}
