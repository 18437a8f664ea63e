// When directories are set aside for all processes, tried again and used again.
import Base
import Exchange
import Testing

@testable import CoordinatorProcess

@Suite struct SpoolWatchTests {
  /// `#expect` takes no mutating calls.
  private final class Watch {
    private var watch: SpoolWatch
    init(callLimit: TimeSpan = .seconds(20)) { watch = SpoolWatch(callLimit: callLimit) }
    var setAside: [String: SpoolWatch.SetAside] { watch.setAside }
    func note(_ fault: SpoolFault, now: MonotonicTime) -> Bool { watch.note(fault, now: now) }
    func noteCommit(in directory: String, fileBytes: Int) { watch.noteCommit(in: directory, fileBytes: fileBytes) }
    func takeDue(now: MonotonicTime) -> [(directory: String, neededBytes: Int64)] { watch.takeDue(now: now) }
    func noteReach(_ directory: String, _ reach: SpoolReach, now: MonotonicTime) {
      watch.noteReach(directory, reach, now: now)
    }
    var silent: [String] { watch.silent }
    func forget(_ directory: String) { watch.forget(directory) }
    func takeSilent() -> [String] { watch.takeSilent() }
    func noteAnswer(_ directory: String, _ reach: SpoolReach, now: MonotonicTime) {
      watch.noteAnswer(directory, reach, now: now)
    }
    func takeGivenUp(now: MonotonicTime) -> [String] { watch.takeGivenUp(now: now) }
    func noteTrial(of directory: String, _ outcome: SpoolProbe, now: MonotonicTime? = nil) -> Bool {
      watch.noteTrial(of: directory, outcome, now: now ?? MonotonicTime(nanoseconds: .max))
    }
  }

  private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
  private func fault(_ bytes: Int = 1 << 20, isFull: Bool = true) -> SpoolFault {
    SpoolFault(directory: "/a", reason: "full", isFull: isFull, fileBytes: bytes)
  }
  private let works = SpoolProbe.works(SpoolVolume(totalBytes: 0, freeBytes: 0, device: 0))

  @Test func aFaultIsNewOnceAndTheDirectoryIsTriedUntilItWorks() {
    let watch = Watch()
    #expect(watch.note(fault(), now: time(0)))
    #expect(!watch.note(fault(), now: time(1)))
    let due = watch.takeDue(now: time(2))
    #expect(due.map(\.directory) == ["/a"])
    #expect(due[0].neededBytes == 2 << 20)
    // One trial at a time: it may hang.
    #expect(watch.takeDue(now: time(3)).isEmpty)
    #expect(!watch.noteTrial(of: "/a", .fails("still full")))
    #expect(watch.setAside["/a"]?.reason == "still full")
    #expect(watch.takeDue(now: time(4)).count == 1)
    #expect(watch.noteTrial(of: "/a", works))
    #expect(watch.setAside.isEmpty)
    #expect(!watch.noteTrial(of: "/a", works))
  }

  @Test func oneThatFailsAgainAndAgainMustHaveMoreRoomAndWaits() {
    let watch = Watch()
    var needed: [Int64] = []
    var pauses: [Int64] = []
    var now: Int64 = 0
    for _ in 0..<8 {
      #expect(watch.note(fault(), now: time(now)))
      let start = now
      while true {
        if let due = watch.takeDue(now: time(now)).first {
          needed.append(due.neededBytes >> 20)
          break
        }
        now += 500
      }
      pauses.append(now - start)
      #expect(watch.noteTrial(of: "/a", works))
    }
    #expect(needed.prefix(4) == [2, 4, 16, 64])
    #expect(pauses == [0, 0, 0, 500, 1000, 2000, 4000, 8000])
    // A file as large as those that failed shows that all is well.
    watch.noteCommit(in: "/a", fileBytes: 1)
    #expect(watch.note(fault(), now: time(now)) && watch.takeDue(now: time(now)).isEmpty)
    _ = watch.noteTrial(of: "/a", works)
    watch.noteCommit(in: "/a", fileBytes: 1 << 20)
    #expect(watch.note(fault(), now: time(now)) && watch.takeDue(now: time(now)).count == 1)
  }

