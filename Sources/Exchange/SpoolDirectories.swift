// Owns the base directories: which one the next file goes to, and which are set aside because they failed.
// It must not know the format of a spool file. What is deleted from the directories is in SpoolSweep.swift.
import Base
import Sealing
import Synchronization

/// What happened to a base directory, for the log.
public enum SpoolDirectoryEvent: Hashable, Sendable {
  /// New files go elsewhere for a while.
  case setAside(directory: String, reason: String, duration: TimeSpan)
  /// It took a file again.
  case usedAgain(directory: String)
}

/// The directories of `exchange.base-directories`, as one process sees them.
///
/// A directory that fails is set aside and tried again later; new files are spread over the others. The directories
/// are shared by all processes of one data directory, which a marker file in each of them names.
public final class SpoolDirectories: Sendable {
  /// How new files find their way.
  private struct Health {
    /// Where a directory failed: until when it is avoided.
    var setAsideUntil: [MonotonicTime?]
    var filesMade: UInt64 = 0
  }

  /// The directories on disk, as configured.
  public let paths: [String]
  /// A directory in memory (such as one below /dev/shm) for outputs that are small; nil for none.
  public let memoryPath: String?
  /// Names the data directory; stands in each marker.
  let owner: String
  let fileSystem: any SpoolFileSystem
  private let setAsideFor: TimeSpan
  private let now: @Sendable () -> MonotonicTime
  private let report: @Sendable (SpoolDirectoryEvent) -> Void
  /// Tells this process's temporary files from those of others and of earlier ones.
  private let unique: String
  private let health: Mutex<Health>

  /// All directories that may hold files.
  var allPaths: [String] { paths + (memoryPath.map { [$0] } ?? []) }

  /// Nothing is touched before `prepare`. `owner` names the data directory for as long as it lives. `now` is a clock
  /// that never jumps; `report` is called from whatever thread notices something.
  public init(
    paths: [String], memoryPath: String? = nil, owner: String, fileSystem: any SpoolFileSystem = LocalFileSystem(),
    setAsideFor: TimeSpan = .seconds(30), now: @escaping @Sendable () -> MonotonicTime,
    report: @escaping @Sendable (SpoolDirectoryEvent) -> Void
  ) throws {
    guard !paths.isEmpty else {
      throw WaterbearError(
        .exchangeManagerNotConfigured, "exchange.base-directories names no directory",
        remedy: "Name at least one directory for intermediate data.")
    }
    self.paths = paths.map(Self.withoutTrailingSlash)
    self.memoryPath = memoryPath.map(Self.withoutTrailingSlash)
    self.owner = owner
    self.fileSystem = fileSystem
    self.setAsideFor = setAsideFor
    self.now = now
    self.report = report
    unique = try RandomBytes.make(6).map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    let count = paths.count + (memoryPath == nil ? 0 : 1)
    health = Mutex(Health(setAsideUntil: Array(repeating: nil, count: count)))
  }

