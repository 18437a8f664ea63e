// Owns what a process is told about the end of the one before it, and the words for it on a command line.
import Glibc

/// How a process ended that has been replaced. Only its parent can know, and tells its successor.
public struct PredecessorEnd: Hashable, Sendable {
  public let incarnation: UInt64
  public let end: ProcessEnd
  /// The kernel ended it, for want of memory.
  public let lackedMemory: Bool

  public init(incarnation: UInt64, end: ProcessEnd, lackedMemory: Bool = false) {
    self.incarnation = incarnation
    self.end = end
    self.lackedMemory = lackedMemory
  }

  /// Whether the process was stopped from outside, and not by a fault of its own.
  public var wasKilled: Bool { end == .killed(signal: SIGKILL) || end == .killed(signal: SIGTERM) }

  /// `incarnation:exit:code`, `incarnation:signal:number` or, for want of memory, `incarnation:memory:number`.
  var text: String {
    switch end {
    case .exited(let code): "\(incarnation):exit:\(code)"
    case .killed(let signal): "\(incarnation):\(lackedMemory ? "memory" : "signal"):\(signal)"
    }
  }

  init?(text: String) {
    let parts = text.split(separator: ":")
    guard parts.count == 3, let incarnation = UInt64(parts[0]), let number = Int32(parts[2]) else { return nil }
    switch parts[1] {
    case "exit": self.init(incarnation: incarnation, end: .exited(number))
    case "memory": self.init(incarnation: incarnation, end: .killed(signal: number), lackedMemory: true)
    case "signal": self.init(incarnation: incarnation, end: .killed(signal: number))
    default: return nil
    }
  }
}
