// Owns writing to a descriptor: in large pieces, with every failure told apart from success.
import Base
import Glibc
import Platform

/// Whoever read the output has closed it, as `head` does. No error to speak of: the program ends quietly.
struct OutputClosed: Error {}

/// The output could not be written, for example to a full disk.
struct OutputFailed: Error, CustomStringConvertible {
  let number: Int32
  var description: String { "Cannot write the output: \(SystemCall.message(number))" }
}

/// A buffered descriptor. SIGPIPE must be ignored by the process. Used by one thread.
final class OutputStream {
  /// How much gathers before it is written: far above the cost of a system call, far below what memory notices.
  static let flushBytes = 256 << 10

  let descriptor: Int32
  private var wroteAny = false
  let buffer = ByteBuffer(capacity: 64 << 10)

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// Writes what has gathered if it is much. Throws `OutputClosed` or `OutputFailed`.
  func flushIfLarge() throws {
    if buffer.count >= Self.flushBytes { try flush() }
  }

  /// Writes all that has gathered. Throws `OutputClosed` or `OutputFailed`; the rest is then lost.
  func flush() throws {
    defer { buffer.removeAll() }
    var written = 0
    while written < buffer.count {
      let start = buffer.base + written
      let count = write(descriptor, start, buffer.count - written)
      if count >= 0 {
        written += count
        wroteAny = true
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // The descriptor was made non-blocking by someone who shares it.
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&poller, 1, -1)
      case EPIPE: throw OutputClosed()
      default: throw OutputFailed(number: errno)
      }
    }
  }

  /// Whether anything was ever put in.
  var hasOutput: Bool { wroteAny || buffer.count > 0 }

  func append(_ text: String) { buffer.append(text) }
}
