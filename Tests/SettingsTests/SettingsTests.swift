// Tests of reading an `etc` directory: values, defaults that follow from the machine, and every refusal.
import Base
import Foundation
import TemporaryDirectories
import Testing

@testable import Settings

/// A machine that no test depends on being real.
let machine = SettingsEnvironment(
  cores: 4, memory: .gigabytes(16), dataDirectory: "/data", variables: ["SPOOL": "/fast", "EMPTY": ""])

/// Makes an `etc` directory with these files, runs the body, and removes it.
func withEtc<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  try FileManager.default.createDirectory(atPath: directory + "/catalog", withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }  // A left-over directory fails no test.
  for (name, text) in files {
    try text.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
  }
  return try body(directory)
}

/// Loads these files for the test machine.
func load(_ files: [String: String]) throws -> Settings {
  try withEtc(files) { try Settings.load(directory: $0, environment: machine) }
}

/// The message with which loading one config.properties fails, without the directory.
func refusal(config: String) throws -> String {
  try withEtc(["config.properties": config]) { directory in
    let error = #expect(throws: WaterbearError.self) {
      try Settings.load(directory: directory, environment: machine)
    }
    #expect(error?.code == .configurationInvalid)
    #expect(error?.remedy != nil)
    return error?.message.replacingOccurrences(of: directory + "/", with: "") ?? ""
  }
}

@Suite struct SettingsTests {
  @Test func missingFilesLeaveTheDefaults() throws {
    let settings = try Settings.load(directory: "/nonexistent/etc", environment: machine)
    #expect(settings[.retryPolicy] == .task)
    #expect(settings[.taskRetryAttemptsPerTask] == 4)
    #expect(settings[.retryInitialDelay] == .milliseconds(200))
    #expect(settings[.exchangeBaseDirectories].map(\.path) == ["/data/spool"])
    #expect(settings.catalogs.isEmpty)
  }

  /// Trino's users write addresses; each kind of those that cannot be used is refused for its own reason.
  @Test(arguments: [
    ("s3://bucket/x", "'s3://bucket/x' has the scheme s3"), ("/a,HDFS://n/x", "'HDFS://n/x' has the scheme HDFS"),
    ("file://host/x", "has the host 'host'"), ("file:/x", "write file:///PATH"),
    ("/a, spool", "'spool' is not absolute"), ("./a:b", "'./a:b' is not absolute"),
    ("/a,file:///a/", "'/a' is named twice"),
    ("file:///a%2", "'file:///a%2' is malformed"), ("/", "'/' is the root directory"),
    ("/b,file:///", "'/' is the root directory"), ("/a,/b/c,/b", "'/b/c' lies in '/b'"),
    ("/a,/a/b", "'/a/b' lies in '/a'"),
  ])
  func spoolDirectoriesThatCannotBeAreRefusedForTheirReason(text: String, reason: String) throws {
    try withEtc(["exchange-manager.properties": "exchange.base-directories=\(text)\n"]) { directory in
      let error = #expect(throws: WaterbearError.self) {
        try Settings.load(directory: directory, environment: machine)
      }
      #expect(error?.message.contains("exchange.base-directories: ") == true)
      #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
  }

