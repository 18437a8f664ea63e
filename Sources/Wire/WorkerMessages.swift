// Owns what coordinator and workers say to each other.

import Base

/// Worker to coordinator, after the hello: what the worker is and what it is running. Reports that the coordinator has
/// not acknowledged are sent again right behind it.
public struct RegisterWorker: WireMessage {
  public static let name = "register-worker"
  public var worker: WorkerID
  public var slots: Int
  public var memoryBytes: Int64
  public var running: [AttemptID]
  /// How the process before this one in its place ended, if it ended by a fault of its own.
  public var predecessorCrash: PredecessorCrash?
  /// As in `Heartbeat`. Nil as 0.
  public var stuckBytes: Int64?

  public init(
    worker: WorkerID, slots: Int, memoryBytes: Int64, running: [AttemptID], predecessorCrash: PredecessorCrash? = nil,
    stuckBytes: Int64? = nil
  ) {
    self.predecessorCrash = predecessorCrash
    self.stuckBytes = stuckBytes
    self.worker = worker
    self.slots = slots
    self.memoryBytes = memoryBytes
    self.running = running
  }
}

/// A worker process that ended by itself, by a trap, a broken assertion, an error that it could not survive, or that
/// the kernel ended for want of memory.
public struct PredecessorCrash: Codable, Sendable {
  public var incarnation: UInt64
  /// Such as `signal SIGILL`.
  public var end: String
  /// It was the kernel that ended it, for want of memory. Nil as false.
  public var lackedMemory: Bool?

  public init(incarnation: UInt64, end: String, lackedMemory: Bool? = nil) {
    self.incarnation = incarnation
    self.end = end
    self.lackedMemory = lackedMemory
  }
}

/// Coordinator to worker: all that attempts of a stage have in common. Sent once per stage and connection, before the
/// first attempt.
public struct DefineStage: WireMessage {
  public static let name = "define-stage"
  public var stage: StageID
  /// The encoded `PlanFragment`.
  public var fragment: [UInt8]
  /// The query's exchange key, 32 bytes; nil with encryption off.
  public var key: [UInt8]?
  /// `NONE`, `LZ4` or `ZSTD`.
  public var compressionCodec: String

  public init(stage: StageID, fragment: [UInt8], key: [UInt8]?, compressionCodec: String) {
    self.stage = stage
    self.fragment = fragment
    self.key = key
    self.compressionCodec = compressionCodec
  }
}

/// The splits of one scan that an attempt reads, each as the connector encoded it.
public struct ScanSplits: Codable, Sendable {
  public var scan: Int
  public var splits: [[UInt8]]

  public init(scan: Int, splits: [[UInt8]]) {
    self.scan = scan
    self.splits = splits
  }
}

/// What an attempt reads of one input stage.
public struct AttemptInput: Codable, Sendable {
  public var stage: Int
  /// Partitions of each file; nil for all of them.
  public var partitions: [Int]?
  /// The selected outputs of the input stage's tasks, in task order, each an encoded spool output.
  public var outputs: [[UInt8]]

  public init(stage: Int, partitions: [Int]?, outputs: [[UInt8]]) {
    self.stage = stage
    self.partitions = partitions
    self.outputs = outputs
  }
}

/// One of `count` equal shares of an attempt's rows, by their hash.
public struct AttemptShare: Codable, Sendable {
  /// The broadcast input stage whose join has its sides divided; nil: the partitioned inputs are.
  public var build: Int?
  public var index: Int
  public var count: Int

  public init(build: Int?, index: Int, count: Int) {
    self.build = build
    self.index = index
    self.count = count
  }
}

/// Coordinator to worker: run this.
public struct StartAttempt: WireMessage {
  public static let name = "start-attempt"
  public var attempt: AttemptID
  public var splits: [ScanSplits]
  public var inputs: [AttemptInput]
  public var memoryBytes: Int64
  /// Which of the rows the attempt reads; nil: all.
  public var shares: [AttemptShare]?
  /// Spool directories that refused what earlier attempts of the task wrote: they come last, in this order. Nil as
  /// none.
  public var avoidedDirectories: [String]?

  public init(
    attempt: AttemptID, splits: [ScanSplits], inputs: [AttemptInput], memoryBytes: Int64,
    shares: [AttemptShare]? = nil, avoidedDirectories: [String]? = nil
  ) {
    self.shares = shares
    self.avoidedDirectories = avoidedDirectories
    self.attempt = attempt
    self.splits = splits
    self.inputs = inputs
    self.memoryBytes = memoryBytes
  }
}

/// Coordinator to worker: stop this and discard its output.
public struct AbortAttempt: WireMessage {
  public static let name = "abort-attempt"
  public var attempt: AttemptID

  public init(attempt: AttemptID) { self.attempt = attempt }
}

/// Coordinator to worker: the query is over; forget its stages and its key.
public struct ForgetQuery: WireMessage {
  public static let name = "forget-query"
  public var query: QueryID

