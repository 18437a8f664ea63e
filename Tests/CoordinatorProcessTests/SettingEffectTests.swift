// Tests the way of every setting to where it is obeyed: each is changed alone, and what is made from the settings must
// then differ in the fields that the table here names, and in no other.
import Base
import ConnectorAPI
import LocalRunner
import Planning
import SQLSyntax
import Scheduling
import Settings
import Testing

@testable import CoordinatorProcess
@testable import SupervisorProcess
@testable import WorkerProcess
@testable import Wiring

/// Everything that is made from settings, by who obeys it.
private struct Made {
  // Made from a session.
  var query: QueryDescription
  var planning: PlanningOptions
  var adaptive: AdaptiveOptions?
  var parser: ParserLimits
  var splits: SplitWeights
  var policy: QueryPolicy
  // Made from the installation's settings.
  var scheduler: SchedulerSettings
  var coordinator: CoordinatorPolicy
  var worker: WorkerPolicy
  var exchange: ExchangePolicy
  var spool: SpoolPolicy
  var supervision: SupervisionPolicy
  var log: LogPolicy

  /// What a session cannot change, as fields begin.
  static let installations = ["scheduler.", "coordinator.", "worker.", "exchange.", "spool.", "supervision.", "log."]

  init(_ session: SessionProperties, _ plan: FragmentedPlan) {
    let settings = session.settings
    query = QueryDescription(QueryID("20260101_000000_00001_aaaaa"), plan, session)
    planning = PlanningOptions(session)
    // What SHOW SESSION lists is every session property by definition.
    planning.session = []
    adaptive = AdaptiveOptions(session)
    parser = ParserLimits(session)
    splits = SplitWeights(session)
    policy = QueryPolicy(session)
    scheduler = SchedulerSettings(settings)
    coordinator = CoordinatorPolicy(settings)
    worker = WorkerPolicy(settings)
    exchange = ExchangePolicy(settings)
    spool = SpoolPolicy(settings)
    supervision = SupervisionPolicy(settings)
    log = LogPolicy(settings)
  }

  /// Every field's text, by its path.
  var fields: [String: String] {
    var found: [String: String] = [:]
    Self.collect(self, "", into: &found)
    return found
  }

  private static func collect(_ value: Any, _ path: String, into found: inout [String: String]) {
    let mirror = Mirror(reflecting: value)
    // A time, a size and a text are one value each, whatever is inside.
    if value is any SettingValue || mirror.children.isEmpty {
      found[path] = "\(value)"
    } else if mirror.displayStyle == .optional, let held = mirror.children.first {
      collect(held.value, path, into: &found)
    } else {
      for (index, child) in mirror.children.enumerated() {
        let name = child.label ?? "\(index)"
        collect(child.value, path.isEmpty ? name : "\(path).\(name)", into: &found)
      }
    }
  }
}

@Suite struct SettingEffectTests {
  /// A setting, another value than the one it has in `base`, and the fields that follow it.
  struct Effect: Sendable, CustomStringConvertible {
    var name: String
    var value: String
    var fields: [String]
    var description: String { name }

    init(_ name: String, _ value: String, _ fields: String...) {
      self.name = name
      self.value = value
      self.fields = fields
    }
  }

  private static let fte = "fault-tolerant-execution"
  private static let compute = "\(fte)-arbitrary-distribution-compute-task-target-size"
  private static let write = "\(fte)-arbitrary-distribution-write-task-target-size"
  private static let hash = "\(fte)-hash-distribution"
  private static let reordering = "\(fte)-adaptive-join-reordering"
  private static let partitioning = "\(fte)-runtime-adaptive-partitioning"

  static let effects =
    retries + queries + memory + tasks + sizes + plans + exchange + spool + daemon

