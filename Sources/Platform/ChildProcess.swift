// Owns starting a process, this very program as a rule, and learning of its end. Knows nothing of why or when.
import Base
import CPlatform
import Glibc

/// A program that is pinned: whatever happens to the file's name later, a newer version or a removal, the same program
/// is executed. A daemon that pins itself at its start never has children of another version.
public final class PinnedExecutable: Sendable {
  private let descriptor: OwnedDescriptor

  /// Without a path: the running program, which /proc leads to even where its name is gone by now.
  public init(_ path: String = "/proc/self/exe") throws {
    let found = wb_pin_file(path)
    guard found >= 0 else { throw SystemCall.failure("cannot find the program \(path)", errno) }
    let opened = OwnedDescriptor(adopting: found)
    // Above the low numbers that a child's descriptors are mapped to.
    let pinned = fcntl(opened.number, F_DUPFD_CLOEXEC, 64)
    guard pinned >= 0 else { throw SystemCall.failure("cannot pin the program \(path)", errno) }
    descriptor = OwnedDescriptor(adopting: pinned)
  }

  /// In the new process /proc/self is that process, whose descriptors are still copies of ours while it executes.
  fileprivate var path: String { "/proc/self/fd/\(descriptor.number)" }
}

/// How a process ended.
public enum ProcessEnd: Hashable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)

  /// Reads the status word of waitpid(2): the low seven bits are the signal, the next byte is the exit code.
  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .killed(signal: signal)
  }

  public var description: String {
    switch self {
    case .exited(let code):
      return "exit code \(code)"
    case .killed(let signal):
      return "signal \(Self.signalName(signal))"
    }
  }

  /// A signal's name such as `SIGKILL`, or its number where it has none.
  public static func signalName(_ signal: Int32) -> String {
    wb_signal_name(signal).map { "SIG" + String(cString: $0) } ?? String(signal)
  }
}

/// A process that was started here and not waited for yet. Its id cannot be given to another process before `reap`
/// has returned a status, so signals always reach the right one.
public final class ChildProcess {
  public let processID: pid_t
  private let processDescriptor: OwnedDescriptor
  private var status: ProcessEnd?

  /// Starts the program with `title` as argv[0]. The child has /dev/null as standard input, our standard error as
  /// standard output and error, the mapped descriptors (ours → its), and nothing else open.
  public init(
    of executable: PinnedExecutable, title: String, arguments: [String], environment: [String: String],
    descriptors: [(parent: OwnedDescriptor, child: Int32)]
  ) throws {
    let null = try OwnedDescriptor.open("/dev/null", O_RDONLY)
    var map = [
      wb_descriptor_mapping(parent: null.number, child: 0), wb_descriptor_mapping(parent: 2, child: 1),
      wb_descriptor_mapping(parent: 2, child: 2),
    ]
    map += descriptors.map { wb_descriptor_mapping(parent: $0.parent.number, child: $0.child) }

    var process: pid_t = 0
    let result = CStringArray.withArrays(
      [title] + arguments, environment.map { "\($0.key)=\($0.value)" }
    ) { arguments, variables in
      wb_spawn(executable.path, arguments, variables, map, map.count, &process)
    }
    guard result == 0 else { throw SystemCall.failure("cannot start \(title)", result) }
    processID = process

    let number = wb_pidfd_open(process)
    guard number >= 0 else {
      let failure = errno
      kill(process, SIGKILL)
      var ignored: Int32 = 0
      _ = SystemCall.retrying { waitpid(process, &ignored, 0) }
      throw SystemCall.failure("cannot watch \(title)", failure)
    }
    processDescriptor = OwnedDescriptor(adopting: number)
  }

  /// A descriptor that polls readable once the process has ended.
  public var pollDescriptor: Int32 { processDescriptor.number }

  /// Sends a signal; a process that has already ended does not mind.
  public func send(_ signal: Int32) {
    guard status == nil else { return }
    kill(processID, signal)
  }

  /// How the process ended, nil while it runs. Does not wait.
  public func reap() -> ProcessEnd? {
    if let status { return status }
    var word: Int32 = 0
    guard SystemCall.retrying({ waitpid(processID, &word, WNOHANG) }) == processID else { return nil }
    status = ProcessEnd(waitStatus: word)
    return status
  }
}

/// C's arrays of strings.
private enum CStringArray {
  /// Runs `body` with two null-terminated arrays of C strings that live as long as it runs.
  static func withArrays<Result>(
    _ first: [String], _ second: [String],
    _ body: (
      UnsafePointer<UnsafeMutablePointer<CChar>?>, UnsafePointer<UnsafeMutablePointer<CChar>?>
    ) -> Result
  ) -> Result {
    let left = first.map { strdup($0) } + [nil]
    let right = second.map { strdup($0) } + [nil]
    defer { for text in left + right { free(text) } }
    return body(left, right)
  }
}