  public init(query: QueryID) { self.query = query }
}

/// Worker to coordinator: how an attempt ended. Repeated after a reconnect until acknowledged.
public struct ReportAttempt: WireMessage {
  public static let name = "report-attempt"
  public var attempt: AttemptID
  /// The encoded spool output of an attempt that committed; nil if it failed.
  public var output: [UInt8]?
  public var error: WaterbearError?
  /// The attempt whose output could not be read, if that is why this one failed.
  public var lostInput: AttemptID?
  /// The spool directory that took no more of its output, if that is why it failed and it was one.
  public var refusedBy: String?
  public var peakMemoryBytes: Int64
  public var cpuNanoseconds: Int64
  public var inputRows: Int64
  public var outputRows: Int64
  /// What its scans made of other stages' keys; nil where there were none.
  public var keySources: [KeySourceUse]?

  public init(
    attempt: AttemptID, output: [UInt8]? = nil, error: WaterbearError? = nil, lostInput: AttemptID? = nil,
    peakMemoryBytes: Int64 = 0, cpuNanoseconds: Int64 = 0, inputRows: Int64 = 0, outputRows: Int64 = 0
  ) {
    self.attempt = attempt
    self.output = output
    self.error = error
    self.lostInput = lostInput
    self.peakMemoryBytes = peakMemoryBytes
    self.cpuNanoseconds = cpuNanoseconds
    self.inputRows = inputRows
    self.outputRows = outputRows
  }
}

/// What a scan made of the keys that another stage has left.
public struct KeySourceUse: Codable, Sendable, Hashable {
  public var stage: Int
  public var column: String
  /// How many; nil where there were too many to be of use, so that the scan read everything.
  public var keys: Int?

  public init(stage: Int, column: String, keys: Int?) {
    self.stage = stage
    self.column = column
    self.keys = keys
  }
}

/// Coordinator to worker: the report is durable, or of no interest any more.
public struct AcknowledgeReport: WireMessage {
  public static let name = "acknowledge-report"
  public var attempt: AttemptID

  public init(attempt: AttemptID) { self.attempt = attempt }
}

/// Worker to coordinator, at a fixed rhythm: it is alive.
public struct Heartbeat: WireMessage {
  public static let name = "heartbeat"
  public var residentBytes: Int64
  /// Bytes per second that each base directory of the spool took lately, by directory.
  public var spoolRates: [String: Double]?
  /// What the running attempts hold.
  public var held: [HeldMemory]?
  /// Bytes that attempts hold which were given up, but whose threads have not come back from a call on a disk.
  public var stuckBytes: Int64?

  public init(
    residentBytes: Int64, spoolRates: [String: Double]? = nil, held: [HeldMemory]? = nil, stuckBytes: Int64? = nil
  ) {
    self.residentBytes = residentBytes
    self.spoolRates = spoolRates
    self.held = held
    self.stuckBytes = stuckBytes
  }
}

/// The memory that a running attempt has accounted for.
public struct HeldMemory: Codable, Sendable {
  public var attempt: AttemptID
  public var bytes: Int64

  public init(attempt: AttemptID, bytes: Int64) {
    self.attempt = attempt
    self.bytes = bytes
  }
}

/// Worker to coordinator: a base directory of the spool did not take a file.
public struct SpoolFaultReport: WireMessage {
  public static let name = "spool-fault"
  public var directory: String
  public var reason: String
  /// The disk or a quota is full.
  public var isFull: Bool
  /// Bytes that the file had when it failed.
  public var fileBytes: Int
  /// The directory does not answer the worker, which asks nothing more of it until it is said to answer again.
  public var isSilent: Bool?
  /// A call on it has not returned in time, rather than none having been made.
  public var isOverdue: Bool?
  /// When that call began, in nanoseconds of the machine's monotonic clock; nil where it is not known.
  public var callBeganNanoseconds: Int64?

  public init(
    directory: String, reason: String, isFull: Bool, fileBytes: Int, isSilent: Bool? = nil, isOverdue: Bool? = nil,
    callBeganNanoseconds: Int64? = nil
  ) {
    self.callBeganNanoseconds = callBeganNanoseconds
    self.directory = directory
    self.reason = reason
    self.isFull = isFull
    self.fileBytes = fileBytes
    self.isSilent = isSilent
    self.isOverdue = isOverdue
  }
}

/// Coordinator to worker, after its registration and at each change: which base directories to avoid. All others work.
public struct SpoolStates: WireMessage, Equatable {
  public static let name = "spool-states"
  public var setAside: [String]
  /// Those of them that do not answer. Whoever has found so asks nothing of one until it is missing here.
  public var silent: [String]?

  public init(setAside: [String], silent: [String]? = nil) {
    self.setAside = setAside
    self.silent = silent
  }
}

/// Worker to coordinator: it takes no further attempts and leaves when the running ones have ended.
public struct DrainWorker: WireMessage {
  public static let name = "drain-worker"

  public init() {}
}
