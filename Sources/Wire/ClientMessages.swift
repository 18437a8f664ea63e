// Owns the requests of clients and their answers. Each request is a frame with a number; the answer repeats it and is
// the named message or a `Refusal`.

import Base

/// Starts a query. Answer: `Submitted`.
public struct SubmitQuery: WireMessage {
  public static let name = "submit-query"
  /// Chosen by the client; a second submission with the same text and nonce gives the first one's query.
  public var nonce: String
  public var sql: String
  public var catalog: String?
  public var schema: String?
  public var session: [String: String]
  /// Whether the client will ask for rows or wait: the query then ends when it has done neither for
  /// `query.client.timeout`. Nil as false.
  public var isAwaited: Bool?
  /// Whether the result is of no use to the client where two of its columns have one name. Nil as false.
  public var needsDistinctNames: Bool?

  public init(
    nonce: String, sql: String, catalog: String?, schema: String?, session: [String: String], isAwaited: Bool? = nil,
    needsDistinctNames: Bool? = nil
  ) {
    self.needsDistinctNames = needsDistinctNames
    self.isAwaited = isAwaited
    self.nonce = nonce
    self.sql = sql
    self.catalog = catalog
    self.schema = schema
    self.session = session
  }
}

/// Answers `SubmitQuery` once the query is durable.
public struct Submitted: WireMessage {
  public static let name = "submitted"
  public var query: QueryID

  public init(query: QueryID) { self.query = query }
}

/// A query's life, as Trino names it.
public enum QueryState: String, Codable, Sendable {
  case queued = "QUEUED"
  case planning = "PLANNING"
  case running = "RUNNING"
  case finished = "FINISHED"
  case failed = "FAILED"

  /// Whether nothing changes any more.
  public var isEnd: Bool { self == .finished || self == .failed }
}

/// Where a client stands in a result: the next page it wants.
public struct ResultPosition: Codable, Hashable, Sendable {
  public var task: Int
  public var page: Int

  public init(task: Int = 0, page: Int = 0) {
    self.task = task
    self.page = page
  }
}

/// Asks for the page at a position; waits up to `waitMilliseconds` for it. Answer: `ResultPage`.
public struct FetchResult: WireMessage {
  public static let name = "fetch-result"
  public var query: QueryID
  public var position: ResultPosition
  public var waitMilliseconds: Int

  public init(query: QueryID, position: ResultPosition, waitMilliseconds: Int) {
    self.query = query
    self.position = position
    self.waitMilliseconds = waitMilliseconds
  }
}

/// A column of a result; the type in the spelling of `DataType`'s encoding.
public struct ResultColumn: Codable, Sendable {
  public var name: String
  /// An encoded `DataType`.
  public var type: [UInt8]

  public init(name: String, type: [UInt8]) {
    self.name = name
    self.type = type
  }
}

/// A page of rows in the attachment (none when there is no page yet), and how the query stands.
public struct ResultPage: WireMessage {
  public static let name = "result-page"
  public var status: QueryStatus
  /// Nil until the query has been planned.
  public var columns: [ResultColumn]?
  /// Where to go on.
  public var next: ResultPosition
  /// Whether everything has been delivered.
  public var isLast: Bool

  public init(status: QueryStatus, columns: [ResultColumn]?, next: ResultPosition, isLast: Bool) {
    self.status = status
    self.columns = columns
    self.next = next
    self.isLast = isLast
  }
}

/// Waits up to `waitMilliseconds` for a query's end. Answer: `QueryStatus`.
public struct WaitForQuery: WireMessage {
  public static let name = "wait-for-query"
  public var query: QueryID
  public var waitMilliseconds: Int

  public init(query: QueryID, waitMilliseconds: Int) {
    self.query = query
    self.waitMilliseconds = waitMilliseconds
  }
}

/// How a query stands.
public struct QueryStatus: WireMessage {
  public static let name = "query-status"
  public var query: QueryID
  public var state: QueryState
  public var error: WaterbearError?
  /// By stage number.
  public var stages: [StageProgress]
  public var elapsedMicroseconds: Int64
  public var retriedAttempts: Int
  /// What the query did to a table, such as `CREATE TABLE`, for as long as it lives; nil for one that only reads.
  public var updateType: String?

  public init(
    query: QueryID, state: QueryState, error: WaterbearError?, stages: [StageProgress],
    elapsedMicroseconds: Int64, retriedAttempts: Int, updateType: String? = nil
  ) {
    self.updateType = updateType
    self.query = query
    self.state = state
    self.error = error
    self.stages = stages
    self.elapsedMicroseconds = elapsedMicroseconds
    self.retriedAttempts = retriedAttempts
  }
}

