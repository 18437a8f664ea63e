// When directories are set aside for all processes, tried again and used again.
import Base
import Exchange
import Testing

@testable import CoordinatorProcess

@Suite struct SpoolWatchTests {
  /// `#expect` takes no mutating calls.
  private final class Watch {
    private var watch = SpoolWatch()
    var setAside: [String: SpoolWatch.SetAside] { watch.setAside }
    func note(_ fault: SpoolFault, now: MonotonicTime) -> Bool { watch.note(fault, now: now) }
    func noteCommit(in directory: String, fileBytes: Int) { watch.noteCommit(in: directory, fileBytes: fileBytes) }
    func takeDue(now: MonotonicTime) -> [(directory: String, neededBytes: Int64)] { watch.takeDue(now: now) }
    func noteTrial(of directory: String, _ outcome: SpoolProbe) -> Bool { watch.noteTrial(of: directory, outcome) }
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
}