  private static let retries = [
    Effect("retry-policy", "NONE", "query.retryPolicy", "planning.retries"),
    Effect("query-retry-attempts", "7", "query.limits.queryRetryAttempts"),
    Effect("task-retry-attempts-per-task", "7", "query.limits.taskRetryAttempts"),
    Effect("retry-initial-delay", "1s", "query.limits.initialDelay", "coordinator.initialDelay"),
    Effect("retry-max-delay", "77s", "query.limits.maxDelay", "coordinator.maxDelay"),
    Effect("retry-delay-scale-factor", "3.5", "query.limits.delayScaleFactor", "coordinator.delayScaleFactor"),
    Effect(
      "query.remote-task.max-error-duration", "2s", "scheduler.workerTimeout", "worker.signsOfLife",
      "coordinator.signsOfLife"),
  ]
  private static let queries = [
    Effect("query.max-stage-count", "77", "planning.stageCountMax", "adaptive.stageCountMax"),
    Effect("query.max-length", "77", "parser.maximumLength", "coordinator.requestBytesMax"),
    Effect("query.max-history", "7", "coordinator.historyMax"),
    Effect("query.min-expire-age", "7s", "coordinator.resultAge"),
    Effect("query.max-planning-time", "7s", "policy.planningTime"),
    Effect("query.max-run-time", "7s", "query.timeLimits.run"),
    Effect("query.max-execution-time", "7s", "query.timeLimits.execution"),
    Effect("query.max-queued-time", "7s", "query.timeLimits.queued"),
    Effect("query.client.timeout", "7s", "coordinator.clientPatience"),
    Effect("join-distribution-type", "BROADCAST", "planning.joinDistribution", "adaptive.mayDistribute"),
    Effect("join-max-broadcast-table-size", "7MB", "planning.broadcastBytesMax", "adaptive.broadcastBytesMax"),
  ]
  private static let memory = [
    Effect("waterbear.workers", "7", "planning.taskSlots", "coordinator.workers", "supervision.workerCount"),
    Effect("task.max-worker-threads", "7", "planning.taskSlots", "worker.slots"),
    Effect("waterbear.worker-memory", "777MB", "worker.memoryBytes"),
    Effect("query.max-memory", "777MB", "query.memory.queryMemoryMax"),
    Effect("task.max-memory", "777MB", "query.memory.taskMemoryMax"),
    Effect("waterbear.memory-reserve", "7MB", "coordinator.memoryReserve"),
    Effect("task.low-memory-killer.policy", "none", "coordinator.lowMemoryKiller"),
    Effect(
      "\(fte).memory-requirement-increase-on-worker-crash-enabled", "false", "coordinator.suspectsMemory"),
    Effect("\(fte)-task-memory", "77MB", "query.memory.taskMemory"),
    Effect("\(fte)-task-memory-growth-factor", "7", "query.memory.growthFactor"),
    Effect("\(fte)-task-memory-estimation-quantile", "0.7", "query.memory.estimationQuantile"),
    // Of the two stages of the query that writes, the one that collects what was written.
    Effect("\(fte)-coordinator-task-memory", "77MB", "query.stages.0.memoryEstimate"),
    Effect("\(fte)-task-runtime-memory-estimation-overhead", "7MB", "scheduler.taskMemoryOverhead"),
  ]
  private static let tasks = [
    Effect("max-tasks-waiting-for-node-per-query", "7", "query.sizing.tasksWaitingForNodeMax"),
    Effect("max-tasks-waiting-for-execution-per-query", "7", "query.sizing.tasksWaitingForExecutionMax"),
    Effect("\(fte)-standard-split-size", "7MB", "splits.standard"),
    Effect("\(fte)-max-task-split-count", "7", "query.sizing.maxSplitsPerTask"),
    Effect("\(hash)-compute-task-to-node-min-ratio", "7", "query.sizing.hashTasksPerSlot"),
    Effect("\(hash)-write-task-to-node-min-ratio", "7", "query.sizing.hashWriteTasksPerSlot"),
    Effect("\(hash)-write-task-target-max-count", "7", "query.sizing.hashWriteTaskMaxCount"),
    Effect("\(fte)-max-partition-count", "40", "planning.partitionCount", "adaptive.partitionCount"),
    Effect("\(fte)-min-partition-count", "7", "planning.partitionCountMin"),
    Effect("\(fte)-min-partition-count-for-write", "7", "planning.partitionCountMinForWrite"),
    Effect("\(fte)-task-descriptor-storage-max-memory", "7MB", "coordinator.splitBytesMax"),
  ]
  private static let sizes = [
    Effect("\(compute)-min", "7MB", "query.sizing.compute.minimum", "planning.taskInputBytes"),
    Effect("\(compute)-max", "777MB", "query.sizing.compute.maximum"),
    Effect("\(compute)-growth-period", "7", "query.sizing.compute.growthPeriod"),
    Effect("\(compute)-growth-factor", "7", "query.sizing.compute.growthFactor"),
    Effect("\(hash)-compute-task-target-size", "7MB", "query.sizing.hashTaskTargetSize"),
    Effect("\(write)-min", "7MB", "query.sizing.write.minimum"),
    Effect("\(write)-max", "777MB", "query.sizing.write.maximum"),
    Effect("\(write)-growth-period", "7", "query.sizing.write.growthPeriod"),
    Effect("\(write)-growth-factor", "7", "query.sizing.write.growthFactor"),
    Effect("\(hash)-write-task-target-size", "7MB", "query.sizing.hashWriteTaskTargetSize"),
  ]
  private static let plans = [
    Effect("\(fte)-adaptive-query-planning-enabled", "false", "adaptive"),
    Effect("\(reordering)-enabled", "false", "adaptive.mayReorder"),
    Effect("\(reordering)-size-difference-ratio", "7", "adaptive.sizeDifferenceRatio"),
    Effect("\(reordering)-min-size-threshold", "7MB", "adaptive.minSizeThreshold"),
    Effect("\(partitioning)-enabled", "false", "adaptive.partitioning"),
    Effect("\(partitioning)-partition-count", "77", "adaptive.partitioning.count"),
    Effect("\(partitioning)-max-task-size", "77MB", "adaptive.partitioning.taskBytesMax"),
  ]
  private static let exchange = [
    Effect("exchange.deduplication-buffer-size", "7MB", "query.resultBytesMax"),
    Effect("exchange.compression-codec", "ZSTD", "policy.compressionCodec"),
    Effect("\(fte).exchange-encryption-enabled", "false", "policy.encryption"),
    Effect("exchange-manager.name", "filesystem", "policy.hasExchangeManager", "query.resultBytesMax"),
    Effect(
      "exchange.max-output-partition-count", "7", "policy.outputPartitionsMax", "adaptive.partitionCount",
      "adaptive.partitioning.count"),
    Effect("exchange.max-page-storage-size", "7MB", "exchange.pageBytesMax"),
    Effect("exchange.sink-max-file-size", "7GB", "exchange.fileBytesMax"),
    Effect("exchange.sink-buffer-pool-min-size", "7", "exchange.sinkPoolMinimum"),
    Effect("exchange.sink-buffers-per-partition", "7", "exchange.sinkBuffersPerPartition"),
    Effect("exchange.source-concurrent-readers", "7", "exchange.readers"),
    Effect("exchange.source-max-files-per-reader", "7", "exchange.filesPerReader"),
    Effect("exchange.source-handle-target-data-size", "7MB", "exchange.bytesPerReader"),
  ]
  private static let spool = [
    Effect("exchange.base-directories", "/other", "spool.paths"),
    Effect("exchange.file-listing-parallelism", "7", "spool.parallelism"),
    Effect("waterbear.spool-memory-directory", "/memory", "spool.memoryPath"),
    Effect("waterbear.spool-memory-size", "7MB", "spool.memoryBytesMax"),
    Effect("waterbear.spool-call-timeout", "7s", "spool.callLimit"),
    Effect("waterbear.max-spool-wait", "7s", "scheduler.spoolWait", "coordinator.spoolWait"),
  ]
  private static let daemon = [
    Effect("waterbear.drain-timeout", "7s", "supervision.drainTime"),
    Effect("waterbear.hang-timeout", "2s", "supervision.hangTime", "worker.signsOfLife", "coordinator.signsOfLife"),
    Effect("waterbear.start-timeout", "7s", "supervision.startTime"),
    Effect("log.level", "DEBUG", "log.level"),
    Effect("log.max-size", "7MB", "log.fileBytesMax"),
    Effect("log.max-history", "7", "log.filesKept"),
  ]

