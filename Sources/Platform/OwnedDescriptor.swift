// Owns the life of one file descriptor: open from birth to deinit, closed once. Knows nothing of what it refers to.
import Base
import CPlatform
import Glibc

/// A file descriptor that closes itself when the last reference goes.
public final class OwnedDescriptor: Sendable {
  /// The number the kernel knows it by; valid while this object lives.
  public let number: Int32

  /// Takes over an open descriptor; nobody else may close it from now on.
  public init(adopting number: Int32) {
    precondition(number >= 0, "a closed descriptor has no owner")
    self.number = number
  }

  deinit { close(number) }

  /// Opens a file, always close-on-exec. `mode` counts where `flags` hold O_CREAT.
  public static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws -> OwnedDescriptor {
    let number = SystemCall.retrying { Glibc.open(path, flags | O_CLOEXEC, mode) }
    guard number >= 0 else { throw SystemCall.failure("cannot open \(path)", errno) }
    return OwnedDescriptor(adopting: number)
  }

  /// A pipe with both ends close-on-exec. The reading end does not block.
  public static func pipe() throws -> (read: OwnedDescriptor, write: OwnedDescriptor) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { throw SystemCall.failure("cannot make a pipe", errno) }
    let pair = (read: OwnedDescriptor(adopting: ends[0]), write: OwnedDescriptor(adopting: ends[1]))
    try pair.read.setCloseOnExec()
    try pair.write.setCloseOnExec()
    guard fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
      throw SystemCall.failure("cannot set a pipe to non-blocking", errno)
    }
    return pair
  }

  /// Keeps the descriptor out of programs this process executes.
  public func setCloseOnExec() throws {
    guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
      throw SystemCall.failure("cannot mark descriptor \(number) close-on-exec", errno)
    }
  }

  /// Writes all bytes, however many calls that takes.
  public func writeAll(_ bytes: some Sequence<UInt8>) throws {
    let buffer = Array(bytes)
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes { raw in
        SystemCall.retrying { write(number, raw.baseAddress! + written, raw.count - written) }
      }
      guard count >= 0 else { throw SystemCall.failure("cannot write to descriptor \(number)", errno) }
      written += count
    }
  }

  /// What is there to read right now, at most `limit` bytes; empty at the end of the file, nil where a non-blocking
  /// descriptor has nothing yet.
  public func readAvailable(limit: Int) throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = buffer.withUnsafeMutableBytes { raw in
      SystemCall.retrying { read(number, raw.baseAddress, raw.count) }
    }
    if count < 0 && errno == EAGAIN { return nil }
    guard count >= 0 else { throw SystemCall.failure("cannot read from descriptor \(number)", errno) }
    return Array(buffer[..<count])
  }
}

/// The three standard descriptors and whatever else this process was started with.
public enum InheritedDescriptors {
  /// Opens /dev/null for each of 0, 1 and 2 that the starter left closed, so that no file of ours can take its place,
  /// and marks everything from 3 up close-on-exec, whatever the starter left open.
  public static func seal() throws {
    while true {
      let number = SystemCall.retrying { Glibc.open("/dev/null", O_RDWR) }
      guard number >= 0 else { throw SystemCall.failure("cannot open /dev/null", errno) }
      if number > 2 {
        close(number)
        break
      }
    }
    wb_close_on_exec_from(3)
  }
}
