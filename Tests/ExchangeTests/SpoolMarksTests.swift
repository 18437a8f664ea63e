// What is remembered of base directories that were marked, and what follows where one is found without its marker.
import Base
import Exchange
import Glibc
import TemporaryDirectories
import Testing

struct SpoolMarksTests {
  private let temporary = TemporaryDirectory()

  private func directories(_ path: String) throws -> (SpoolDirectories, EventBox) {
    let log = EventBox()
    let marks = try SpoolMarks(path: temporary.path + "/marks")
    return (
      try SpoolDirectories(
        paths: [path], owner: "test", marks: marks, now: { MonotonicTime(nanoseconds: 0) }, report: { log.append($0) }),
      log
    )
  }

  /// Pretends that the directory was marked on another file system.
  private func moveElsewhere(_ path: String) throws {
    try TestFile.write(Array("00000000deadbeef \(path)\n".utf8), to: temporary.path + "/marks")
  }

  @Test(arguments: [false, true])
  func aDirectoryWhoseMountIsAwayIsNotMarkedAnew(isMountPoint: Bool) throws {
    let path = temporary.path + "/spool"
    try directories(path).0.prepare()
    try moveElsewhere(path)
    unlink(path + "/.waterbear-spool")
    if !isMountPoint { rmdir(path) }
    let (again, log) = try directories(path)
    // The daemon starts, and the only directory waits for its mount.
    try again.prepare(requireAll: false)
    guard case .setAside(let fault, _)? = log.events.first else {
      Issue.record("\(log.events)")
      return
    }
    #expect(fault.reason.contains("mount is gone") && fault.reason.contains("spool-marks"))
    guard case .fails = again.probe(path, neededBytes: 0) else {
      Issue.record("its mount is gone")
      return
    }
    #expect(!TestFile.exists(path + "/.waterbear-spool"))
    #expect(TestFile.exists(path) == isMountPoint)
  }

  @Test func aDirectoryThatWasDeletedOrEmptiedIsMarkedAnew() throws {
    let path = temporary.path + "/spool"
    for isDeleted in [false, true] {
      try directories(path).0.prepare()
      unlink(path + "/.waterbear-spool")
      if isDeleted { rmdir(path) }
      try directories(path).0.prepare()
      #expect(TestFile.exists(path + "/.waterbear-spool"))
    }
  }

  @Test func whatIsOnlyConfiguredWronglyIsRefusedAndWhatOnceWorkedIsNot() throws {
    let path = temporary.path + "/below/spool"
    #expect(throws: WaterbearError.self) { try directories(path).0.prepare(requireAll: false) }
    mkdir(temporary.path + "/below", 0o700)
    try directories(path).0.prepare(requireAll: false)
    rename(temporary.path + "/below", temporary.path + "/away")
    let (again, log) = try directories(path)
    try again.prepare(requireAll: false)
    #expect(log.events.count == 1)
  }

  @Test(arguments: [0, 7, 30])
  func aMarkerThatALossOfPowerHasCutIsWrittenAnew(count: Int) throws {
    let path = temporary.path + "/spool"
    let whole = Array("waterbear spool 1\nowner test\n".utf8)
    try directories(path).0.prepare()
    try TestFile.write(Array(whole.prefix(min(count, whole.count - 1))), to: path + "/.waterbear-spool")
    try directories(path).0.prepare()
    #expect(try TestFile.read(path + "/.waterbear-spool") == whole)
  }

  /// Another data directory's begins in the same way.
  @Test(arguments: [0, 7, 24])
  func aMarkerThatIsCutIsNotOursBecauseItMightBe(count: Int) throws {
    let path = temporary.path + "/spool"
    mkdir(path, 0o700)
    let rest = Array("waterbear spool 1\nowner test\n".utf8.prefix(count))
    try TestFile.write(rest, to: path + "/.waterbear-spool")
    let error = #expect(throws: WaterbearError.self) { try directories(path).0.prepare(requireAll: false) }
    #expect(error?.message.contains("cut short") == true)
    #expect(try TestFile.read(path + "/.waterbear-spool") == rest)
  }

  @Test func linesWithoutMeaningAreNoObstacle() throws {
    try TestFile.write(Array("\n\nx\nzz /a\n0000000000000001\n".utf8), to: temporary.path + "/marks")
    try directories(temporary.path + "/spool").0.prepare()
  }

  @Test func whatIsNotConfiguredAnyMoreIsForgotten() throws {
    let marks = { String(decoding: try TestFile.read(temporary.path + "/marks"), as: UTF8.self) }
    try directories(temporary.path + "/a").0.prepare()
    #expect(try marks().contains("/a\n"))
    // Not by a start that is refused.
    #expect(throws: WaterbearError.self) { try directories(temporary.path + "/missing/b").0.prepare() }
    #expect(try marks().contains("/a\n"))
    try directories(temporary.path + "/b").0.prepare()
    #expect(try marks().contains("/b\n") && !marks().contains("/a\n"))
  }
}
