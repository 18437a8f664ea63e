// Owns a worker process from its first line to its exit: what it opens, in which order, and its signals.

import Base
import ConnectorRegistry
import Exchange
import Execution
import Glibc
import Platform
import Settings
import Telemetry
import Wire
import Wiring

/// A worker's entry point.
public enum WorkerMain {
  /// Runs a worker until it has been drained. Returns the exit code.
  public static func run(_ context: ProcessContext) -> Int32 {
    DaemonProcess.run(context) { try serve(context, link: $0, signals: $1) }
  }

  private static func serve(_ context: ProcessContext, link: SupervisorLink, signals: SignalDescriptor) throws {
    guard let id = context.workerID else { preconditionFailure("a worker was started as \(context.role)") }
    let directories = context.directories
    let settings = try DaemonProcess.settings(context)
    let log = try Wiring.log(settings, directories, role: "worker \(id.number)")
    let catalogs = try ConnectorRegistry.catalogs(settings)
    // A worker neither prepares nor sweeps the directories, so whose they are is not its business.
    let faults = SpoolFaults()
    let spool = try Wiring.spool(settings, owner: "", faults: faults)
    let use = SpoolUse(ExchangePolicy(settings))
    let policy = WorkerPolicy(settings)
    ProcessUsage.keepFreedMemory()
    let builds = SharedBuilds(capacityBytes: policy.buildBytes)
    let pool = try SlotPool(threads: policy.slots + WorkerID.attemptsBeyondSlots) {
      AttemptRunner(catalogs: catalogs, directories: spool, use: use, builds: builds)
    }
    let crash = context.predecessor.flatMap { predecessor in
      predecessor.wasKilled && !predecessor.lackedMemory
        ? nil
        : PredecessorCrash(
          incarnation: predecessor.incarnation, end: "\(predecessor.end)", lackedMemory: predecessor.lackedMemory)
    }
    let worker = Worker(
      id: id, predecessorCrash: crash, slots: policy.slots, memoryBytes: policy.memoryBytes,
      heartbeatInterval: policy.signsOfLife, socketPath: directories.workerSocket, pool: pool, link: link, log: log,
      builds: builds, spool: spool,
      releaseMemory: {
        catalogs.releaseMemory()
        ProcessUsage.returnFreeMemory()
      })
    faults.deliver(to: { worker.report($0) })
    try NamedThread.start("signals", stackBytes: 1 << 20) {
      handle(signals, worker: worker, context: context, log: log)
    }
    log.write(
      .workerStarted,
      [
        "incarnation": .int(id.incarnation), "threads": .int(policy.slots),
        "memory_bytes": .int(policy.memoryBytes),
      ])
    try worker.run()
  }

  /// Waits for signals for as long as the process lives.
  private static func handle(_ signals: SignalDescriptor, worker: Worker, context: ProcessContext, log: Log) -> Never {
    while true {
      var entry = pollfd(fd: signals.pollDescriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, -1)
      while let signal = signals.next() {
        if signal == SIGTERM { worker.drain() }
        if signal == SIGHUP { DaemonProcess.reload(context, log: log) }
      }
    }
  }
}