  /// Settings from which nothing is made, with what they do and the test that shows it.
  static let exempt = [
    "retry-policy.allowed":
      "refuses session properties: SessionPropertiesTests.onlyAllowedRetryPoliciesMayBeChosen"
  ]

  /// Every setting is set, so that none follows another; and so that what follows from one shows.
  private static let base: [String: String] = {
    let machine = SettingsEnvironment(cores: 4, memory: .gigabytes(16), dataDirectory: "/data")
    var texts: [String: String] = [:]
    for row in Settings(environment: machine).rows { texts[row.setting.name] = row.value }
    texts["retry-policy"] = "QUERY"
    texts["exchange-manager.name"] = "none"
    texts["\(partitioning)-enabled"] = "true"
    return texts
  }()

  private static let plan = {
    let tables = MemoryTables(
      catalog: "memory", tables: ["t": MemoryTable([("k", .bigint)], rows: [[.integer(1)]])])
    return Result {
      try LocalRunner(Catalogs(["memory": tables])).plan(
        "CREATE TABLE memory.default.copy AS SELECT * FROM memory.default.t")
    }
  }()

  private static func settings(_ changed: [String: String] = [:]) throws -> Settings {
    try Settings.load(
      directory: "/nonexistent", environment: SettingsEnvironment(cores: 1, memory: .gigabytes(1), dataDirectory: "/"),
      overrides: base.merging(changed) { $1 })
  }