  @Test func aBrokenDirectoryNeedsNoRoom() {
    let watch = Watch()
    #expect(watch.note(fault(isFull: false), now: time(0)))
    #expect(watch.takeDue(now: time(0)).first?.neededBytes == 0)
  }

  /// 30 GB met a full disk; half of it would do for everybody else.
  @Test func theDemandForRoomSinks() {
    let watch = Watch()
    #expect(watch.note(fault(30 << 30), now: time(0)))
    var needed: [Int64] = []
    for seconds in [Int64(0), 30, 60, 300, 3600, 1_000_000] {
      needed.append(watch.takeDue(now: time(seconds * 1000)).first?.neededBytes ?? -1)
      #expect(!watch.noteTrial(of: "/a", .fails("still full")))
    }
    let expected: [Int64] = [61440, 30720, 15360, 60, 1, 1]
    #expect(needed.map { $0 >> 20 } == expected)
  }

  /// A small disk that fills within seconds, again and again: it must come back with what it has.
  @Test func failuresAloneAskForNoMoreThanSomeRoom() {
    let watch = Watch()
    var now: Int64 = 0
    var needed: Int64 = 0
    for _ in 0..<30 {
      #expect(watch.note(fault(1000), now: time(now)))
      now += 30_000
      needed = watch.takeDue(now: time(now)).first?.neededBytes ?? -1
      _ = watch.noteTrial(of: "/a", works)
    }
    #expect(needed > 0 && needed <= 1 << 30)
  }

  /// What was committed is in memory; the disk may never see it.
  @Test func commitsSayNothingOfADiskThatFails() {
    let watch = Watch()
    for _ in 0..<3 {
      #expect(watch.note(fault(0, isFull: false), now: time(0)))
      // From before the fault.
      watch.noteCommit(in: "/a", fileBytes: 1 << 30)
      _ = watch.takeDue(now: time(0))
      #expect(watch.noteTrial(of: "/a", works))
      watch.noteCommit(in: "/a", fileBytes: 1 << 30)
    }
    #expect(watch.note(fault(0, isFull: false), now: time(0)))
    #expect(watch.takeDue(now: time(0)).isEmpty)
  }

  @Test func whatLiesInADirectoryThatStaysAwayIsGivenUpOnce() {
    let watch = Watch()
    watch.noteReach("/a", .away, now: time(0))
    #expect(watch.takeGivenUp(now: time(100_000)).isEmpty)
    #expect(watch.note(fault(isFull: false), now: time(100_000)))
    watch.noteReach("/a", .away, now: time(100_000))
    watch.noteReach("/a", .away, now: time(105_000))
    #expect(watch.takeGivenUp(now: time(109_999)).isEmpty)
    #expect(watch.takeGivenUp(now: time(110_000)) == ["/a"])
    #expect(watch.takeGivenUp(now: time(120_000)).isEmpty)
    // It is back, and goes again.
    watch.noteReach("/a", .there, now: time(121_000))
    watch.noteReach("/a", .away, now: time(122_000))
    #expect(watch.takeGivenUp(now: time(131_000)).isEmpty)
    #expect(watch.takeGivenUp(now: time(132_000)) == ["/a"])
  }

  /// It has to wait, for it fails again and again; what lies in it need not wait for that.
  @Test func oneThatIsAwayIsTriedDuringItsPause() {
    let watch = Watch()
    for _ in 0..<6 {
      #expect(watch.note(fault(isFull: false), now: time(0)))
      _ = watch.noteTrial(of: "/a", works)
    }
    #expect(watch.note(fault(isFull: false), now: time(0)))
    #expect(watch.takeDue(now: time(100)).isEmpty)
    watch.noteReach("/a", .away, now: time(100))
    #expect(watch.takeDue(now: time(200)).count == 1)
    watch.noteReach("/a", .there, now: time(200))
    #expect(!watch.noteTrial(of: "/a", works, now: time(200)))
    #expect(watch.setAside["/a"]?.awaySince == nil)
    #expect(watch.takeDue(now: time(300)).isEmpty)
    #expect(watch.takeDue(now: time(60_000)).count == 1)
    #expect(watch.noteTrial(of: "/a", works, now: time(60_000)))
  }

