// Owns the settings of plans that change while their query runs.
import Base

extension SettingKey where Value == Bool {
  public static var adaptiveQueryPlanningEnabled: Self {
    Self(
      "fault-tolerant-execution-adaptive-query-planning-enabled", default: .fixed(true), session: true,
      "Whether what finished stages really left may change what the others do.")
  }

  public static var adaptiveJoinReorderingEnabled: Self {
    Self(
      "fault-tolerant-execution-adaptive-join-reordering-enabled", default: .fixed(true), session: true,
      trino: .differs("false", because: "both sides are in the spool by then, so that it costs nothing"),
      "Whether the sides of a join are exchanged when the one to be built turns out bigger than the other.")
  }

  public static var runtimeAdaptivePartitioningEnabled: Self {
    Self(
      "fault-tolerant-execution-runtime-adaptive-partitioning-enabled", default: .fixed(false), session: true,
      "Whether rows that nobody has written yet are written in more partitions when tasks would be too big.")
  }
}

extension SettingKey where Value == Int {
  public static var runtimeAdaptivePartitioningPartitionCount: Self {
    Self(
      "fault-tolerant-execution-runtime-adaptive-partitioning-partition-count", default: .fixed(1000),
      range: .within(1...1000), session: true,
      "How many partitions there are where tasks would be too big.")
  }
}

extension SettingKey where Value == Double {
  public static var adaptiveJoinReorderingSizeDifferenceRatio: Self {
    Self(
      "fault-tolerant-execution-adaptive-join-reordering-size-difference-ratio", default: .fixed(1.5),
      range: .atLeast(1), session: true,
      "How many times bigger than the other side the side to be built must be for the sides to be exchanged.")
  }
}

extension SettingKey where Value == DataSize {
  public static var adaptiveJoinReorderingMinSizeThreshold: Self {
    Self(
      "fault-tolerant-execution-adaptive-join-reordering-min-size-threshold", default: .fixed(.megabytes(32)),
      session: true,
      trino: .differs("5GB", because: "that much is a whole query on one machine; 32MB no longer fit its caches"),
      "The sides of a join are exchanged only where the side to be built has at least this much.")
  }

  public static var runtimeAdaptivePartitioningMaxTaskSize: Self {
    Self(
      "fault-tolerant-execution-runtime-adaptive-partitioning-max-task-size",
      default: .computed(text: "task.max-memory") { _, settings in settings[.taskMaxMemory] },
      session: true,
      trino: .differs("12GB", because: "more than a task may have; it would be divided, and its input read repeatedly"),
      "Tasks are too big that would read more than this on average, by what is known when a stage has ended.")
  }
}
