// Owns a thread that kills processes of a daemon at intervals while a test does something else.
import Base
import Glibc
import Platform
import Synchronization

/// Kills a random process of the daemon at each interval, with SIGKILL, until it is stopped. Each interval is a bit
/// longer than the last: however slow the machine is, there comes a time when work gets done between deaths.
final class Killer: Sendable {
  private let stopped = Atomic<Bool>(false)
  private let ended = Atomic<Bool>(false)
  private let count = Atomic<Int>(0)

  /// `supervisor` is spared; its children whose titles contain `title` are the victims. Each interval is longer than
  /// the last by 1/`slowness` of it.
  init(of title: String, supervisor: pid_t, every interval: TimeSpan, slowness: Int64 = 50) throws {
    try NamedThread.start("killer", stackBytes: 1 << 20) { [self] in
      var interval = interval
      while !stopped.load(ordering: .relaxed) {
        SystemClock.sleep(interval)
        interval = TimeSpan(nanoseconds: interval.nanoseconds + interval.nanoseconds / slowness)
        // One that traps, and has begun to tell why, is left to it: the test must hear of that.
        let victims = ProcessTable.children(of: supervisor).filter {
          $0.title.contains(title) && ProcessTable.children(of: $0.process).isEmpty
        }
        if let victim = victims.randomElement(), kill(victim.process, SIGKILL) == 0 {
          count.add(1, ordering: .relaxed)
        }
      }
      ended.store(true, ordering: .releasing)
    }
  }

  /// How many were killed so far.
  var kills: Int { count.load(ordering: .relaxed) }

  /// Stops killing; gives how many were killed.
  func stop() -> Int {
    stopped.store(true, ordering: .relaxed)
    while !ended.load(ordering: .acquiring) { SystemClock.sleep(.milliseconds(1)) }
    return kills
  }
}
