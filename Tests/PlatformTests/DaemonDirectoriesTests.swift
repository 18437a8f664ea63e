// Tests of where a daemon's files lie and of the errors for places that cannot be used.
import Base
import Glibc
import Platform
import TemporaryDirectories
import Testing

@Suite struct DaemonDirectoriesTests {
  private let directory = TemporaryDirectory()

  @Test func everythingLiesBelowTheDataDirectoryByDefault() {
    let places = DaemonDirectories(etc: "/etc/w", data: "/data/")
    #expect(places.run == "/data/run")
    #expect(places.store == "/data/store.sqlite")
    #expect(places.clientSocket == "/data/run/waterbear.sock")
    #expect(places.eventLog == "/data/log/waterbear.jsonl")
  }

  @Test func aSystemServiceSpreadsThem() {
    let places = DaemonDirectories(etc: "/etc/w", data: "/var/lib/w", run: "/run/w", log: "/var/log/w")
    #expect(places.daemonLock == "/run/w/daemon.lock")
    #expect(places.dataLock == "/var/lib/w/daemon.lock")
    #expect(places.eventLog == "/var/log/w/waterbear.jsonl")
  }

  @Test func relativePathsBecomeAbsolute() {
    let places = DaemonDirectories(etc: "etc", data: "./data")
    #expect(places.etc.hasPrefix("/") && places.etc.hasSuffix("/etc"))
    #expect(places.data.hasSuffix("/data") && !places.data.contains("/./"))
  }

  @Test func prepareMakesThemWithTheRightModes() throws {
    let places = DaemonDirectories(etc: directory.path, data: directory.path + "/a/b")
    try places.prepare()
    try places.prepare()
    for (path, mode) in [(places.data, 0o750), (places.spool, 0o700), (places.run, 0o750), (places.log, 0o750)] {
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(Int(status.st_mode & 0o777) & ~mode == 0, "\(path) is open to more than \(mode)")
    }
  }

  @Test func aFileInTheWayIsNamedWithARemedy() throws {
    let path = directory.path + "/file"
    try AtomicFile.write([], to: path, mode: 0o600)
    let error = #expect(throws: WaterbearError.self) {
      try DaemonDirectories(etc: "/etc", data: path).prepare()
    }
    #expect(error?.message == "cannot use the directory \(path): \(path) is not a directory")
    #expect(error?.remedy?.contains("--data-dir") == true)
  }

  @Test func aPathThatCannotBeMadeIsNamedWithARemedy() {
    let error = #expect(throws: WaterbearError.self) {
      try DaemonDirectories(etc: "/etc", data: "/proc/waterbear").prepare()
    }
    #expect(error?.message.contains("/proc/waterbear") == true)
    #expect(error?.remedy?.contains("--data-dir") == true)
  }

  @Test func aMissingConfigurationDirectoryIsNoReasonForDefaults() {
    let error = #expect(throws: WaterbearError.self) {
      try DaemonDirectories(etc: directory.path + "/ect", data: directory.path + "/data").prepare()
    }
    #expect(error?.message.contains(directory.path + "/ect") == true)
    #expect(error?.remedy?.contains("--etc-dir") == true)
    #expect(access(directory.path + "/data", F_OK) != 0)
  }

  @Test func aSocketPathThatIsTooLongIsRefused() {
    let long = directory.path + "/" + String(repeating: "d", count: 100)
    let error = #expect(throws: WaterbearError.self) {
      try DaemonDirectories(etc: "/etc", data: long).prepare()
    }
    #expect(error?.message.contains("103") == true)
    #expect(error?.remedy?.contains("--run-dir") == true)
    #expect(throws: Never.self) {
      try DaemonDirectories(etc: "/etc", data: long, run: directory.path + "/run").prepare()
    }
  }
}
