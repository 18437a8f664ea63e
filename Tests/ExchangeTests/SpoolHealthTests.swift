// The choice between base directories: by what they sustain, by their room, by whether they work.
import Base
import Glibc
import Testing

@testable import Exchange

struct SpoolHealthTests {
  private let start = MonotonicTime(nanoseconds: 1)

  /// Writes so many files of 8 MB and gives each directory's part of them.
  private func shares(_ health: inout SpoolHealth, speeds: [Double], files: Int = 2000) -> [Double] {
    var counts = [Double](repeating: 0, count: speeds.count)
    for number in 0..<files {
      let best = health.order(speeds.count, turn: number, at: start)[0]
      counts[best] += 1
      _ = health.noteSuccess(best)
      health.chargeFile(best, bytes: 8 << 20)
      let nanoseconds = Int64(Double(8 << 20) / speeds[best] * 1e9)
      health.noteWrite(best, bytes: 8 << 20, time: TimeSpan(nanoseconds: nanoseconds))
    }
    return counts.map { $0 / Double(files) }
  }

  @Test func equalDirectoriesGetEqualParts() {
    var health = SpoolHealth(count: 3)
    for share in shares(&health, speeds: [1e8, 1e8, 1e8]) { #expect(abs(share - 1 / 3) < 0.02) }
  }

  @Test func partsFollowTheMeasuredPace() {
    var health = SpoolHealth(count: 3)
    let shares = shares(&health, speeds: [6e8, 3e8, 1e8])
    for (share, expected) in zip(shares, [0.6, 0.3, 0.1]) { #expect(abs(share - expected) < 0.03, "\(shares)") }
  }

  @Test func aDirectoryThatBecomesSlowLosesItsPartAndRegainsIt() {
    var health = SpoolHealth(count: 2)
    _ = shares(&health, speeds: [5e8, 5e8])
    _ = shares(&health, speeds: [5e8, 1e7], files: 500)
    let slow = shares(&health, speeds: [5e8, 1e7], files: 500)
    #expect(slow[1] > 0 && slow[1] < 0.06, "\(slow)")
    _ = shares(&health, speeds: [5e8, 5e8], files: 4000)
    let again = shares(&health, speeds: [5e8, 5e8])
    #expect(again[1] > 0.4, "\(again)")
  }

  @Test func aNearlyFullDirectoryGetsLittle() {
    var health = SpoolHealth(count: 2)
    health.noteVolume(0, SpoolVolume(totalBytes: 100 << 30, freeBytes: 50 << 30, device: 1), at: start)
    health.noteVolume(1, SpoolVolume(totalBytes: 100 << 30, freeBytes: 1 << 30, device: 2), at: start)
    let shares = shares(&health, speeds: [1e8, 1e8])
    #expect(shares[1] > 0.1 && shares[1] < 0.3, "\(shares)")
  }

  /// However little the others have to offer, but those held are no choice at all.
  @Test func thoseToBeAvoidedComeLastInTheirOrder() {
    var health = SpoolHealth(count: 4)
    health.setAside(1, until: start + .seconds(10))
    #expect(health.order(4, turn: 0, at: start, slow: [0], avoided: [3, 2]) == [0, 1, 3, 2])
    health.hold([0, 1])
    #expect(health.order(4, turn: 0, at: start, avoided: [3, 2]) == [3, 2])
    #expect(health.order(4, turn: 0, at: start, avoided: [2, 3]) == [2, 3])
  }

  @Test func thoseSetAsideOrSlowComeLastAndThoseHeldNotAtAll() {
    var health = SpoolHealth(count: 3)
    health.setAside(0, until: start + .seconds(10))
    health.hold([1])
    #expect(health.order(3, turn: 0, at: start) == [2, 0])
    let later = start + .seconds(10)
    #expect(health.order(3, turn: 0, at: later) == [0, 2])
    #expect(health.order(3, turn: 0, at: later, slow: [0]) == [2, 0])
    #expect(health.isSetAside(1, at: later) && !health.isSetAside(0, at: later))
    health.setAside(1, until: later + .seconds(30))
    health.hold([])
    #expect(!health.isSetAside(1, at: later))
  }
}

struct SpoolProbeTests {
  @Test func aDirectoryThatWorksSaysHowMuchRoomItHas() throws {
    let fixture = try SpoolFixture()
    guard case .works(let volume) = fixture.directories.probe(fixture.path(0), neededBytes: 1000) else {
      Issue.record("it works")
      return
    }
    #expect(volume.totalBytes > 0 && volume.freeBytes > 0)
    #expect(try LocalFileSystem().names(in: fixture.path(0)) == [".waterbear-spool"])
  }

  @Test func aDirectoryMadeAnewIsMarkedAgainAndOneThatIsGoneIsNotMade() throws {
    let fixture = try SpoolFixture()
    unlink(fixture.path(0) + "/.waterbear-spool")
    rmdir(fixture.path(0))
    guard case .fails(let reason) = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("it is gone")
      return
    }
    #expect(reason.contains("No such file"))
    #expect(!TestFile.exists(fixture.path(0)))
    mkdir(fixture.path(0), 0o700)
    guard case .works = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("it is back")
      return
    }
    #expect(TestFile.exists(fixture.path(0) + "/.waterbear-spool"))
  }

