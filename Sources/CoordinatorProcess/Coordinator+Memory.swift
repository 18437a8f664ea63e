// Owns the watch over the machine's memory: when it runs short, the scheduler is asked to end a task.

import Base
import Platform
import Scheduling
import Settings
import Telemetry

extension Coordinator {
  /// After a task was ended for memory, this long nothing more is: the kernel needs a moment to get it back.
  private static let pauseAfterShortage = TimeSpan.seconds(3)

  /// Looks at the memory that is available, once a second while queries run.
  func watchMemory() {
    guard !queries.isEmpty, let victim = LowMemoryVictim(policy.lowMemoryKiller),
      let available = KernelMemory.availableBytes(), available < policy.memoryReserve
    else { return }
    let now = SystemClock.monotonic()
    guard now >= nextShortage else { return }
    nextShortage = now + Self.pauseAfterShortage
    let held = workers.values.reduce(into: [AttemptID: Int64]()) { all, session in
      all.merge(session.held) { first, _ in first }
    }
    log.write(
      .memoryShort,
      [
        "available_bytes": .int(available), "reserve_bytes": .int(policy.memoryReserve),
        "resident_bytes": .int(workers.values.reduce(0) { $0 + $1.residentBytes }),
        "held_bytes": .int(held.values.reduce(0, +)),
      ])
    enqueue(.memoryShort(victim, held: held))
  }
}

extension LowMemoryVictim {
  /// Nil where no task is to be ended.
  init?(_ policy: LowMemoryKillerPolicy) {
    switch policy {
    case .none: return nil
    case .totalReservationOnBlockedNodes: self = .biggest
    case .leastWaste: self = .leastWaste
    }
  }
}
