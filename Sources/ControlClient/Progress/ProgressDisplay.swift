// Owns the lines of progress on a terminal: drawn, drawn again in place, and taken away without a trace.
import Base
import Platform
import Synchronization
import Wire

/// Progress of one query below whatever else is on the terminal. Does nothing where standard error is no terminal.
/// Safe from any thread: an interrupt clears what another thread draws.
final class ProgressDisplay: Sendable {
  private struct State {
    var drawnLines = 0
    var lastDrawn: MonotonicTime?
    var isOver = false
  }

  /// Whether anything is ever drawn.
  let isActive: Bool
  private let console: Console
  private let start: MonotonicTime
  private let delay: TimeSpan
  private let interval: TimeSpan
  private let state = Mutex(State())

  /// - Parameters:
  ///   - delay: queries that end sooner show nothing, because lines that flash up help nobody.
  ///   - interval: the least time between two drawings.
  init(_ console: Console, delay: TimeSpan = .milliseconds(400), interval: TimeSpan = .milliseconds(100)) {
    self.console = console
    self.delay = delay
    self.interval = interval
    isActive = console.errorIsTerminal && console.movesCursor
    start = SystemClock.monotonic()
  }

  /// Draws the state of a query in place of what was drawn before.
  func show(_ status: QueryStatus) {
    guard isActive else { return }
    let now = SystemClock.monotonic()
    guard now - start >= delay else { return }
    state.withLock { state in
      if state.isOver { return }
      if let last = state.lastDrawn, now - last < interval { return }
      state.lastDrawn = now
      let lines = ProgressText.lines(status, size: console.size())
      // Up to the first line; each line anew; nothing below.
      var text = state.drawnLines > 0 ? "\u{1b}[\(state.drawnLines)A\r" : ""
      for line in lines { text += line + "\u{1b}[K\n" }
      text += "\u{1b}[J"
      console.tell(text)
      state.drawnLines = lines.count
    }
  }

  /// Takes the lines away; the next `show` draws them below what has been written since.
  func clear() {
    state.withLock { state in
      guard state.drawnLines > 0 else { return }
      console.tell("\u{1b}[\(state.drawnLines)A\r\u{1b}[J")
      state.drawnLines = 0
      state.lastDrawn = nil
    }
  }

  /// Takes the lines away for good.
  func end() {
    clear()
    state.withLock { $0.isOver = true }
  }
}
