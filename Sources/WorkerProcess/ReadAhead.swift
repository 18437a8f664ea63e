// Owns opening spool files before their reader asks for them, where opening is slow. It must not know what pages hold.

import Base
import Exchange
import Platform
import Sealing
import Synchronization

/// The threads of a worker that open files ahead, and how much they take on.
final class ReadAhead: Sendable {
  /// Opening a file takes longer than this, without waiting for a processor, only where it lies behind a network; then
  /// reading ahead is worth threads.
  static let slowOpening = TimeSpan(nanoseconds: 500_000)
  /// So many files in a row must be slow to open. One may be because a disk was asleep.
  static let slowOpeningsMin = 2
  private static let threadsMax = 64

  /// A file that was opened, or why not.
  struct Opened: Sendable {
    /// Unchecked Sendable: a reader is handed from the thread that opened it to the one that uses it, never shared.
    struct Reader: @unchecked Sendable {
      let reader: SpoolReader
    }

    /// Its position in the list of outputs.
    let file: Int
    let outcome: Result<Reader, any Error>
  }

  /// A run of files that are opened one after the other, by a thread of the worker or, where none is free for it, by
  /// the task itself.
  final class Handle: Sendable {
    private enum State { case waiting, taken, cancelled }

    /// Positions in the list of outputs.
    let files: Range<Int>
    /// Memory that its open files may hold, in bytes.
    let bytes: Int
    /// Files of the run that are of interest, in their order.
    let opened = BlockingQueue<Opened>()
    /// Told by the thread that took the run, when it is done with it.
    fileprivate let ended = BlockingQueue<Void>()
    private let state = Mutex(State.waiting)

    init(files: Range<Int>, bytes: Int) {
      self.files = files
      self.bytes = bytes
    }

    var isCancelled: Bool { state.withLock { $0 == .cancelled } }

    /// Who gets true opens the files.
    func take() -> Bool {
      state.withLock { state in
        guard state == .waiting else { return false }
        state = .taken
        return true
      }
    }

    /// No more files are wanted.
    func cancel() { _ = exchangeState(.cancelled) }

    /// The same; and waits, but not for ever, until a thread that is at it is done, and closes what was opened.
    func close(within limit: TimeSpan) {
      if exchangeState(.cancelled) == .taken { _ = ended.next(within: limit) }
      while opened.next(within: .zero) != nil {}
    }

    private func exchangeState(_ new: State) -> State {
      state.withLock { state in
        defer { state = new }
        return state
      }
    }
  }

  let readers: Int
  let filesPerReader: Int
  let bytesPerReader: Int
  private let jobs = BlockingQueue<@Sendable () -> Void>()
  private let state = Mutex(State())

  private struct State {
    var threads = 0
    /// Jobs that no thread has taken.
    var waiting = 0
  }

  init(readers: Int, filesPerReader: Int, bytesPerReader: Int) {
    self.readers = readers
    self.filesPerReader = filesPerReader
    self.bytesPerReader = bytesPerReader
  }

  /// Starts to open a run of files that begins with `first`: those of `outputs` that have pages in the partitions, each
  /// up to its first pages. `firstPage` gives the partition whose first page is read first, nil for files of no
  /// interest; `bytes` what is wanted of a file. Nil where `reserve` refuses the memory that they may hold, or all
  /// threads have more to do than they can.
  func start(
    _ outputs: [SpoolOutput], from first: Int, with access: SpoolAccess, readAheadBytes: Int,
    firstPage: (SpoolOutput) -> Int?, bytes: (SpoolOutput) -> Int, reserve: (Int) -> Bool
  ) -> Handle? {
    var files: [(position: Int, partition: Int)] = []
    var (end, total) = (first, 0)
    while end < outputs.count, files.count < filesPerReader, files.isEmpty || total < bytesPerReader {
      if let partition = firstPage(outputs[end]) {
        files.append((end, partition))
        total += SpoolReader.heldBytes(
          of: outputs[end].location, wanting: bytes(outputs[end]), with: readAheadBytes)
      }
      end += 1
    }
    guard isOpen, reserve(total) else { return nil }
    let handle = Handle(files: first..<end, bytes: total)
    submit { [files] in
      guard handle.take() else { return }
      defer { handle.ended.append(()) }
      for file in files where !handle.isCancelled {
        let outcome = Result {
          let buffers = SpoolReadBuffers(readAheadBytes: readAheadBytes)
          let reader = try access.open(outputs[file.position], buffers: buffers)
          try reader.readAhead(0, of: file.partition)
          return Opened.Reader(reader: reader)
        }
        handle.opened.append(Opened(file: file.position, outcome: outcome))
        // What this process lacks it lacks for the next file, too: the task opens it when the ones before are closed.
        if case .failure(let error) = outcome, SpoolAccess.isOwnShortage(error) { return }
      }
    }
    return handle
  }

  /// Whether one more job may find a thread.
  private var isOpen: Bool { state.withLock { $0.waiting < Self.threadsMax } }

  /// Lets one of the threads do this, some time. Not where many such jobs wait already, as the threads may be stuck on
  /// a disk that does not answer: what none of them begins with is done by the task that wants it.
  func submit(_ job: @escaping @Sendable () -> Void) {
    let isNew = state.withLock { state -> Bool? in
      guard state.waiting < Self.threadsMax else { return nil }
      state.waiting += 1
      guard state.threads < Self.threadsMax else { return false }
      state.threads += 1
      return true
    }
    guard let isNew else { return }
    if isNew {
      do {
        try NamedThread.start("read ahead", stackBytes: 1 << 20) { [jobs, self] in
          while true {
            let job = jobs.next()
            state.withLock { $0.waiting -= 1 }
            job()
          }
        }
      } catch {
        // Those there are do the work; where there is none the task does it.
        let isAlone = state.withLock { state in
          state.threads -= 1
          if state.threads == 0 { state.waiting -= 1 }
          return state.threads == 0
        }
        if isAlone { return }
      }
    }
    jobs.append(job)
  }
}
