// Owns the settings of tasks under retry-policy=TASK: their size, their number, their memory.
import Base

extension SettingKey where Value == DataSize {
  public static var arbitraryTaskTargetSizeMin: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min",
      default: .fixed(.megabytes(32)), range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("512MB", because: "small first tasks fill every slot of one machine at once"),
      "Input of the first tasks of a stage that reads tables.")
  }

  public static var arbitraryTaskTargetSizeMax: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-max",
      default: .fixed(.gigabytes(1)), range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("50GB", because: "a failed attempt then costs seconds on a single thread, not minutes"),
      "Input up to which the tasks of a stage that reads tables grow.")
  }

  public static var hashTaskTargetSize: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-compute-task-target-size",
      default: .fixed(.megabytes(64)), range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("512MB", because: "a task of one thread with less input fits the cache and is soon repeated"),
      "Hash partitions are merged into one task up to this much input.")
  }

  public static var writeTaskTargetSizeMin: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-min",
      default: .fixed(.megabytes(128)), range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("4GB", because: "a failed attempt of one thread then costs seconds, not minutes"),
      "Input of the first tasks of a stage that reads tables and writes one.")
  }

  public static var writeTaskTargetSizeMax: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-max",
      default: .fixed(.gigabytes(4)), range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("50GB", because: "a failed attempt of one thread then costs minutes, not hours"),
      "Input up to which the tasks of a stage that reads tables and writes one grow.")
  }

  public static var hashWriteTaskTargetSize: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-write-task-target-size",
      default: .fixed(.megabytes(256)), range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("4GB", because: "a task of one thread with less input is soon repeated"),
      "Hash partitions are merged into one task that writes a table up to this much input.")
  }

  public static var taskMemory: Self {
    Self(
      "fault-tolerant-execution-task-memory",
      default: .computed(text: "waterbear.worker-memory / task.max-worker-threads, at most 5GB") { _, settings in
        let share = settings[.workerMemory].bytes / Int64(settings[.taskMaxWorkerThreads])
        return DataSize(bytes: min(max(share, 1 << 20), 5 << 30))
      },
      range: .atLeast(.megabytes(1)), session: true,
      trino: .differs("5GB", because: "a slot's fair share never leaves a slot empty for want of memory"),
      "Memory granted to a task of which nothing is known yet.")
  }
}

extension SettingKey where Value == Int {
  public static var arbitraryTaskTargetSizeGrowthPeriod: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-growth-period",
      default: .fixed(64), range: .atLeast(1), session: true,
      "After so many tasks of a stage the target size grows by the growth factor.")
  }

  public static var writeTaskTargetSizeGrowthPeriod: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-growth-period",
      default: .fixed(64), range: .atLeast(1), session: true,
      "After so many tasks of a stage that writes a table the target size grows by the growth factor.")
  }

  public static var maxTaskSplitCount: Self {
    Self(
      "fault-tolerant-execution-max-task-split-count", default: .fixed(2048), range: .atLeast(1), session: true,
      "The most splits in one task, whatever their weight.")
  }

  public static var maxPartitionCount: Self {
    Self(
      "fault-tolerant-execution-max-partition-count", default: .fixed(50), range: .within(1...1000),
      session: true,
      "The most hash partitions of an exchange.")
  }

  public static var minPartitionCount: Self {
    Self(
      "fault-tolerant-execution-min-partition-count", default: .fixed(4), range: .within(1...1000), session: true,
      "The fewest hash partitions when their number is chosen by size. Must not exceed the most.")
  }
}

extension SettingKey where Value == Double {
  public static var arbitraryTaskTargetSizeGrowthFactor: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-growth-factor",
      default: .fixed(1.26), range: .atLeast(1), session: true,
      "What the target size is multiplied with after each growth period.")
  }

  public static var writeTaskTargetSizeGrowthFactor: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-growth-factor",
      default: .fixed(1.26), range: .atLeast(1), session: true,
      "What the target size of tasks that write a table is multiplied with after each growth period.")
  }

  public static var hashTaskToNodeMinRatio: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-compute-task-to-node-min-ratio",
      default: .fixed(2), range: .atLeast(0), session: true,
      trino: .differs("2.0 per node", because: "one machine is one node, so a slot counts as a node"),
      "Merging of hash partitions leaves at least this many tasks per slot, while they are not tiny.")
  }

  public static var taskMemoryGrowthFactor: Self {
    Self(
      "fault-tolerant-execution-task-memory-growth-factor", default: .fixed(3), range: .atLeast(1), session: true,
      "What a task's memory grant is multiplied with after it did not suffice.")
  }

  public static var taskMemoryEstimationQuantile: Self {
    Self(
      "fault-tolerant-execution-task-memory-estimation-quantile", default: .fixed(0.9), range: .within(0...1),
      session: true,
      "The quantile of what a stage's finished tasks really held that is granted to its next tasks.")
  }
}
