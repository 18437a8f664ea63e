// Owns reading an input stage's output: the selected files one after the other, each partition's pages in order.
// The order is fixed by the task's input, so that every attempt of a task sees the same rows in the same order.

import Base
import Columnar
import ConnectorAPI
import Exchange
import Platform
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

  private let readAhead: ReadAhead
  /// Opening files has turned out to be slow.
  private var isSlow = false
  /// Runs of files that are being opened, in their order, and where the next one starts.
  private var handles: [ReadAhead.Handle] = []
  private var nextHandle = 0

  init(
    outputs: [SpoolOutput], partitions: [Int]?, types: [DataType], key: SealingKey?, readAhead: ReadAhead,
    buffers: SpoolReadBuffers = SpoolReadBuffers()
  ) {
    self.readAhead = readAhead
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
    let opened = isSlow ? try takeOpened() : try open(output)
    reader = opened
    return opened
  }

  /// Opens a file here and now, and finds out whether that is slow.
  private func open(_ output: SpoolOutput) throws -> SpoolReader {
    let start = SystemClock.monotonic()
    let opened = try SpoolReader(output.location, key: key, buffers: buffers)
    if readAhead.readers > 1, SystemClock.monotonic() - start > ReadAhead.slowOpening {
      isSlow = true
      nextHandle = file + 1
      startHandles()
    }
    return opened
  }

  /// The reader of the file at hand, which was opened ahead.
  private func takeOpened() throws -> SpoolReader {
    while let first = handles.first, first.files.upperBound <= file { handles.removeFirst() }
    startHandles()
    guard let handle = handles.first else { preconditionFailure("the file at hand is one of those to be opened") }
    return try handle.opened.next().outcome.get().reader
  }

  private func startHandles() {
    while handles.count < readAhead.readers, nextHandle < outputs.count {
      let handle = readAhead.start(
        outputs, from: nextHandle, key: key, firstPage: { firstPartition(of: $0) }, bytes: { wantedBytes(of: $0) })
      handles.append(handle)
      nextHandle = handle.files.upperBound
    }
  }

  /// The first partition to be read of an output; nil where there is nothing to read.
  private func firstPartition(of output: SpoolOutput) -> Int? {
    guard let partitions else { return output.partitions.first { $0.pages > 0 }?.partition }
    return partitions.first { output.partition($0).pages > 0 }
  }

  private func wantedBytes(of output: SpoolOutput) -> Int {
    guard let partitions else { return output.location.fileBytes }
    return partitions.reduce(0) { $0 + output.partition($1).storedBytes }
  }
}
