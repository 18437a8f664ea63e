// Owns the settings of tasks under retry-policy=TASK: their size, their number, their memory.
import Base

extension SettingKey where Value == DataSize {
  public static var arbitraryTaskTargetSizeMin: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-min",
      default: .fixed(.megabytes(32)), session: true,
      trino: .differs("512MB", because: "small first tasks fill every slot of one machine at once"),
      """
      Input of the first tasks of a stage that reads tables. Less where all of it would not make two tasks for each \
      slot: then it is divided by that.
      """)
  }

  public static var arbitraryTaskTargetSizeMax: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-max",
      default: .fixed(.gigabytes(1)), session: true,
      trino: .differs("50GB", because: "a failed attempt then costs seconds on a single thread, not minutes"),
      "Input up to which the tasks of a stage that reads tables grow.")
  }

  public static var hashTaskTargetSize: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-compute-task-target-size",
      default: .fixed(.megabytes(64)), session: true,
      trino: .differs("512MB", because: "a task of one thread with less input fits the cache and is soon repeated"),
      "Hash partitions are merged into one task up to this much input.")
  }

  public static var writeTaskTargetSizeMin: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-min",
      default: .fixed(.megabytes(128)), session: true,
      trino: .differs("4GB", because: "a failed attempt of one thread then costs seconds, not minutes"),
      """
      Input of the first tasks of a stage that reads tables and writes one. Less where all of it would not make two \
      tasks for each slot.
      """)
  }

  public static var writeTaskTargetSizeMax: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-max",
      default: .fixed(.gigabytes(4)), session: true,
      trino: .differs("50GB", because: "a failed attempt of one thread then costs minutes, not hours"),
      "Input up to which the tasks of a stage that reads tables and writes one grow.")
  }

  public static var hashWriteTaskTargetSize: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-write-task-target-size",
      default: .fixed(.megabytes(256)), session: true,
      trino: .differs("4GB", because: "a task of one thread with less input is soon repeated"),
      "Hash partitions are merged into one task that writes a table up to this much input.")
  }

  public static var standardSplitSize: Self {
    Self(
      "fault-tolerant-execution-standard-split-size",
      default: .fixed(.megabytes(64)), range: .atLeast(.megabytes(1)), session: true,
      """
      What a split of 64MB, or of unknown size, counts for when tasks are made of splits; others in proportion. Half \
      of it makes tasks of twice as many splits.
      """)
  }

  public static var taskDescriptorStorageMaxMemory: Self {
    Self(
      "fault-tolerant-execution-task-descriptor-storage-max-memory",
      default: .computed(text: "2% of memory, at least 16MB") { environment, _ in
        DataSize(bytes: max(environment.memory.bytes / 50, 16 << 20))
      },
      trino: .differs(
        "15% of the Java heap", because: "what exceeds it is read from the task store, and memory is for the workers"),
      "How much memory the splits of all queries may take in the coordinator; the task store holds the rest.")
  }

  public static var taskMemory: Self {
    Self(
      "fault-tolerant-execution-task-memory",
      default: .computed(text: "waterbear.worker-memory / (task.max-worker-threads + 1/8), at most 5GB") {
        _, settings in
        let share = settings[.workerMemory].bytes / (8 * Int64(settings[.taskMaxWorkerThreads]) + 1) * 8
        return DataSize(bytes: min(max(share, 1 << 20), 5 << 30))
      },
      session: true,
      trino: .differs(
        "5GB", because: "a fair share leaves no slot empty for want of memory, and an eighth of one for a short query"),
      """
      The least memory that is granted to a task of which nothing is known yet. A task gets its slot's share of the \
      worker's memory where that is more and free, so that a smaller value makes room for other tasks only where the \
      slots' shares would not. Less than 1MB counts as 1MB.
      """)
  }
}

extension SettingKey where Value == Int {
  public static var arbitraryTaskTargetSizeGrowthPeriod: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-compute-task-target-size-growth-period",
      default: .fixed(64), session: true,
      "After so many tasks of a stage the target size grows by the growth factor. Less than 1 counts as 1.")
  }

  public static var writeTaskTargetSizeGrowthPeriod: Self {
    Self(
      "fault-tolerant-execution-arbitrary-distribution-write-task-target-size-growth-period",
      default: .fixed(64), session: true,
      """
      After so many tasks of a stage that writes a table the target size grows by the growth factor. Less than 1 \
      counts as 1.
      """)
  }

  public static var maxTaskSplitCount: Self {
    Self(
      "fault-tolerant-execution-max-task-split-count", default: .fixed(2048), range: .atLeast(1), session: true,
      "The most splits in one task, whatever their weight.")
  }

  public static var maxTasksWaitingForNode: Self {
    Self(
      "max-tasks-waiting-for-node-per-query", default: .fixed(1000), range: .atLeast(1), session: true,
      trino: .differs("50", because: "a waiting task takes some hundred bytes, and shows how far the query is"),
      "No more tasks are made of a query's splits while so many wait for a slot only.")
  }

  public static var maxTasksWaitingForExecution: Self {
    Self(
      "max-tasks-waiting-for-execution-per-query", default: .fixed(1000), range: .atLeast(1), session: true,
      trino: .differs("10", because: "a waiting task takes some hundred bytes, and shows how far the query is"),
      "No more tasks are made of a query's splits while so many wait for another stage.")
  }

  public static var hashWriteTaskTargetMaxCount: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-write-task-target-max-count", default: .fixed(2000),
      range: .atLeast(1), session: true,
      "The most tasks of a stage that reads hash partitions and writes a table.")
  }

  public static var minPartitionCountForWrite: Self {
    Self(
      "fault-tolerant-execution-min-partition-count-for-write", default: .fixed(4), range: .within(1...1000),
      session: true,
      trino: .differs("50", because: "there are as many writers as slots, not as nodes of a cluster"),
      "The fewest hash partitions of a query that writes a table. Above the most, the most holds.")
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
      "The fewest hash partitions when their number is chosen by size.")
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
      trino: .differs(
        "2.0 per node", because: "one machine is one node, so a slot counts as a node", value: "2.0"),
      "Merging of hash partitions leaves at least this many tasks per slot, while they are not tiny.")
  }

  public static var hashWriteTaskToNodeMinRatio: Self {
    Self(
      "fault-tolerant-execution-hash-distribution-write-task-to-node-min-ratio",
      default: .fixed(2), range: .atLeast(0), session: true,
      trino: .differs(
        "2.0 per node", because: "one machine is one node, so a slot counts as a node", value: "2.0"),
      "The same for tasks that write a table.")
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
      """
      The quantile of what a stage's finished tasks really held that is the least granted to its next tasks, where it \
      is more than they ask for.
      """)
  }
}
