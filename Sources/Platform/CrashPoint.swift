// Owns the places at which a test can make a process die. Does nothing unless the environment names a script, which no
// unit and no configuration does; decides nothing about what follows.

import Base
import Glibc
import Synchronization

/// Steps whose effects must survive the death of a process at exactly that point.
///
/// `WATERBEAR_CRASH_SCRIPT` names a file of lines `ROLE STEP COUNT`: the process of that role ends as by SIGKILL the
/// COUNT-th time that it comes to a step whose name begins with STEP; `*` is every step. A line that ends with the word
/// `fails` lets a step fail that can, and the process live. A step counts for the first line that it fits.
///
/// Counting goes on over restarts: the file is written anew at each step, without the line that was played, and after
/// the last one renamed to `FILE.done`, with the full name of the step in it, right before the end, so that the
/// successor lives. A test writes the file whenever it likes; without one, a step costs an open(2).
public enum CrashPoint {
  private static let script = ProcessEnvironment["WATERBEAR_CRASH_SCRIPT"]
  private static let role = Mutex<String?>(nil)

  /// Whether a script was named when the process started.
  public static var isArmed: Bool { script != nil }

  /// Says what this process is, such as `coordinator`; before, it comes to no step.
  public static func enter(role name: String) { if isArmed { role.withLock { $0 = name } } }

  /// Comes to a step. Costs nothing without a script. May be called on any thread.
  public static func reach(_ step: @autoclosure () -> String) {
    guard script != nil else { return }
    _ = play(step(), mayFail: false)
  }

  /// Comes to a step that can fail: GENERIC_INTERNAL_ERROR where the script says so. Else as `reach`.
  public static func pass(_ step: @autoclosure () -> String) throws {
    guard script != nil else { return }
    let step = step()
    if play(step, mayFail: true) {
      throw WaterbearError(.genericInternalError, "The script of a test lets step \(step) fail")
    }
  }

  /// Whether the step fails. Does not return where the process is to end.
  private static func play(_ step: String, mayFail: Bool) -> Bool {
    guard let script else { return false }
    // Held to the end: steps of several threads are counted one after the other.
    return role.withLock { role in
      guard let role, let text = read(script) else { return false }
      var lines = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
      let index = lines.firstIndex { words in
        (words.count == 3 || mayFail && words.count == 4 && words[3] == "fails") && words[0] == role
          && (words[1] == "*" || step.hasPrefix(words[1]))
      }
      guard let index, let count = Int(lines[index][2]) else { return false }
      let fails = lines[index].count == 4
      if count > 1 { lines[index][2] = "\(count - 1)" } else { lines.remove(at: index) }
      if lines.isEmpty {
        write(step + "\n", to: script)
        guard rename(script, script + ".done") == 0 else { return false }
      } else {
        write(lines.map { $0.joined(separator: " ") + "\n" }.joined(), to: script)
      }
      if count > 1 || fails { return count <= 1 }
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
