// Owns running a built program to its end: its arguments, what it prints, how it ends. Knows nothing of the daemon.
import Base
import Glibc
import Platform
import Testing

/// Programs that lie beside the test bundle, as the build put them.
enum Program {
  static let directory: String = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    precondition(count > 0, "a process can read where its program lies")
    let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
  }()

  static var daemon: String { directory + "/waterbeard" }
  static var control: String { directory + "/waterbearctl" }
}

/// A program that was started, with files in place of its standard output and error.
final class Command {
  /// What a program left behind.
  struct Result {
    let end: ProcessEnd
    let output: String
    let error: String

    var succeeded: Bool { end == .exited(0) }
  }

  private let process: ChildProcess
  private let name: String
  private let output: OwnedDescriptor
  private let error: OwnedDescriptor

  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    name = "\(program.split(separator: "/").last ?? "") \(arguments.joined(separator: " "))"
    output = try Self.scratch()
    error = try Self.scratch()
    process = try ChildProcess(
      of: try PinnedExecutable(program), title: program, arguments: arguments,
      environment: ProcessEnvironment.current.merging(environment) { _, new in new },
      descriptors: [(output, 1), (error, 2)])
  }

  /// Ends the program if it still runs, so that no test leaves one behind.
  deinit {
    guard process.reap() == nil else { return }
    process.send(SIGKILL)
    while process.reap() == nil { SystemClock.sleep(.milliseconds(1)) }
  }

  var processID: pid_t { process.processID }

  func send(_ signal: Int32) { process.send(signal) }

  /// What it has printed to standard error so far.
  func errorSoFar() throws -> String { try text(error) }

  /// How it ended; nil while it runs.
  func end() -> ProcessEnd? { process.reap() }

  /// Waits for its end; kills it and fails the test where that takes longer.
  func finish(within limit: TimeSpan = .seconds(120)) throws -> Result {
    let deadline = SystemClock.monotonic() + limit
    var pause = TimeSpan.milliseconds(1)
    while true {
      if let end = process.reap() { return Result(end: end, output: try text(output), error: try text(error)) }
      guard SystemClock.monotonic() < deadline else {
        process.send(SIGKILL)
        throw WaterbearError(.exceededTimeLimit, "\(name) did not end within \(limit): \(try text(error))")
      }
      SystemClock.sleep(pause)
      pause = min(.milliseconds(20), TimeSpan(nanoseconds: pause.nanoseconds * 2))
    }
  }

  /// A file without a name, which goes with its last descriptor.
  private static func scratch() throws -> OwnedDescriptor {
    var path = Array("\(TemporaryDirectory.base)/waterbear-output-XXXXXX".utf8CString)
    let number = mkstemp(&path)
    guard number >= 0 else { throw SystemCall.failure("cannot make a temporary file", errno) }
    unlink(path)
    let file = OwnedDescriptor(adopting: number)
    try file.setCloseOnExec()
    return file
  }

  private func text(_ file: OwnedDescriptor) throws -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = pread(file.number, &chunk, chunk.count, off_t(bytes.count))
      guard count >= 0 else { throw SystemCall.failure("cannot read what \(name) printed", errno) }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }
}
