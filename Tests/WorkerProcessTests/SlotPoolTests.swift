// Tests which threads run attempts: as few as do.
import Base
import ConnectorAPI
import Exchange
import Execution
import Glibc
import Platform
import Synchronization
import TemporaryDirectories
import Testing

@testable import WorkerProcess

@Suite struct SlotPoolTests {
  private let temporary = TemporaryDirectory()

  private func pool(threads: Int) throws -> SlotPool {
    let spool = try SpoolDirectories(
      paths: [temporary.path + "/spool"], owner: "", now: { SystemClock.monotonic() }, report: { _ in })
    return try SlotPool(threads: threads) {
      AttemptRunner(
        catalogs: Catalogs([:]), directories: spool,
        use: SpoolUse(ExchangePolicy(pageBytesMax: 1 << 20)),
        builds: SharedBuilds(capacityBytes: 0))
    }
  }

  @Test func attemptsOneAfterTheOtherShareOneThread() throws {
    let pool = try pool(threads: 4)
    let ended = BlockingQueue<UInt>()
    var threads: Set<UInt> = []
    for _ in 0..<50 {
      pool.submit { _ in { ended.append(UInt(pthread_self())) } }
      threads.insert(ended.next())
    }
    #expect(threads.count == 1)
  }

  @Test func asManyRunAtATimeAsThereAreThreadsAndNoneIsForgotten() throws {
    let pool = try pool(threads: 3)
    let (begun, gate, ended) = (BlockingQueue<Int>(), BlockingQueue<Bool>(), BlockingQueue<Int>())
    for number in 0..<20 {
      pool.submit { _ in
        begun.append(number)
        _ = gate.next()
        return { ended.append(number) }
      }
    }
    for _ in 0..<3 { _ = begun.next() }
    #expect(begun.next(within: .milliseconds(100)) == nil)
    for _ in 0..<20 { gate.append(true) }
    #expect(Set((0..<20).map { _ in ended.next() }) == Set(0..<20))
  }

  @Test func aThreadThatIsStuckIsReplacedAndEndsWhenItComesBack() throws {
    let pool = try pool(threads: 1)
    let (begun, gate, ended) = (BlockingQueue<UInt>(), BlockingQueue<Bool>(), BlockingQueue<String>())
    let submit = { (name: String, waits: Bool) in
      pool.submit { _ in
        begun.append(UInt(pthread_self()))
        if waits { _ = gate.next() }
        return { ended.append(name) }
      }
    }
    let before = SystemClock.monotonic()
    submit("stuck", true)
    let stuck = begun.next()
    submit("next", false)
    #expect(begun.next(within: .milliseconds(50)) == nil)
    // What is known of it is of an attempt before this one.
    try pool.replace(stuck, stuckSince: before)
    #expect(begun.next(within: .milliseconds(50)) == nil)
    let now = SystemClock.monotonic()
    try pool.replace(stuck, stuckSince: now)
    #expect(begun.next() != stuck && ended.next() == "next")
    // A second word about it changes nothing.
    try pool.replace(stuck, stuckSince: now)
    gate.append(true)
    #expect(ended.next() == "stuck")
    for _ in 0..<20 {
      submit("later", false)
      #expect(begun.next() != stuck && ended.next() == "later")
    }
  }
}