  private static func withoutTrailingSlash(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Checks at start that every directory is there (or can be made), is writable, and belongs to this data directory.
  ///
  /// Throws CONFIGURATION_INVALID that lists every directory that does not suit; with `requireAll` false only where
  /// none suits or one belongs to another data directory, while the others are set aside.
  public func prepare(requireAll: Bool = true) throws {
    var problems: [String] = []
    var foreign = false
    for (position, path) in allPaths.enumerated() {
      do {
        try prepare(path)
      } catch let failure as FileSystemFailure {
        problems.append(failure.description)
        if !requireAll { setAside(position, failure) }
      } catch {
        foreign = true
        problems.append(WaterbearError.wrapping(error).message)
      }
    }
    guard !problems.isEmpty, requireAll || foreign || problems.count == allPaths.count else { return }
    throw WaterbearError(
      .configurationInvalid, "The spool cannot use its directories: " + problems.joined(separator: "; "),
      remedy: "Correct exchange.base-directories, or let the account that runs Waterbear own and write to them.")
  }

  private func prepare(_ path: String) throws {
    try fileSystem.makeDirectory(path)
    if try checkMarker(in: path) {
      // Making and deleting a file is the one sure test of whether files can be made.
      let probe = "\(path)/\(SpoolName.marker).\(nextUnique()).\(SpoolName.temporarySuffix)"
      try fileSystem.create(probe).close()
      try fileSystem.delete(probe)
      return
    }
    let temporary = "\(path)/\(SpoolName.marker).\(nextUnique()).\(SpoolName.temporarySuffix)"
    do {
      let sink = try fileSystem.create(temporary)
      try Array(markerText.utf8).withUnsafeBytes { try sink.append($0) }
      try sink.close()
      try fileSystem.rename(temporary, to: "\(path)/\(SpoolName.marker)")
    } catch {
      // The first failure is the one to report.
      try? fileSystem.delete(temporary)
      throw error
    }
    // Where two data directories came at once, one of them learns it here.
    _ = try checkMarker(in: path)
  }

  private var markerText: String { "waterbear spool 1\nowner \(owner)\n" }

  /// Whether the directory has a marker; throws a `WaterbearError` where it names another owner.
  func checkMarker(in path: String) throws -> Bool {
    let marker = "\(path)/\(SpoolName.marker)"
    guard let source = try openIfThere(marker) else { return false }
    let expected = Array(markerText.utf8)
    var found = [UInt8](repeating: 0, count: expected.count + 1)
    let count = try found.withUnsafeMutableBytes { try source.read(at: 0, into: $0) }
    guard found.prefix(count).elementsEqual(expected) else {
      throw WaterbearError(
        .configurationInvalid, "\(path) is the spool of another data directory (see \(marker))",
        remedy: "Give each data directory spool directories of its own.")
    }
    return true
  }

  /// Nil where there is no such file.
  func openIfThere(_ path: String) throws(FileSystemFailure) -> (any SpoolFileSource)? {
    do {
      return try fileSystem.open(path)
    } catch where error.number == FileSystemFailure.missing {
      return nil
    }
  }

  /// Makes the file for an attempt's output in the first directory that takes it, and writes its first bytes.
  /// `isComplete`: there will be no more, so the directory in memory is tried first.
  ///
  /// Throws GENERIC_INSUFFICIENT_RESOURCES or GENERIC_EXTERNAL where no directory takes it.
  func place(_ attempt: AttemptID, start: UnsafeRawBufferPointer, isComplete: Bool) throws -> PlacedFile {
    var failures: [FileSystemFailure] = []
    for position in candidates(for: attempt, isComplete: isComplete) {
      do {
        let file = try PlacedFile(
          attempt, in: allPaths[position], unique: nextUnique(), fileSystem: fileSystem)
        do {
          try file.sink.append(start)
        } catch {
          file.discard()
          throw error
        }
        noteSuccess(position)
        return file
      } catch let failure as FileSystemFailure {
        if failure.isOwnShortage {
          throw failure.asWriteError(remedy: "Raise the limit of open files or memory for the service.")
        }
        setAside(position, failure)
        failures.append(failure)
      }
    }
    throw WaterbearError(
      failures.contains(where: \.isFull) ? .genericInsufficientResources : .genericExternal,
      "No spool directory takes the output of \(attempt)", causes: failures.map(\.description),
      remedy: "Free space, repair the directories, or add one to exchange.base-directories.")
  }

  /// Performs an operation on a placed file; a failure sets its directory aside and ends the attempt.
  func noting(_ directory: String, _ operation: () throws(FileSystemFailure) -> Void) throws {
    do {
      try operation()
    } catch {
      // A file that is gone was removed with its query: no fault of the directory.
      if !error.isOwnShortage, error.number != FileSystemFailure.missing,
        let position = allPaths.firstIndex(of: directory)
      {
        setAside(position, error)
      }
      throw error.asWriteError(
        remedy: "The task runs again and uses another directory if there is one. Free space in or repair \(directory).")
    }
  }

  /// Directories to try, best first: the healthy ones, from one that differs from attempt to attempt, then those set
  /// aside, the longest ago first.
  private func candidates(for attempt: AttemptID, isComplete: Bool) -> [Int] {
    let time = now()
    let limits = health.withLock { $0.setAsideUntil }
    let start = attempt.task.stage.number &+ attempt.task.partition &+ attempt.number
    let turns = paths.indices.map { (start &+ $0) % paths.count }
    // A directory whose time has passed counts like one that never failed.
    let waits = limits.map { limit in limit.map { max($0, time) } ?? time }
    let memory = isComplete && memoryPath != nil && waits[paths.count] == time ? [paths.count] : []
    return memory + turns.filter { waits[$0] == time }
      + turns.filter { waits[$0] > time }.sorted { waits[$0] < waits[$1] }
  }

  private func setAside(_ position: Int, _ failure: FileSystemFailure) {
    let until = now() + setAsideFor
    health.withLock { $0.setAsideUntil[position] = until }
    report(.setAside(directory: allPaths[position], reason: failure.description, duration: setAsideFor))
  }

  private func noteSuccess(_ position: Int) {
    let wasSetAside = health.withLock { health in
      let until = health.setAsideUntil[position]
      health.setAsideUntil[position] = nil
      return until != nil
    }
    if wasSetAside { report(.usedAgain(directory: allPaths[position])) }
  }

  private func nextUnique() -> String {
    let number = health.withLock { health in
      health.filesMade += 1
      return health.filesMade
    }
    return "\(unique)-\(number)"
  }
}
