// Owns the numbers that decide how patient the supervisor is.
import Base

/// How the supervisor treats its children.
public struct SupervisionPolicy: Hashable, Sendable {
  /// How many workers run beside the coordinator.
  public var workerCount: Int
  /// How long a drain may last before what still runs is killed.
  public var drainTime: TimeSpan
  /// How long a child that said it lives may stay silent before it is killed as hung.
  public var hangTime: TimeSpan
  /// How long a child that starts may give no sign of life before it is killed as hung.
  public var startTime: TimeSpan
  /// How long a killed child may take to end before that is worth a word. It holds back its successor.
  public var lingerTime: TimeSpan
  /// A child that dies younger than this has died soon.
  public var soon: TimeSpan
  /// The delay after the first soon death; each further one doubles it.
  public var delayInitial: TimeSpan
  /// The longest delay.
  public var delayMax: TimeSpan
  /// The longest delay after SIGKILL, which comes from outside and not from the child's own fault.
  public var delayAfterKillMax: TimeSpan

  public init(
    workerCount: Int, drainTime: TimeSpan = .seconds(30), hangTime: TimeSpan = .seconds(10),
    startTime: TimeSpan = .seconds(300), lingerTime: TimeSpan = .seconds(5), soon: TimeSpan = .milliseconds(250),
    delayInitial: TimeSpan = .milliseconds(50), delayMax: TimeSpan = .seconds(5),
    delayAfterKillMax: TimeSpan = .milliseconds(100)
  ) {
    precondition(workerCount >= 1, "a daemon without workers cannot run a task")
    self.workerCount = workerCount
    self.drainTime = drainTime
    self.hangTime = hangTime
    self.startTime = startTime
    self.lingerTime = lingerTime
    self.soon = soon
    self.delayInitial = delayInitial
    self.delayMax = delayMax
    self.delayAfterKillMax = delayAfterKillMax
  }

  /// How long to wait before the next start after `soonDeaths` soon deaths in a row: 0, 50 ms, 100 ms, … 5 s.
  func delay(soonDeaths: Int, killed: Bool) -> TimeSpan {
    guard soonDeaths > 0 else { return .zero }
    // 2^20 times the initial delay is beyond every maximum that makes sense, and far from overflow.
    let grown = TimeSpan(nanoseconds: delayInitial.nanoseconds << Int64(min(soonDeaths - 1, 20)))
    return min(grown, killed ? delayAfterKillMax : delayMax)
  }
}
