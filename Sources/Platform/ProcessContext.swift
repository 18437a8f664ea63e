// Owns what a child process is told at its start, and how: the arguments of the hidden subcommands. Does not read
// settings.
import Base
import CPlatform
import Glibc

/// What the supervisor tells a coordinator or worker when it starts it.
public struct ProcessContext: Hashable, Sendable {
  public let role: ProcessRole
  public let directories: DaemonDirectories
  /// How many worker processes the daemon runs.
  public let workerCount: Int
  /// Grows with every process the supervisor starts, also across restarts of the daemon.
  public let incarnation: UInt64
  /// The supervisor's process id.
  public let supervisor: pid_t
  /// The descriptor of the pipe to the supervisor.
  public let linkDescriptor: Int32
  /// How the process before this one in its place ended; nil for the first.
  public let predecessor: PredecessorEnd?

  public init(
    role: ProcessRole, directories: DaemonDirectories, workerCount: Int, incarnation: UInt64,
    supervisor: pid_t, linkDescriptor: Int32, predecessor: PredecessorEnd? = nil
  ) {
    self.predecessor = predecessor
    self.role = role
    self.directories = directories
    self.workerCount = workerCount
    self.incarnation = incarnation
    self.supervisor = supervisor
    self.linkDescriptor = linkDescriptor
  }

  /// This process among all that ever filled its place; nil for the coordinator.
  public var workerID: WorkerID? {
    guard case .worker(let number) = role else { return nil }
    return WorkerID(number: number, incarnation: incarnation)
  }

  /// What the daemon's command line says about settings, for `Settings.load(directory:environment:overrides:)`, so that
  /// all processes of the daemon have the same.
  public var settingOverrides: [String: String] { ["waterbear.workers": String(workerCount)] }

  /// The command line after argv[0]; `init(arguments:)` reads it back.
  public var arguments: [String] {
    var number: [String] = []
    if case .worker(let own) = role { number = ["--number", String(own)] }
    if let predecessor { number += ["--predecessor", predecessor.text] }
    return [role.subcommand] + number + [
      "--etc-dir", directories.etc, "--data-dir", directories.data, "--run-dir", directories.run,
      "--log-dir", directories.log, "--workers", String(workerCount), "--incarnation", String(incarnation),
      "--supervisor", String(supervisor), "--link", String(linkDescriptor),
    ]
  }

  /// Reads what `arguments` wrote; nil for anything else, such as a person's try to start a worker by hand.
  public init?(arguments: [String]) {
    guard let subcommand = arguments.first, arguments.count % 2 == 1 else { return nil }
    var options: [String: String] = [:]
    for index in stride(from: 1, to: arguments.count, by: 2) { options[arguments[index]] = arguments[index + 1] }
    switch subcommand {
    case "coordinator": role = .coordinator
    case "worker":
      guard let number = options["--number"].flatMap({ Int($0) }), number > 0 else { return nil }
      role = .worker(number)
    default: return nil
    }
    guard let etc = options["--etc-dir"], let data = options["--data-dir"], let run = options["--run-dir"],
      let log = options["--log-dir"], let workers = options["--workers"].flatMap({ Int($0) }),
      let incarnation = options["--incarnation"].flatMap({ UInt64($0) }),
      let supervisor = options["--supervisor"].flatMap({ pid_t($0) }),
      let link = options["--link"].flatMap({ Int32($0) })
    else { return nil }
    predecessor = options["--predecessor"].flatMap { PredecessorEnd(text: $0) }
    directories = DaemonDirectories(etc: etc, data: data, run: run, log: log)
    workerCount = workers
    self.incarnation = incarnation
    self.supervisor = supervisor
    linkDescriptor = link
  }

  /// Makes this process a child of its supervisor in earnest; the first thing a child does, on its main thread, before
  /// any other thread exists. Returns the way to report to the supervisor.
  ///
  /// From here on the kernel kills this process when the supervisor dies. It is SIGKILL and not SIGTERM, because
  /// SIGTERM asks for a drain, nobody would be left to end one that hangs, and a kill is safe at every point:
  /// everything needed to go on is in the store and the spool.
  public func enter() throws -> SupervisorLink {
    guard fcntl(linkDescriptor, F_GETFD) >= 0 else {
      throw WaterbearError(
        .genericUserError, "the \(role) is started by its supervisor only", remedy: "run waterbeard serve")
    }
    let link = OwnedDescriptor(adopting: linkDescriptor)
    guard wb_set_parent_death_signal(SIGKILL) == 0 else {
      throw SystemCall.failure("cannot ask for a signal at the supervisor's death", errno)
    }
    // The supervisor may have died before the call above; then another process is our parent by now.
    guard getppid() == supervisor else {
      throw WaterbearError(.serverShuttingDown, "the supervisor (process \(supervisor)) is gone")
    }
    try InheritedDescriptors.seal()
    // The program was executed through a descriptor, so the kernel named the process after the descriptor's number.
    wb_set_thread_name("waterbeard")
    ProcessLimits.ignoreWriteSignals()
    if case .worker = role { MemoryPressure.volunteer() }
    return try SupervisorLink(descriptor: link)
  }
}

/// Where the kernel looks first when memory runs out.
public enum MemoryPressure {
  /// Makes the kernel prefer this process over its siblings: the loss of a worker costs attempts that are run again,
  /// the loss of a coordinator a restart. Raising one's own score needs no privilege, proc(5).
  static func volunteer() {
    // Where either step fails the kernel chooses as it would have; ignoring.
    guard let file = try? OwnedDescriptor.open("/proc/self/oom_score_adj", O_WRONLY) else { return }
    try? file.writeAll("500".utf8)
  }
}
