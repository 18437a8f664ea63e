// Owns which base directories are set aside for all processes, when they are to be tried again, and when what lies in
// one that is away is given up. Pure: no disk, no clock, no messages.

import Base
import Exchange

/// The base directories over all processes.
///
///                 a worker's file failed
///     in use ──────────────────────────────▶ set aside ──┐ tried: still of no use
///        ▲                                    ▲  │  └────┘
///        └──── tried: works, with room ───────┼──┘
///                  fails again soon: more room or a longer pause is asked for
///
/// The room that is asked for sinks while the directory waits, so that one with any room at all comes back some time.
struct SpoolWatch {
  struct SetAside {
    var reason: String
    /// There is no room, and that is all.
    var isFull: Bool
    let since: MonotonicTime
    /// Not tried before.
    var notBefore: MonotonicTime
    /// Free space that it had to have at first, in bytes.
    var neededBytes: Int64
    /// A trial is under way.
    var isBeingTried = false
    /// It does not answer some process, which asks nothing more of it.
    var isSilent = false
    /// It is being asked whether it answers.
    var isBeingAsked = false
    /// Since when it is away as a whole, with all that lies in it, or has not answered in time; nil where all of it can
    /// be read, as far as is known.
    var awaySince: MonotonicTime?
    /// Since when it had been away or silent, and when it answered; the first one first.
    var silences: [(since: MonotonicTime, end: MonotonicTime)] = []
    /// What lies in it counts as lost.
    var isGivenUp = false
  }

  /// How often it failed lately, each time soon after it had seemed to work.
  private struct Record {
    var strikes = 0
    var at: MonotonicTime
    var fileBytes: Int
    var isFull: Bool
  }

  /// So long a directory may be away before its outputs are given up.
  static let patienceWhileAway = TimeSpan.seconds(10)
  /// So many failures are forgiven before a directory that seems to work has to wait.
  private static let patience = 3
  private static let firstPause = TimeSpan.milliseconds(500)
  private static let longestPause = TimeSpan.seconds(30)
  /// One that falls silent again so soon after it has answered never really did; not before a call that began when it
  /// answered can be overdue.
  private static let doubtMin = TimeSpan.seconds(60)
  /// Without a failure for so long, earlier ones are forgotten.
  private static let memory = TimeSpan.seconds(120)
  private static let leastRoom = Int64(1) << 20
  /// What failures alone, whatever the size of the files, can make it ask for.
  private static let mostRoomForStrikes = Int64(1) << 30
  /// The demand for room is halved so often.
  private static let demandHalvedEvery = TimeSpan.seconds(30)

  private(set) var setAside: [String: SetAside] = [:]
  private var records: [String: Record] = [:]
  private let doubtAfterSilence: TimeSpan
  /// So long a directory may be away, or silent since a call was overdue, before its outputs are given up.
  private let patienceWhileAway: TimeSpan

  /// `callLimit`: the time after which a call is overdue, `waterbear.spool-call-timeout`.
  init(callLimit: TimeSpan = .seconds(20), patienceWhileAway: TimeSpan = SpoolWatch.patienceWhileAway) {
    let threefold = callLimit.nanoseconds.multipliedReportingOverflow(by: 3)
    doubtAfterSilence = max(
      Self.doubtMin, TimeSpan(nanoseconds: threefold.overflow ? .max : threefold.partialValue))
    self.patienceWhileAway = patienceWhileAway
  }

  /// A file in `fault.directory` failed. Whether the directory was in use so far.
  mutating func note(_ fault: SpoolFault, now: MonotonicTime) -> Bool {
    if setAside[fault.directory] != nil {
      setAside[fault.directory]?.reason = fault.reason
      if !fault.isFull { setAside[fault.directory]?.isFull = false }
      noteSilence(fault, now: now)
      return false
    }
    var record = records[fault.directory] ?? Record(at: now, fileBytes: 0, isFull: fault.isFull)
    if now - record.at > Self.memory { (record.strikes, record.fileBytes) = (0, 0) }
    record.strikes += 1
    record.at = now
    record.fileBytes = max(record.fileBytes, fault.fileBytes)
    record.isFull = fault.isFull
    records[fault.directory] = record
    var pause = TimeSpan.zero
    if record.strikes > Self.patience {
      let doublings = min(record.strikes - Self.patience - 1, 20)
      pause = min(Self.longestPause, TimeSpan(nanoseconds: Self.firstPause.nanoseconds << doublings))
    }
    let room = min(Self.leastRoom << Int64(min(2 * (record.strikes - 1), 20)), Self.mostRoomForStrikes)
    setAside[fault.directory] = SetAside(
      reason: fault.reason, isFull: fault.isFull, since: now, notBefore: now + pause,
      neededBytes: fault.isFull ? max(room, 2 * Int64(record.fileBytes)) : 0)
    noteSilence(fault, now: now)
    return true
  }

  /// Whether an output that cannot be read is lost because of its directory, which is set aside for more than being
  /// full. Its task is not to blame then; made again, the output lies elsewhere.
  func isToBlame(_ directory: String) -> Bool { setAside[directory].map { !$0.isFull } ?? false }

