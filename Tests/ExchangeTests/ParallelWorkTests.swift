// Tests that slow operations on files are done side by side, as many as the setting says, and fast ones are not.
import Base
import Platform
import Synchronization
import Testing

@testable import Exchange

struct ParallelWorkTests {
  /// How many ran at a time at most.
  private final class Meter: Sendable {
    private let state = Mutex((now: 0, most: 0))
    var most: Int { state.withLock { $0.most } }

    func measure(_ body: () -> Void) {
      state.withLock { state in
        state.now += 1
        state.most = max(state.most, state.now)
      }
      body()
      state.withLock { $0.now -= 1 }
    }
  }

  /// 15 files on a file system behind a network, each taking 60 ms to delete.
  @Test(arguments: [(50, 14), (4, 4), (1, 1)])
  func slowItemsAreDoneSideBySide(width: Int, expected: Int) {
    let meter = Meter()
    let results = ParallelWork.map(Array(0..<15), width: width) { item in
      meter.measure { SystemClock.sleep(.milliseconds(60)) }
      return item * 2
    }
    #expect(results == (0..<15).map { $0 * 2 })
    // On a loaded machine some threads may come late.
    #expect(meter.most <= expected && meter.most > expected / 2)
  }

  @Test func fastItemsNeedNoThread() {
    let meter = Meter()
    let results = ParallelWork.map(Array(0..<2), width: 50) { item in
      meter.measure {}
      return item
    }
    #expect(results == [0, 1])
    #expect(meter.most == 1)
    #expect(ParallelWork.map([Int](), width: 50) { $0 }.isEmpty)
  }
}
