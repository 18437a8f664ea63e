// Owns the base directories: which one the next file goes to, and which are set aside because they failed.
// It must not know the format of a spool file. What is deleted from the directories is in SpoolSweep.swift.
import Base
import Sealing
import Synchronization

/// A base directory that did not take a file.
public struct SpoolFault: Hashable, Sendable {
  public var directory: String
  public var reason: String
  /// The disk or a quota is full.
  public var isFull: Bool
  /// Bytes that the file had when it failed.
  public var fileBytes: Int

  public init(directory: String, reason: String, isFull: Bool, fileBytes: Int) {
    self.directory = directory
    self.reason = reason
    self.isFull = isFull
    self.fileBytes = fileBytes
  }
}

/// What happened to a base directory, in this process.
public enum SpoolDirectoryEvent: Hashable, Sendable {
  /// New files go elsewhere for a while.
  case setAside(SpoolFault, duration: TimeSpan)
  /// It took a file again.
  case usedAgain(directory: String)
}

/// The directories of `exchange.base-directories`, as one process sees them.
///
/// A directory that fails is set aside, and tried again later or when `hold` says that it works; new files are spread
/// over the others as `SpoolHealth` describes. The directories are shared by all processes of one data directory, which
/// a marker file in each of them names.
public final class SpoolDirectories: Sendable {
  /// The directories on disk, as configured.
  public let paths: [String]
  /// A directory in memory (such as one below /dev/shm) for outputs that are small; nil for none.
  public let memoryPath: String?
  /// Names the data directory; stands in each marker.
  let owner: String
  let fileSystem: any SpoolFileSystem
  /// `exchange.file-listing-parallelism`: how many files are deleted, or directories listed, at a time.
  let parallelism: Int
  private let setAsideFor: TimeSpan
  private let now: @Sendable () -> MonotonicTime
  private let report: @Sendable (SpoolDirectoryEvent) -> Void
  /// Tells this process's temporary files from those of others and of earlier ones.
  private let unique: String
  private let health: Mutex<SpoolHealth>
  private let filesMade = Atomic<UInt64>(0)
  /// The file system that each directory lay on when it last worked, for the process that prepares and probes them.
  private let devices = Mutex<[String: UInt64]>([:])

  /// All directories that may hold files.
  var allPaths: [String] { paths + (memoryPath.map { [$0] } ?? []) }

  /// Nothing is touched before `prepare`. `owner` names the data directory for as long as it lives. `now` is a clock
  /// that never jumps; `report` is called from whatever thread notices something.
  public init(
    paths: [String], memoryPath: String? = nil, owner: String, fileSystem: any SpoolFileSystem = LocalFileSystem(),
    parallelism: Int = 50, setAsideFor: TimeSpan = .seconds(30), now: @escaping @Sendable () -> MonotonicTime,
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
    self.parallelism = parallelism
    self.setAsideFor = setAsideFor
    self.now = now
    self.report = report
    unique = try RandomBytes.make(6).map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    let count = paths.count + (memoryPath == nil ? 0 : 1)
    health = Mutex(SpoolHealth(count: count))
  }