  /// The fields that differ from those that the base settings make.
  private static func changes(in session: SessionProperties) throws -> Set<String> {
    let before = Made(SessionProperties(try settings()), try plan.get()).fields
    let after = Made(session, try plan.get()).fields
    return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
  }

  /// Each field that has changed is one of those named, or within one of them, and each of those has changed.
  private static func difference(_ changed: Set<String>, _ expected: [String]) -> String {
    let unexpected = changed.filter { path in !expected.contains { path == $0 || path.hasPrefix($0 + ".") } }
    let missing = expected.filter { name in !changed.contains { $0 == name || $0.hasPrefix(name + ".") } }
    return unexpected.sorted().map { "\($0) changes too" }.joined(separator: ", ")
      + missing.map { "\($0) stays as it is" }.joined(separator: ", ")
  }

  @Test(arguments: effects) func aSettingChangesWhatItIsFor(effect: Effect) throws {
    let settings = try Self.settings([effect.name: effect.value])
    let changed = try Self.changes(in: SessionProperties(settings))
    #expect(Self.difference(changed, effect.fields) == "", "\(effect.name)")
  }

  private static let properties = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.name, $0.sessionProperty) })

  @Test(arguments: effects.filter { properties[$0.name] != .some(nil) })
  func aSessionPropertyChangesTheSameForItsQuery(effect: Effect) throws {
    let property = try #require(Self.properties[effect.name] ?? nil)
    let session = try SessionProperties(Self.settings(), given: [property: effect.value])
    let expected = effect.fields.filter { field in !Made.installations.contains { field.hasPrefix($0) } }
    #expect(Self.difference(try Self.changes(in: session), expected) == "", "\(effect.name)")
  }

  /// Trino takes such values, so they are taken here, too.
  @Test func whatIsBeyondUseCountsAsTheMostOrLeastThatIsNot() throws {
    let settings = try Self.settings([
      "exchange.sink-buffer-pool-min-size": "100000", "exchange.sink-buffers-per-partition": "100000",
      "exchange.source-concurrent-readers": "100000", "exchange.source-max-files-per-reader": "100000",
      "exchange.source-handle-target-data-size": "0B", "exchange.file-listing-parallelism": "100000",
      "query.max-memory": "0B", "task.max-memory": "1kB", "\(Self.fte)-task-memory": "0B",
      "\(Self.fte)-coordinator-task-memory": "0B", "\(Self.compute)-min": "0B",
    ])
    let made = Made(SessionProperties(settings), try Self.plan.get())
    let exchange = made.exchange
    #expect(exchange.sinkPoolMinimum == 4096 && exchange.sinkBuffersPerPartition == 64)
    #expect(exchange.readers == 256 && exchange.filesPerReader == 10_000 && exchange.bytesPerReader == 1)
    #expect(made.spool.parallelism == 1000)
    let memory = made.query.memory
    #expect(memory.queryMemoryMax == 1 << 20 && memory.taskMemoryMax == 1 << 20 && memory.taskMemory == 1 << 20)
    #expect(made.query.stages[0].memoryEstimate == 1 << 20)
    #expect(made.planning.taskInputBytes == 1)
  }

  @Test func everySettingHasItsLine() {
    let names = Self.effects.map(\.name) + Self.exempt.keys
    #expect(names.sorted() == Setting.all.map(\.name).sorted())
  }

  @Test func everyPolicyFieldFollowsASetting() throws {
    let fields = Set(Self.effects.flatMap(\.fields))
    let made = Made(SessionProperties(try Self.settings()), try Self.plan.get()).fields.keys
    let policies = made.filter { path in
      (Made.installations + ["policy.", "splits."]).contains { path.hasPrefix($0) }
    }
    let unmoved = policies.filter { path in !fields.contains { path == $0 || path.hasPrefix($0 + ".") } }
    #expect(
      unmoved.sorted() == [
        "scheduler.plantedBug", "supervision.delayAfterKillMax", "supervision.delayInitial", "supervision.delayMax",
        "supervision.lingerTime", "supervision.soon",
      ])
  }
}
