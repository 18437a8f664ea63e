// Deleting: exactly what is no longer wanted, and nothing that the spool did not name itself.
import Base
import Glibc
import Testing

@testable import Exchange

struct SpoolSweepTests {
  private let fixture: SpoolFixture
  private let gone = QueryID("20260102_030405_00001_abcde")
  private let alive = QueryID("20260102_030405_00002_abcde")

  init() throws { fixture = try SpoolFixture(directories: 2) }

  @Test func sweepKeepsWhatTheCallerWants() throws {
    for partition in 0..<4 {
      for query in [gone, alive] {
        _ = try fixture.write([], SpoolFixture.attempt(partition, query: query), partitions: 1)
      }
    }
    let options = SpoolOptions(bufferBytes: 100)
    let running = SpoolFixture.attempt(1, 7, query: alive)
    let lost = SpoolFixture.attempt(1, 8, query: alive)
    let writers = try [running, lost].map { attempt in
      let writer = try fixture.writer(attempt, partitions: 1, options: options)
      try noise(200).withUnsafeBytes { try writer.append(partition: 0, page: $0, rows: 1) }
      return writer
    }
    let selected = SpoolFixture.attempt(2, query: alive)
    let removal = try fixture.directories.sweep(live: { Set([alive]) }) { file in
      file.isTemporary ? file.attempt == running : file.attempt == selected
    }
    #expect(removal.failures.isEmpty)
    #expect(removal.deleted.count == 8)
    #expect(try Set(fixture.directories.list().map(\.attempt)) == [running, selected])
    #expect(!TestFile.exists(fixture.path(0) + "/\(gone)"))
    #expect(TestFile.exists(fixture.path(0) + "/\(alive)"))

    // The attempt that was kept can still commit, the other cannot, and blames no directory for it.
    #expect(try writers[0].commit().attempt == running)
    #expect(throws: WaterbearError.self) { try writers[1].commit() }
    #expect(fixture.events.isEmpty)
  }

  @Test func aQueryThatBeginsAfterTheListingKeepsItsFiles() throws {
    // In one directory, which was listed already.
    let fixture = try SpoolFixture()
    _ = try fixture.write([], SpoolFixture.attempt(0, query: gone), partitions: 1)
    let removal = try fixture.directories.sweep(
      live: {
        // It is not among what was found, so whether it is live does not matter any more.
        _ = try fixture.write([], SpoolFixture.attempt(0, query: alive), partitions: 1)
        return Set()
      }, keeping: { _ in true })
    #expect(removal.deleted.map(\.attempt.task.stage.query) == [gone])
    #expect(try fixture.directories.list().map(\.attempt.task.stage.query) == [alive])
  }

  @Test func whatIsWantedByTheTimeItWouldBeDeletedStays() throws {
    let fixture = try SpoolFixture()
    for partition in 0..<120 {
      _ = try fixture.write([], SpoolFixture.attempt(partition, query: alive), partitions: 1)
    }
    let directories = fixture.directories
    // Attempts that nobody knew when the sweep began have begun again under their numbers while others were deleted.
    let removal = try directories.sweep(live: { Set([alive]) }) { _ in
      // Where nothing can be listed the counts below are wrong.
      guard let count = try? directories.list().count else { return false }
      return count < 120
    }
    #expect(removal.deleted.count == directories.parallelism)
    #expect(try directories.list().count == 120 - directories.parallelism)
  }

  @Test func whatCannotBeDeletedKeepsNothingElse() throws {
    for partition in 0..<6 { _ = try fixture.write([], SpoolFixture.attempt(partition, query: gone), partitions: 1) }
    // A directory where a file was cannot be unlinked.
    let victim = try #require(try fixture.directories.list().first { $0.attempt.task.partition == 2 })
    unlink(victim.path)
    mkdir(victim.path, 0o700)
    let removal = fixture.directories.removeQuery(gone)
    #expect(removal.deleted.count == 5)
    #expect(removal.failures.contains { $0.path == victim.path })
    #expect(try fixture.directories.list().map(\.path) == [victim.path])
  }

