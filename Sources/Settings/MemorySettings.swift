// Owns the settings of memory as a whole: what queries and tasks may be granted, and what is done when it runs short.
import Base

extension SettingKey where Value == DataSize {
  public static var queryMaxMemory: Self {
    Self(
      "query.max-memory",
      default: .computed(text: "waterbear.worker-memory × waterbear.workers") { _, settings in
        DataSize(bytes: settings[.workerMemory].bytes * Int64(settings[.workers]))
      },
      session: true,
      trino: .differs("20GB", because: "one machine has what it has; tasks wait for memory, they do not fail for it"),
      """
      What all running tasks of a query may be granted together. Further tasks wait; one that needs more is divided. \
      Less than 1MB counts as 1MB.
      """)
  }

  public static var taskMaxMemory: Self {
    Self(
      "task.max-memory", default: .computed(text: "waterbear.worker-memory") { _, settings in settings[.workerMemory] },
      session: true,
      trino: .absent(because: "Trino's tasks may take a whole node's query.max-memory-per-node"),
      """
      What one task may be granted. One that needs more is divided into smaller ones. Less than 1MB counts as 1MB.
      """)
  }

  public static var coordinatorTaskMemory: Self {
    Self(
      "fault-tolerant-execution-coordinator-task-memory",
      default: .computed(text: "fault-tolerant-execution-task-memory, at most 2GB") { _, settings in
        min(settings[.taskMemory], .gigabytes(2))
      },
      session: true,
      trino: .differs(
        "2GB", because: "a fair share leaves no slot empty for want of memory, and an eighth of one for a short query"),
      """
      The least memory that is granted at first to the task that collects what the writers of a table have written; it \
      gets its slot's share where that is more and free. Less than 1MB counts as 1MB.
      """)
  }

  public static var taskMemoryOverhead: Self {
    Self(
      "fault-tolerant-execution-task-runtime-memory-estimation-overhead", default: .fixed(DataSize(bytes: 0)),
      range: .atLeast(DataSize(bytes: 0)),
      trino: .differs("1GB", because: "tasks account for what they hold, and 30% of memory is no worker's anyway"),
      "What is kept free on a worker beside the grant of each task it runs.")
  }

  public static var memoryReserve: Self {
    Self(
      "waterbear.memory-reserve",
      default: .computed(text: "5% of memory, at most 2GB") { environment, _ in
        min(DataSize(bytes: environment.memory.bytes / 20), .gigabytes(2))
      },
      range: .atLeast(DataSize(bytes: 0)),
      trino: .absent(because: "in Trino the Java heap is taken from the machine once and for all"),
      "While less memory than this is available on the machine, task.low-memory-killer.policy ends tasks.")
  }
}

extension SettingKey where Value == Bool {
  public static var memoryIncreaseOnWorkerCrash: Self {
    Self(
      "fault-tolerant-execution.memory-requirement-increase-on-worker-crash-enabled", default: .fixed(true),
      "Whether the tasks of a worker that was killed while it used nearly all its memory ask for more.")
  }
}

extension SettingKey where Value == LowMemoryKillerPolicy {
  public static var taskLowMemoryKillerPolicy: Self {
    Self(
      "task.low-memory-killer.policy", default: .fixed(.leastWaste),
      trino: .differs(
        "total-reservation-on-blocked-nodes", because: "a task that has run for long is dear on one machine"),
      "Which task is ended, and runs again with more memory, when the machine runs short of it.")
  }
}
