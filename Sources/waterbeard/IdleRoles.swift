// Owns entry points for roles whose modules have none yet: processes that are ready at once, do nothing, and end at
// SIGTERM. Remove each as CoordinatorProcess and WorkerProcess get theirs.
import Base
import Glibc
import Platform

enum CoordinatorMain {
  static func run(_ context: ProcessContext) -> Int32 { idle(context) }
}

enum WorkerMain {
  static func run(_ context: ProcessContext) -> Int32 { idle(context) }
}

private func idle(_ context: ProcessContext) -> Int32 {
  do {
    let signals = try SignalDescriptor([SIGTERM, SIGHUP])
    let link = try context.enter()
    link.reportReady()
    while true {
      var entry = pollfd(fd: signals.pollDescriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, -1)
      while let signal = signals.next() {
        if signal == SIGTERM { return Platform.ExitCode.done.rawValue }
      }
    }
  } catch {
    StandardError.write("waterbeard: \(error)\n")
    return Platform.ExitCode.failed.rawValue
  }
}
