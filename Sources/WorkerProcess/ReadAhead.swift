// Owns opening spool files before their reader asks for them, where opening is slow. It must not know what pages hold.

import Base
import Exchange
import Platform
import Sealing
import Synchronization

/// The threads of a worker that open files ahead, and how much they take on.
final class ReadAhead: Sendable {
  /// Opening a file takes longer than this only where it lies behind a network; then reading ahead is worth threads.
  static let slowOpening = TimeSpan(nanoseconds: 500_000)
  private static let threadsMax = 64

  /// A file that was opened, or why not.
  struct Opened: Sendable {
    /// Unchecked Sendable: a reader is handed from the thread that opened it to the one that uses it, never shared.
    struct Reader: @unchecked Sendable {
      let reader: SpoolReader
    }

    let outcome: Result<Reader, any Error>
  }

  /// A run of files that one reader opens one after the other.
  struct Handle {
    /// Positions in the list of outputs.
    let files: Range<Int>
    let opened = BlockingQueue<Opened>()
  }

  let readers: Int
  let filesPerReader: Int
  let bytesPerReader: Int
  private let jobs = BlockingQueue<@Sendable () -> Void>()
  private let threads = Mutex(0)

  init(readers: Int, filesPerReader: Int, bytesPerReader: Int) {
    self.readers = readers
    self.filesPerReader = filesPerReader
    self.bytesPerReader = bytesPerReader
  }

  /// Starts to open a run of files that begins with `first`: those of `outputs` that have pages in the partitions, each
  /// up to its first pages. `firstPage` gives the partition whose first page is read first; nil for files of no
  /// interest.
  func start(
    _ outputs: [SpoolOutput], from first: Int, key: SealingKey?, firstPage: (SpoolOutput) -> Int?,
    bytes: (SpoolOutput) -> Int
  ) -> Handle {
    var wanted: [(output: SpoolOutput, partition: Int)] = []
    var (end, total) = (first, 0)
    while end < outputs.count, wanted.count < filesPerReader, wanted.isEmpty || total < bytesPerReader {
      if let partition = firstPage(outputs[end]) {
        wanted.append((outputs[end], partition))
        total += bytes(outputs[end])
      }
      end += 1
    }
    let handle = Handle(files: first..<end)
    let (opened, files) = (handle.opened, wanted)
    submit {
      for file in files {
        opened.append(
          Opened(
            outcome: Result {
              let reader = try SpoolReader(file.output.location, key: key, buffers: SpoolReadBuffers())
              try reader.readAhead(0, of: file.partition)
              return Opened.Reader(reader: reader)
            }))
      }
    }
    return handle
  }

  private func submit(_ job: @escaping @Sendable () -> Void) {
    let jobs = jobs
    let isNew = threads.withLock { count in
      guard count < Self.threadsMax else { return false }
      count += 1
      return true
    }
    if isNew {
      do {
        try NamedThread.start("read ahead", stackBytes: 1 << 20) { while true { jobs.next()() } }
      } catch {
        // Those there are do the work; without any it is done here.
        let isAlone = threads.withLock { count in
          count -= 1
          return count == 0
        }
        if isAlone { return job() }
      }
    }
    jobs.append(job)
  }
}
