// Owns appending lines to a log file that several processes share, and renaming it when it is large.
// It must not know what a line says.
import Base
import Glibc
import Synchronization

/// A log file opened for appending. Safe from any thread.
///
/// Each line is one write(2) with O_APPEND, which Linux does under the file's lock, so lines of several processes
/// never mix. One process rotates (`rotate`); the others see the new inode within a second and open it.
public final class LogFile: Sendable {
  private struct State {
    var descriptor: Int32 = -1
    var device: dev_t = 0
    var inode: ino_t = 0
    var checkedAt: Int64 = 0
    /// The last write ended within a line, so a line feed comes before the next.
    var isTorn = false
    var droppedLines = 0
    var dropReason: Int32 = 0
  }

  public let path: String
  private let state = Mutex(State())

  /// Opens the file, which is made with mode 0640 if missing. Throws where it cannot be written.
  public init(path: String) throws {
    self.path = path
    try state.withLock { state in
      guard Self.open(path, &state) else {
        throw WaterbearError(
          .configurationInvalid, "The log \(path) cannot be written: \(String(cString: strerror(errno)))",
          remedy: "Make its directory, and let the user the daemon runs as write there.")
      }
    }
  }

  deinit {
    state.withLock { state in
      if state.descriptor >= 0 { close(state.descriptor) }
    }
  }

  /// Appends a line, which ends with a line feed. A line that cannot be written is counted and left out: the log
  /// must not stop the daemon.
  func append(_ line: [UInt8], wallMicroseconds now: Int64) {
    state.withLock { state in
      // A clock that jumped back must not stop the checks.
      if now - state.checkedAt >= 1_000_000 || now < state.checkedAt {
        state.checkedAt = now
        Self.followRotation(path, &state)
      }
      Self.write(line, &state)
    }
  }

  /// Lines that could not be written since the last call, and why.
  func takeDropped() -> (lines: Int, reason: String)? {
    state.withLock { state in
      guard state.droppedLines > 0 else { return nil }
      defer { state.droppedLines = 0 }
      return (state.droppedLines, String(cString: strerror(state.dropReason)))
    }
  }

  /// Renames the file to `path.1`, older ones to `path.2` and so on, if it holds more than `maxSize` bytes; only
  /// `keep` old files stay. For one process alone (the supervisor); true where it was renamed.
  public func rotate(maxSize: Int64, keep: Int) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0, status.st_size > maxSize else { return false }
    // A missing file in the row is no fault, so results are not looked at, except of the last step.
    unlink("\(path).\(keep + 1)")
    for number in stride(from: keep, to: 0, by: -1) { rename("\(path).\(number)", "\(path).\(number + 1)") }
    guard rename(path, "\(path).1") == 0 else { return false }
    unlink("\(path).\(keep + 1)")
    state.withLock { Self.followRotation(path, &$0) }
    return true
  }

  private static func write(_ line: [UInt8], _ state: inout State) {
    if state.descriptor < 0 {
      state.droppedLines += 1
      return
    }
    let bytes = state.isTorn ? [0x0A] + line : line
    while true {
      let count = bytes.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
      if count == bytes.count {
        state.isTorn = false
        return
      }
      let code = errno
      if count < 0 && code == EINTR { continue }
      // A short write means that the disk filled up within the line.
      if count > 0 { state.isTorn = true }
      state.dropReason = count < 0 ? code : ENOSPC
      state.droppedLines += 1
      return
    }
  }

  /// Opens the file anew where the path leads to another file than the one that is open, or to none.
  private static func followRotation(_ path: String, _ state: inout State) {
    var status = stat()
    if state.descriptor >= 0, stat(path, &status) == 0, status.st_ino == state.inode,
      status.st_dev == state.device
    {
      return
    }
    let old = state.descriptor
    if open(path, &state), old >= 0 { close(old) }
  }

  /// On failure the state keeps the descriptor it has.
  private static func open(_ path: String, _ state: inout State) -> Bool {
    let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      state.dropReason = errno
      return false
    }
    var status = stat()
    if fstat(descriptor, &status) == 0 { (state.device, state.inode) = (status.st_dev, status.st_ino) }
    state.descriptor = descriptor
    state.isTorn = false
    return true
  }
}
