// Owns a coordinator process from its first line to its exit: what it opens, in which order, and its signals.

import Base
import ConnectorRegistry
import Dispatch
import Exchange
import Glibc
import NIOCore
import NIOPosix
import Platform
import Sealing
import Settings
import TaskStore
import Telemetry
import Transport
import Wire
import Wiring

/// The coordinator's entry point.
public enum CoordinatorMain {
  /// Who may connect to the clients' socket besides our own user: the members of this group, where it exists.
  static let clientGroup = "waterbear"

  /// Runs a coordinator until it is told to stop. Returns the exit code.
  public static func run(_ context: ProcessContext) -> Int32 {
    DaemonProcess.run(context) { link, signals in
      try CoordinatorShell(context, link: link).serve(signals: signals)
    }
  }
}

extension MasterKeyFile {
  /// The key of a data directory; made where there is neither key nor store. A key that is missing beside a store is
  /// not made anew: whoever puts the old one back would find nothing left that it opens.
  static func forStore(of directories: DaemonDirectories) throws -> SealingKey {
    guard access(directories.masterKey, F_OK) == 0 || access(directories.store, F_OK) != 0 else {
      throw WaterbearError(
        .configurationInvalid,
        "The master key \(directories.masterKey) is missing, and the task store beside it was made with it",
        remedy: "put the key back; or move \(directories.store) and the spool directories away, and with them all "
          + "queries that are not over")
    }
    return try loadOrCreate(directories.masterKey)
  }
}

/// Everything a coordinator process holds open.
private final class CoordinatorShell {
  private let context: ProcessContext
  private let link: SupervisorLink
  private let log: Log
  private let lock: LockFile
  private let store: TaskStore
  private let coordinator: Coordinator
  private let loop: any EventLoop
  /// How long the start waits for spool directories: one that does not answer may still be used later.
  private static let spoolPatience = TimeSpan.seconds(2)
  /// Less than what the supervisor waits before it kills.
  private static let commitPatience = TimeSpan.seconds(10)

  init(_ context: ProcessContext, link: SupervisorLink) throws {
    self.context = context
    self.link = link
    let directories = context.directories
    let settings = try DaemonProcess.settings(context)
    let log = try Wiring.log(settings, directories, role: "coordinator")
    self.log = log
    // The coordinator of a supervisor that was killed ends some moments after it.
    guard case .acquired(let lock) = try LockFile.acquire(directories.coordinatorLock, patience: .seconds(5)) else {
      throw WaterbearError(.genericInternalError, "Another coordinator holds \(directories.coordinatorLock)")
    }
    self.lock = lock
    let masterKey = try MasterKeyFile.forStore(of: directories)
    store = try TaskStore.open(path: directories.store, masterKey: masterKey, time: SystemClock.utcCompact())
    if let damage = store.damage { log.write(.storeDamaged, ["reason": .string("\(damage)")]) }
    let catalogs = try ConnectorRegistry.catalogs(settings)
    let instance = try InstanceName.letters(of: masterKey)
    let faults = SpoolFaults()
    let marks = try SpoolMarks(path: directories.spoolMarks)
    let spool = try Wiring.spool(settings, owner: instance, marks: marks, faults: faults)
    try spool.prepare(
      requireAll: false, within: Self.spoolPatience,
      beside: Wiring.neighbours(of: directories, tables: catalogs.ownDirectories))
    loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    let storeThreads = NIOThreadPool(numberOfThreads: 2)
    storeThreads.start()
    coordinator = Coordinator(
      loop: loop, storeThreads: storeThreads, settings: settings, directories: directories, spool: spool, store: store,
      planner: try QueryPlanner(catalogs: catalogs), catalogs: catalogs,
      commits: TableCommits(catalogs: catalogs, store: store), log: log, link: link, instanceName: instance)
    // Those that are of no use at the start, and later those that this process finds silent.
    let (coordinator, loop) = (coordinator, loop)
    faults.deliver(to: { fault in loop.execute { coordinator.noteSpoolFault(fault) } })
  }

