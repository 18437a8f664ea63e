// Owns the settings that Trino knows and that are not here, each with its reason: for who brings a file of Trino's.

/// Settings of Trino's that share the reason why they are not here.
struct AbsentSetting: Sendable {
  /// Names; one that ends in `*` stands for all that begin with what comes before.
  let names: [String]
  /// What is instead, or why nothing is; no sentence's end.
  let reason: String

  init(_ reason: String, _ names: String...) {
    self.names = names
    self.reason = reason
  }

  /// Why a setting of this name, or a session property, is not here; nil where Trino has none of that name either, as
  /// far as is known.
  static func reason(for name: String) -> String? {
    let asked = property(name)
    return all.first { $0.names.contains { matches(property($0), asked) } }?.reason
  }

  private static func matches(_ pattern: String, _ name: String) -> Bool {
    pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
  }

  private static func property(_ name: String) -> String {
    String(name.map { $0 == "-" || $0 == "." ? "_" : $0 })
  }

  static let all: [AbsentSetting] = tasks + memory + exchange + machines

  private static let tasks = [
    AbsentSetting(
      "the tasks of a stage start when all stages that it reads are complete, so nothing is started on an estimate; "
        + "with its exchange on file systems Trino does the same",
      "fault-tolerant-execution-min-source-stage-progress", "fault-tolerant-execution-small-stage-*",
      "fault-tolerant-execution-stage-estimation-for-eager-parent-enabled",
      "fault-tolerant-execution-eager-speculative-tasks-*"),
    AbsentSetting(
      "descriptions of splits are not compressed; those beyond "
        + "fault-tolerant-execution-task-descriptor-storage-max-memory are read from the task store",
      "fault-tolerant-execution-task-descriptor-storage-high-water-mark",
      "fault-tolerant-execution-task-descriptor-storage-low-water-mark"),
    AbsentSetting(
      "in Trino it is called fault-tolerant-execution-max-partition-count now, and so it is here",
      "fault-tolerant-execution-partition-count"),
    AbsentSetting(
      "in Trino it is called max-tasks-waiting-for-node-per-query now, and so it is here",
      "max-tasks-waiting-for-node-per-stage"),
    AbsentSetting(
      "task-retry-attempts-per-task limits the retries; Trino has dropped it, too",
      "task-retry-attempts-overall"),
    AbsentSetting(
      "an order names all splits of a task in one message over a local socket",
      "query.remote-task.enable-adaptive-request-size", "query.remote-task.max-request-size",
      "query.remote-task.request-size-headroom", "query.remote-task.guaranteed-splits-per-task",
      "remote-task-adaptive-update-request-size-enabled", "remote-task-max-request-size",
      "remote-task-request-size-headroom", "remote-task-guaranteed-splits-per-task"),
    AbsentSetting(
      "a task runs on one thread; task.max-worker-threads says how many tasks run at a time",
      "task.concurrency"),
  ]

  private static let memory = [
    AbsentSetting(
      "what ends for want of memory is single tasks, by task.low-memory-killer.policy, and not whole queries",
      "query.low-memory-killer.policy", "query.low-memory-killer.delay"),
    AbsentSetting(
      "a grant covers all that a task holds: query.max-memory, task.max-memory and waterbear.worker-memory bound it",
      "query.max-total-memory", "query.max-memory-per-node", "memory.heap-headroom-per-node"),
    AbsentSetting(
      "operators do not spill: a task that is too big is divided", "spill-enabled", "spiller-*"),
  ]

  private static let exchange = [
    AbsentSetting(
      "exchange-manager.properties lies beside config.properties, where --etc-dir says",
      "exchange-manager.config-file"),
    AbsentSetting(
      "exchange.base-directories takes one directory as well as several", "exchange.base-directory"),
    AbsentSetting(
      "it is called fault-tolerant-execution.exchange-encryption-enabled, in Trino as well as here",
      "exchange.encryption-enabled"),
    AbsentSetting(
      "exchanged data lies in directories; an object store has to be mounted",
      "exchange.s3.*", "exchange.gcs.*", "exchange.azure.*", "exchange.alluxio.*"),
    AbsentSetting(
      "HDFS is used through a mount, which has settings of its own: see hdfs.md",
      "exchange.hdfs.*", "hdfs.config.resources"),
    AbsentSetting(
      "each page is sealed or has a checksum, always", "exchange.data-integrity-verification"),
  ]

  private static let machines = [
    AbsentSetting(
      "the daemon starts its workers itself, as waterbear.workers says, and queries wait for them",
      "query-manager.required-workers", "query-manager.required-workers-max-wait", "required-workers-count",
      "required-workers-max-wait-time"),
    AbsentSetting(
      "workers are processes of one machine, none nearer to the data than another; the coordinator runs no "
        + "tasks",
      "node-scheduler.*"),
    AbsentSetting(
      "one daemon on one machine has no other servers to find, and clients reach it over a Unix socket",
      "coordinator", "discovery.*", "http-server.*", "internal-communication.*", "node.*"),
  ]
}
