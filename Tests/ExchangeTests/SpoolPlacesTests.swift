// Base directories that are one another, or lie where something else does, whatever they are called.
import Base
import Glibc
import Synchronization
import TemporaryDirectories
import Testing

@testable import Exchange

struct SpoolPlacesTests {
  private let temporary = TemporaryDirectory()

  private func path(_ name: String) -> String { temporary.path + "/" + name }
  private func make(_ names: String...) { for name in names { mkdir(path(name), 0o700) } }

  private func directories(
    _ names: [String], memory: String? = nil, fileSystem: any SpoolFileSystem = LocalFileSystem()
  ) throws -> SpoolDirectories {
    try SpoolDirectories(
      paths: names.map { path($0) }, memoryPath: memory.map { path($0) }, owner: "test", fileSystem: fileSystem,
      now: { MonotonicTime(nanoseconds: 0) }, report: { _ in })
  }

  /// The refusal of a start; nil where it is fine.
  private func refusal(_ names: [String], memory: String? = nil, beside: [SpoolNeighbour] = []) throws -> String? {
    do {
      try directories(names, memory: memory).prepare(requireAll: false, beside: beside)
      return nil
    } catch {
      let error = WaterbearError.wrapping(error)
      #expect(error.code == .configurationInvalid)
      return error.message + " " + (error.remedy ?? "")
    }
  }

  private func expect(_ refusal: String?, _ parts: String...) {
    for part in parts { #expect(refusal?.contains(part) == true, "\(refusal ?? "no refusal") without '\(part)'") }
  }

  @Test func oneDirectoryByTwoNamesIsRefused() throws {
    make("a", "a/x", "b")
    symlink(path("a"), path("link"))
    expect(try refusal(["a", "link"]), "same directory", path("a"), path("link"), "Name it once.")
    expect(try refusal(["a", "b/../a"]), "same directory", path("b/../a"))
    expect(try refusal(["a", "b"], memory: "link"), "same directory", path("link"))
    // None of them is touched.
    #expect(!TestFile.exists(path("a/.waterbear-spool")))
    #expect(try refusal(["a", "b"]) == nil)
  }

  @Test func oneInAnotherIsRefusedWhetherOrNotItIsThere() throws {
    make("a", "a/x", "a/x/y", "b")
    symlink(path("a/x"), path("link"))
    expect(try refusal(["link/y", "a"]), "\(path("link/y")) lies in \(path("a"))")
    expect(try refusal(["a", "link/new"]), "\(path("link/new")) lies in \(path("a"))")
    #expect(!TestFile.exists(path("a/x/new")))
    #expect(try refusal(["b", "a/x/y"]) == nil)
  }

  @Test func theRootDirectoryIsRefusedAndGetsNoMarker() throws {
    let error = #expect(throws: WaterbearError.self) {
      try SpoolDirectories(
        paths: [path("../../../../../../../../..")], owner: "test", now: { MonotonicTime(nanoseconds: 0) },
        report: { _ in }
      ).prepare(requireAll: false)
    }
    expect(error?.message, "is the root directory")
    #expect(!TestFile.exists("/.waterbear-spool"))
  }

  @Test func whatIsNotTheSpoolsIsRefused() throws {
    make("data", "data/spool", "lake", "lake/schema")
    symlink(path("lake"), path("link"))
    let data = SpoolNeighbour(path: path("data"), name: "the data directory", distance: .different)
    let lake = SpoolNeighbour(path: path("lake"), name: "the directory of the catalog lake", distance: .apart)
    let later = SpoolNeighbour(path: path("later/lake"), name: "the directory of the catalog later", distance: .apart)
    let beside = [data, lake, later]
    expect(try refusal(["data"], beside: beside), "\(path("data")) is the data directory itself")
    expect(try refusal(["data/../data"], beside: beside), "is the data directory itself")
    expect(try refusal(["link"], beside: beside), "is the directory of the catalog lake itself")
    expect(try refusal(["link/new"], beside: beside), "\(path("link/new")) lies in \(path("lake"))", "catalog lake")
    // One that contains a directory which is still to be made.
    expect(try refusal([""], beside: [data, later]), "contains \(path("later/lake"))")
    make("later")
    expect(try refusal(["later"], beside: beside), "contains \(path("later/lake"))", "catalog later")
    // A directory is made only where it may be.
    #expect(!TestFile.exists(path("lake/new")) && !TestFile.exists(path("lake/.waterbear-spool")))
    #expect(try refusal(["data/spool", "apart"], beside: beside) == nil)
  }

  @Test func aNeighbourThatHangsIsComparedByItsName() throws {
    make("lake", "spool")
    let files = HangingFileSystem()
    files.hang(below: path("lake"))
    defer { files.lift() }
    let lake = SpoolNeighbour(path: path("lake"), name: "the catalog's", distance: .apart)
    try directories(["spool"], fileSystem: files).prepare(within: .milliseconds(100), beside: [lake])
    let nested = try directories(["lake/x"], fileSystem: files)
    let error = #expect(throws: WaterbearError.self) {
      files.lift()
      try nested.prepare(within: .seconds(5), beside: [lake])
    }
    expect(error?.message, "lies in")
  }

  /// The start waits for nobody; it is found out when it answers.
  @Test func oneThatDidNotAnswerAtTheStartIsComparedLater() throws {
    make("a", "b")
    try directories(["b"]).prepare()
    symlink(path("b"), path("link"))
    let files = HangingFileSystem()
    files.hang(below: path("link"))
    let directories = try directories(["b", "link"], fileSystem: files)
    try directories.prepare(requireAll: false, within: .milliseconds(50))
    files.lift()
    guard case .fails(let reason) = directories.probe(path("link"), neededBytes: 0) else {
      Issue.record("it is the same as the other")
      return
    }
    expect(reason, "same directory")
  }

  @Test func namesSayWhatLiesWhere() {
    #expect(SpoolPlaces.contains("/a", "/a") && SpoolPlaces.contains("/a", "/a/b") && SpoolPlaces.contains("/", "/a"))
    #expect(!SpoolPlaces.contains("/a", "/ab") && !SpoolPlaces.contains("/a/b", "/a"))
  }

  @Test func aCallIsThatOfTheInnermostDirectory() throws {
    let time = Mutex(MonotonicTime(nanoseconds: 0))
    let calls = SpoolCalls(directories: ["/", "/a", "/a/ü"], limit: .seconds(1), now: { time.withLock { $0 } })
    let later = { time.withLock { $0 = $0 + .seconds(1) } }
    let file = "/a/ü/20260102_030405_00006_abcde/1.2.3.spool"
    for (path, directory) in [("/x/y", "/"), ("/a/b", "/a"), (file, "/a/ü"), ("/a", "/a")] {
      var silences: [SpoolSilence] = []
      #expect(throws: FileSystemFailure.self) {
        try calls.perform("open", path, as: .writeTrial) { () throws(FileSystemFailure) in
          later()
          silences = calls.takeOverdue()
        }
      }
      #expect(silences.map(\.directory) == [directory])
    }
  }
}
