// A base directory that hangs: who is in it is given up, nobody else gets there, and it is used again when it answers.
import Base
import Glibc
import Platform
import Synchronization
import TemporaryDirectories
import Testing

@testable import Exchange

struct SpoolHangTests {
  private let fileSystem = HangingFileSystem()

  /// A call that may hang. What it gives does not matter.
  private func list(_ directory: String, in fixture: SpoolFixture) { _ = try? fixture.directories.list(directory) }

  /// Lets seconds go by, in each of which somebody looks for silence. Gives what was found.
  private func pass(_ seconds: Int, in fixture: SpoolFixture) -> [SpoolSilence] {
    (0..<seconds).flatMap { _ in
      fixture.clock.advance(.seconds(1))
      return fixture.directories.takeSilences()
    }
  }

  /// Waits for something that another thread does.
  private func wait(for condition: () -> Bool) -> Bool {
    for _ in 0..<5000 {
      if condition() { return true }
      usleep(1000)
    }
    return false
  }

  @Test func aCallThatDoesNotReturnFailsAndItsDirectoryIsAskedNothingMore() throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    let (hung, other) = (fixture.path(0), fixture.path(1))
    fileSystem.hang(below: hung)
    let outcome = Mutex<Result<SpoolLocation, any Error>?>(nil)
    try withExtendedLifetime(fixture) {
      try NamedThread.start("attempt") { [fixture] in
        // Its turn is the first directory.
        let written = Result { try fixture.write([], SpoolFixture.attempt(stage: 0, 0, 0), partitions: 1).location }
        outcome.withLock { $0 = written }
      }
      #expect(wait { fileSystem.stuck == 1 })
      // One that waits for two seconds is chosen last, before anybody says that it hangs.
      #expect(pass(2, in: fixture).isEmpty)
      for number in 0..<6 {
        let location = try fixture.write([], SpoolFixture.attempt(stage: 0, 1, number), partitions: 1).location
        #expect(location.directory == other)
      }
      let silences = pass(18, in: fixture)
      #expect(silences.map(\.directory) == [hung])
      #expect(silences.first?.error.code == .spoolUnavailable && silences.first?.output == nil)
      #expect(fixture.directories.takeSilences().isEmpty)
      guard case .setAside(let fault, _)? = fixture.events.last else {
        Issue.record("\(fixture.events)")
        return
      }
      #expect(fault.directory == hung && fault.reason.contains("does not answer"))
      #expect(fixture.directories.isSilent(hung) && !fixture.directories.isSilent(other))
      // Nothing of these waits.
      #expect(throws: FileSystemFailure.self) { try fixture.directories.list(hung) }
      #expect(fixture.directories.removeQuery(SpoolFixture.query, in: hung).failures.count == 1)

      fileSystem.lift()
      #expect(wait { outcome.withLock { $0 != nil } })
      // It came back too late: its attempt was given up, so it must not make a file elsewhere, nor leave one here.
      #expect(throws: WaterbearError.self) { try outcome.withLock { try $0?.get() } }
      #expect(try fixture.directories.list(other).count == 6)
      #expect(fixture.directories.isSilent(hung))
      guard case .works = fixture.directories.probe(hung, neededBytes: 0) else {
        Issue.record("it answers again")
        return
      }
      #expect(try !fixture.directories.isSilent(hung) && fixture.directories.list(hung).isEmpty)
    }
  }

  @Test func aProcessThatWasStoppedBlamesNoDirectory() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    #expect(pass(1, in: fixture).isEmpty)
    fileSystem.hang(below: fixture.path(0))
    #expect(fixture.directories.run(.search, in: fixture.path(0)) { list(fixture.path(0), in: fixture) })
    #expect(wait { fileSystem.stuck == 1 })
    fixture.clock.advance(.seconds(1000))
    #expect(fixture.directories.takeSilences().isEmpty)
    #expect(pass(17, in: fixture).isEmpty)
    #expect(pass(2, in: fixture).count == 1)
    fileSystem.lift()
  }

  @Test func aReaderThatIsStuckNamesTheOutputThatItWanted() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let output = try fixture.write([(0, noise(100))], partitions: 1)
    fileSystem.hang(below: fixture.path(0))
    let error = Mutex<WaterbearError?>(nil)
    try NamedThread.start("reader") {
      do {
        _ = try SpoolReader(output.location, key: fixture.key, fileSystem: fixture.directories.fileSystem)
      } catch let failure {
        error.withLock { $0 = WaterbearError.wrapping(failure) }
      }
    }
    #expect(wait { fileSystem.stuck == 1 })
    let silence = pass(20, in: fixture).first
    #expect(silence?.output == output.attempt && silence?.error.code == .exchangeDataUnrecoverable)
    fileSystem.lift()
    #expect(wait { error.withLock { $0 != nil } })
    #expect(error.withLock { $0?.message.contains("does not answer") } == true)
  }

  /// As in a worker, whose coordinator finds out that the directory answers, and that it is full.
  @Test func aDirectoryThatAnswersMayBeReadThoughItTakesNoFiles() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let directory = fixture.path(0)
    let output = try fixture.write([(0, noise(100))], partitions: 1)
    fileSystem.hang(below: directory)
    #expect(fixture.directories.run(.search, in: directory) { list(directory, in: fixture) })
    #expect(wait { fileSystem.stuck == 1 } && pass(20, in: fixture).count == 1)
    fileSystem.lift()
    guard case .setAside(let fault, _)? = fixture.events.last else {
      Issue.record("\(fixture.events)")
      return
    }
    #expect(fault.isSilent && fault.isOverdue)
    // Before it is known to be silent, that others are not says nothing.
    fixture.directories.hold([], silent: [])
    fixture.directories.hold([directory], silent: [directory])
    #expect(fixture.directories.isSilent(directory) && !fixture.directories.isThere(output.location))
    fixture.directories.hold([directory], silent: [])
    #expect(!fixture.directories.isSilent(directory) && fixture.directories.isThere(output.location))
    #expect(throws: WaterbearError.self) { try fixture.writer(SpoolFixture.attempt(9), partitions: 1) }
  }

  @Test func oneThatFellSilentIsAskedWhetherItAnswersBeforeAnythingElse() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let directory = fixture.path(0)
    fileSystem.hang(below: directory)
    #expect(fixture.directories.run(.search, in: directory) { list(directory, in: fixture) })
    #expect(wait { fileSystem.stuck == 1 } && pass(20, in: fixture).count == 1)
    #expect(fixture.directories.fileSystem.reach(directory) == .silent)
    fileSystem.lift()
    #expect(fixture.directories.isSilent(directory) && fixture.directories.askAgain(directory) == .there)
    #expect(!fixture.directories.isSilent(directory) && fixture.directories.fileSystem.reach(directory) == .there)
    unlink(directory + "/.waterbear-spool")
    #expect(fixture.directories.askAgain(directory) == .away)
    #expect(fixture.directories.fileSystem.reach(directory) == .away)
  }

  /// As a disk that is dead: the kernel's memory gives what it was asked before.
  @Test func thatTheMarkerIsInMemoryIsNoAnswer() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let directory = fixture.path(0)
    fileSystem.hang(below: directory, in: "read past the cache")
    let answer = Mutex<SpoolReach?>(nil)
    let isUnderWay = fixture.directories.run(.answer, in: directory) {
      let reach = fixture.directories.askAgain(directory)
      answer.withLock { $0 = reach }
    }
    #expect(isUnderWay && wait { fileSystem.stuck == 1 || answer.withLock { $0 } != nil })
    #expect(answer.withLock { $0 } == nil)
    #expect(pass(20, in: fixture).count == 1 && fixture.directories.isSilent(directory))
    fileSystem.lift()
    // It comes too late.
    #expect(wait { answer.withLock { $0 == .silent } })
  }

  /// The coordinator asks whether the directory has answered since the call began.
  @Test func whenACallBeganIsSaidAsItIs() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    #expect(pass(3, in: fixture).isEmpty)
    fileSystem.hang(below: fixture.path(0))
    #expect(fixture.directories.run(.search, in: fixture.path(0)) { list(fixture.path(0), in: fixture) })
    #expect(wait { fileSystem.stuck == 1 })
    // This process is stopped for a while, which the call is not blamed for.
    fixture.clock.advance(.seconds(100))
    let silences = pass(25, in: fixture)
    #expect(silences.map(\.began.nanoseconds) == [3_000_000_000] && silences[0].since > silences[0].began)
    guard case .setAside(let fault, _)? = fixture.events.last else {
      Issue.record("\(fixture.events)")
      return
    }
    #expect(fault.callBegan == silences[0].began)
    fileSystem.lift()
  }

  // MARK: Not configured any more

  /// The directories of a later process, to which only the first of two is configured, and an output in the other.
  private func former(_ fixture: SpoolFixture) throws -> (later: SpoolDirectories, events: EventBox, SpoolOutput) {
    let events = EventBox()
    let later = try SpoolDirectories(
      paths: [fixture.path(0)], owner: "test", fileSystem: fileSystem, now: { [clock = fixture.clock] in clock.now },
      report: { events.append($0) })
    var options = SpoolOptions()
    options.avoidedDirectories = [fixture.path(0)]
    let output = try fixture.write([(0, noise(100))], partitions: 1, options: options)
    #expect(output.location.directory == fixture.path(1))
    return (later, events, output)
  }

  @Test func aDirectoryThatIsOnlyReadIsTimedLikeAnyOther() throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    let (later, events, output) = try former(fixture)
    let directory = fixture.path(1)
    // As a worker learns of it.
    later.hold([directory], silent: [])
    #expect(later.knownPaths == [fixture.path(0), directory] && later.isThere(output.location))
    fileSystem.hang(below: directory)
    #expect(later.run(.reading, in: directory) { _ = later.isThere(output.location) })
    #expect(wait { fileSystem.stuck == 1 })
    var silences: [SpoolSilence] = []
    for _ in 0..<20 {
      fixture.clock.advance(.seconds(1))
      silences += later.takeSilences()
    }
    #expect(silences.map(\.directory) == [directory] && silences.first?.output == output.attempt)
    guard case .setAside(let fault, _)? = events.events.last else {
      Issue.record("\(events.events)")
      return
    }
    #expect(fault.directory == directory && fault.isSilent && fault.isOverdue)
    // Nobody else gets stuck.
    #expect(later.isSilent(directory) && !later.isSilent(fixture.path(0)) && !later.isThere(output.location))
    #expect(later.fileSystem.reach(directory) == .silent)
    later.noteAway(directory)
    fileSystem.lift()
    later.hold([directory], silent: [directory])
    #expect(later.isSilent(directory))
    later.hold([directory], silent: [])
    #expect(!later.isSilent(directory) && later.isThere(output.location))
    #expect(later.askAgain(directory) == .there)
  }

  @Test func aDirectoryThatIsOnlyReadTakesNothing() throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    let (later, _, output) = try former(fixture)
    let (own, directory) = (fixture.path(0), fixture.path(1))
    for path in ["", "/", "relative", own] { later.keepReading(path) }
    later.keepReading(directory)
    later.keepReading(directory)
    #expect(later.knownPaths == [own, directory] && later.allPaths == [own])
    #expect(later.takesFiles(own) && !later.takesFiles(directory))
    for number in 0..<8 {
      let options = SpoolOptions()
      let writer = try SpoolWriter(
        in: later, attempt: SpoolFixture.attempt(number), partitionCount: 1, key: nil, options: options)
      #expect(try writer.commit().location.directory == own)
    }
    // Nothing of it is so much as looked at, nor made where it is gone.
    fileSystem.hang(below: directory)
    #expect(later.probe(directory, neededBytes: 0) == .fails(SpoolDirectories.whyOnlyRead(directory)))
    fileSystem.lift()
    rename(directory, directory + ".gone")
    #expect(later.probe(directory, neededBytes: 0) == .fails(SpoolDirectories.whyOnlyRead(directory)))
    #expect(later.search(for: [output.location], in: directory).reach == .away)
    #expect(later.askAgain(directory) == .away && !TestFile.exists(directory))
    #expect(later.volume(of: directory) == nil)
  }

  /// A disk whose writes wait behind gigabytes of others' can be read.
  @Test func aTrialThatWritesSlowlySilencesNothing() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let directory = fixture.path(0)
    let output = try fixture.write([(0, noise(100))], partitions: 1)
    fileSystem.hang(below: directory, in: "create")
    let outcome = Mutex<SpoolProbe?>(nil)
    #expect(
      fixture.directories.run(.trial, in: directory) {
        let shown = fixture.directories.probe(directory, neededBytes: 0)
        outcome.withLock { $0 = shown }
      })
    #expect(wait { fileSystem.stuck == 1 })
    let silences = pass(20, in: fixture)
    #expect(silences.count == 1 && silences.first?.isRefused == false)
    guard case .setAside(let fault, _)? = fixture.events.last else {
      Issue.record("\(fixture.events)")
      return
    }
    #expect(!fault.isSilent && !fault.isOverdue && fault.reason.contains("takes too long"), "\(fault)")
    #expect(!fixture.directories.isSilent(directory) && fixture.directories.isThere(output.location))
    fileSystem.lift()
    #expect(wait { outcome.withLock { $0 != nil } })
    guard case .fails? = outcome.withLock({ $0 }) else {
      Issue.record("it came too late")
      return
    }
    // Nor does it leave anything.
    #expect(try LocalFileSystem().names(in: directory).filter { $0.hasSuffix(".tmp") }.isEmpty)
  }

  @Test func errandsOfOneKindFollowEachOtherAndAThreadThatIsStuckIsReplaced() throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    let (hung, other) = (fixture.path(0), fixture.path(1))
    fileSystem.hang(below: hung)
    let done = Mutex<[String]>([])
    let note = { @Sendable (what: String) in done.withLock { $0.append(what) } }
    let list = { @Sendable (directory: String) in
      do { note("\(directory == hung ? "hung" : "other") \(try fixture.directories.list(directory).count)") } catch {
        note("refused")
      }
    }
    #expect(fixture.directories.run(.removal, in: hung) { list(hung) } ifStuck: { note("stuck") })
    #expect(fixture.directories.run(.removal, in: hung) { list(hung) })
    #expect(fixture.directories.run(.removal, in: other) { list(other) })
    #expect(fixture.directories.run(.reading, in: hung) { note("another errand") })
    #expect(wait { done.withLock { $0.count } == 2 && fileSystem.stuck == 1 })
    #expect(Set(done.withLock { $0 }) == ["other 0", "another errand"])
    #expect(pass(20, in: fixture).count == 1)
    #expect(wait { done.withLock { $0.count } == 4 })
    #expect(done.withLock { $0.suffix(2) } == ["stuck", "refused"])
    fileSystem.lift()
    // The one that was stuck is refused what it asked for, too.
    #expect(wait { done.withLock { $0.count } == 5 })
    #expect(done.withLock { $0.last } == "refused")
  }

  /// The lane's own thread is in no call: it waits for those that are.
  @Test func deletingSideBySideHoldsUpNobodyForever() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let directory = fixture.path(0)
    let outputs = try (0..<20).map { try fixture.write([], SpoolFixture.attempt($0), partitions: 1).location }
    let done = Mutex<[String]>([])
    let note = { @Sendable (what: String) in done.withLock { $0.append(what) } }
    let isUnderWay = fixture.directories.run(.removal, in: directory) {
      fileSystem.hangInDeletions(below: directory, sparing: UInt(pthread_self()), whichTake: .milliseconds(5))
      note("\(fixture.directories.remove(outputs).count > 0)")
    } ifStuck: {
      note("stuck")
    }
    #expect(isUnderWay && fixture.directories.run(.removal, in: directory) { note("the next") })
    #expect(wait { fileSystem.stuck > 0 })
    // Until it has nothing left to do itself.
    usleep(200_000)
    #expect(done.withLock { $0.isEmpty })
    #expect(pass(20, in: fixture).count == fileSystem.stuck)
    #expect(wait { done.withLock { $0.count } == 2 })
    #expect(done.withLock { $0 } == ["stuck", "the next"])
    fileSystem.lift()
    #expect(wait { done.withLock { $0.count } == 3 })
    #expect(done.withLock { $0.last } == "true")
  }

  @Test func whatWaitsForADirectoryIsBounded() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    fileSystem.hang(below: fixture.path(0))
    #expect(fixture.directories.run(.removal, in: fixture.path(0)) { list(fixture.path(0), in: fixture) })
    #expect(wait { fileSystem.stuck == 1 })
    let accepted = (0..<5000).count { _ in fixture.directories.run(.removal, in: fixture.path(0)) {} }
    #expect(accepted == 1000)
    fileSystem.lift()
  }

  @Test func theStartWaitsForNoDirectoryThatHangs() throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem, prepared: false)
    fileSystem.hang(below: fixture.path(0))
    // Long enough for the other one where the machine is busy.
    try fixture.directories.prepare(requireAll: false, within: .seconds(2))
    guard case .setAside(let fault, _)? = fixture.events.first else {
      Issue.record("\(fixture.events)")
      return
    }
    #expect(fault.directory == fixture.path(0) && fixture.events.count == 1)
    // It has as long to answer as at any other time.
    #expect(fault.isSilent && !fault.isOverdue)
    #expect(try fixture.write([], partitions: 1).location.directory == fixture.path(1))
    fileSystem.lift()
    // It is prepared all the same.
    #expect(wait { TestFile.exists(fixture.path(0) + "/.waterbear-spool") })
    #expect(fixture.directories.isSilent(fixture.path(0)))
    #expect(wait { fixture.directories.askAgain(fixture.path(0)) == .there })
    #expect(!fixture.directories.isSilent(fixture.path(0)))
  }

  @Test func theStartWaitsNotEvenForTheOnlyOne() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem, prepared: false)
    fileSystem.hang(below: fixture.path(0))
    try fixture.directories.prepare(requireAll: false, within: .milliseconds(50))
    #expect(fixture.events.count == 1)
    fileSystem.lift()
  }

  @Test func aDirectoryThatWasSilentAtTheFirstStartIsMadeByATrial() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem, prepared: false)
    fileSystem.hang(below: fixture.path(0))
    try fixture.directories.prepare(requireAll: false, within: .milliseconds(50))
    // The preparation has come to nothing.
    #expect(wait { fileSystem.stuck == 1 } && pass(20, in: fixture).count == 1)
    fileSystem.lift()
    #expect(wait { fileSystem.stuck == 0 })
    guard case .works = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("it answers")
      return
    }
    #expect(TestFile.exists(fixture.path(0) + "/.waterbear-spool") && !fixture.directories.isSilent(fixture.path(0)))
  }

  /// How often this process has the file open.
  private func descriptors(of path: String) -> Int {
    // -1, which nothing expects, where it cannot be read.
    (try? LocalFileSystem().names(in: "/proc/self/fd").count { name in
      let wanted = path.utf8
      return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { target in
        let count = target.baseAddress.map { readlink("/proc/self/fd/\(name)", $0, target.count) } ?? 0
        return target.prefix(max(0, count)).lazy.map { UInt8(bitPattern: $0) }.elementsEqual(wanted)
      }
    }) ?? -1
  }

  /// What came too late is not closed either before the directory answers: closing may wait as opening did.
  @Test func aFileThatIsOpenedTooLateIsClosedWhenTheDirectoryAnswers() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let output = try fixture.write([(0, noise(100))], partitions: 1)
    fileSystem.hang(below: output.location.path, in: "open")
    let isDone = Mutex(false)
    try NamedThread.start("reader") {
      // It comes too late.
      _ = try? fixture.directories.fileSystem.open(output.location.path)
      isDone.withLock { $0 = true }
    }
    #expect(wait { fileSystem.stuck == 1 } && pass(20, in: fixture).count == 1)
    fileSystem.lift()
    #expect(wait { isDone.withLock { $0 } })
    #expect(descriptors(of: output.location.path) == 1)
    #expect(fixture.directories.askAgain(fixture.path(0)) == .there)
    #expect(wait { descriptors(of: output.location.path) == 0 })
  }

  @Test func filesOfASilentDirectoryAreClosedWhenItAnswers() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let output = try fixture.write([(0, noise(100))], partitions: 1)
    let openFiles = { descriptors(of: output.location.path) }
    var reader: SpoolReader? = try SpoolReader(
      output.location, key: fixture.key, fileSystem: fixture.directories.fileSystem)
    #expect(reader != nil && openFiles() == 1)
    fileSystem.hang(below: fixture.path(0))
    #expect(fixture.directories.run(.search, in: fixture.path(0)) { _ = fixture.directories.isThere(output.location) })
    #expect(wait { fileSystem.stuck == 1 })
    #expect(pass(20, in: fixture).count == 1)
    reader = nil
    #expect(openFiles() == 1)
    fileSystem.lift()
    guard case .works = fixture.directories.probe(fixture.path(0), neededBytes: 0) else {
      Issue.record("it answers again")
      return
    }
    #expect(wait { openFiles() == 0 })
  }

  /// Between the finding and the giving up the call may have returned, and its thread gone on.
  @Test func aLaneIsGivenUpOnlyForTheJobThatMadeTheCall() throws {
    let clock = ManualClock()
    clock.advance(.seconds(10))
    let lane = SpoolLane("test", now: { clock.now })
    let (begun, gate, ended) = (BlockingQueue<UInt>(), BlockingQueue<Bool>(), BlockingQueue<String>())
    let job = { @Sendable in
      begun.append(UInt(pthread_self()))
      _ = gate.next()
      ended.append("done")
    }
    let isUnderWay = lane.submit(job) { ended.append("given up") }
    #expect(isUnderWay)
    let thread = begun.next()
    lane.giveUp(thread, since: MonotonicTime(nanoseconds: 0) + .seconds(9))
    #expect(ended.next(within: .milliseconds(50)) == nil)
    lane.giveUp(thread, since: clock.now)
    #expect(ended.next(within: .seconds(20)) == "given up")
    gate.append(true)
    #expect(ended.next(within: .seconds(20)) == "done")
  }

  @Test func roomIsAskedForInTheBackground() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    fixture.clock.advance(.seconds(3))
    #expect(fixture.directories.volume(of: fixture.path(0))?.age == .seconds(3))
    fileSystem.hang(below: fixture.path(0))
    for _ in 0..<10 { fixture.directories.refreshVolumes() }
    #expect(wait { fileSystem.stuck == 1 })
    #expect(fixture.directories.volume(of: fixture.path(0))?.age == .seconds(3))
    fileSystem.lift()
    #expect(wait { fixture.directories.volume(of: fixture.path(0))?.age == .zero })
  }
}
