// Base directories: checked at start, used in turn, set aside when they fail, used again later.
import Base
import Exchange
import Glibc
import TemporaryDirectories
import Testing

struct SpoolDirectoriesTests {
  @Test func directoriesAreMadeAndMarked() throws {
    let fixture = try SpoolFixture(directories: 2)
    for number in 0..<2 {
      var status = stat()
      #expect(stat(fixture.path(number), &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
      let marker = try TestFile.read(fixture.path(number) + "/.waterbear-spool")
      #expect(String(decoding: marker, as: UTF8.self) == "waterbear spool 1\nowner test\n")
    }
    // A second process of the same data directory finds them as they should be, and leaves nothing behind.
    try fixture.directories.prepare()
    #expect(try LocalFileSystem().names(in: fixture.path(0)) == [".waterbear-spool"])
  }

  @Test func directoryOfAnotherOwnerIsRefused() throws {
    let fixture = try SpoolFixture()
    for (paths, requireAll) in [([fixture.path(0)], true), ([fixture.path(0), fixture.path(1)], false)] {
      let other = try SpoolDirectories(
        paths: paths, owner: "someone else", now: { MonotonicTime(nanoseconds: 0) }, report: { _ in })
      let error = #expect(throws: WaterbearError.self) { try other.prepare(requireAll: requireAll) }
      #expect(error?.code == .configurationInvalid)
      #expect(error?.message.contains("another data directory") == true)
    }
  }

  @Test func unusableDirectoriesAreAllNamed() throws {
    let temporary = TemporaryDirectory()
    try TestFile.write([1], to: temporary.path + "/file")
    let good = temporary.path + "/good"
    let paths = [temporary.path + "/file/below", good, temporary.path + "/missing/below"]
    let log = EventBox()
    let directories = try SpoolDirectories(
      paths: paths, owner: "test", now: { MonotonicTime(nanoseconds: 0) }, report: { log.append($0) })
    let error = #expect(throws: WaterbearError.self) { try directories.prepare() }
    #expect(error?.message.contains(paths[0]) == true)
    #expect(error?.message.contains(paths[2]) == true)
    #expect(error?.message.contains(good) == false)

    // Where not all are needed, the good one serves.
    try directories.prepare(requireAll: false)
    #expect(log.events.count == 2)
    for partition in 0..<3 {
      let writer = try SpoolWriter(
        in: directories, attempt: SpoolFixture.attempt(partition), partitionCount: 1, key: nil)
      #expect(try writer.commit().location.directory == good)
    }
  }

