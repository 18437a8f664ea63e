// Owns the calls on base directories that are under way in this process: how long each has taken so far, and which
// directories are asked nothing more because a call on them does not return. It must not know why one was made.
import Base
import Glibc
import Synchronization

/// A call on a base directory that had not returned when its time was up. Its thread stays in it, perhaps for ever.
public struct SpoolSilence: Hashable, Sendable {
  /// The base directory.
  public var directory: String
  /// The file or directory that the call is about.
  public var path: String
  /// When the call began, or later by as long as this process was stopped meanwhile.
  public var since: MonotonicTime
  /// When it began in truth.
  public var began: MonotonicTime
  /// The thread that is in it, or waits for one that is, as `pthread_self` names it.
  public var thread: UInt
  /// What whoever waits for the call is to be told.
  public var failure: FileSystemFailure
  /// Whether the directory is asked nothing more. Not where the call was to find out whether it takes files: that it
  /// takes them slowly says nothing of what lies there.
  public var isRefused: Bool

  /// The attempt whose committed output the call is about; nil where something is being written, or deleted.
  public var output: AttemptID? {
    let parts = path.utf8.dropFirst(directory.utf8.count).split(separator: UInt8(ascii: "/")).map { Substring($0) }
    guard parts.count == 2, SpoolName.isQueryName(String(parts[0])) else { return nil }
    let file = SpoolName.parse(String(parts[1]), query: QueryID(String(parts[0])), directory: directory)
    return file.flatMap { $0.isTemporary ? nil : $0.attempt }
  }

  /// What becomes of the attempt that made the call.
  public var error: WaterbearError {
    guard output != nil else {
      return failure.asWriteError(
        remedy: "The task runs again and uses another directory if there is one. Check the mount of \(directory).")
    }
    return WaterbearError(
      .exchangeDataUnrecoverable, failure.description,
      remedy: "The task that wrote it runs again. Check the mount of \(directory).")
  }
}

/// What a call on a base directory is for, and so what follows where it does not return in time.
enum SpoolCallKind {
  /// For an attempt or an errand: not made where the directory is refused.
  case use
  /// Finds out whether the directory answers: made even where it is refused.
  case trial
  /// Finds out whether the directory takes files: the same, but the directory is not refused if it takes long.
  case writeTrial
}

/// The calls of one process on its base directories.
///
/// A mount that hangs reports no error: its calls do not return. So each call is noted while it is under way. One that
/// takes longer than the limit is *overdue*: it has failed, whatever it gives should it return, and its directory is
/// refused to all further calls until `answers` says that it answers again. Only the threads that were in a call when
/// the directory fell silent are stuck; no further one gets there.
final class SpoolCalls: Sendable {
  private struct Call {
    var directory: Int
    var operation: String
    var path: String
    var start: MonotonicTime
    let began: MonotonicTime
    var thread: UInt
    var kind: SpoolCallKind
    var isOverdue = false
  }

  private struct State {
    /// None ever leaves: each is known by its place.
    var directories: [String]
    var calls: [UInt64: Call] = [:]
    var next: UInt64 = 0
    var refused: Set<Int> = []
    /// When `takeOverdue` was last called.
    var round: MonotonicTime?
    /// The threads that work for another one, by themselves.
    var helping: [UInt: UInt] = [:]
    /// Files of refused directories that nobody uses any more: closing them waits for the server, too.
    var unclosed: [Int: [UnclosedFile]] = [:]
  }

  /// Rounds are a second apart, so a process that finds a longer time between two of them was stopped or starved, and
  /// its calls could not return meanwhile.
  private static let roundMax = TimeSpan.seconds(2)

  private let limit: TimeSpan
  private let now: @Sendable () -> MonotonicTime
  private let state: Mutex<State>

  init(directories: [String], limit: TimeSpan, now: @escaping @Sendable () -> MonotonicTime) {
    self.limit = limit
    self.now = now
    state = Mutex(State(directories: directories))
  }

  /// Those whose calls are noted.
  var directories: [String] { state.withLock { $0.directories } }

  /// Notes the calls on another directory, from now on.
  func add(_ directory: String) {
    state.withLock { state in
      if !state.directories.contains(directory) { state.directories.append(directory) }
    }
  }

  /// Makes a call on something in a base directory. One that is overdue when it returns has failed.
  func perform<Value>(
    _ operation: String, _ path: String, as kind: SpoolCallKind = .use, _ call: () throws(FileSystemFailure) -> Value
  ) throws(FileSystemFailure) -> Value {
    guard let directory = position(of: path) else { return try call() }
    guard let number = begin(operation, path, directory, kind) else {
      throw FileSystemFailure(operation, path, FileSystemFailure.noAnswer)
    }
    let outcome = Result { () throws(FileSystemFailure) in try call() }
    // Whatever it gave.
    guard end(number) else { throw FileSystemFailure(operation, path, Self.number(ofOverdue: kind)) }
    return try outcome.get()
  }

