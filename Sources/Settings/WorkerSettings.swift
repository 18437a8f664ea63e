// Owns the settings of worker processes and memory, whose defaults follow from the machine.
import Base

extension SettingKey where Value == Int {
  public static var workers: Self {
    Self(
      "waterbear.workers",
      default: .computed(
        text: "the smallest number of at least 2 that divides the cores and leaves at most 8 to each"
      ) { environment, _ in defaultWorkers(cores: environment.cores) },
      range: .within(1...1024),
      trino: .absent(because: "in Trino a worker is a server that an operator starts"),
      "How many worker processes run. With one alone, its death stops all tasks for a moment.")
  }

  /// Total threads equal the cores, except on one core, where two workers share it.
  static func defaultWorkers(cores: Int) -> Int {
    (2...max(2, cores)).first { cores.isMultiple(of: $0) && cores / $0 <= 8 } ?? 2
  }

  public static var taskMaxWorkerThreads: Self {
    Self(
      "task.max-worker-threads",
      default: .computed(text: "cores / waterbear.workers, at least 1") { environment, settings in
        max(1, environment.cores / settings[.workers])
      },
      range: .within(1...1024), trinoRange: "at least 1; here each is a thread with memory of its own",
      trino: .differs("cores × 2", because: "a task here runs on one thread that seldom waits"),
      "How many tasks one worker runs at a time, and one more of a query of which nothing else runs.")
  }
}

extension SettingKey where Value == DataSize {
  public static var workerMemory: Self {
    Self(
      "waterbear.worker-memory",
      default: .computed(text: "70% of memory / waterbear.workers") { environment, settings in
        DataSize(bytes: environment.memory.bytes / 10 * 7 / Int64(settings[.workers]))
      },
      range: .atLeast(.megabytes(16)),
      trino: .absent(because: "in Trino it follows from the Java heap"),
      "The memory that all tasks of one worker may hold together.")
  }
}

extension SettingKey where Value == LogLevel {
  public static var logLevel: Self {
    Self(
      "log.level", default: .fixed(.info),
      trino: .absent(because: "Trino sets levels per Java class in log.properties"),
      "The least level that is logged.")
  }
}

extension SettingKey where Value == DataSize {
  public static var logMaxSize: Self {
    Self(
      "log.max-size", default: .fixed(.megabytes(100)), range: .atLeast(.megabytes(1)),
      "The size at which the log is renamed and a new one begun.")
  }
}

extension SettingKey where Value == Int {
  public static var logMaxHistory: Self {
    Self(
      "log.max-history", default: .fixed(10), range: .within(0...1000),
      trino: .differs("30", because: "the disk is shared with the spool"),
      "How many renamed logs are kept.")
  }
}
