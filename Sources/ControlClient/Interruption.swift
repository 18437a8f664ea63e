// Owns what SIGINT, SIGTERM and SIGHUP do while a query runs: the first ends the query and then the program, the second
// the program. Those that programs send come in pairs, and count once.
//
//   idle ── willSubmit ──> submitting ── submitted ──> following
//    │ signal                 │ signal                    │ signal
//    exit                     noted; acts at `submitted`  cancel, exit
import Base
import ClientAPI
import CPlatform
import Glibc
import Platform
import Synchronization
import Wire

/// Watches for signals that ask the program to end, on a thread of its own.
final class Interruption: Sendable {
  private struct State {
    var query: QueryID?
    var isSubmitting = false
    var count = 0
    /// The last signal that counted, and when it came.
    var last: (signal: Int32, at: MonotonicTime)?
    /// What the first signal makes of the program.
    var code = ControlExitCode.interrupted
    var isEnded = false
  }

  private let console: Console
  private let progress: ProgressDisplay
  private let socketPath: String
  /// Whether an interrupt ends the query too: for the verb that started it.
  let cancels: Bool
  private let exit: @Sendable (Int32) -> Void
  /// How long the answer to a submission is waited for, once a signal has asked for the end.
  private let submissionTime: TimeSpan
  private let state = Mutex(State())

  init(
    _ console: Console, socketPath: String, progress: ProgressDisplay, cancels: Bool,
    submissionTime: TimeSpan = .seconds(5), exit: @escaping @Sendable (Int32) -> Void = { _exit($0) }
  ) {
    self.submissionTime = submissionTime
    self.console = console
    self.socketPath = socketPath
    self.progress = progress
    self.cancels = cancels
    self.exit = exit
  }

  /// Starts watching; call it on the main thread before there is another. Does nothing in a process of someone else.
  func watch() throws {
    guard console.ownsProcess else { return }
    let signals = try SignalDescriptor(Self.signals())
    try NamedThread.start("interrupt", stackBytes: 1 << 20) {
      while true {
        var poller = pollfd(fd: signals.pollDescriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&poller, 1, -1)
        while let signal = signals.next() { self.signalled(signal) }
      }
    }
  }

  /// SIGTERM is what a job control or timeout(1) sends, SIGHUP what a closed terminal does. What the starter had
  /// ignored, as nohup(1) does with SIGHUP, stays so: a blocked signal would be delivered in spite of that.
  private static func signals() -> [Int32] {
    [SIGINT] + [SIGTERM, SIGHUP].filter { wb_ignores_signal($0) == 0 }
  }

  func willSubmit() { state.withLock { $0.isSubmitting = true } }

  /// From here on an interrupt knows which query to end. Throws `Interrupted` if one came already.
  func submitted(_ query: QueryID) throws {
    let code = state.withLock { state in
      state.query = query
      state.isSubmitting = false
      return state.count > 0 ? state.code : nil
    }
    if let code {
      finish(query, code)
      throw Interrupted(code: code)
    }
  }

  /// For the thread that works on the query, when it comes to an end: does not return while an interrupt is being
  /// dealt with. Throws `Interrupted` if there was one.
  func settle() throws {
    let (code, isSubmitting) = state.withLock { state in
      // The submission has come to an end without an id.
      defer { state.isSubmitting = false }
      return (state.count > 0 ? state.code : nil, state.isSubmitting)
    }
    guard let code else { return }
    // Nobody else acts on an interrupt that came before the query had a name.
    if !isSubmitting {
      while !state.withLock({ $0.isEnded }) { SystemClock.sleep(.milliseconds(2)) }
    }
    throw Interrupted(code: code)
  }

  /// timeout(1) sends its signal to the program and then to the program's group; a terminal that closes and its shell
  /// both send SIGHUP. Two presses of Ctrl-C are two.
  private static let pairTime = TimeSpan.seconds(1)

  /// What a signal does. Does not block: the second must get through.
  func signalled(_ signal: Int32 = SIGINT) {
    let code = ControlExitCode(signal: signal)
    let now = SystemClock.monotonic()
    let (count, query, isSubmitting) = state.withLock { state in
      if signal != SIGINT, let last = state.last, last.signal == signal, now - last.at < Self.pairTime {
        return (0, state.query, state.isSubmitting)
      }
      state.last = (signal, now)
      state.count += 1
      if state.count == 1 { state.code = code }
      return (state.count, state.query, state.isSubmitting)
    }
    if count == 0 { return }
    if count > 1 { return end(code) }
    if isSubmitting { return endUnlessSubmitted(code) }
    guard let query, cancels else { return end(code) }
    do {
      try NamedThread.start("cancel", stackBytes: 1 << 20) { self.finish(query, code) }
    } catch {
      console.tell("\(error)\n")
      end(code)
    }
  }

  /// The daemon may be away, and come back when nobody wants the query any more.
  private func endUnlessSubmitted(_ code: ControlExitCode) {
    do {
      try NamedThread.start("leave", stackBytes: 1 << 20) { [self] in
        SystemClock.sleep(submissionTime)
        guard state.withLock({ $0.isSubmitting }) else { return }
        console.tell("The daemon has not said whether it accepted the query; if so, it ends it for want of a client\n")
        end(code)
      }
    } catch {
      console.tell("\(error)\n")
      end(code)
    }
  }

  private func finish(_ query: QueryID, _ code: ControlExitCode) {
    progress.end()
    guard cancels else { return end(code) }
    do {
      let client = DaemonClient(socketPath: socketPath, timeout: .seconds(5))
      let status = try client.call(CancelQuery(query: query), expecting: QueryStatus.self).message
      if status.state != .finished { console.tell("Query \(query) was canceled\n") }
    } catch {
      console.tell("Query \(query) could not be canceled: \(error)\n")
    }
    end(code)
  }

  private func end(_ code: ControlExitCode) {
    progress.end()
    exit(code.rawValue)
    state.withLock { $0.isEnded = true }
  }
}