  private static func number(ofOverdue kind: SpoolCallKind) -> Int32 {
    kind == .writeTrial ? FileSystemFailure.tooSlow : FileSystemFailure.tooLate
  }

  /// The innermost, should one lie in another.
  private func position(of path: String) -> Int? {
    let directories = directories
    var found: Int?
    for (position, directory) in directories.enumerated() where SpoolPlaces.contains(directory, path) {
      if let outer = found, directories[outer].utf8.count >= directory.utf8.count { continue }
      found = position
    }
    return found
  }

  /// Does work for another thread, which waits for its end: what is found of the calls in it is said of that one.
  func help(_ thread: UInt, with work: () -> Void) {
    let own = UInt(pthread_self())
    state.withLock { $0.helping[own] = thread }
    work()
    state.withLock { $0.helping[own] = nil }
  }

  /// Nil where the directory is refused.
  private func begin(_ operation: String, _ path: String, _ directory: Int, _ kind: SpoolCallKind) -> UInt64? {
    let (start, thread) = (now(), UInt(pthread_self()))
    return state.withLock { state in
      guard kind != .use || !state.refused.contains(directory) else { return nil }
      state.next += 1
      state.calls[state.next] = Call(
        directory: directory, operation: operation, path: path, start: start, began: start,
        thread: state.helping[thread] ?? thread, kind: kind)
      return state.next
    }
  }

  /// Whether the call returned in time.
  private func end(_ number: UInt64) -> Bool {
    state.withLock { state in
      guard let call = state.calls.removeValue(forKey: number) else { return true }
      return !call.isOverdue
    }
  }

  /// The calls that have become overdue since it was last asked; their directories are refused from now on, except for
  /// trials of writing. To be called every second.
  func takeOverdue() -> [SpoolSilence] {
    let time = now()
    return state.withLock { state in
      let slept = state.round.map { time - ($0 + Self.roundMax) } ?? .zero
      state.round = time
      if slept > .zero {
        state.calls = state.calls.mapValues { call in
          var call = call
          call.start = min(time, call.start + slept)
          return call
        }
      }
      var silences: [SpoolSilence] = []
      for (number, call) in state.calls where !call.isOverdue && time - call.start >= limit {
        state.calls[number]?.isOverdue = true
        let isRefused = call.kind != .writeTrial
        if isRefused { state.refused.insert(call.directory) }
        silences.append(
          SpoolSilence(
            directory: state.directories[call.directory], path: call.path, since: call.start, began: call.began,
            thread: call.thread,
            failure: FileSystemFailure(call.operation, call.path, Self.number(ofOverdue: call.kind)),
            isRefused: isRefused))
      }
      return silences.sorted { ($0.since, $0.path) < ($1.since, $1.path) }
    }
  }

  /// Takes over a file that is to be closed, where its directory is refused, until that answers.
  func takeUnclosed(_ file: AnyObject, _ path: String) -> Bool {
    guard let directory = position(of: path) else { return false }
    return state.withLock { state in
      guard state.refused.contains(directory) else { return false }
      state.unclosed[directory, default: []].append(UnclosedFile(file))
      return true
    }
  }

  /// The directory answers again. Calls that are stuck in it stay failed. Gives the files that are to be closed now, by
  /// letting them go on a thread that may wait for that.
  func answers(_ directory: Int) -> [UnclosedFile] {
    state.withLock { state in
      state.refused.remove(directory)
      return state.unclosed.removeValue(forKey: directory) ?? []
    }
  }

  /// The directory is asked nothing more until it answers.
  func refuse(_ directory: Int) { state.withLock { _ = $0.refused.insert(directory) } }

  func isRefused(_ directory: Int) -> Bool { state.withLock { $0.refused.contains(directory) } }

  /// The directories with a call that has been under way for so long.
  func directories(waitedForSince age: TimeSpan) -> Set<Int> {
    let time = now()
    return state.withLock { state in
      var found = state.refused
      for call in state.calls.values where time - call.start >= age { found.insert(call.directory) }
      return found
    }
  }
}

/// A file that is closed when this goes.
///
/// Unchecked Sendable: the file is private and never used again, whichever thread lets go of it.
struct UnclosedFile: @unchecked Sendable {
  private let file: AnyObject

  init(_ file: AnyObject) { self.file = file }
}
