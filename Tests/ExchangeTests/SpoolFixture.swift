// What most spool tests need: directories, a key, a query, and outputs made of pages.
import Base
import Exchange
import Sealing
import Synchronization
import TemporaryDirectories

/// A clock that moves only when it is told to.
final class ManualClock: Sendable {
  private let time = Mutex(Int64(0))

  var now: MonotonicTime { MonotonicTime(nanoseconds: time.withLock { $0 }) }

  func advance(_ span: TimeSpan) { time.withLock { $0 += span.nanoseconds } }
}

/// A temporary base directory with everything around it.
final class SpoolFixture: Sendable {
  let temporary: TemporaryDirectory
  let directories: SpoolDirectories
  let clock = ManualClock()
  let key: SealingKey
  let fileSystem: any SpoolFileSystem
  private let log: EventBox

  static let query = QueryID("20260102_030405_00006_abcde")

  var events: [SpoolDirectoryEvent] { log.events }

  /// `count` base directories named `a`, `b`, …
  init(directories count: Int = 1, fileSystem: any SpoolFileSystem = LocalFileSystem(), prepared: Bool = true) throws {
    let temporary = TemporaryDirectory()
    self.temporary = temporary
    self.fileSystem = fileSystem
    key = try SealingKey.random()
    let clock = clock
    let log = EventBox()
    self.log = log
    directories = try SpoolDirectories(
      paths: (0..<count).map { Self.path(temporary, $0) }, owner: "test", fileSystem: fileSystem,
      now: { clock.now }, report: { log.append($0) })
    if prepared { try directories.prepare() }
  }

  static func path(_ temporary: TemporaryDirectory, _ number: Int) -> String {
    temporary.path + "/" + String(UnicodeScalar(UInt8(97 + number)))
  }

  func path(_ number: Int) -> String { Self.path(temporary, number) }

  static func attempt(stage: Int = 1, _ partition: Int = 2, _ number: Int = 3, query: QueryID = query) -> AttemptID {
    AttemptID(task: TaskID(stage: StageID(query: query, number: stage), partition: partition), number: number)
  }

  func writer(
    _ attempt: AttemptID = attempt(), partitions: Int, encrypted: Bool = true, options: SpoolOptions = SpoolOptions()
  ) throws -> SpoolWriter {
    try SpoolWriter(
      in: directories, attempt: attempt, partitionCount: partitions, key: encrypted ? key : nil, options: options)
  }

  /// Writes pages in the order given, each `(partition, bytes)`, with as many rows as bytes.
  func write(
    _ pages: [(Int, [UInt8])], _ attempt: AttemptID = attempt(), partitions: Int, encrypted: Bool = true,
    options: SpoolOptions = SpoolOptions()
  ) throws -> SpoolOutput {
    let writer = try writer(attempt, partitions: partitions, encrypted: encrypted, options: options)
    for (partition, bytes) in pages {
      try bytes.withUnsafeBytes { try writer.append(partition: partition, page: $0, rows: bytes.count) }
    }
    return try writer.commit()
  }

  /// All pages of a file by partition.
  func read(_ location: SpoolLocation, encrypted: Bool = true) throws -> [[[UInt8]]] {
    let reader = try SpoolReader(location, key: encrypted ? key : nil, fileSystem: fileSystem)
    return try (0..<reader.partitionCount).map { partition in
      try (0..<reader.pageCount(of: partition)).map { try reader.readPage($0, of: partition) }
    }
  }
}

/// Wants what closures say.
private struct Wants: SpoolWants {
  let live: ([QueryID]) throws -> Set<QueryID>
  let keeps: (SpoolFile) -> Bool

  func live(among queries: [QueryID]) throws -> Set<QueryID> { try live(queries) }
  func unwanted(among files: [SpoolFile]) throws -> [SpoolFile] { files.filter { !keeps($0) } }
}

/// What is done in one base directory after the other.
extension SpoolDirectories {
  func list() throws -> [SpoolFile] { try paths.flatMap { try list($0) } }

  func sweep(
    live: @escaping () throws -> Set<QueryID>, keeping: (@Sendable (SpoolFile) -> Bool)? = nil
  ) throws -> SpoolRemoval {
    try merged { directory in
      try sweep(
        directory, isThorough: keeping != nil, wants: Wants(live: { _ in try live() }, keeps: keeping ?? { _ in true }))
    }
  }

  func removeQuery(_ query: QueryID) -> SpoolRemoval { merged { removeQuery(query, in: $0) } }

  func removeAttempt(_ attempt: AttemptID, committed: Bool) -> SpoolRemoval {
    merged { removeAttempt(attempt, committed: committed, in: $0) }
  }

  private func merged(_ remove: (String) throws -> SpoolRemoval) rethrows -> SpoolRemoval {
    try (paths + (memoryPath.map { [$0] } ?? [])).reduce(into: SpoolRemoval()) { all, directory in
      let removal = try remove(directory)
      all.deleted += removal.deleted
      all.failures += removal.failures
      all.leftDirectories += removal.leftDirectories
    }
  }
}

/// Collects events from any thread.
final class EventBox: Sendable {
  private let log = Mutex<[SpoolDirectoryEvent]>([])
  var events: [SpoolDirectoryEvent] { log.withLock { $0 } }
  func append(_ event: SpoolDirectoryEvent) { log.withLock { $0.append(event) } }
}

/// Bytes that LZ4 cannot shrink, the same for the same seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return UInt8(truncatingIfNeeded: state >> 24)
  }
}

/// Bytes that LZ4 shrinks well.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7 % 50 &+ seed) }
}
