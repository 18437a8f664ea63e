// Owns the promise that only one process at a time holds a place. Knows nothing of what the place is for.
import Base
import CPlatform
import Glibc

/// An exclusive lock on a file, held until this object goes or its process dies, however it dies.
///
/// The file holds the holder's process id for messages. The lock is flock(2), so a file left behind by a dead process
/// is no lock, and the file is never removed: removing it would let two processes hold two files of one name.
public final class LockFile: Sendable {
  public let path: String
  private let descriptor: OwnedDescriptor

  private init(path: String, descriptor: OwnedDescriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  /// How the attempt to take the lock ended.
  public enum Outcome: Sendable {
    case acquired(LockFile)
    /// Another process has it; its id where the file says so.
    case held(by: pid_t?)
  }

  /// Takes the lock, trying again for up to `patience` while another process holds it.
  ///
  /// The file is made where it is missing (mode 0640). Throws where the file cannot be opened.
  public static func acquire(_ path: String, patience: TimeSpan = .zero) throws -> Outcome {
    let descriptor = try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o640)
    let deadline = SystemClock.monotonic() + patience
    while wb_try_lock_exclusive(descriptor.number) != 0 {
      let failure = errno
      guard failure == EWOULDBLOCK || failure == EINTR else {
        throw SystemCall.failure("cannot lock \(path)", failure)
      }
      // flock(2) has no time-out of its own, and an alarm would disturb the process's signals: try every 5 ms.
      if SystemClock.monotonic() >= deadline { return .held(by: holder(descriptor)) }
      SystemClock.sleep(.milliseconds(5))
    }
    let lock = LockFile(path: path, descriptor: descriptor)
    lock.recordHolder()
    return .acquired(lock)
  }

  /// Writes our process id. The lock holds without it, so a full disk costs a worse message, not the start.
  private func recordHolder() {
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor.number, 0) == 0 else { return }
    _ = pwrite(descriptor.number, text, text.count, 0)
  }

  /// When the lock on a file was last taken, in microseconds since 1970; nil where there is no such file.
  public static func lastTaken(_ path: String) -> Int64? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000
  }

  /// The process that last took the lock on a file, if it is a living process of this program that we may see; without
  /// touching the lock, which whoever takes it now might miss. Nil where there is none, or the file cannot be read.
  public static func lastHolder(of path: String) -> pid_t? {
    guard let descriptor = try? OwnedDescriptor.open(path, O_RDONLY), let process = holder(descriptor),
      // Another program may have got the number of a dead one.
      let name = try? OwnedDescriptor.open("/proc/\(process)/comm", O_RDONLY),
      let text = try? name.readAvailable(limit: 64)
    else { return nil }
    return String(decoding: text, as: UTF8.self).hasPrefix("waterbear") ? process : nil
  }

  private static func holder(_ descriptor: OwnedDescriptor) -> pid_t? {
    var buffer = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor.number, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return pid_t(String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
