// Owns how big a simulated world is when that is not left to its seed.
import Base
import Scheduling

/// A world of one query with many tasks on many workers, instead of the few that a seed draws.
public struct WorldShape: Hashable, Sendable {
  public var workers: Int
  /// Of the stage that reads splits, one split each.
  public var tasks: Int

  public init(workers: Int, tasks: Int) {
    self.workers = max(1, workers)
    self.tasks = max(1, tasks)
  }

  /// Events after which a world of this size cannot be making progress.
  var eventsMax: Int { 200_000 + tasks * 100 + workers * 20_000 }

  /// How long a world of this size may take once faults are over; a task takes a tenth of a second.
  var patience: TimeSpan { .seconds(60 + Int64(tasks / workers)) }

  /// Splits, then a shuffle, then one task that gathers.
  var stages: [StageDescription] {
    [
      StageDescription(number: 0, kind: .single, inputs: [StageInput(stage: 1, mode: .gathered)]),
      StageDescription(number: 1, kind: .hash, inputs: [StageInput(stage: 2, mode: .partitioned)]),
      StageDescription(number: 2, kind: .source, outputPartitionCount: 8),
    ]
  }

  /// How many splits become known together at most.
  var splitsAtOnce: Int { max(5, tasks / 20) }

  /// By stage.
  var splits: [[Int64]] { [[], [], Array(repeating: ModelQuery.megabyte, count: tasks)] }
}