  /// Listens, says that it is ready, and serves until a signal asks for the end.
  func serve(signals: SignalDescriptor) throws {
    let coordinator = coordinator
    try loop.submit { try coordinator.recover() }.wait()
    // What a crash has left is gone before the first attempt begins, unless a directory takes too long.
    _ = coordinator.firstSweeps.wait(timeout: .now() + .nanoseconds(Int(Self.spoolPatience.nanoseconds)))
    let hello = Hello(role: "coordinator", pid: getpid())
    let workers = FrameServer(path: context.directories.workerSocket, loop: loop)
    let refused: @Sendable (PeerCredentials, WaterbearError) -> Void = { peer, error in
      coordinator.log.write(.frameRejected, ["peer": .int(peer.processID)] + .error(error))
    }
    try workers.start(mode: 0o600, hello: hello, accept: { coordinator.acceptWorker($0) }, refused: refused)
    let requestBytesMax = min(FrameDecoder.defaultLimit, coordinator.policy.requestBytesMax)
    let clients = FrameServer(path: context.directories.clientSocket, loop: loop, frameLimit: requestBytesMax)
    try clients.start(
      mode: 0o660, group: SystemGroup.number(of: CoordinatorMain.clientGroup), hello: hello,
      accept: { coordinator.acceptClient($0) }, refused: refused)
    startRhythm()
    link.reportReady()
    log.write(
      .coordinatorStarted,
      ["incarnation": .int(context.incarnation), "socket": .string(context.directories.clientSocket)])
    waitForEnd(signals)
    clients.stop()
    // A commit under way is completed, if it does not hang, and its end noted; otherwise the next start completes it.
    _ = coordinator.commits.finish(within: Self.commitPatience)
    for _ in 0..<2 { try loop.submit {}.wait() }
    workers.stop()
    try store.close()
  }

  /// What is done again and again: saying that the event loop turns, and every second bringing the store's changes to
  /// the disk.
  private func startRhythm() {
    let (coordinator, link, store, log) = (coordinator, link, store, log)
    let signsOfLife = TimeAmount.nanoseconds(coordinator.policy.signsOfLife.nanoseconds)
    loop.scheduleRepeatedTask(initialDelay: signsOfLife, delay: signsOfLife) { _ in link.reportAlive() }
    loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
      coordinator.watchMemory()
      coordinator.watchSpool()
      guard coordinator.hasUnflushedChanges else { return }
      coordinator.hasUnflushedChanges = false
      let isIdle = coordinator.queries.isEmpty && coordinator.planning.isEmpty
      let kept = coordinator.policy.historyMax
      coordinator.storeThreads.submit { _ in
        do {
          try store.prune(keep: kept)
          _ = try store.flush()
          if isIdle { ProcessUsage.returnFreeMemory() }
        } catch {
          // The changes are safe from everything but a loss of power; the next second tries again.
          log.write(.messageOfLibrary, ["library": "store", "message": .string("\(error)")])
        }
      }
    }
  }

  /// Handles signals on this thread until a drain is complete.
  private func waitForEnd(_ signals: SignalDescriptor) {
    let (coordinator, loop) = (coordinator, loop)
    let end = EndSignal()
    while !end.hasCome {
      var entries = [
        pollfd(fd: signals.pollDescriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: end.pollDescriptor, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&entries, nfds_t(entries.count), -1)
      while let signal = signals.next() {
        if signal == SIGHUP { DaemonProcess.reload(context, log: log) }
        if signal == SIGTERM {
          loop.execute {
            coordinator.onDrained = { end.come() }
            coordinator.drain()
          }
        }
      }
    }
  }
}

/// Wakes a thread that polls, from another one.
private final class EndSignal: @unchecked Sendable {
  // Unchecked Sendable: the descriptors are constant, and a pipe may be used from any thread.
  private let pipe: (read: OwnedDescriptor, write: OwnedDescriptor)?

  init() {
    // Without a pipe the drain's end is not noticed, and the supervisor's patience ends the process instead.
    pipe = try? OwnedDescriptor.pipe()
  }

  var pollDescriptor: Int32 { pipe?.read.number ?? -1 }
  func come() { try? pipe?.write.writeAll([1]) }  // Fails only if nobody waits any more.

  var hasCome: Bool {
    guard let pipe else { return false }
    var entry = pollfd(fd: pipe.read.number, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0
  }
}
