// Owns reading an input stage's output: the selected files one after the other, each partition's pages in order.
// The order is fixed by the task's input, so that every attempt of a task sees the same rows in the same order.

import Base
import Columnar
import ConnectorAPI
import Exchange
import Sealing

/// An input could not be read; `producer` is the attempt whose output is gone or damaged.
struct LostInput: Error {
  let producer: AttemptID
  let error: WaterbearError
}

/// A stream of the batches of some partitions of some spool files. Used by one thread.
final class SpoolSource: PageSource {
  private let outputs: [SpoolOutput]
  /// Nil: all partitions.
  private let partitions: [Int]?
  private let types: [DataType]
  private let key: SealingKey?
  /// Its own: sources of one task are read in turns, and a shared read-ahead would be lost at each turn.
  private let buffers: SpoolReadBuffers

  private var file = 0
  private var partition = 0
  private var page = 0
  private var reader: SpoolReader?

  init(
    outputs: [SpoolOutput], partitions: [Int]?, types: [DataType], key: SealingKey?,
    buffers: SpoolReadBuffers = SpoolReadBuffers()
  ) {
    self.buffers = buffers
    self.outputs = outputs
    self.partitions = partitions
    self.types = types
    self.key = key
  }

  func next() throws -> Batch? {
    while file < outputs.count {
      let output = outputs[file]
      do {
        if let batch = try nextBatch(of: output) { return batch }
      } catch {
        throw LostInput(producer: output.attempt, error: WaterbearError.wrapping(error))
      }
      file += 1
      partition = 0
      page = 0
      reader = nil
    }
    return nil
  }

  private func nextBatch(of output: SpoolOutput) throws -> Batch? {
    let count = partitions?.count ?? output.partitionCount
    while partition < count {
      let number = partitions?[partition] ?? partition
      // What the producer reported says whether there is anything to open the file for.
      if page < output.partition(number).pages {
        let reader = try openReader(output)
        defer { page += 1 }
        let batch = try BatchCodec.decode(reader.readBuffer(page, of: number), types: types)
        if batch.count > 0 { return batch }
      } else {
        partition += 1
        page = 0
      }
    }
    return nil
  }

  private func openReader(_ output: SpoolOutput) throws -> SpoolReader {
    if let reader { return reader }
    let opened = try SpoolReader(output.location, key: key, buffers: buffers)
    reader = opened
    return opened
  }
}
