// Owns how decisions of the supervisor read in the log.
import Base
import Platform
import Telemetry

extension Log {
  /// Writes what `Supervision` reports; `processID` is that of the child it is about.
  func write(_ report: Supervision.Report, processID: Int32?) {
    var fields: LogFields = [:]
    func name(_ role: ProcessRole) {
      fields.add("child", .string(role.description))
      if let processID { fields.add("child_pid", .int(processID)) }
    }
    switch report {
    case .ready(let role, let after):
      name(role)
      fields.add("milliseconds", .int(after.milliseconds))
      write(.childReady, fields)
    case .ended(let role, let end, let age, let reason, let restartAfter):
      name(role)
      switch end {
      case .exited(let code): fields.add("exit_code", .int(code))
      case .killed(let signal): fields.add("signal", .string(ProcessEnd.signalName(signal)))
      }
      fields.add("milliseconds", .int(age.milliseconds))
      if let reason { fields.add("reason", .string(reason)) }
      write(restartAfter == nil ? .childStopped : .childExited, fields)
      if let restartAfter { writeDelay(role, restartAfter) }
    case .startFailed(let role, let reason, let restartAfter):
      write(.childStartFailed, ["child": .string(role.description), "reason": .string(reason)])
      if let restartAfter { writeDelay(role, restartAfter) }
    case .hung(let role, let silence):
      name(role)
      fields.add("silent_milliseconds", .int(silence.milliseconds))
      write(.childHung, fields)
    case .lingers(let role, let since):
      name(role)
      fields.add("milliseconds", .int(since.milliseconds))
      write(.childLingers, fields)
    case .draining(let atMost, let reason):
      write(.daemonStopping, ["reason": .string(reason), "at_most_milliseconds": .int(atMost.milliseconds)])
    case .drainCutShort(let remaining, let onRequest):
      write(
        .daemonDrainCutShort,
        [
          "reason": onRequest ? "second request" : "time is up",
          "children": .strings(remaining.map(\.description)),
        ])
    }
  }

  private func writeDelay(_ role: ProcessRole, _ delay: TimeSpan) {
    guard delay > .zero else { return }
    write(
      .childRestartDelayed,
      ["child": .string(role.description), "delay_milliseconds": .int(delay.milliseconds)])
  }
}