  private func silence(isOverdue: Bool, began: Int64? = nil) -> SpoolFault {
    SpoolFault(
      directory: "/a", reason: "silent", isFull: false, fileBytes: 0, isSilent: true, isOverdue: isOverdue,
      callBegan: began.map { time($0) })
  }

  /// A disk may take longer for what it is tried with than anybody should wait for one that is away.
  @Test func aTrialThatTakesLongGivesNothingUp() {
    let watch = Watch()
    #expect(watch.note(fault(isFull: false), now: time(0)))
    #expect(watch.takeDue(now: time(0)).count == 1)
    #expect(watch.takeGivenUp(now: time(1_000_000)).isEmpty)
  }

  /// The kernel's memory answers for its disk: files can be opened, and small ones read, though nothing else returns.
  @Test func oneThatOnlySeemsToAnswerIsGivenUpWhenItFallsSilentAgain() {
    let watch = Watch()
    #expect(watch.note(silence(isOverdue: true), now: time(0)))
    // That a search could open the marker does not count.
    watch.noteReach("/a", .there, now: time(100))
    #expect(watch.silent == ["/a"] && watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .there, now: time(600))
    #expect(watch.silent == [] && watch.takeGivenUp(now: time(15_000)).isEmpty)
    #expect(!watch.note(silence(isOverdue: true, began: 601), now: time(21_000)))
    #expect(watch.takeGivenUp(now: time(21_000)) == ["/a"])
    // Much later it is another silence.
    #expect(watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .there, now: time(30_000))
    #expect(!watch.note(silence(isOverdue: true, began: 79_000), now: time(100_000)))
    #expect(watch.takeGivenUp(now: time(100_000)).isEmpty && watch.takeGivenUp(now: time(110_000)) == ["/a"])
  }

  /// A call is overdue, the directory answers, and is not used again yet, as its disk is full.
  private func answered(_ watch: Watch) {
    #expect(watch.note(silence(isOverdue: true, began: 0), now: time(20_000)))
    #expect(watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .there, now: time(20_500))
  }

  /// Slow in parts, as where one of several disks or nodes is dead: what is asked of the others is answered.
  @Test func aCallThatBeganBeforeTheAnswerSaysNothingAgainstIt() {
    for began in [12_000, nil] as [Int64?] {
      let watch = Watch()
      answered(watch)
      #expect(!watch.note(silence(isOverdue: true, began: began), now: time(32_000)))
      #expect(watch.takeGivenUp(now: time(41_999)).isEmpty)
      #expect(watch.takeGivenUp(now: time(42_000)) == ["/a"])
    }
  }

  /// Calls come all the time, so that there always is one from before the last answer.
  @Test func aCallThatBeganBeforeTheLastAnswerMayHaveBegunAfterAnEarlierOne() {
    let watch = Watch()
    answered(watch)
    #expect(!watch.note(silence(isOverdue: true, began: 12_000), now: time(32_000)))
    #expect(watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .there, now: time(32_500))
    #expect(!watch.note(silence(isOverdue: true, began: 21_000), now: time(41_000)))
    #expect(watch.takeGivenUp(now: time(41_000)) == ["/a"])
  }

