// Owns the pipe from a child process to its supervisor: the few words on it, both ends. Knows no policy.
import Base
import Glibc

/// What a child tells its supervisor.
public enum SupervisorMessage: Hashable, Sendable {
  /// It has started and does its work.
  case ready
  /// It lives; sent every second, or more often, by a child that wants to be replaced when it hangs.
  case alive
  /// It cannot start, and why; its exit follows.
  case failed(String)

  /// The longest message in bytes. Writes of up to PIPE_BUF (4096) bytes to a pipe are atomic, pipe(7).
  public static let bytesMax = 4096

  /// One line with its line feed.
  var line: [UInt8] {
    switch self {
    case .ready: return Array("ready\n".utf8)
    case .alive: return Array("alive\n".utf8)
    case .failed(let reason):
      let oneLine = "failed \(reason)".map { $0.isNewline ? " " : String($0) }.joined()
      return Array(oneLine.utf8.prefix(Self.bytesMax - 1)) + [UInt8(ascii: "\n")]
    }
  }

  /// Reads one line without its line feed; nil for words that are not ours.
  init?(line: some Sequence<UInt8>) {
    let text = String(decoding: Array(line), as: UTF8.self)
    switch text {
    case "ready": self = .ready
    case "alive": self = .alive
    default:
      guard text.hasPrefix("failed ") else { return nil }
      self = .failed(String(text.dropFirst(7)))
    }
  }
}

/// The child's end of the pipe. May be used from any thread.
public final class SupervisorLink: Sendable {
  private let descriptor: OwnedDescriptor

  init(descriptor: OwnedDescriptor) throws {
    self.descriptor = descriptor
    // A supervisor that is stopped must not stop its children: a full pipe drops the word instead.
    guard fcntl(descriptor.number, F_SETFL, O_NONBLOCK) == 0 else {
      throw SystemCall.failure("cannot set the link to non-blocking", errno)
    }
  }

  /// Says that this process does its work now.
  public func reportReady() { send(.ready) }

  /// Says that this process is not stuck. Once said, it must be said again and again: silence for longer
  /// than the supervisor's limit counts as a hang and ends this process.
  public func reportAlive() { send(.alive) }

  /// Says why this process is about to exit, for the supervisor's log and last words.
  public func reportFailure(_ error: WaterbearError) {
    let remedy = error.remedy.map { " (\($0))" } ?? ""
    send(.failed(error.description + remedy))
  }

  /// A supervisor that does not read is dead or stopped; the kernel or a later word takes care of both, so a failed
  /// write is no error of the child's.
  private func send(_ message: SupervisorMessage) {
    let line = message.line
    _ = SystemCall.retrying { write(descriptor.number, line, line.count) }
  }
}

/// The supervisor's end of the pipe: cuts what arrives into messages. Never holds more than one line.
public struct SupervisorMessageReader: Sendable {
  private var partial: [UInt8] = []

  public init() {}

  /// The messages that are complete with these bytes. Words that are not ours are dropped, and so is a line that grows
  /// past the limit.
  public mutating func consume(_ bytes: some Sequence<UInt8>) -> [SupervisorMessage] {
    var messages: [SupervisorMessage] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        if let message = SupervisorMessage(line: partial) { messages.append(message) }
        partial.removeAll(keepingCapacity: true)
      } else if partial.count < SupervisorMessage.bytesMax {
        partial.append(byte)
      }
    }
    return messages
  }
}
