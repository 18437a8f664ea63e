// Owns what is set for the scheduler as a whole. What may differ from query to query is in `QueryDescription`.
import Base

/// Settings of the scheduler itself.
public struct SchedulerSettings: Hashable, Sendable {
  /// `query.remote-task.max-error-duration`: how long a worker may be silent before it is killed.
  public var workerTimeout: TimeSpan
  /// `fault-tolerant-execution-task-runtime-memory-estimation-overhead`: bytes kept free beside each grant.
  public var taskMemoryOverhead: Int64
  /// `waterbear.max-spool-wait`: how long a task waits in all for a spool directory that takes its output.
  public var spoolWait: TimeSpan
  /// A bug switched on by tests only, to show that the simulator finds it.
  public var plantedBug: PlantedBug?

  public init(
    workerTimeout: TimeSpan = .seconds(60), taskMemoryOverhead: Int64 = 0, spoolWait: TimeSpan = .seconds(300),
    plantedBug: PlantedBug? = nil
  ) {
    self.workerTimeout = workerTimeout
    self.taskMemoryOverhead = taskMemoryOverhead
    self.spoolWait = spoolWait
    self.plantedBug = plantedBug
  }
}

/// Mistakes that a scheduler of this kind could make. Only tests switch one on.
public enum PlantedBug: String, Hashable, Sendable, CaseIterable {
  /// The report of another attempt selects that attempt, though the task has a selected one already.
  case selectsDuplicateReport
  /// A report is accepted although the output it speaks of was already given up and deleted.
  case acceptsDeletedOutput
  /// Attempt numbers start again at 0 after a restart of the coordinator.
  case reusesAttemptNumbers
  /// A reader's report of a lost input restarts the reader, but not the task that made the input.
  case forgetsLostProducer
  /// Attempts are placed wherever a slot is free, whatever memory is left there.
  case overcommitsMemory
  /// A query that has something to run always goes before those that came later.
  case servesOldestQueryOnly
  /// Failures are not counted, so a task that cannot succeed is tried for ever.
  case forgetsFailures
  /// A spool that takes no output uses up a task's attempts.
  case blamesTasksForSpool
  /// A pause for the spool goes on while its task runs, so that work counts as waiting.
  case countsWorkAsWaiting
  /// Attempts are started although no spool directory is in use.
  case ignoresSpool
  /// A task begins with the last split of the one before it.
  case readsSplitTwice
  /// An attempt that reads several partitions leaves the last one out.
  case leavesPartitionOut
  /// A commit that was made is made again.
  case commitsAgain
  /// A stage's outputs are deleted when they are complete, whoever may still read them.
  case deletesNeededOutputs
  /// A commit is made before its note is safe from a loss of power: not the scheduler's mistake, but its shell's.
  case commitsUnsynced
}
