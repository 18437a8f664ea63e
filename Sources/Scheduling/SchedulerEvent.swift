// Owns everything the outside may tell the scheduler. The shell turns messages, exits and clocks into these.
import Base

/// Something that happened.
///
/// Events about queries, tasks or workers the scheduler does not know (any more) are allowed everywhere and are
/// answered by cleaning up: messages are late, doubled and out of order in the real world.
public enum SchedulerEvent: Hashable, Sendable {
  /// A new query, already in the store, submitted by the client `age` ago.
  case querySubmitted(QueryDescription, age: TimeSpan = .zero)
  /// A query found in the store at the coordinator's start. All restored queries come before the first `workerJoined`.
  case queryRestored(QueryDescription, RestoredQuery)
  /// More splits of a source stage, in a fixed order; `weights` are their sizes in bytes. Their indexes follow on
  /// those given before (after a restart: on those restored). `last` closes the list; `weights` may then be empty.
  case splitsDiscovered(StageID, weights: [Int64], last: Bool)
  /// The client has all results, or they expired. Everything of the query may go.
  case queryReleased(QueryID)
  /// Ends the query with this error: a user's cancel, a time limit, a failed split enumeration. A query whose result
  /// is complete is released instead; one whose commit has started goes on.
  case cancel(QueryID, WaterbearError)

  /// A worker said hello, for the first time or on a new connection. `running` names every attempt the worker holds:
  /// those that still run *and* those that ended with a report the coordinator has not acknowledged; such reports
  /// follow as ordinary events. Attempts placed on the worker that are not named never arrived there.
  case workerJoined(WorkerID, slots: Int, memoryBytes: Int64, running: [AttemptID])
  /// The connection to a worker broke; the process may live. It gets no new attempts until it joins again.
  case workerDisconnected(WorkerID)
  /// A worker process is dead. REMOTE_HOST_GONE: killed from outside, not the tasks' fault.
  /// INSUFFICIENT_RESOURCES: killed for memory, its tasks ask for more. Other codes (it crashed by itself) count as
  /// failures of its tasks. `lackedMemory`: it was killed from outside, but used nearly all its memory, so that its
  /// tasks had better ask for more all the same.
  case workerLost(WorkerID, WaterbearError, lackedMemory: Bool = false)
  /// The worker finishes what it runs and gets nothing new.
  case workerDraining(WorkerID)
  /// The worker is alive. Any other event from a worker counts as a heartbeat, too.
  case heartbeat(WorkerID)
  /// So much of the worker's memory, in bytes, is held by attempts that have ended here but cannot be ended there. Zero
  /// until it is said.
  case workerMemoryStuck(WorkerID, Int64)

  /// An attempt committed its output.
  case attemptFinished(AttemptID, WorkerID, AttemptOutput)
  /// An attempt ended without committed output; also the answer to `abortAttempt`.
  case attemptFailed(AttemptID, WorkerID, AttemptFailure)
  /// What these attempts of the root stage left, by task, was read for the query's commit.
  case outputsCollected(QueryID, [Int])
  /// The query's commit was made, or failed: with an error of type USER_ERROR it was refused for good.
  case commitEnded(QueryID, WaterbearError?)
  /// The coordinator noticed while serving results that a selected output is gone or damaged. `withDirectory`: as in
  /// `outputsMissing`.
  case outputLost(AttemptID, WaterbearError, withDirectory: Bool = false)
  /// These outputs are gone or damaged. Those that somebody may still read are made again; the others were kept for
  /// safety only, and are when they turn out to be needed. `withDirectory`: they went with the directory they lay in,
  /// which says nothing about their tasks.
  case outputsMissing([AttemptID], WaterbearError, withDirectory: Bool = false)
  /// These outputs are whole, though they may have been named by `outputsMissing` before.
  case outputsFound([AttemptID])
  /// Which spool directories take files from now on; tasks that wait for one that has come into use may try at once.
  /// Told at the start and at each change, before the failures that follow from it.
  case spoolChanged(SpoolState)

  /// The machine runs short of memory: one attempt has to go. `held` says what attempts hold, in bytes; those that are
  /// not in it count with their grants.
  case memoryShort(LowMemoryVictim, held: [AttemptID: Int64])

  /// The time of the last `setTimer` has come. Any event does the timer's work when it is due.
  case timer
}

/// Which attempt is ended when the machine runs short of memory.
public enum LowMemoryVictim: String, Hashable, Codable, Sendable {
  /// The one that holds most.
  case biggest
  /// The one that holds most for the time that it has run, which is what would be lost.
  case leastWaste
}

/// The spool directories as they are for the whole daemon. Their names mean nothing to the scheduler.
public struct SpoolState: Hashable, Sendable {
  /// Those on disk that take files. While there is none no attempt is started that would need one.
  public var inUse: [String]
  /// There is one in memory that takes small outputs. How large an output is nobody knows before, so this is reason
  /// enough for a task's first attempt only.
  public var takesSmallOutputs: Bool
  /// Why none is in use.
  public var problem: WaterbearError?

  public init(inUse: [String], takesSmallOutputs: Bool = false, problem: WaterbearError? = nil) {
    self.inUse = inUse
    self.takesSmallOutputs = takesSmallOutputs
    self.problem = problem
  }
}

/// A spool directory that did not take an attempt's output, after it had taken a part of it.
public struct SpoolRefusal: Hashable, Codable, Sendable {
  public var directory: String
  /// It lacks room, so that when it is in use again the same may happen to the same task.
  public var isFull: Bool

  public init(directory: String, isFull: Bool) {
    self.directory = directory
    self.isFull = isFull
  }
}

/// What a finished attempt reports.
public struct AttemptOutput: Hashable, Codable, Sendable {
  /// Raw bytes for each output partition.
  public var bytes: [Int64]
  /// Rows for each output partition.
  public var rows: [Int64]
  /// Opaque to the scheduler, which only compares: an output made again must have the same. Empty: not compared.
  public var checksums: [UInt64]
  /// Bytes.
  public var peakMemory: Int64
  public var cpuTime: TimeSpan
  /// Where the output lies; opaque to the scheduler.
  public var location: String

  public init(
    bytes: [Int64], rows: [Int64], checksums: [UInt64] = [], peakMemory: Int64 = 0, cpuTime: TimeSpan = .zero,
    location: String = ""
  ) {
    self.bytes = bytes
    self.rows = rows
    self.checksums = checksums
    self.peakMemory = peakMemory
    self.cpuTime = cpuTime
    self.location = location
  }
}

/// Why an attempt ended without output.
public struct AttemptFailure: Hashable, Codable, Sendable {
  public var error: WaterbearError
  /// Bytes; 0 where unknown.
  public var peakMemory: Int64
  /// The attempt whose spooled output could not be read, where that is the reason: its task must run again.
  public var lostInput: AttemptID?
  /// The lost output went with the directory it lay in, which says nothing about its task.
  public var lostWithDirectory: Bool
  /// The spool directory that did not take its output, where that is the reason and it was one.
  public var refusal: SpoolRefusal?

  public init(
    error: WaterbearError, peakMemory: Int64 = 0, lostInput: AttemptID? = nil, lostWithDirectory: Bool = false,
    refusal: SpoolRefusal? = nil
  ) {
    self.refusal = refusal
    self.error = error
    self.peakMemory = peakMemory
    self.lostInput = lostInput
    self.lostWithDirectory = lostWithDirectory
  }
}

extension SchedulerEvent {
  /// Whether a query comes back after a restart of the coordinator.
  var isRestored: Bool { if case .queryRestored = self { true } else { false } }
}