/// A stage in numbers.
public struct StageProgress: Codable, Sendable {
  public var number: Int
  /// `PLANNED`, `RUNNING`, `FINISHED` or `FAILED`.
  public var state: String
  public var totalTasks: Int
  public var runningTasks: Int
  public var finishedTasks: Int
  /// Attempts beyond the first of each task.
  public var retries: Int
  public var outputRows: Int64
  public var outputBytes: Int64

  public init(
    number: Int, state: String, totalTasks: Int, runningTasks: Int, finishedTasks: Int, retries: Int,
    outputRows: Int64, outputBytes: Int64
  ) {
    self.number = number
    self.state = state
    self.totalTasks = totalTasks
    self.runningTasks = runningTasks
    self.finishedTasks = finishedTasks
    self.retries = retries
    self.outputRows = outputRows
    self.outputBytes = outputBytes
  }
}

/// Lists queries, newest first. Answer: `QueryList`.
public struct ListQueries: WireMessage {
  public static let name = "list-queries"
  public var limit: Int

  public init(limit: Int) { self.limit = limit }
}

/// Answers `ListQueries`, newest first.
public struct QueryList: WireMessage {
  public static let name = "query-list"
  public var queries: [QuerySummary]

  public init(queries: [QuerySummary]) { self.queries = queries }
}

/// One query in a list.
public struct QuerySummary: Codable, Sendable {
  public var query: QueryID
  public var state: QueryState
  public var user: String
  public var sql: String
  /// Microseconds since 1970.
  public var createdMicroseconds: Int64
  public var endedMicroseconds: Int64?
  public var errorCode: String?

  public init(
    query: QueryID, state: QueryState, user: String, sql: String, createdMicroseconds: Int64,
    endedMicroseconds: Int64?, errorCode: String?
  ) {
    self.query = query
    self.state = state
    self.user = user
    self.sql = sql
    self.createdMicroseconds = createdMicroseconds
    self.endedMicroseconds = endedMicroseconds
    self.errorCode = errorCode
  }
}

/// Everything about one query. Answer: `QueryDetail`.
public struct ShowQuery: WireMessage {
  public static let name = "show-query"
  public var query: QueryID

  public init(query: QueryID) { self.query = query }
}

/// Answers `ShowQuery`.
public struct QueryDetail: WireMessage {
  public static let name = "query-detail"
  public var summary: QuerySummary
  public var status: QueryStatus
  public var retryPolicy: String
  public var attempts: [AttemptDetail]
  /// What was decided about the plan while the query ran, in that order.
  public var decisions: [DecisionDetail]?

  public init(
    summary: QuerySummary, status: QueryStatus, retryPolicy: String, attempts: [AttemptDetail],
    decisions: [DecisionDetail]? = nil
  ) {
    self.decisions = decisions
    self.summary = summary
    self.status = status
    self.retryPolicy = retryPolicy
    self.attempts = attempts
  }
}

/// Something that was decided about a query's plan while it ran.
public struct DecisionDetail: Codable, Sendable {
  public var stage: Int
  /// `STAGE_SKIPPED`, `STAGE_RESUMED`, `JOIN_SIDES_SWAPPED`, `JOIN_MADE_BROADCAST`, `JOIN_MADE_PARTITIONED`,
  /// `PARTITIONS_RAISED`, `KEYS_PUSHED_INTO_SCAN`, `KEYS_GIVEN_UP` or `TASK_DIVIDED`.
  public var kind: String
  public var reason: String
  /// Microseconds since 1970.
  public var madeMicroseconds: Int64

  public init(stage: Int, kind: String, reason: String, madeMicroseconds: Int64) {
    self.stage = stage
    self.kind = kind
    self.reason = reason
    self.madeMicroseconds = madeMicroseconds
  }
}

/// One run of a task. While the query lives, `isSelected` tells which attempt counts.
public struct AttemptDetail: Codable, Sendable {
  public var stage: Int
  public var partition: Int
  public var number: Int
  public var worker: String
  /// `RUNNING`, `FINISHED`, `FAILED`, `LOST` (its worker died) or `ABORTED`.
  public var state: String
  public var isSelected: Bool
  public var startedMicroseconds: Int64
  public var endedMicroseconds: Int64?
  public var errorCode: String?
  public var errorMessage: String?

  public init(
    stage: Int, partition: Int, number: Int, worker: String, state: String, isSelected: Bool,
    startedMicroseconds: Int64, endedMicroseconds: Int64?, errorCode: String?, errorMessage: String?
  ) {
    self.stage = stage
    self.partition = partition
    self.number = number
    self.worker = worker
    self.state = state
    self.isSelected = isSelected
    self.startedMicroseconds = startedMicroseconds
    self.endedMicroseconds = endedMicroseconds
    self.errorCode = errorCode
    self.errorMessage = errorMessage
  }
}

/// Ends a query with USER_CANCELED. Answer: `QueryStatus`.
public struct CancelQuery: WireMessage {
  public static let name = "cancel-query"
  public var query: QueryID