  @Test func aDirectoryWithoutItsMarkerGetsNoFiles() throws {
    let fixture = try SpoolFixture(directories: 2)
    unlink(fixture.path(0) + "/.waterbear-spool")
    for partition in 0..<4 {
      let output = try fixture.write([], SpoolFixture.attempt(partition), partitions: 1)
      #expect(output.location.directory == fixture.path(1))
    }
    #expect(try LocalFileSystem().names(in: fixture.path(0)).isEmpty)
  }

  @Test(arguments: [EIO, ENOSPC, EROFS])
  func aDirectoryThatRefusesWritingFails(number: Int32) throws {
    let fileSystem = FaultyFileSystem()
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    fileSystem.arm(.init(operation: "write", at: 0, number: number))
    guard case .fails = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("it refuses to be written to")
      return
    }
    #expect(try LocalFileSystem().names(in: fixture.path(0)) == [".waterbear-spool"])
  }

  /// What a trial writes stays in memory for a while, whatever the disk below does; it is asked for it.
  @Test func aDiskThatTakesNothingFails() throws {
    let fileSystem = FaultyFileSystem()
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    fileSystem.arm(.init(operation: "sync", at: 0, number: EIO))
    guard case .fails(let reason) = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("nothing reaches the disk")
      return
    }
    #expect(reason.contains("Input/output error"))
  }

  @Test func aDirectoryIsAwayWithItsMarkerOnly() throws {
    let fileSystem = FaultyFileSystem()
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let output = try fixture.write([(0, noise(10))], partitions: 1)
    let lost = WaterbearError(.exchangeDataUnrecoverable, "gone")
    #expect(!fileSystem.isSpoolAway(fixture.path(0)))
    #expect(fileSystem.miss(lost, reading: output.location) == .lost)
    fileSystem.arm(.init(operation: "open", at: 0, number: EMFILE))
    #expect(!fileSystem.isSpoolAway(fixture.path(0)))
    fileSystem.arm(.init(operation: "open", at: 0, number: ENOTCONN))
    #expect(fileSystem.miss(lost, reading: output.location) == .away)
    #expect(fileSystem.miss(WaterbearError(.genericInsufficientResources, ""), reading: output.location) == .shortage)
    fileSystem.arm(nil)
    unlink(fixture.path(0) + "/.waterbear-spool")
    #expect(fileSystem.isSpoolAway(fixture.path(0)))
  }

  @Test func aDirectoryThatGivesNothingBackFails() throws {
    let fileSystem = FaultyFileSystem()
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    // The second reading: the first is the marker's.
    fileSystem.arm(.init(operation: "read", at: 2, number: EIO))
    guard case .fails(let reason) = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("what was written cannot be read")
      return
    }
    #expect(reason.contains("Input/output error"))
    #expect(try LocalFileSystem().names(in: fixture.path(0)) == [".waterbear-spool"])
  }

  @Test func withAllHeldNoWorkIsBegun() throws {
    let fixture = try SpoolFixture(directories: 2)
    fixture.directories.hold([fixture.path(0), fixture.path(1)], silent: [])
    let error = #expect(throws: WaterbearError.self) { try fixture.writer(partitions: 1) }
    #expect(error?.code == .spoolUnavailable)
    #expect(error?.message.contains(fixture.path(1)) == true)
    fixture.directories.hold([fixture.path(1)], silent: [])
    #expect(try fixture.write([], partitions: 1).location.directory == fixture.path(0))
  }
}
