// Owns opening the files of one input, one after the other: by the task itself, or ahead of it where that is slow.
// It must not know what pages hold.

import Base
import Exchange
import Execution
import Platform

/// Gives readers of the files of a list, from the first to the last. Used by one thread.
final class SpoolOpener {
  let outputs: [SpoolOutput]
  /// Those that are read; nil: all.
  let partitions: [Int]?
  let access: SpoolAccess
  let memory: MemoryContext
  private let readAhead: ReadAhead
  /// How much of a file is read at a time.
  private let readAheadBytes: Int
  /// What files opened ahead may hold.
  private let account: MemoryAccount

  /// Files in a row that were slow to open; from `ReadAhead.slowOpeningsMin` on, files are opened ahead.
  private var slowOpenings = 0
  private var mayReadAhead: Bool
  /// Runs of files that are being opened, in their order, and where the next one starts.
  private var handles: [ReadAhead.Handle] = []
  private var nextHandle = 0

  init(
    _ outputs: [SpoolOutput], partitions: [Int]?, access: SpoolAccess, memory: MemoryContext, readAhead: ReadAhead,
    readAheadBytes: Int = SpoolReadBuffers.usualReadAheadBytes
  ) {
    self.outputs = outputs
    self.partitions = partitions
    self.access = access
    self.memory = memory
    self.readAhead = readAhead
    self.readAheadBytes = readAheadBytes
    account = memory.account("ExchangeOperator")
    mayReadAhead = readAhead.readers > 1 && outputs.count > 1
  }

  deinit { handles.forEach { $0.cancel() } }

  /// A reader of a file, which may have been opened ahead. Each file is asked for once, and only if it has pages in the
  /// partitions. One opened here uses `buffers`.
  func openNext(_ file: Int, buffers: SpoolReadBuffers) throws -> SpoolReader {
    while let first = handles.first, first.files.upperBound <= file { drop(handles.removeFirst()) }
    if handles.isEmpty { nextHandle = max(nextHandle, file + 1) }
    if mayReadAhead, slowOpenings >= ReadAhead.slowOpeningsMin { startHandles() }
    if let first = handles.first, first.files.contains(file), let opened = try take(file, from: first) { return opened }
    return try open(file, buffers: buffers)
  }

  /// Opens a file here and now, and finds out whether that is slow.
  func open(_ file: Int, buffers: SpoolReadBuffers) throws -> SpoolReader {
    guard mayReadAhead, slowOpenings < ReadAhead.slowOpeningsMin else {
      return try access.open(outputs[file], buffers: buffers)
    }
    let (start, waits) = (SystemClock.monotonic(), ProcessUsage.threadWaitCount())
    let opened = try access.open(outputs[file], buffers: buffers)
    let isSlow = SystemClock.monotonic() - start > ReadAhead.slowOpening && ProcessUsage.threadWaitCount() > waits
    slowOpenings = isSlow ? slowOpenings + 1 : 0
    return opened
  }

  /// The reader of the file at hand, once it has been opened ahead. Nil where the task has to open it.
  private func take(_ file: Int, from handle: ReadAhead.Handle) throws -> SpoolReader? {
    while !handle.isCancelled {
      if let opened = handle.opened.next(within: .milliseconds(50)) {
        // The task has opened those before itself.
        if opened.file < file { continue }
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
        // The thread that is stuck may come back with this file, after the task has read it.
        handle.cancel()
        throw WaterbearError(.exchangeDataUnrecoverable, "The spool directory \(directory) does not answer")
      }
    }
    return nil
  }

  /// Closes what was opened ahead: this process has no descriptors or memory to spare.
  private func stopReadingAhead() {
    mayReadAhead = false
    for handle in handles {
      handle.close(within: .seconds(1))
      drop(handle)
    }
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
        outputs, from: nextHandle, with: access, readAheadBytes: readAheadBytes,
        firstPage: { firstPartition(of: $0) }, bytes: { wantedBytes(of: $0) }, reserve: { reserve($0) })
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