  public init(query: QueryID) { self.query = query }
}

/// Answer: `WorkerList`.
public struct ListWorkers: WireMessage {
  public static let name = "list-workers"

  public init() {}
}

/// Answers `ListWorkers`.
public struct WorkerList: WireMessage {
  public static let name = "worker-list"
  public var workers: [WorkerDetail]

  public init(workers: [WorkerDetail]) { self.workers = workers }
}

/// One worker process as the coordinator sees it.
public struct WorkerDetail: Codable, Sendable {
  public var number: Int
  public var pid: Int32
  /// `ACTIVE`, `DRAINING` or `SILENT`.
  public var state: String
  public var slots: Int
  public var running: [String]
  public var memoryBytes: Int64
  public var residentBytes: Int64
  public var uptimeMicroseconds: Int64

  public init(
    number: Int, pid: Int32, state: String, slots: Int, running: [String], memoryBytes: Int64,
    residentBytes: Int64, uptimeMicroseconds: Int64
  ) {
    self.number = number
    self.pid = pid
    self.state = state
    self.slots = slots
    self.running = running
    self.memoryBytes = memoryBytes
    self.residentBytes = residentBytes
    self.uptimeMicroseconds = uptimeMicroseconds
  }
}

/// Answer: `DaemonStatus`.
public struct AskStatus: WireMessage {
  public static let name = "ask-status"

  public init() {}
}

/// Answers `AskStatus`.
public struct DaemonStatus: WireMessage {
  public static let name = "daemon-status"
  public var build: String
  /// The coordinator's process, and how long it has run.
  public var pid: Int32
  public var uptimeMicroseconds: Int64
  /// The daemon's own process, the supervisor, which lives longer than a coordinator, and how long it has run.
  public var supervisorPid: Int32?
  public var supervisorUptimeMicroseconds: Int64?
  public var workers: Int
  public var runningQueries: Int
  public var dataDirectory: String
  public var logPath: String
  public var spoolDirectories: [String]
  /// Every setting in force, as `waterbearctl config` prints them.
  public var settings: [SettingValue]
  /// How each of the spool's directories fares.
  public var spool: [SpoolStatus]?

  public init(
    build: String, pid: Int32, uptimeMicroseconds: Int64, supervisorPid: Int32? = nil,
    supervisorUptimeMicroseconds: Int64? = nil, workers: Int, runningQueries: Int,
    dataDirectory: String, logPath: String, spoolDirectories: [String], settings: [SettingValue],
    spool: [SpoolStatus]? = nil
  ) {
    self.spool = spool
    self.build = build
    self.pid = pid
    self.uptimeMicroseconds = uptimeMicroseconds
    self.supervisorPid = supervisorPid
    self.supervisorUptimeMicroseconds = supervisorUptimeMicroseconds
    self.workers = workers
    self.runningQueries = runningQueries
    self.dataDirectory = dataDirectory
    self.logPath = logPath
    self.spoolDirectories = spoolDirectories
    self.settings = settings
  }
}

/// A base directory of the spool.
public struct SpoolStatus: Codable, Sendable {
  public var directory: String
  /// It failed, gets no files, and is tried again and again.
  public var isSetAside: Bool
  /// Why it is set aside.
  public var reason: String?
  /// For how long it has been set aside.
  public var sinceMicroseconds: Int64?
  /// Of its file system; nil where it cannot be asked.
  public var totalBytes: Int64?
  public var freeBytes: Int64?
  /// How long ago it said so.
  public var roomAgeMicroseconds: Int64?
  /// What it took lately from one worker, on average; nil where too little was written to say.
  public var bytesPerSecond: Double?

  public init(
    directory: String, isSetAside: Bool, reason: String?, sinceMicroseconds: Int64?, totalBytes: Int64?,
    freeBytes: Int64?, roomAgeMicroseconds: Int64? = nil, bytesPerSecond: Double?
  ) {
    self.directory = directory
    self.isSetAside = isSetAside
    self.reason = reason
    self.sinceMicroseconds = sinceMicroseconds
    self.totalBytes = totalBytes
    self.freeBytes = freeBytes
    self.roomAgeMicroseconds = roomAgeMicroseconds
    self.bytesPerSecond = bytesPerSecond
  }
}

/// A setting in force.
public struct SettingValue: Codable, Sendable {
  public var key: String
  public var value: String
  public var isDefault: Bool
  public var meaning: String

  public init(key: String, value: String, isDefault: Bool, meaning: String) {
    self.key = key
    self.value = value
    self.isDefault = isDefault
    self.meaning = meaning
  }
}

/// Says that a result has been taken over and may go. Without it a result goes when it expires. Answer: `QueryStatus`.
public struct ReleaseResult: WireMessage {
  public static let name = "release-result"
  public var query: QueryID

  public init(query: QueryID) { self.query = query }
}