  /// Where nothing was asked as others are in calls that do not return, the time runs from the first that is overdue:
  /// at a start a directory may take as long to answer as ever.
  private mutating func noteSilence(_ fault: SpoolFault, now: MonotonicTime) {
    guard fault.isSilent, let entry = setAside[fault.directory] else { return }
    setAside[fault.directory]?.isSilent = true
    guard fault.isOverdue, entry.awaySince == nil else { return }
    // A disk may answer out of some memory while nothing reaches it: then calls that began after the answer do not
    // return either. One that began before proves nothing of the kind, as a disk may be slow in parts.
    let doubtful = entry.silences.first { silence in
      isDoubtful(silence.end, now: now) && fault.callBegan.map { $0 >= silence.end } ?? false
    }
    setAside[fault.directory]?.awaySince = doubtful?.since ?? now
  }

  private func isDoubtful(_ answer: MonotonicTime, now: MonotonicTime) -> Bool { now - answer < doubtAfterSilence }

  /// Those that do not answer, as far as is known; all of them are set aside.
  var silent: [String] { setAside.filter(\.value.isSilent).keys.sorted() }

  /// An output of this size was committed there: a directory that was full with less is as good as any. It says nothing
  /// of a disk that fails, as what was committed may not have reached it, nor of one that is set aside.
  mutating func noteCommit(in directory: String, fileBytes: Int) {
    guard setAside[directory] == nil, let record = records[directory], record.isFull, fileBytes >= record.fileBytes
    else { return }
    records[directory] = nil
  }

  /// Those to be asked now whether they answer; they count as being asked until `noteAnswer`.
  mutating func takeSilent() -> [String] {
    let unasked = silent.filter { setAside[$0]?.isBeingAsked == false }
    for directory in unasked { setAside[directory]?.isBeingAsked = true }
    return unasked
  }

  /// Those to be tried now; they count as being tried until `noteTrial`. One that is away is tried all the time, for
  /// what lies in it; one that is silent is asked first.
  mutating func takeDue(now: MonotonicTime) -> [(directory: String, neededBytes: Int64)] {
    var due: [(directory: String, neededBytes: Int64)] = []
    for (directory, entry) in setAside
    where !entry.isBeingTried && !entry.isSilent && (entry.notBefore <= now || entry.awaySince != nil) {
      setAside[directory]?.isBeingTried = true
      due.append((directory, demand(entry, now: now)))
    }
    return due.sorted { $0.directory < $1.directory }
  }

  private func demand(_ entry: SetAside, now: MonotonicTime) -> Int64 {
    guard entry.neededBytes > Self.leastRoom else { return entry.neededBytes }
    let halvings = (now - entry.since).nanoseconds / Self.demandHalvedEvery.nanoseconds
    return max(Self.leastRoom, entry.neededBytes >> min(halvings, 62))
  }

  /// Nobody has anything to do with it any more.
  mutating func forget(_ directory: String) {
    setAside[directory] = nil
    records[directory] = nil
  }

  /// What a trial has shown. Whether the directory is in use again.
  mutating func noteTrial(of directory: String, _ outcome: SpoolProbe, now: MonotonicTime) -> Bool {
    guard let entry = setAside[directory] else { return false }
    switch outcome {
    case .works:
      // It may have fallen silent since.
      guard entry.notBefore <= now, !entry.isSilent else {
        setAside[directory]?.isBeingTried = false
        return false
      }
      setAside[directory] = nil
      return true
    case .fails(let reason):
      setAside[directory]?.isBeingTried = false
      // That it does not answer is what there is to know.
      if !entry.isSilent { setAside[directory]?.reason = reason }
      return false
    }
  }

  /// What a directory that is set aside was just seen to be. That one which is silent can be opened proves nothing: its
  /// disk need not have been asked for that, or the answer is older than the silence.
  mutating func noteReach(_ directory: String, _ reach: SpoolReach, now: MonotonicTime) {
    guard reach != .silent, let entry = setAside[directory], !entry.isSilent else { return }
    setAside[directory]?.awaySince = reach == .away ? entry.awaySince ?? now : nil
    if reach == .there { setAside[directory]?.isGivenUp = false }
  }

  /// What one that is silent has answered to being asked.
  mutating func noteAnswer(_ directory: String, _ reach: SpoolReach, now: MonotonicTime) {
    setAside[directory]?.isBeingAsked = false
    guard reach != .silent, let entry = setAside[directory] else { return }
    setAside[directory]?.isSilent = false
    if reach == .there, let since = entry.awaySince {
      let doubtful = entry.silences.filter { isDoubtful($0.end, now: now) }
      setAside[directory]?.silences = doubtful + [(since, now)]
    }
    noteReach(directory, reach, now: now)
  }

  /// Those that have been away for too long, or silent for so long since a call on them was overdue: what lies in them
  /// is lost from now on. Each is named once. How long a trial takes says nothing: that of a disk that can be read may
  /// wait behind all that others have written.
  mutating func takeGivenUp(now: MonotonicTime) -> [String] {
    let patience = patienceWhileAway
    let lost = setAside.filter { entry in
      !entry.value.isGivenUp && entry.value.awaySince.map { now - $0 >= patience } ?? false
    }.keys.sorted()
    for directory in lost { setAside[directory]?.isGivenUp = true }
    return lost
  }
}
