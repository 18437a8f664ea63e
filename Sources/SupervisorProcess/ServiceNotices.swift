// Owns what still has to be said to the service manager: in order, without waiting, nothing important lost.
import Base
import Platform

/// Reports on their way to the service manager. A manager that does not read for a while, because it is busy or
/// starting up, must not stop the supervisor, and must hear READY=1 in the end all the same.
struct ServiceNotices {
  private let notifier: ServiceNotifier
  private var waiting: [String] = []
  private var status = ""

  /// How long to wait before another try while something waits.
  static let retryInterval = TimeSpan.milliseconds(100)

  init(_ notifier: ServiceNotifier) { self.notifier = notifier }

  /// How often `alive` is to be called; nil where nobody watches.
  var watchdogInterval: TimeSpan? { notifier.watchdogInterval }

  /// Whether `flush` has something to do.
  var isWaiting: Bool { !waiting.isEmpty }

  /// Says something that must arrive: READY=1, RELOADING=1, STOPPING=1.
  mutating func say(_ lines: String...) {
    waiting.append(lines.joined(separator: "\n"))
    flush()
  }

  /// Says how the daemon is doing, where that differs from the last time. Only the latest status matters.
  mutating func say(status text: String) {
    if text == status { return }
    status = text
    waiting.removeAll { $0.hasPrefix("STATUS=") }
    say("STATUS=\(text)")
  }

  /// Feeds the watchdog. A full queue holds earlier signs of life, so one that does not fit is dropped.
  func alive() { notifier.notify("WATCHDOG=1") }

  /// Tries to deliver what waits.
  mutating func flush() {
    while let next = waiting.first, notifier.notify(next) != .full { waiting.removeFirst() }
  }
}
