// Proves what /proc tells of processes that are not our children.
import Base
import Glibc
import Testing

@testable import Platform

struct ProcessLifeTests {
  @Test func aProcessIsAsOldAsTheTimeSinceItsStart() throws {
    let own = try #require(ProcessLife.age(of: getpid()))
    // The first process was started before all others.
    let first = try #require(ProcessLife.age(of: 1))
    #expect(own >= .zero && own <= first)
    SystemClock.sleep(.milliseconds(50))
    let later = try #require(ProcessLife.age(of: getpid()))
    #expect(later > own && later.nanoseconds - own.nanoseconds < 30_000_000_000)
  }

  @Test func whatIsGoneHasNoAge() {
    #expect(ProcessLife.age(of: pid_t.max) == nil)
    #expect(ProcessLife.hasEnded(pid_t.max))
    #expect(!ProcessLife.hasEnded(getpid()))
  }

  @Test func `the parent of a process is known`() {
    #expect(ProcessLife.parent(of: getpid()) == getppid())
    #expect(ProcessLife.parent(of: pid_t.max) == nil)
  }
}
