// Owns which base directories are set aside for all processes, and when they are to be tried again. Pure: no disk, no
// clock, no messages.

import Base
import Exchange

/// The base directories over all processes.
///
///                 a worker's file failed
///     in use ──────────────────────────────▶ set aside ──┐ tried: still of no use
///        ▲                                    ▲  │  └────┘
///        └──── tried: works, with room ───────┼──┘
///                  fails again soon: more room or a longer pause is asked for
struct SpoolWatch {
  struct SetAside {
    var reason: String
    var isFull: Bool
    let since: MonotonicTime
    /// Not tried before.
    var notBefore: MonotonicTime
    /// Free space that it must have, in bytes.
    var neededBytes: Int64
    var isBeingTried = false
  }

  /// How often it failed lately, each time soon after it had seemed to work.
  private struct Record {
    var strikes = 0
    var at: MonotonicTime
    var fileBytes: Int
  }

  /// So many failures are forgiven before a directory that seems to work has to wait.
  private static let patience = 3
  private static let firstPause = TimeSpan.milliseconds(500)
  private static let longestPause = TimeSpan.seconds(30)
  /// Without a failure for so long, earlier ones are forgotten.
  private static let memory = TimeSpan.seconds(120)
  private static let leastRoom = Int64(1) << 20

  private(set) var setAside: [String: SetAside] = [:]
  private var records: [String: Record] = [:]

  /// A file in `fault.directory` failed. Whether the directory was in use so far.
  mutating func note(_ fault: SpoolFault, now: MonotonicTime) -> Bool {
    if setAside[fault.directory] != nil {
      setAside[fault.directory]?.reason = fault.reason
      return false
    }
    var record = records[fault.directory] ?? Record(at: now, fileBytes: 0)
    if now - record.at > Self.memory { record.strikes = 0 }
    record.strikes += 1
    record.at = now
    record.fileBytes = max(record.fileBytes, fault.fileBytes)
    records[fault.directory] = record
    var pause = TimeSpan.zero
    if record.strikes > Self.patience {
      let doublings = min(record.strikes - Self.patience - 1, 20)
      pause = min(Self.longestPause, TimeSpan(nanoseconds: Self.firstPause.nanoseconds << doublings))
    }
    let room = Self.leastRoom << Int64(min(2 * (record.strikes - 1), 20))
    setAside[fault.directory] = SetAside(
      reason: fault.reason, isFull: fault.isFull, since: now, notBefore: now + pause,
      neededBytes: fault.isFull ? max(room, 2 * Int64(record.fileBytes)) : 0)
    return true
  }

  /// An output of this size was committed there: a directory that failed with less is as good as any.
  mutating func noteCommit(in directory: String, fileBytes: Int) {
    guard let record = records[directory], fileBytes >= record.fileBytes else { return }
    records[directory] = nil
  }

  /// Those to be tried now; they count as being tried until `noteTrial`.
  mutating func takeDue(now: MonotonicTime) -> [(directory: String, neededBytes: Int64)] {
    var due: [(directory: String, neededBytes: Int64)] = []
    for (directory, entry) in setAside where !entry.isBeingTried && entry.notBefore <= now {
      setAside[directory]?.isBeingTried = true
      due.append((directory, entry.neededBytes))
    }
    return due.sorted { $0.directory < $1.directory }
  }

  /// What a trial has shown. Whether the directory is in use again.
  mutating func noteTrial(of directory: String, _ outcome: SpoolProbe) -> Bool {
    guard setAside[directory] != nil else { return false }
    switch outcome {
    case .works:
      setAside[directory] = nil
      return true
    case .fails(let reason):
      setAside[directory]?.isBeingTried = false
      setAside[directory]?.reason = reason
      return false
    }
  }
}