  @Test func noDirectoryAtAllIsRefused() {
    let error = #expect(throws: WaterbearError.self) {
      try SpoolDirectories(paths: [], owner: "test", now: { MonotonicTime(nanoseconds: 0) }, report: { _ in })
    }
    #expect(error?.code == .exchangeManagerNotConfigured)
  }

  @Test func filesAreSpreadAndARetryGoesElsewhere() throws {
    let fixture = try SpoolFixture(directories: 3)
    var counts: [String: Int] = [:]
    for partition in 0..<9 {
      let output = try fixture.write([], SpoolFixture.attempt(partition, 0), partitions: 1)
      counts[output.location.directory, default: 0] += 1
    }
    #expect(counts.values.sorted() == [3, 3, 3])
    let first = try fixture.write([], SpoolFixture.attempt(20, 0), partitions: 1)
    let second = try fixture.write([], SpoolFixture.attempt(20, 1), partitions: 1)
    #expect(first.location.directory != second.location.directory)
  }

  @Test func anOutputKeepsAwayFromWhereItIsToldTo() throws {
    let fixture = try SpoolFixture(directories: 2)
    for partition in 0..<8 {
      var options = SpoolOptions()
      options.avoidedDirectories = [fixture.path(partition % 2)]
      let writer = try fixture.writer(SpoolFixture.attempt(partition), partitions: 1, options: options)
      #expect(writer.directory == nil)
      #expect(try writer.commit().location.directory == fixture.path(1 - partition % 2))
      #expect(writer.directory == fixture.path(1 - partition % 2))
    }
    // Rather there than nowhere.
    fixture.directories.hold([fixture.path(1)], silent: [])
    var options = SpoolOptions()
    options.avoidedDirectories = [fixture.path(0)]
    let writer = try fixture.writer(SpoolFixture.attempt(9), partitions: 1, options: options)
    #expect(try writer.commit().location.directory == fixture.path(0))
  }

  @Test func directorySetAsideIsTriedAgainAfterAWhile() throws {
    let fileSystem = FaultyFileSystem()
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    fileSystem.arm(.init(at: 0, number: EIO, below: fixture.path(0)))
    // Its turn comes with every even sum of the numbers.
    let turn = { (number: Int) in SpoolFixture.attempt(stage: 0, 0, number * 2) }
    #expect(try fixture.write([], turn(0), partitions: 1).location.directory == fixture.path(1))
    fileSystem.arm(nil)
    fixture.clock.advance(.seconds(29))
    #expect(try fixture.write([], turn(1), partitions: 1).location.directory == fixture.path(1))
    fixture.clock.advance(.seconds(1))
    #expect(try fixture.write([], turn(2), partitions: 1).location.directory == fixture.path(0))
    guard fixture.events.count == 2, case .setAside(let fault, .seconds(30)) = fixture.events[0] else {
      Issue.record("unexpected events: \(fixture.events)")
      return
    }
    #expect(fault.directory == fixture.path(0))
    #expect(fault.reason.contains("Input/output error"))
    #expect(!fault.isFull)
    #expect(fixture.events[1] == .usedAgain(directory: fixture.path(0)))
  }

  @Test func lastDirectoryIsTriedEvenIfSetAside() throws {
    let fileSystem = FaultyFileSystem()
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    fileSystem.arm(.init(operation: "create", at: 1, number: ENOSPC))
    let error = #expect(throws: WaterbearError.self) { try fixture.write([], partitions: 1) }
    #expect(error?.code == .spoolUnavailable)
    #expect(error?.message.contains("No space left on device") == true)
    #expect(try fixture.write([], partitions: 1).location.directory == fixture.path(0))
  }

  @Test func vanishedBaseDirectoryIsNotMadeAgain() throws {
    let fixture = try SpoolFixture(directories: 2)
    unlink(fixture.path(0) + "/.waterbear-spool")
    rmdir(fixture.path(0))
    for partition in 0..<4 {
      let output = try fixture.write([], SpoolFixture.attempt(partition), partitions: 1)
      #expect(output.location.directory == fixture.path(1))
    }
    #expect(!TestFile.exists(fixture.path(0)))
  }

  @Test func smallOutputsGoToMemoryFirst() throws {
    let temporary = TemporaryDirectory()
    let directories = try SpoolDirectories(
      paths: [temporary.path + "/disk/"], memoryPath: temporary.path + "/memory", owner: "test",
      now: { MonotonicTime(nanoseconds: 0) }, report: { _ in })
    try directories.prepare()
    for (count, expected) in [(100, "/memory"), (1500, "/memory"), (2000, "/disk")] {
      let writer = try SpoolWriter(
        in: directories, attempt: SpoolFixture.attempt(count), partitionCount: 1, key: nil,
        options: SpoolOptions(bufferBytes: 2000))
      try noise(count).withUnsafeBytes { try writer.append(partition: 0, page: $0, rows: 1) }
      #expect(try writer.commit().location.directory == temporary.path + expected)
    }
    #expect(directories.removeQuery(SpoolFixture.query).deleted.count == 3)
    // With every disk set aside a task is begun once, for its output may be small; not again, for it was not.
    directories.hold([temporary.path + "/disk"], silent: [])
    func writer(_ number: Int) throws -> SpoolWriter {
      try SpoolWriter(in: directories, attempt: SpoolFixture.attempt(0, number), partitionCount: 1, key: nil)
    }
    #expect(try writer(0).commit().location.directory == temporary.path + "/memory")
    #expect(throws: WaterbearError.self) { _ = try writer(1) }
    directories.hold([temporary.path + "/disk", temporary.path + "/memory"], silent: [])
    #expect(throws: WaterbearError.self) { _ = try writer(0) }
    directories.hold([], silent: [])
    #expect(throws: Never.self) { _ = try writer(1) }
  }

  /// A file system in memory may be as large as half of the machine's.
  @Test func noMoreIsPutIntoMemoryThanItMayHold() throws {
    let temporary = TemporaryDirectory()
    let (files, clock) = (FaultyFileSystem(), ManualClock())
    files.say(SpoolVolume(totalBytes: 1 << 40, freeBytes: 1 << 40 - 1000, device: 1))
    let directories = try SpoolDirectories(
      paths: [temporary.path + "/disk"], memoryPath: temporary.path + "/memory", memoryBytesMax: 5000, owner: "test",
      fileSystem: files, now: { clock.now }, report: { _ in })
    try directories.prepare()
    func place(_ number: Int) throws -> String {
      let writer = try SpoolWriter(in: directories, attempt: SpoolFixture.attempt(number), partitionCount: 1, key: nil)
      try noise(1500).withUnsafeBytes { try writer.append(partition: 0, page: $0, rows: 1) }
      return try String(writer.commit().location.directory.dropFirst(temporary.path.utf8.count))
    }
    // What others have put there counts, and what was begun since that was asked.
    #expect(try (0..<4).map { try place($0) } == ["/memory", "/memory", "/disk", "/disk"])
    files.say(SpoolVolume(totalBytes: 1 << 40, freeBytes: 1 << 40, device: 1))
    clock.advance(.seconds(2))
    directories.refreshVolumes()
    for _ in 0..<5000 where directories.volume(of: temporary.path + "/memory")?.age != .zero { usleep(1000) }
    #expect(try place(4) == "/memory")
  }

  @Test func aDirectoryInMemoryIsNotEnoughToStartWith() throws {
    let temporary = TemporaryDirectory()
    let directories = try SpoolDirectories(
      paths: [temporary.path + "/missing/disk"], memoryPath: temporary.path + "/memory", owner: "test",
      now: { MonotonicTime(nanoseconds: 0) }, report: { _ in })
    let error = #expect(throws: WaterbearError.self) { try directories.prepare(requireAll: false) }
    #expect(error?.code == .configurationInvalid)
    #expect(error?.message.contains("/missing/disk") == true)
  }

  @Test func buffersKeepWithinTheirBounds() {
    func bytes(_ partitions: Int, _ memory: Int64 = 1 << 40, perPartition: Int = 2) -> Int {
      SpoolOptions.bufferBytes(
        partitions: partitions, poolMinimum: 10, perPartition: perPartition, memory: memory) >> 10
    }
    #expect(bytes(1) == 320)
    #expect(bytes(50) == 3200)
    #expect(bytes(1000) == 8192)
    #expect(bytes(1000, perPartition: 64) == 8192)
    #expect(bytes(50, 16 << 20) == 1024)
    #expect(bytes(50, 1) == 64)
  }
}
