// Owns reading an input stage's output: the selected files one after the other, each partition's pages in order.
// The order is fixed by the task's input, so that every attempt of a task sees the same rows in the same order.

import Base
import Columnar
import ConnectorAPI
import Exchange
import Execution
import Platform

/// An input could not be read; `producer` is the attempt whose output is gone or damaged.
struct LostInput: Error {
  let producer: AttemptID
  let error: WaterbearError
}

/// A stream of the batches of some partitions of some spool files. Used by one thread.
final class SpoolSource: PageSource {
  private let opener: SpoolOpener
  private let types: [DataType]
  /// Its own: sources of one task are read in turns, and a shared read-ahead would be lost at each turn.
  private let buffers: SpoolReadBuffers
  /// What this source holds of its file; nil where it is one of few.
  private let account: MemoryAccount?

  /// The files that it has not read to their end; the first is at hand.
  private var files: Range<Int>
  private var partition = 0
  private var page = 0
  private var reader: SpoolReader?

  /// Of all files of `opener`.
  init(_ opener: SpoolOpener, types: [DataType]) {
    self.opener = opener
    self.types = types
    buffers = SpoolReadBuffers()
    account = nil
    files = opener.outputs.indices
  }

  /// Of one file of many that are open at once: with the next few pages of it only, which count as memory of the
  /// attempt.
  init(_ opener: SpoolOpener, file: Int, types: [DataType]) {
    self.opener = opener
    self.types = types
    buffers = SpoolReadBuffers(readAheadBytes: 0)
    account = opener.memory.account("ExchangeOperator")
    files = file..<(file + 1)
  }

  /// Throws `LostInput` where a file is gone or damaged; what this process lacks is an error of its own.
  func next() throws -> Batch? {
    while let file = files.first {
      if let batch = try nextBatchPatiently(of: file) { return batch }
      files = files.dropFirst()
      partition = 0
      page = 0
      reader = nil
    }
    account?.release()
    return nil
  }

  /// Waits some seconds where the whole directory is away, and looks again before a file is taken for lost.
  private func nextBatchPatiently(of file: Int) throws -> Batch? {
    let (output, access) = (opener.outputs[file], opener.access)
    var end: MonotonicTime?
    var isLastLook = false
    while true {
      do {
        return try nextBatch(of: file, openingAgain: end != nil || isLastLook)
      } catch where SpoolAccess.isLoss(error) {
        let loss = LostInput(producer: output.attempt, error: WaterbearError.wrapping(error))
        reader = nil
        guard access.isAway(output) else {
          // It may have come back between the two looks.
          if isLastLook { throw loss }
          isLastLook = true
          continue
        }
        isLastLook = false
        let now = SystemClock.monotonic()
        guard now < end ?? now + access.patience else { throw loss }
        if end == nil { access.noteAway(output.location.directory) }
        end = end ?? now + access.patience
        if access.isStopped() { throw TaskStopped() }
        SystemClock.sleep(.milliseconds(100))
      }
    }
  }

  /// `openingAgain`: by a reader opened here, as an earlier one has failed.
  private func nextBatch(of file: Int, openingAgain: Bool) throws -> Batch? {
    let output = opener.outputs[file]
    let count = opener.partitions?.count ?? output.partitionCount
    while partition < count {
      let number = opener.partitions?[partition] ?? partition
      // What the producer reported says whether there is anything to open the file for.
      if page < output.partition(number).pages {
        let reader = try self.reader
          ?? (openingAgain ? opener.open(file, buffers: buffers) : opener.openNext(file, buffers: buffers))
        self.reader = reader
        let batch = try BatchCodec.decode(reader.readBuffer(page, of: number), types: types)
        page += 1
        try account?.set(reader.heldBytes)
        if batch.count > 0 { return batch }
      } else {
        partition += 1
        page = 0
      }
    }
    return nil
  }
}
