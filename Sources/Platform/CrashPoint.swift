// Owns the places at which a test can make a process die. Does nothing unless the environment names a script, which no
// unit and no configuration does; decides nothing about what follows.

import Base
import Glibc
import Synchronization

/// Steps whose effects must survive the death of a process at exactly that point.
///
/// `WATERBEAR_CRASH_SCRIPT` names a file with one line, `ROLE STEP COUNT`: the process of that role ends as by SIGKILL
/// the COUNT-th time that it comes to a step whose name begins with STEP; `*` is every step. Counting goes on over
/// restarts: the file is written anew at each step, and renamed to `FILE.done`, with the full name of the step in it,
/// right before the end, so that the successor lives. A test writes the file whenever it likes; without one, a step
/// costs an open(2).
public enum CrashPoint {
  private static let script = ProcessEnvironment["WATERBEAR_CRASH_SCRIPT"]
  private static let role = Mutex<String?>(nil)

  /// Whether a script was named when the process started.
  public static var isArmed: Bool { script != nil }

  /// Says what this process is, such as `coordinator`; before, it comes to no step.
  public static func enter(role name: String) { if isArmed { role.withLock { $0 = name } } }

  /// Comes to a step. Costs nothing without a script. May be called on any thread.
  public static func reach(_ step: @autoclosure () -> String) {
    guard let script else { return }
    // Held to the end: steps of several threads are counted one after the other.
    role.withLock { role in
      guard let role, let text = read(script) else { return }
      let words = text.split(whereSeparator: \.isWhitespace)
      let step = step()
      guard words.count == 3, words[0] == role, words[1] == "*" || step.hasPrefix(words[1]),
        let count = Int(words[2]) else { return }
      guard count <= 1 else { return write("\(words[0]) \(words[1]) \(count - 1)\n", to: script) }
      write(step + "\n", to: script)
      guard rename(script, script + ".done") == 0 else { return }
      kill(getpid(), SIGKILL)
      while true { pause() }
    }
  }

  private static func read(_ path: String) -> String? {
    // A script that cannot be read is none.
    guard let bytes = try? AtomicFile.read(path, limit: 4096) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func write(_ text: String, to path: String) {
    // What cannot be written makes the test fail, as the count never ends.
    try? AtomicFile.write(text.utf8, to: path, mode: 0o600)
  }
}
