// Owns the names of the daemon's processes: in `ps`, on the command line, in logs. Knows nothing of what they do.

/// A place in the daemon that one process fills at a time.
public enum ProcessRole: Hashable, Sendable, Comparable, CustomStringConvertible {
  case coordinator
  /// Workers count from 1.
  case worker(Int)

  /// The hidden subcommand that starts it.
  public var subcommand: String {
    switch self {
    case .coordinator: return "coordinator"
    case .worker: return "worker"
    }
  }

  /// How the role is called in messages: `coordinator`, `worker 2`.
  public var description: String {
    switch self {
    case .coordinator: return "coordinator"
    case .worker(let number): return "worker \(number)"
    }
  }

  /// argv[0] of the process, the name under which `ps` lists it: `waterbeard: worker 2`.
  public var processTitle: String { "waterbeard: \(self)" }
}