  private static func withoutTrailingSlash(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Checks at start that every directory is there (or can be made), is writable, and belongs to this data directory.
  ///
  /// Throws CONFIGURATION_INVALID that lists every directory that does not suit; with `requireAll` false only where
  /// one belongs to another data directory, or none suits and it is not for disks that are full or broken; those that
  /// do not suit are set aside.
  public func prepare(requireAll: Bool = true) throws {
    var problems: [String] = []
    var foreign = false
    var isTransient = false
    for (position, path) in allPaths.enumerated() {
      do {
        try prepare(path)
        noteDevice(of: path, try fileSystem.volume(of: path).device)
      } catch let failure as FileSystemFailure {
        // A disk that is full or broken may work again; what the configuration names must only be there.
        isTransient = isTransient || failure.isTransient
        problems.append(failure.description)
        if !requireAll { setAside(position, failure, fileBytes: 0) }
      } catch {
        foreign = true
        problems.append(WaterbearError.wrapping(error).message)
      }
    }
    guard !problems.isEmpty, requireAll || foreign || problems.count == allPaths.count && !isTransient
    else { return }
    throw WaterbearError(
      .configurationInvalid, "The spool cannot use its directories: " + problems.joined(separator: "; "),
      remedy: "Correct exchange.base-directories, or let the account that runs Waterbear own and write to them.")
  }

  func noteDevice(of path: String, _ device: UInt64) { devices.withLock { $0[path] = device } }
  func device(of path: String) -> UInt64? { devices.withLock { $0[path] } }

  /// Makes and marks a directory, and tries whether a file can be made in it.
  func prepare(_ path: String) throws {
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
      try fileSystem.waitUntilVisible(temporary, fileBytes: markerText.utf8.count)
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

  // MARK: Files

  /// Makes the file for an attempt's output in the first directory that takes it, and writes its first bytes.
  /// `isComplete`: there will be no more, so the directory in memory is tried first.
  ///
  /// Throws SPOOL_UNAVAILABLE, naming every directory, where none takes it.
  func place(_ attempt: AttemptID, start: UnsafeRawBufferPointer, isComplete: Bool) throws -> PlacedFile {
    var failures: [FileSystemFailure] = []
    for position in candidates(for: attempt, isComplete: isComplete) {
      do {
        let file = try PlacedFile(
          attempt, in: allPaths[position], position: position, unique: nextUnique(), fileSystem: fileSystem)
        do {
          try write(start, to: file)
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
        failures.append(failure)
        // In memory there is little room, and the disks are next.
        if failure.isFaultOfFile || position == paths.count && failure.isFull { continue }
        setAside(position, failure, fileBytes: start.count)
      }
    }
    if let failure = failures.last, failures.allSatisfy(\.isFaultOfFile) { throw failure.asWriteError(remedy: "") }
    throw unavailable(failures.map(\.description))
  }

  /// Appends to a placed file. A failure sets its directory aside and ends the attempt.
  func append(_ bytes: UnsafeRawBufferPointer, to file: PlacedFile, after fileBytes: Int) throws {
    try noting(file, fileBytes: fileBytes) { () throws(FileSystemFailure) in try write(bytes, to: file) }
  }

  /// Closes a placed file and gives it its final name. A failure sets its directory aside and ends the attempt.
  func commit(_ file: PlacedFile, fileBytes: Int, sync: SpoolSync) throws {
    try noting(file, fileBytes: fileBytes) { () throws(FileSystemFailure) in
      let start = now()
      try file.commit(fileBytes: fileBytes, sync: sync)
      // Network file systems write when they close, so that belongs to what writing took.
      health.withLock { $0.noteWrite(file.position, bytes: 0, time: now() - start) }
    }
  }

  private func write(_ bytes: UnsafeRawBufferPointer, to file: PlacedFile) throws(FileSystemFailure) {
    let start = now()
    try file.sink.append(bytes)
    health.withLock { $0.noteWrite(file.position, bytes: bytes.count, time: now() - start) }
  }

  private func noting(
    _ file: PlacedFile, fileBytes: Int, _ operation: () throws(FileSystemFailure) -> Void
  ) throws {
    do {
      try operation()
    } catch {
      // A file that is gone was removed with its query: no fault of the directory.
      if !error.isOwnShortage, !error.isFaultOfFile, error.number != FileSystemFailure.missing {
        setAside(file.position, error, fileBytes: fileBytes)
      }
      throw error.asWriteError(
        remedy: "The task runs again and uses another directory if there is one. Free space in or repair "
          + "\(file.directory).")
    }
  }

  /// Throws SPOOL_UNAVAILABLE where every directory is set aside for all processes, before work is done that nobody
  /// could keep. The one in memory takes what is small, which nobody knows before; so it is reason enough to begin for
  /// a task's first attempt only.
  func checkAnyWorks(isRetry: Bool) throws {
    let usesMemory = memoryPath != nil && !isRetry
    let candidates = usesMemory ? allPaths.indices : paths.indices
    let isAnyFree = health.withLock { health in candidates.contains { !health.isHeld($0) } }
    if !isAnyFree { throw unavailable(paths.map { "\($0) is set aside" }) }
  }

  private func unavailable(_ causes: [String]) -> WaterbearError {
    WaterbearError(
      .spoolUnavailable, "No spool directory takes any output: " + causes.joined(separator: "; "),
      remedy: "Free space, repair the directories, or add one to exchange.base-directories.")
  }

  // MARK: Choice

  /// Directories to try, best first. The turn differs from attempt to attempt.
  private func candidates(for attempt: AttemptID, isComplete: Bool) -> [Int] {
    let time = now()
    let turn = attempt.task.stage.number &+ attempt.task.partition &+ attempt.number
    let stale = health.withLock { health in
      paths.count == 1 ? [] : paths.indices.filter { health.needsVolume($0, at: time) }
    }
    for position in stale {
      // What it cannot say it is not judged by; that it fails is found when a file is made.
      let volume = try? fileSystem.volume(of: allPaths[position])
      health.withLock { $0.noteVolume(position, volume, at: time) }
    }
    return health.withLock { health in
      let memory = paths.count
      let usesMemory = isComplete && memoryPath != nil && !health.isSetAside(memory, at: time)
      return (usesMemory ? [memory] : []) + health.order(paths.count, turn: turn, at: time)
    }
  }

  func setAside(_ position: Int, _ failure: FileSystemFailure, fileBytes: Int) {
    let until = now() + setAsideFor
    health.withLock { $0.setAside(position, until: until) }
    let fault = SpoolFault(
      directory: allPaths[position], reason: failure.description, isFull: failure.isFull, fileBytes: fileBytes)
    report(.setAside(fault, duration: setAsideFor))
  }

  /// Takes over which directories are set aside for all processes; those no longer named may be used at once.
  public func hold(_ directories: Set<String>) {
    health.withLock { $0.hold(Set(allPaths.indices.filter { directories.contains(allPaths[$0]) })) }
  }

  /// Bytes per second that each directory took lately from this process, by directory; those not measured are missing.
  public var rates: [String: Double] {
    health.withLock { health in
      var rates: [String: Double] = [:]
      for position in allPaths.indices { rates[allPaths[position]] = health.rate(position) }
      return rates
    }
  }

  private func noteSuccess(_ position: Int) {
    let wasSetAside = health.withLock { health in
      health.noteFile(position)
      return health.noteSuccess(position)
    }
    if wasSetAside { report(.usedAgain(directory: allPaths[position])) }
  }

  func nextUnique() -> String {
    "\(unique)-\(filesMade.wrappingAdd(1, ordering: .relaxed).newValue)"
  }
}
