// Tests of locks: held once, released, left behind, waited for.
import Base
import Glibc
import Platform
import TemporaryDirectories
import Testing

@Suite struct LockFileTests {
  private let directory = TemporaryDirectory()

  @Test func aSecondTakerLearnsTheHolder() throws {
    let path = directory.path + "/lock"
    guard case .acquired(let first) = try LockFile.acquire(path) else {
      Issue.record("a fresh lock is free")
      return
    }
    guard case .held(let holder) = try LockFile.acquire(path) else {
      Issue.record("a held lock was given out twice")
      return
    }
    #expect(holder == getpid())
    #expect(first.path == path)
  }

  @Test func releaseFreesIt() throws {
    let path = directory.path + "/lock"
    do {
      guard case .acquired(let lock) = try LockFile.acquire(path) else {
        Issue.record("a fresh lock is free")
        return
      }
      withExtendedLifetime(lock) {}
    }
    guard case .acquired = try LockFile.acquire(path) else {
      Issue.record("a released lock is free")
      return
    }
  }

  @Test func aFileLeftBehindIsNoLock() throws {
    let path = directory.path + "/lock"
    try AtomicFile.write(Array("999999\n".utf8), to: path, mode: 0o640)
    guard case .acquired = try LockFile.acquire(path) else {
      Issue.record("a stale file held the lock")
      return
    }
    #expect(try AtomicFile.read(path, limit: 100) == Array("\(getpid())\n".utf8))
  }

  @Test func patienceIsBounded() throws {
    let path = directory.path + "/lock"
    let held = try LockFile.acquire(path)
    let start = SystemClock.monotonic()
    let second = try LockFile.acquire(path, patience: .milliseconds(60))
    guard case .held = second, case .acquired = held else {
      Issue.record("the lock was given out twice")
      return
    }
    #expect(SystemClock.monotonic() - start >= .milliseconds(60))
  }

  @Test func aDirectoryThatIsMissingIsNamed() {
    let path = directory.path + "/no/such/lock"
    let error = #expect(throws: WaterbearError.self) { try LockFile.acquire(path) }
    #expect(error?.message.contains(path) == true)
  }
}
