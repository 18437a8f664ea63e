// Tests of starting processes, with a shell as the child: what it gets, what it must not get, how its end is told.
import Base
import Glibc
import Platform
import TemporaryDirectories
import Testing

@Suite struct ChildProcessTests {
  private let directory = TemporaryDirectory()

  /// Runs a shell script to its end and returns its status and what it wrote to descriptor 3.
  private func run(_ script: String, title: String = "test-child") throws -> (ProcessEnd, String) {
    let pipe = try OwnedDescriptor.pipe()
    let child = try ChildProcess(
      of: try PinnedExecutable("/bin/sh"), title: title, arguments: ["-c", script],
      environment: ["PATH": "/usr/bin:/bin", "GREETING": "hello"], descriptors: [(pipe.write, 3)])
    var output: [UInt8] = []
    let status = try waitForEnd(child) { output += try pipe.read.readAvailable(limit: 4096) ?? [] }
    output += try pipe.read.readAvailable(limit: 4096) ?? []
    return (status, String(decoding: output, as: UTF8.self))
  }

  /// Polls the child's descriptor until it has ended, at most ten seconds.
  private func waitForEnd(_ child: ChildProcess, meanwhile: () throws -> Void = {}) throws -> ProcessEnd {
    for _ in 0..<1000 {
      var entry = pollfd(fd: child.pollDescriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, 10)
      try meanwhile()
      if let status = child.reap() { return status }
    }
    child.send(SIGKILL)
    throw WaterbearError(.exceededTimeLimit, "the child did not end")
  }

  @Test func argumentsEnvironmentAndMappedDescriptorArrive() throws {
    let (status, output) = try run("echo \"$0 $GREETING\" >&3; exit 7", title: "ignored-by-sh")
    #expect(status == .exited(7))
    #expect(output.contains("hello"))
  }

  @Test func theTitleIsWhatTheProcessListShows() throws {
    let (_, output) = try run("tr '\\0' ' ' < /proc/$$/cmdline >&3; exit 0", title: "waterbeard: worker 3")
    #expect(output.hasPrefix("waterbeard: worker 3 "))
  }

  @Test func nothingElseIsOpenInTheChild() throws {
    // Left open to children on purpose, as a careless starter would, under a number that a shell does not use itself.
    let careless = fcntl(2, F_DUPFD, 200)
    #expect(careless >= 200)
    defer { close(careless) }
    let (_, output) = try run("for f in /proc/$$/fd/*; do echo ${f##*/} >&3; done")
    let numbers = Set(output.split(separator: "\n").compactMap { Int($0) })
    #expect(numbers.isSuperset(of: [0, 1, 2, 3]))
    // The shell itself opens 4 to list the directory and keeps copies of redirected descriptors from 10 up.
    #expect(numbers.subtracting([4, 10, 11]) == [0, 1, 2, 3])
  }

  @Test func signalsAreDefaultAndUnblockedInTheChild() throws {
    let (_, output) = try run("grep -E '^Sig(Blk|Ign)' /proc/self/status >&3")
    let masks = output.split(separator: "\n").compactMap { $0.split(separator: "\t").last }
      .compactMap { UInt64($0, radix: 16) }
    // The C library keeps signals 32 and 33 to itself and cannot reset them.
    let ours = ~UInt64(0b11 << 31)
    #expect(masks.map { $0 & ours } == [0, 0])
  }

  @Test func theChildHasItsOwnProcessGroup() throws {
    let (_, output) = try run("echo $$ $(cut -d' ' -f5 /proc/$$/stat) >&3")
    let parts = output.split(whereSeparator: \.isWhitespace)
    #expect(parts.count == 2 && parts[0] == parts[1])
  }

  @Test func aKilledChildSaysSo() throws {
    let (status, _) = try run("kill -9 $$")
    #expect(status == .killed(signal: SIGKILL))
    #expect(status.description == "signal SIGKILL")
  }

  /// A child that another test starts at this moment holds our file open for writing until it executes its own program,
  /// and a file that is open for writing cannot be executed.
  private func startWhenNotBusy(_ start: () throws -> ChildProcess) throws -> ChildProcess {
    let deadline = SystemClock.monotonic() + .seconds(10)
    while true {
      do {
        return try start()
      } catch {
        guard "\(error)".contains(SystemCall.message(ETXTBSY)), SystemClock.monotonic() < deadline else { throw error }
        SystemClock.sleep(.milliseconds(5))
      }
    }
  }

  @Test func aProgramStartsAfterItsFileIsGone() throws {
    let copy = directory.path + "/sh"
    let bytes = try #require(try AtomicFile.read("/bin/sh", limit: 64 << 20))
    try AtomicFile.write(bytes, to: copy, mode: 0o755)
    let pinned = try PinnedExecutable(copy)
    unlink(copy)
    let child = try startWhenNotBusy {
      try ChildProcess(of: pinned, title: "gone", arguments: ["-c", "exit 5"], environment: [:], descriptors: [])
    }
    #expect(try waitForEnd(child) == .exited(5))
  }

  @Test func aMissingProgramIsNamed() {
    let error = #expect(throws: WaterbearError.self) { try PinnedExecutable("/no/such/program") }
    #expect(error?.message.contains("/no/such/program") == true)
  }

  @Test func descriptorsMayTradeNumbers() throws {
    let first = try OwnedDescriptor.pipe()
    let second = try OwnedDescriptor.pipe()
    // Each pipe's own number is the other's target in the child: neither may overwrite the other.
    let child = try ChildProcess(
      of: try PinnedExecutable("/bin/sh"), title: "trade",
      arguments: ["-c", "echo a >/proc/self/fd/\(second.write.number); echo b >/proc/self/fd/\(first.write.number)"],
      environment: ["PATH": "/usr/bin:/bin"],
      descriptors: [(first.write, second.write.number), (second.write, first.write.number)])
    #expect(try waitForEnd(child) == .exited(0))
    #expect(try first.read.readAvailable(limit: 10) == Array("a\n".utf8))
    #expect(try second.read.readAvailable(limit: 10) == Array("b\n".utf8))
  }
}