  /// Else a call that began when the directory answered could not be overdue before the doubt is forgotten.
  @Test func whereCallsMayTakeLongTheDoubtLasts() {
    let watch = Watch(callLimit: .seconds(100))
    #expect(watch.note(silence(isOverdue: true, began: 0), now: time(100_000)))
    #expect(watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .there, now: time(100_500))
    #expect(!watch.note(silence(isOverdue: true, began: 101_000), now: time(201_000)))
    #expect(watch.takeGivenUp(now: time(201_000)) == ["/a"])
    #expect(Watch(callLimit: TimeSpan(nanoseconds: .max)).setAside.isEmpty)
  }

  @Test func oneThatIsForgottenBeginsAnew() {
    let watch = Watch()
    for _ in 0..<6 {
      #expect(watch.note(fault(isFull: false), now: time(0)))
      watch.forget("/a")
      #expect(watch.setAside.isEmpty)
    }
    #expect(watch.note(fault(isFull: false), now: time(0)) && watch.takeDue(now: time(0)).count == 1)
  }

  @Test func whatLiesInASilentDirectoryIsGivenUpSomeSecondsAfterACallWasOverdue() {
    let watch = Watch()
    #expect(watch.note(silence(isOverdue: true), now: time(0)))
    // That readers are refused does not begin the time anew.
    #expect(!watch.note(silence(isOverdue: false), now: time(5000)))
    #expect(!watch.note(silence(isOverdue: true), now: time(6000)))
    #expect(watch.takeGivenUp(now: time(9999)).isEmpty)
    #expect(watch.takeGivenUp(now: time(10_000)) == ["/a"])
  }

  /// As at a start, which waits for nobody: a disk that spins up may take as long as while the daemon runs.
  @Test func oneOfWhichNoCallIsOverdueIsNotGivenUp() {
    let watch = Watch()
    #expect(watch.note(silence(isOverdue: false), now: time(0)))
    watch.noteReach("/a", .silent, now: time(0))
    #expect(watch.takeGivenUp(now: time(19_999)).isEmpty)
    #expect(!watch.note(silence(isOverdue: true), now: time(20_000)))
    #expect(watch.takeGivenUp(now: time(29_999)).isEmpty)
    #expect(watch.takeGivenUp(now: time(30_000)) == ["/a"])
  }

  @Test func oneThatIsSilentIsAskedBeforeItIsTriedAndAnswersThoughItTakesNothing() {
    let watch = Watch()
    for _ in 0..<6 {
      #expect(watch.note(fault(), now: time(0)))
      _ = watch.noteTrial(of: "/a", works)
    }
    #expect(watch.note(fault(), now: time(0)) && watch.silent.isEmpty && watch.takeSilent().isEmpty)
    #expect(!watch.note(silence(isOverdue: true), now: time(1)))
    #expect(watch.silent == ["/a"] && watch.takeSilent() == ["/a"])
    // One at a time, and nothing else.
    #expect(watch.takeSilent().isEmpty && watch.takeDue(now: time(60_000)).isEmpty)
    watch.noteAnswer("/a", .silent, now: time(2))
    #expect(watch.silent == ["/a"] && watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .there, now: time(3))
    #expect(watch.silent.isEmpty && watch.takeSilent().isEmpty && watch.setAside["/a"] != nil)
    #expect(watch.takeGivenUp(now: time(1_000_000)).isEmpty)
    // It still has to wait before it is tried.
    #expect(watch.takeDue(now: time(4)).isEmpty)
  }

  @Test func aTrialThatBeganBeforeTheSilenceEndsNothing() {
    let watch = Watch()
    #expect(watch.note(fault(isFull: false), now: time(0)) && watch.takeDue(now: time(0)).count == 1)
    #expect(!watch.note(silence(isOverdue: true), now: time(1)))
    #expect(!watch.noteTrial(of: "/a", works))
    #expect(watch.silent == ["/a"] && watch.setAside["/a"]?.reason == "silent")
    // It answers, and its mount is gone: the time goes on.
    #expect(watch.takeSilent() == ["/a"])
    watch.noteAnswer("/a", .away, now: time(9000))
    #expect(watch.takeGivenUp(now: time(10_001)) == ["/a"])
  }
}
