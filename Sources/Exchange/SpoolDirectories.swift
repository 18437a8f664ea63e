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
  /// The directory does not answer: this process asks nothing more of it.
  public var isSilent: Bool
  /// A call on it has not returned in time, rather than none having been made.
  public var isOverdue: Bool
  /// When that call began; nil where it is not known. The clock is that of all processes of the machine.
  public var callBegan: MonotonicTime?

  public init(
    directory: String, reason: String, isFull: Bool, fileBytes: Int, isSilent: Bool = false, isOverdue: Bool = false,
    callBegan: MonotonicTime? = nil
  ) {
    self.callBegan = callBegan
    self.directory = directory
    self.reason = reason
    self.isFull = isFull
    self.fileBytes = fileBytes
    self.isSilent = isSilent
    self.isOverdue = isOverdue
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
  /// The most bytes that the file system of `memoryPath` may hold.
  private let memoryBytesMax: Int64
  /// Names the data directory; stands in each marker.
  let owner: String
  /// The way to every file of the spool. It knows which calls are under way, and makes none on a directory where one
  /// does not return.
  public let fileSystem: any SpoolFileSystem
  /// The same for finding out whether a directory answers again, and then whether it takes files.
  let trialFileSystem: any SpoolFileSystem
  let writeTrialFileSystem: any SpoolFileSystem
  private let marks: SpoolMarks
  let calls: SpoolCalls
  let lanes: SpoolLanes
  /// The time after which a call on a directory is overdue.
  public let callLimit: TimeSpan
  /// `exchange.file-listing-parallelism`: how many files are deleted, or directories listed, at a time.
  let parallelism: Int
  private let setAsideFor: TimeSpan
  private let now: @Sendable () -> MonotonicTime
  private let report: @Sendable (SpoolDirectoryEvent) -> Void
  /// Tells this process's temporary files from those of others and of earlier ones.
  let unique: String
  private let health: Mutex<SpoolHealth>
  private let filesMade = Atomic<UInt64>(0)
  /// The file system that each directory lay on when it last worked, for the process that prepares and probes them.
  private let devices = Mutex<[String: UInt64]>([:])
  /// Where they lie, for the same process.
  let places: Mutex<SpoolPlaces>

  /// All directories that take files: `paths` and `memoryPath`.
  public var allPaths: [String] { paths + (memoryPath.map { [$0] } ?? []) }

  /// Nothing is touched before `prepare`. `owner` names the data directory for as long as it lives. `now` is a clock
  /// that never jumps; `report` is called from whatever thread notices something. A call that has not returned within
  /// `callLimit` has failed. `marks` is what earlier processes have marked.
  public init(
    paths: [String], memoryPath: String? = nil, memoryBytesMax: Int64 = .max, owner: String,
    fileSystem: any SpoolFileSystem = LocalFileSystem(),
    marks: SpoolMarks? = nil, parallelism: Int = 50, setAsideFor: TimeSpan = .seconds(30),
    callLimit: TimeSpan = .seconds(20), now: @escaping @Sendable () -> MonotonicTime,
    report: @escaping @Sendable (SpoolDirectoryEvent) -> Void
  ) throws {
    guard !paths.isEmpty else {
      throw WaterbearError(
        .exchangeManagerNotConfigured, "exchange.base-directories names no directory",
        remedy: "Name at least one directory for intermediate data.")
    }
    self.paths = paths.map(Self.withoutTrailingSlash)
    self.memoryPath = memoryPath.map(Self.withoutTrailingSlash)
    self.memoryBytesMax = memoryBytesMax
    self.owner = owner
    self.marks = try marks ?? SpoolMarks()
    self.parallelism = parallelism
    self.callLimit = callLimit
    self.setAsideFor = setAsideFor
    self.now = now
    self.report = report
    unique = try RandomBytes.make(6).map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    let all = self.paths + (self.memoryPath.map { [$0] } ?? [])
    health = Mutex(SpoolHealth(count: all.count))
    places = Mutex(SpoolPlaces(paths: all))
    calls = SpoolCalls(directories: all, limit: callLimit, now: now)
    lanes = SpoolLanes(now: now)
    self.fileSystem = WatchedFileSystem(base: fileSystem, calls: calls)
    trialFileSystem = WatchedFileSystem(base: fileSystem, calls: calls, kind: .trial)
    writeTrialFileSystem = WatchedFileSystem(base: fileSystem, calls: calls, kind: .writeTrial)
  }

  private static func withoutTrailingSlash(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Checks at start that every directory is there (or can be made), is writable, belongs to this data directory, and
  /// lies apart from the others and from `neighbours`. All are looked at at once; one that has not answered `within`
  /// that time is one that does not suit.
  ///
  /// Throws CONFIGURATION_INVALID that lists every directory that does not suit; with `requireAll` false only where
  /// one belongs to another data directory or does not lie apart, or none on disk suits and it is not for disks that
  /// are full, broken or silent; those that do not suit are set aside.
  public func prepare(
    requireAll: Bool = true, within patience: TimeSpan = .seconds(20), beside neighbours: [SpoolNeighbour] = []
  ) throws {
    let answering = locate(neighbours, within: patience)
    var problems: [String] = []
    /// What to do about those that are not for us, each once.
    var remedies: [String] = []
    var isTransient = false
    var isAnyDiskFit = false
    for (position, outcome) in preparations(of: answering, within: patience).enumerated() {
      do {
        try outcome.get()
        // The one in memory takes what is small only.
        if position < paths.count { isAnyDiskFit = true }
      } catch let failure as FileSystemFailure {
        // A disk that is full or broken may work again, and so may what worked before; what the configuration names
        // for the first time must be there.
        isTransient = isTransient || failure.isTransient || marks.fileSystem(of: allPaths[position]) != nil
        problems.append(failure.description)
        if !requireAll { setAside(position, failure, fileBytes: 0) }
      } catch {
        let error = WaterbearError.wrapping(error)
        // Two that do not lie apart say the same.
        if !problems.contains(error.message) { problems.append(error.message) }
        let remedy = error.remedy ?? "Name another in exchange.base-directories."
        if !remedies.contains(remedy) { remedies.append(remedy) }
      }
    }
    guard !problems.isEmpty, requireAll || !remedies.isEmpty || !isAnyDiskFit && !isTransient else {
      // What cannot be forgotten now, as the data directory is full, is forgotten at another start.
      try? marks.forgetAll(but: Set(paths))
      return
    }
    throw WaterbearError(
      .configurationInvalid, "The spool cannot use its directories: " + problems.joined(separator: "; "),
      remedy: !remedies.isEmpty
        ? remedies.joined(separator: " ")
        : "Correct exchange.base-directories, or let the account that runs Waterbear own and write to them.")
  }

  /// Prepares each directory on a thread of its own. Those that take longer, or have not answered so far, are prepared
  /// all the same, some time, and asked nothing else until they have answered a trial.
  private func preparations(of answering: [Bool], within patience: TimeSpan) -> [Result<Void, any Error>] {
    let gathered = GatheredAnswers<Result<Void, any Error>>(count: allPaths.count)
    for (position, path) in allPaths.enumerated() {
      let silence = FileSystemFailure("use", path, FileSystemFailure.noAnswer)
      let isAwaited = answering[position]
      let isUnderWay = run(.trial, in: path) { [self] in
        let outcome = Result {
          try prepare(path)
          let volume = try trialFileSystem.volume(of: path)
          noteDevice(of: path, volume.device)
          noteVolume(position, volume)
        }
        if isAwaited { gathered.put(position, outcome) }
      }
      if !isAwaited { calls.refuse(position) }
      if !isAwaited || !isUnderWay { gathered.put(position, .failure(silence)) }
    }
    return gathered.wait(patience).enumerated().map { position, outcome in
      if let outcome { return outcome }
      calls.refuse(position)
      return .failure(FileSystemFailure("use", allPaths[position], FileSystemFailure.noAnswer))
    }
  }

  func noteDevice(of path: String, _ device: UInt64) { devices.withLock { $0[path] = device } }
  func device(of path: String) -> UInt64? { devices.withLock { $0[path] } }

  /// Makes and marks a directory, and tries whether a file can be made in it. One that was marked on another file
  /// system than what lies there now is neither made nor marked: its mount is gone.
  func prepare(_ path: String) throws {
    let fileSystem = writeTrialFileSystem
    try checkPlace(path)
    if try checkMarker(in: path, with: trialFileSystem) {
      // Making and deleting a file is the one sure test of whether files can be made.
      let probe = "\(path)/\(SpoolName.marker).\(nextUnique()).\(SpoolName.temporarySuffix)"
      try fileSystem.create(probe).close()
      try fileSystem.delete(probe)
    } else {
      try checkMount(of: path)
      try fileSystem.makeDirectory(path)
      try checkPlace(path)
      try mark(path)
    }
    guard path != memoryPath else { return }
    let volume = try fileSystem.volume(of: path)
    // What cannot be remembered now, as the data directory is full, is tried again at the next start.
    try? marks.note(path, on: volume.fileSystem)
  }

  /// Whether a directory was never marked, as far as is known: then a trial makes it, as the start would have.
  func isNew(_ path: String) -> Bool { path != memoryPath && marks.fileSystem(of: path) == nil }

  private func checkMount(of path: String) throws {
    guard let known = marks.fileSystem(of: path) else { return }
    let volume: SpoolVolume
    do {
      volume = try trialFileSystem.volume(of: path)
    } catch where error.number == FileSystemFailure.missing {
      // It was deleted, or lay below the mount point of a mount that is gone.
      volume = try trialFileSystem.volume(of: Self.parent(of: path))
    }
    guard volume.fileSystem == known else {
      throw FileSystemFailure("find the marker of", path, FileSystemFailure.mountGone)
    }
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Writes the marker, safe from a loss of power.
  private func mark(_ path: String) throws {
    let fileSystem = writeTrialFileSystem
    let marker = "\(path)/\(SpoolName.marker)"
    let temporary = "\(marker).\(nextUnique()).\(SpoolName.temporarySuffix)"
    do {
      let sink = try fileSystem.create(temporary)
      try Array(markerText.utf8).withUnsafeBytes { try sink.append($0) }
      try sink.sync()
      try sink.close()
      try fileSystem.waitUntilVisible(temporary, fileBytes: markerText.utf8.count)
      // One that a loss of power has cut; not every file system renames onto it.
      try fileSystem.delete(marker)
      try fileSystem.rename(temporary, to: marker)
      try fileSystem.syncDirectory(path)
    } catch {
      // The first failure is the one to report.
      try? fileSystem.delete(temporary)
      throw error
    }
    // Where two data directories came at once, one of them learns it here.
    _ = try checkMarker(in: path, with: trialFileSystem)
  }

  private var markerText: String { "waterbear spool 1\nowner \(owner)\n" }

  /// Whether the directory has a marker, and a whole one: what a loss of power has left of ours counts for nothing.
  /// Throws a `WaterbearError` where it names another owner.
  func checkMarker(
    in path: String, with fileSystem: (any SpoolFileSystem)? = nil, isUncached: Bool = false
  ) throws -> Bool {
    let marker = "\(path)/\(SpoolName.marker)"
    guard let source = try openIfThere(marker, with: fileSystem) else { return false }
    if isUncached { source.forgetCached() }
    let expected = Array(markerText.utf8)
    var found = [UInt8](repeating: 0, count: expected.count + 1)
    let count = try found.withUnsafeMutableBytes { try source.read(at: 0, into: $0) }
    if count < expected.count, expected.starts(with: found.prefix(count)) {
      // Another's begins like ours, so what is left of it may be another's.
      if marks.fileSystem(of: path) != nil { return false }
      throw WaterbearError(
        .configurationInvalid, "\(path) has a marker that is cut short, so it may be another data directory's spool",
        remedy: "If no other uses it, delete \(marker) and start again.")
    }
    guard found.prefix(count).elementsEqual(expected) else {
      throw WaterbearError(
        .configurationInvalid, "\(path) is the spool of another data directory (see \(marker))",
        remedy: "Give each data directory spool directories of its own.")
    }
    return true
  }

  /// Nil where there is no such file.
  func openIfThere(
    _ path: String, with fileSystem: (any SpoolFileSystem)? = nil
  ) throws(FileSystemFailure) -> (any SpoolFileSource)? {
    do {
      return try (fileSystem ?? self.fileSystem).open(path)
    } catch where error.number == FileSystemFailure.missing {
      return nil
    }
  }

  // MARK: Files

  /// Makes the file for an attempt's output in the first directory that takes it, and writes its first bytes.
  /// `isComplete`: there will be no more, so the directory in memory is tried first. Those to be avoided are tried
  /// last.
  ///
  /// Throws SPOOL_UNAVAILABLE, naming every directory, where none takes it.
  func place(_ attempt: AttemptID, start: UnsafeRawBufferPointer, isComplete: Bool, avoiding: [String] = []) throws
    -> PlacedFile
  {
    var failures: [FileSystemFailure] = []
    var isCharged = true
    for position in candidates(
      for: attempt, bytes: start.count, isComplete: isComplete, avoiding: avoiding)
    {
      // The first was charged when it was chosen.
      if !isCharged { health.withLock { $0.chargeFile(position, bytes: start.count) } }
      isCharged = false
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
        health.withLock { $0.refundFile(position, bytes: start.count) }
        if failure.isOwnShortage {
          throw failure.asWriteError(remedy: "Raise the limit of open files or memory for the service.")
        }
        // The attempt was given up meanwhile: nobody would ever delete what it made elsewhere.
        if failure.number == FileSystemFailure.tooLate { throw unavailable([failure.description]) }
        failures.append(failure)
        // In memory there is little room, and the disks are next.
        if failure.isFaultOfFile || position == paths.count && failure.isFull { continue }
        setAside(position, failure, fileBytes: start.count)
      }
    }
    if let failure = failures.last, failures.allSatisfy(\.isFaultOfFile) { throw failure.asWriteError(remedy: "") }
    throw unavailable(failures.isEmpty ? paths.map { "\($0) is set aside" } : failures.map(\.description))
  }

  /// Appends to a placed file. A failure sets its directory aside and ends the attempt.
  func append(_ bytes: UnsafeRawBufferPointer, to file: PlacedFile, after fileBytes: Int) throws {
    // Before it is written: a write that takes long must not make its directory look idle.
    health.withLock { $0.charge(file.position, Double(bytes.count)) }
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

  /// With a call under way for so long a directory is chosen last.
  private static let slowCall = TimeSpan.seconds(2)

  /// Directories to try, best first, without those that are set aside for all processes. The turn differs from attempt
  /// to attempt. The first one is charged with `bytes` at once, so that attempts that begin together spread.
  private func candidates(for attempt: AttemptID, bytes: Int, isComplete: Bool, avoiding: [String]) -> [Int] {
    let time = now()
    let avoided = avoiding.compactMap { paths.firstIndex(of: $0) }
    let turn = attempt.task.stage.number &+ attempt.task.partition &+ attempt.number
    if allPaths.count > 1 { refreshVolumes() }
    let slow = calls.directories(waitedForSince: Self.slowCall)
    return health.withLock { health in
      let memory = paths.count
      let usesMemory =
        isComplete && memoryPath != nil && !health.isSetAside(memory, at: time) && !slow.contains(memory)
        && health.heldBytes(memory) + Int64(bytes) <= memoryBytesMax
      let order = (usesMemory ? [memory] : []) + health.order(
        paths.count, turn: turn, at: time, slow: slow, avoided: avoided)
      if let first = order.first { health.chargeFile(first, bytes: bytes) }
      return order
    }
  }

  func setAside(_ position: Int, _ failure: FileSystemFailure, fileBytes: Int, callBegan: MonotonicTime? = nil) {
    let until = now() + setAsideFor
    health.withLock { $0.setAside(position, until: until) }
    let fault = SpoolFault(
      directory: knownPaths[position], reason: failure.description, isFull: failure.isFull, fileBytes: fileBytes,
      isSilent: failure.isSilence, isOverdue: failure.number == FileSystemFailure.tooLate, callBegan: callBegan)
    report(.setAside(fault, duration: setAsideFor))
  }

  /// Takes over which directories are set aside for all processes, and which of them do not answer. Those that are set
  /// aside no longer may be used at once; those that are silent no longer may be read. Of those that are not configured
  /// here it is learned that they may be read.
  public func hold(_ directories: Set<String>, silent: Set<String>) {
    for directory in directories.sorted() { keepReading(directory) }
    let known = knownPaths
    let answering = health.withLock { health in
      let (wereHeld, wereSilent) = (health.held, health.silent)
      health.hold(Set(known.indices.filter { directories.contains(known[$0]) }))
      health.silent = Set(known.indices.filter { silent.contains(known[$0]) })
      return wereHeld.subtracting(health.held).union(wereSilent).subtracting(health.silent)
    }
    for position in answering.sorted() { noteAnswer(position) }
  }

  /// Bytes per second that each directory took lately from this process, by directory; those not measured are missing.
  public var rates: [String: Double] {
    health.withLock { health in
      var rates: [String: Double] = [:]
      for position in allPaths.indices { rates[allPaths[position]] = health.rate(position) }
      return rates
    }
  }

  func takeStaleVolumes() -> [Int] {
    let time = now()
    return health.withLock { $0.takeStale(at: time) }
  }

  func noteVolume(_ position: Int, _ volume: SpoolVolume?) {
    let time = now()
    health.withLock { $0.noteVolume(position, volume, at: time) }
  }

  /// What the file system of a base directory last said of itself, and how long ago. Touches no disk.
  public func volume(of directory: String) -> (volume: SpoolVolume, age: TimeSpan)? {
    guard let position = allPaths.firstIndex(of: directory) else { return nil }
    let time = now()
    return health.withLock { $0.volume(position) }.map { ($0.volume, time - $0.at) }
  }

  private func noteSuccess(_ position: Int) {
    let wasSetAside = health.withLock { $0.noteSuccess(position) }
    if wasSetAside { report(.usedAgain(directory: allPaths[position])) }
  }

  func nextUnique() -> String {
    "\(unique)-\(filesMade.wrappingAdd(1, ordering: .relaxed).newValue)"
  }
}