  @Test func whatLiesInADirectoryThatIsAwayIsNotForgotten() throws {
    for partition in 0..<6 { _ = try fixture.write([], SpoolFixture.attempt(partition, query: gone), partitions: 1) }
    let (base, aside) = (fixture.path(0), fixture.path(0) + "-aside")
    rename(base, aside)
    #expect(fixture.directories.removeQuery(gone).failures.map(\.path) == [base])
    #expect(try fixture.directories.sweep(live: { Set() }) { _ in true }.failures.count == 1)
    rename(aside, base)
    let removal = try fixture.directories.sweep(live: { Set() }) { _ in true }
    #expect(removal.failures.isEmpty && !removal.deleted.isEmpty)
    #expect(try fixture.directories.list().isEmpty)
  }

  @Test func foreignFilesAreLeftAlone() throws {
    _ = try fixture.write([], SpoolFixture.attempt(0, query: gone), partitions: 1)
    let base = fixture.path(0)
    let query = "\(base)/\(gone)"
    mkdir(query, 0o700)
    mkdir(base + "/backup", 0o700)
    mkdir(base + "/full", 0o700)
    let foreign = [
      base + "/notes.txt", base + "/lost", query + "/notes", query + "/1.2.3.spool.bak", query + "/1.2.x.spool",
      query + "/01.2.3.spool", query + "/1.2.3.4.spool", query + "/1.2.3.tmp", base + "/full/1.2.spool",
    ]
    for path in foreign { try TestFile.write([1], to: path) }
    let probe = base + "/.waterbear-spool.00-1.tmp"
    try TestFile.write([1], to: probe)
    let removal = try fixture.directories.sweep(live: { Set() }) { _ in false }
    #expect(removal.failures.isEmpty)
    for path in foreign { #expect(TestFile.exists(path), "\(path)") }
    #expect(TestFile.exists(base + "/backup"))
    #expect(!TestFile.exists(probe))
    #expect(try fixture.directories.list().isEmpty)
  }

  @Test func emptyDirectoryOfADeadQueryGoes() throws {
    mkdir(fixture.path(1) + "/\(gone)", 0o700)
    _ = try fixture.directories.sweep(live: { Set() }) { _ in false }
    #expect(!TestFile.exists(fixture.path(1) + "/\(gone)"))
  }

  @Test func directoryWithoutMarkerIsNotSwept() throws {
    let output = try fixture.write([], SpoolFixture.attempt(query: gone), partitions: 1)
    let marker = output.location.directory + "/.waterbear-spool"
    unlink(marker)
    #expect(try fixture.directories.sweep(live: { Set() }) { _ in false }.deleted.isEmpty)
    try TestFile.write(Array("waterbear spool 1\nowner other\n".utf8), to: marker)
    #expect(throws: WaterbearError.self) { try fixture.directories.sweep(live: { Set() }) { _ in false } }
    #expect(TestFile.exists(output.location.path))
  }

  @Test func queryAndAttemptAreRemovedWhole() throws {
    for partition in 0..<4 {
      for query in [gone, alive] {
        _ = try fixture.write([], SpoolFixture.attempt(partition, query: query), partitions: 1)
      }
    }
    #expect(fixture.directories.removeQuery(gone).deleted.count == 4)
    #expect(try fixture.directories.list().count == 4)
    #expect(!TestFile.exists(fixture.path(0) + "/\(gone)"))
    #expect(fixture.directories.removeQuery(gone).deleted.isEmpty)

    let attempt = SpoolFixture.attempt(1, query: alive)
    #expect(fixture.directories.removeAttempt(attempt, committed: false).deleted.isEmpty)
    #expect(fixture.directories.removeAttempt(attempt, committed: true).deleted.map(\.attempt) == [attempt])
    #expect(try fixture.directories.list().count == 3)
  }

  @Test func oneDeadDirectoryDoesNotStopTheRest() throws {
    for partition in 0..<4 {
      _ = try fixture.write([], SpoolFixture.attempt(partition, query: gone), partitions: 1)
    }
    let hidden = fixture.temporary.path + "/hidden"
    rename(fixture.path(0), hidden)
    try TestFile.write([1], to: fixture.path(0))
    let removal = try fixture.directories.sweep(live: { Set() }) { _ in false }
    #expect(removal.failures.count == 1)
    #expect(removal.deleted.count == 2)
  }
}
