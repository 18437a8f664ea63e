// Owns what is kept of the moment a query was submitted, so that its age is known in every life of the coordinator.

import Base
import Platform

/// When a query was submitted, on a clock that no one can set, and whether its client will come back.
struct Submission: Codable, Sendable {
  /// The boot in which `monotonic` counts.
  var boot: String
  /// Nanoseconds of the monotonic clock.
  var monotonic: Int64
  var isAwaited: Bool

  /// Now, in this boot.
  init(isAwaited: Bool = false) {
    (boot, monotonic, self.isAwaited) = (SystemClock.bootID, SystemClock.monotonic().nanoseconds, isAwaited)
  }

  private init(boot: String) { (self.boot, monotonic, isAwaited) = (boot, 0, false) }

  /// Of a query that an earlier release has stored.
  static let unknown = Submission(boot: "")

  /// A moment on all the clocks.
  struct Moment {
    var boot: String
    var monotonic: Int64
    /// Microseconds since 1970.
    var wall: Int64

    static func now() -> Moment {
      Moment(
        boot: SystemClock.bootID, monotonic: SystemClock.monotonic().nanoseconds,
        wall: SystemClock.wallMicroseconds())
    }
  }

  /// Time from the submission to `now`. Only after a boot between them it is the wall clock's, and never negative.
  func age(createdMicroseconds: Int64, now: Moment) -> TimeSpan {
    if boot == now.boot, !boot.isEmpty { return TimeSpan(nanoseconds: max(0, now.monotonic - monotonic)) }
    return TimeSpan(nanoseconds: max(0, now.wall - createdMicroseconds) * 1000)
  }
}