  @Test func theDirectoryInMemoryLiesApartFromThoseOnDisk() throws {
    let text = "exchange.base-directories=/a,/b\nwaterbear.spool-memory-directory=/b/c\n"
    try withEtc(["exchange-manager.properties": text]) { directory in
      let error = #expect(throws: WaterbearError.self) {
        try Settings.load(directory: directory, environment: machine)
      }
      #expect(error?.message.contains("waterbear.spool-memory-directory must lie apart") == true)
      #expect(error?.message.contains("'/b/c' lies in '/b'") == true)
    }
  }

  @Test func directoriesWhoseNamesBeginAlikeLieApart() throws {
    let text = "exchange.base-directories=/a,/a-b,/c/a,/a/../d,file:///a:c\n"
    let settings = try load(["exchange-manager.properties": text])
    #expect(settings[.exchangeBaseDirectories].map(\.path) == ["/a", "/a-b", "/c/a", "/a/../d", "/a:c"])
  }

  @Test func valuesOfEveryTypeAreRead() throws {
    let settings = try load([
      "config.properties": """
      retry-policy=query
      retry-policy.allowed = QUERY, NONE
      query-retry-attempts=7
      retry-delay-scale-factor=1.5
      query.min-expire-age=90s
      join-max-broadcast-table-size=64MB
      fault-tolerant-execution.exchange-encryption-enabled=false
      log.level=debug
      """,
      "exchange-manager.properties": "exchange.base-directories=/a, /b/,,file:///c%20d\n",
    ])
    #expect(settings[.retryPolicy] == .query)
    #expect(settings[.allowedRetryPolicies] == [.query, .none])
    #expect(settings[.queryRetryAttempts] == 7)
    #expect(settings[.retryDelayScaleFactor] == 1.5)
    #expect(settings[.queryMinExpireAge] == .seconds(90))
    #expect(settings[.joinMaxBroadcastTableSize] == .megabytes(64))
    #expect(settings[.exchangeEncryptionEnabled] == false)
    #expect(settings[.logLevel] == .debug)
    #expect(settings[.exchangeBaseDirectories].map(\.path) == ["/a", "/b", "/c d"])
  }

  @Test(arguments: [(1, 2, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (12, 2, 6), (16, 2, 8), (32, 4, 8), (64, 8, 8)])
  func workersAndThreadsFollowFromTheCores(cores: Int, workers: Int, threads: Int) {
    let settings = Settings(
      environment: SettingsEnvironment(cores: cores, memory: .gigabytes(16), dataDirectory: "/data"))
    #expect(settings[.workers] == workers)
    #expect(settings[.taskMaxWorkerThreads] == threads)
  }

  @Test func computedDefaultsFollowSettings() throws {
    let settings = try load(["config.properties": "waterbear.workers=4\nwaterbear.worker-memory=2GB\n"])
    #expect(settings[.taskMaxWorkerThreads] == 1)
    // 8/9 of 2GB.
    #expect(settings[.taskMemory].bytes == (2 << 30) / 9 * 8)
  }

  @Test func anUnknownKeyIsReportedWithTheNearest() throws {
    #expect(
      try refusal(config: "# comment\n\nretry-polcy=TASK\n")
        == "config.properties:3: retry-polcy is not a setting; did you mean retry-policy?")
    #expect(try refusal(config: "zzz=1") == "config.properties:1: zzz is not a setting")
  }

  @Test(arguments: [
    ("query-retry-attempts=many", "query-retry-attempts is 'many', but must be integer, at least 0"),
    ("task-retry-attempts-per-task=127", "task-retry-attempts-per-task is '127', but must be 0 to 126"),
    ("retry-initial-delay=5", "retry-initial-delay is '5', but must be duration (such as 10s or 5m)"),
    ("retry-delay-scale-factor=nan", "retry-delay-scale-factor is 'nan', but must be double, at least 1.0"),
    ("retry-policy=TASKS", "retry-policy is 'TASKS', but must be NONE | QUERY | TASK"),
    ("log.level=", "log.level has no value"),
    ("=5", "a key is missing before '='"),
    (
      "exchange-manager.name=filesystem",
      "exchange-manager.name belongs into exchange-manager.properties"
    ),
    ("retry-policy.allowed=NONE", "retry-policy.allowed must contain retry-policy, which is TASK"),
  ])
  func aWrongLineIsNamed(line: String, problem: String) throws {
    #expect(try refusal(config: line) == "config.properties:1: \(problem)")
  }

  /// The default of what is not set gives way, as most of these are accepted where Trino's defaults hold.
  @Test func oneOfTwoThatAreOrderedMaySetTheOther() throws {
    let target = "fault-tolerant-execution-arbitrary-distribution"
    let settings = try load([
      "config.properties": """
      retry-initial-delay=30s
      \(target)-compute-task-target-size-min=4GB
      \(target)-write-task-target-size-max=1MB
      fault-tolerant-execution-max-partition-count=2
      """,
      "exchange-manager.properties": "exchange.sink-max-file-size=1MB\n",
    ])
    #expect(settings[.retryMaxDelay] == .seconds(30))
    #expect(settings[.arbitraryTaskTargetSizeMax] == .gigabytes(4))
    #expect(settings[.writeTaskTargetSizeMin] == .megabytes(1))
    #expect(settings[.minPartitionCount] == 2)
    #expect(settings[.exchangeMaxPageStorageSize] == .megabytes(1))
    #expect(settings.rows.first { $0.setting.name == "retry-max-delay" }?.origin == nil)
  }

  @Test(arguments: [
    ("retry-initial-delay", "30s", "retry-max-delay", "20s"),
    (
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min", "4GB",
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-max", "2GB"
    ),
    (
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-min", "4GB",
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-max", "2GB"
    ),
    ("fault-tolerant-execution-min-partition-count", "9", "fault-tolerant-execution-max-partition-count", "8"),
  ])
  func twoThatAreSetAgainstTheirOrderAreRefused(low: String, _ least: String, high: String, _ most: String) throws {
    #expect(
      try refusal(config: "\(low)=\(least)\n\(high)=\(most)\n")
        == "config.properties:2: \(high) must not be less than \(low), which is \(least)")
  }

  /// Who brings a file of Trino's is told what is instead.
  @Test(arguments: [
    ("fault-tolerant-execution-small-stage-estimation-threshold=20GB", "when all stages that it reads are complete"),
    ("query.max-total-memory=40GB", "query.max-memory, task.max-memory and waterbear.worker-memory bound it"),
    ("query.low-memory-killer.policy=none", "task.low-memory-killer.policy"),
    ("http-server.http.port=8080", "clients reach it over a Unix socket"),
    ("task-retry-attempts-overall=1", "task-retry-attempts-per-task"),
  ])
  func aSettingOfTrinosThatIsNotHereIsRefusedWithItsReason(line: String, reason: String) throws {
    let message = try refusal(config: line)
    let name = line.prefix { $0 != "=" }
    #expect(message.hasPrefix("config.properties:1: \(name) is a setting of Trino's that is not here: "))
    #expect(message.contains(reason), "\(message)")
  }

  @Test func noSettingIsBothHereAndAbsent() {
    for setting in Setting.all { #expect(AbsentSetting.reason(for: setting.name) == nil, "\(setting.name)") }
    for absent in AbsentSetting.all { #expect(!absent.reason.hasSuffix(".") && !absent.names.isEmpty) }
  }

  /// A file that is valid for Trino starts here, and what is of no use counts as the most or least that is.
  @Test func trinosRangesAreTaken() throws {
    _ = try load([
      "config.properties": """
      query.max-run-time=0s
      query.max-memory=1kB
      fault-tolerant-execution-task-memory=0B
      fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min=1B
      fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-growth-period=0
      """,
      "exchange-manager.properties": """
      exchange.sink-buffers-per-partition=1000
      exchange.source-concurrent-readers=100000
      exchange.max-output-partition-count=1000000
      exchange.file-listing-parallelism=5000
      """,
    ])
  }

  @Test func hdfsAsAnExchangeManagerIsRefusedWithTheWayToUseIt() throws {
    let error = #expect(throws: WaterbearError.self) {
      try load(["exchange-manager.properties": "exchange-manager.name=hdfs\n"])
    }
    #expect(error?.message.contains("exchange-manager.name: HDFS is used through a mount") == true)
  }

  @Test func aKeySetTwiceIsRefused() throws {
    #expect(
      try refusal(config: "log.level=INFO\nlog.level=WARN")
        == "config.properties:2: log.level is set twice, first on line 1")
  }

  @Test func allProblemsAreReportedAtOnce() throws {
    let message = try refusal(config: "a-a-a-a-a-a=1\nlog.level=loud\n")
    #expect(message.hasPrefix("2 settings are wrong:\n"))
    #expect(message.contains("config.properties:1:") && message.contains("config.properties:2:"))
  }

  @Test func anUnreadableFileIsNamed() throws {
    try withEtc([:]) { directory in
      try FileManager.default.createDirectory(
        atPath: directory + "/config.properties", withIntermediateDirectories: false)
      let error = #expect(throws: WaterbearError.self) {
        try Settings.load(directory: directory, environment: machine)
      }
      #expect(error?.message.contains("config.properties cannot be read") == true)
    }
  }

  @Test func rowsTellValuesAndOrigins() throws {
    let settings = try load(["config.properties": "\nlog.max-history=3"])
    let row = try #require(settings.rows.first { $0.setting.name == "log.max-history" })
    #expect(row.value == "3")
    #expect(row.origin?.hasSuffix("config.properties:2") == true)
    #expect(settings.rows.first { $0.setting.name == "log.level" }?.origin == nil)
    #expect(settings.rows.allSatisfy { !$0.value.isEmpty })
    #expect(settings.rows.count == Setting.all.count)
  }

  @Test func catalogsAreKeptForTheirConnectors() throws {
    let settings = try load([
      "catalog/tpch.properties": "connector.name=tpch\n",
      "catalog/lake.properties": "connector.name=files\nfiles.root=/lake\n",
      "catalog/README.md": "not a catalog",
    ])
    #expect(settings.catalogs.map(\.name) == ["lake", "tpch"])
    #expect(settings.catalogs[0]["files.root"] == "/lake")
    try settings.catalogs[0].require(keys: ["files.root"])
    let error = #expect(throws: WaterbearError.self) { try settings.catalogs[0].require(keys: ["files.roots"]) }
    #expect(error?.message.contains("lake.properties:2: files.root is not a property of the connector files") == true)
    #expect(error?.message.hasSuffix("did you mean files.roots?") == true)
  }

  @Test(arguments: [
    ("bad", "a=1", "bad.properties: connector.name is missing"),
    ("Bad", "connector.name=tpch", "Bad.properties: a catalog's name may have"),
  ])
  func aWrongCatalogIsRefused(name: String, text: String, problem: String) throws {
    let error = #expect(throws: WaterbearError.self) { try load(["catalog/\(name).properties": text]) }
    #expect(error?.message.contains(problem) == true)
  }

  /// As a service whose slice has MemoryMax= and CPUQuota=, and which itself has none.
  @Test func controlGroupsLimitWhatDefaultsFollowFrom() throws {
    let files = [
      "proc/self/cgroup": "0::/a.slice/w.service\n", "sys/fs/cgroup/a.slice/memory.max": "100000000\n",
      "sys/fs/cgroup/a.slice/cpu.max": "50000 100000\n", "sys/fs/cgroup/a.slice/w.service/memory.max": "max\n",
      "sys/fs/cgroup/a.slice/w.service/cpu.max": "max 100000\n",
    ]
    let root = TemporaryDirectory()
    for (name, text) in files {
      let url = URL(fileURLWithPath: "\(root.path)/\(name)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: false, encoding: .utf8)
    }
    let limited = SettingsEnvironment.current(dataDirectory: "/data", root: root.path)
    #expect(limited.memory.bytes == 100_000_000 && limited.cores == 1)
    let settings = Settings(environment: limited)
    #expect(settings[.workerMemory].bytes == 35_000_000)
    #expect(settings[.memoryReserve].bytes == 5_000_000)
  }

  @Test func thisMachineHasCoresAndMemory() {
    let current = SettingsEnvironment.current(dataDirectory: "/data")
    #expect(current.cores >= 1)
    #expect(current.memory > .megabytes(64))
    #expect(current.variables["PATH"] != nil)
  }
}
