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
  private let outputs: [SpoolOutput]
  /// Nil: all partitions.
  private let partitions: [Int]?
  private let types: [DataType]
  private let access: SpoolAccess
  /// Its own: sources of one task are read in turns, and a shared read-ahead would be lost at each turn.
  private let buffers: SpoolReadBuffers
  /// What files opened ahead may hold.
  private let account: MemoryAccount
  /// What this source holds of its file; nil where it is one of few.
  private let ownAccount: MemoryAccount?
  private let memory: MemoryContext

  private var file = 0
  private var partition = 0
  private var page = 0
  private var reader: SpoolReader?

  private let readAhead: ReadAhead
  /// Files in a row that were slow to open; from `ReadAhead.slowOpeningsMin` on, files are opened ahead.
  private var slowOpenings = 0
  private var mayReadAhead: Bool
  /// Runs of files that are being opened, in their order, and where the next one starts.
  private var handles: [ReadAhead.Handle] = []
  private var nextHandle = 0

  /// `isOneOfMany`: what it holds of its file counts as memory of the attempt.
  init(
    outputs: [SpoolOutput], partitions: [Int]?, types: [DataType], access: SpoolAccess, memory: MemoryContext,
    readAhead: ReadAhead, buffers: SpoolReadBuffers = SpoolReadBuffers(), isOneOfMany: Bool = false
  ) {
    self.readAhead = readAhead
    self.buffers = buffers
    self.outputs = outputs
    self.partitions = partitions
    self.types = types
    self.access = access
    self.memory = memory
    account = memory.account("ExchangeOperator")
    ownAccount = isOneOfMany ? memory.account("ExchangeOperator") : nil
    mayReadAhead = readAhead.readers > 1 && outputs.count > 1
  }

  deinit { handles.forEach { $0.cancel() } }

  /// Throws `LostInput` where a file is gone or damaged; what this process lacks is an error of its own.
  func next() throws -> Batch? {
    while file < outputs.count {
      if let batch = try nextBatchPatiently(of: outputs[file]) { return batch }
      file += 1
      partition = 0
      page = 0
      reader = nil
    }
    return nil
  }

  /// Waits some seconds where the whole directory is away, and looks again before a file is taken for lost.
  private func nextBatchPatiently(of output: SpoolOutput) throws -> Batch? {
    var end: MonotonicTime?
    var isLastLook = false
    while true {
      do {
        return try end == nil && !isLastLook ? nextBatch(of: output) : nextBatch(of: output, opening: true)
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

  /// `opening`: by a reader opened here, where an earlier one has failed.
  private func nextBatch(of output: SpoolOutput, opening: Bool = false) throws -> Batch? {
    let count = partitions?.count ?? output.partitionCount
    while partition < count {
      let number = partitions?[partition] ?? partition
      // What the producer reported says whether there is anything to open the file for.
      if page < output.partition(number).pages {
        let reader = try reader ?? (opening ? open(output) : openNext(output))
        self.reader = reader
        let batch = try BatchCodec.decode(reader.readBuffer(page, of: number), types: types)
        page += 1
        try ownAccount?.set(buffers.byteCount)
        if batch.count > 0 { return batch }
      } else {
        partition += 1
        page = 0
      }
    }
    return nil
  }

  /// A reader of the file at hand, which may have been opened ahead.
  private func openNext(_ output: SpoolOutput) throws -> SpoolReader {
    while let first = handles.first, first.files.upperBound <= file { drop(handles.removeFirst()) }
    if handles.isEmpty { nextHandle = file + 1 }
    if mayReadAhead, slowOpenings >= ReadAhead.slowOpeningsMin { startHandles() }
    if let first = handles.first, first.files.contains(file), let opened = try take(from: first) { return opened }
    return try open(output)
  }

  /// Opens a file here and now, and finds out whether that is slow.
  private func open(_ output: SpoolOutput) throws -> SpoolReader {
    guard mayReadAhead, slowOpenings < ReadAhead.slowOpeningsMin else {
      return try access.open(output, buffers: buffers)
    }
    let (start, waits) = (SystemClock.monotonic(), ProcessUsage.threadWaitCount())
    let opened = try access.open(output, buffers: buffers)
    let isSlow = SystemClock.monotonic() - start > ReadAhead.slowOpening && ProcessUsage.threadWaitCount() > waits
    slowOpenings = isSlow ? slowOpenings + 1 : 0
    return opened
  }

  /// The reader of the file at hand, once it has been opened ahead. Nil where the task has to open it.
  private func take(from handle: ReadAhead.Handle) throws -> SpoolReader? {
    while !handle.isCancelled {
      if let opened = handle.opened.next(within: .milliseconds(50)) {
        switch opened.outcome {
        case .success(let opened): return opened.reader
        case .failure(let error):
          guard SpoolAccess.isOwnShortage(error) else { throw error }
          stopReadingAhead()
          return nil
        }
      }
      // All threads are held up, as by a mount that hangs: nobody else will open this run.
      if handle.take() { handle.cancel() }
      if access.isStopped() { throw TaskStopped() }
      let directory = outputs[file].location.directory
      if access.isSilent(directory) {
        throw WaterbearError(.exchangeDataUnrecoverable, "The spool directory \(directory) does not answer")
      }
    }
    return nil
  }

  /// Closes what was opened ahead: this process has no descriptors or memory to spare.
  private func stopReadingAhead() {
    mayReadAhead = false
    handles.forEach { drop($0) }
    handles = []
  }

  private func drop(_ handle: ReadAhead.Handle) {
    handle.cancel()
    // Giving memory back is never refused.
    try? account.add(-handle.bytes)
  }

  private func startHandles() {
    while handles.count < readAhead.readers, nextHandle < outputs.count {
      let handle = readAhead.start(
        outputs, from: nextHandle, with: access, firstPage: { firstPartition(of: $0) },
        bytes: { wantedBytes(of: $0) }, reserve: { reserve($0) })
      guard let handle else { return }
      handles.append(handle)
      nextHandle = handle.files.upperBound
    }
  }

  /// Takes memory for files read ahead, at most a quarter of the attempt's. They are no reason to fail, so where there
  /// is none the task opens its files itself.
  private func reserve(_ bytes: Int) -> Bool {
    guard account.bytes + Int64(bytes) <= memory.limit / 4 else { return false }
    do {
      try account.add(bytes)
      return true
    } catch {
      return false
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
