// Owns the conversation with workers: registration, orders, reports, and telling a broken connection from a dead
// process.

import Base
import Exchange
import Glibc
import NIOCore
import Platform
import Scheduling
import Telemetry
import Transport
import Wire

extension Coordinator {
  /// Takes over a connection on the workers' socket.
  func acceptWorker(_ connection: FrameConnection) {
    guard connection.peer.userID == geteuid() else {
      // The socket's mode already keeps others out; this is the second lock on the same door.
      connection.close()
      return
    }
    // Two that stopped reading until the other reads would wait for ever; what a worker says is bounded anyway.
    connection.waitsForReader = false
    connection.onFrame = { [unowned self, unowned connection] frame in
      do {
        guard frame.name == RegisterWorker.name else {
          throw WaterbearError(.malformedFrame, "A worker must register before it sends '\(frame.name)'")
        }
        try register(frame.message(RegisterWorker.self), on: connection)
      } catch {
        reject(connection, error)
      }
    }
  }

  private func reject(_ connection: FrameConnection, _ error: any Error) {
    let error = WaterbearError.wrapping(error)
    log.write(.frameRejected, ["peer": .int(connection.peer.processID)] + .error(error))
    // A refusal always encodes; if it did not, closing says enough.
    if let frame = try? Frame(Refusal(error)) { connection.send(frame) }
    connection.close()
  }

  private func register(_ message: RegisterWorker, on connection: FrameConnection) throws {
    let id = message.worker
    guard (1...65536).contains(message.slots), message.memoryBytes >= 0 else {
      throw WaterbearError(
        .malformedFrame, "\(id) claims \(message.slots) slots and \(message.memoryBytes) bytes of memory")
    }
    replacePredecessors(of: id, crash: message.predecessorCrash)
    let session = WorkerSession(
      id: id, processID: connection.peer.processID, slots: message.slots, memoryBytes: message.memoryBytes,
      connection: connection)
    session.running = Set(message.running)
    workers[id]?.connection?.onClose = nil
    workers[id]?.connection?.close()
    workers[id] = session
    connection.onFrame = { [unowned self, unowned session, unowned connection] frame in
      do {
        try receive(frame, from: session)
      } catch {
        reject(connection, error)
      }
    }
    connection.onClose = { [unowned self, unowned session] _ in disconnected(session) }
    log.write(
      .workerRegistered,
      [
        "worker": .int(id.number), "incarnation": .int(id.incarnation), "worker_pid": .int(session.processID),
        "threads": .int(message.slots), "running": .int(message.running.count),
      ])
    enqueue(
      .workerJoined(id, slots: message.slots, memoryBytes: message.memoryBytes, running: message.running))
    // In the same turn, so before anything is placed there.
    noteStuck(max(0, message.stuckBytes ?? 0), in: session)
    tellSpoolStates(to: id)
    unheardWorkers.remove(id.number)
    sweepForHeard()
    cleanQuietWrites()
    if isDraining { drain(session) }
  }

  /// The supervisor starts a worker only when the one before it in the same place is dead.
  private func replacePredecessors(of id: WorkerID, crash: PredecessorCrash?) {
    let old = Set(workers.keys).union(restoredWorkers)
    for old in old.sorted() where old.number == id.number && old.incarnation < id.incarnation {
      workers[old]?.connection?.onClose = nil
      workers[old]?.connection?.close()
      lost(old, crash: crash.flatMap { $0.incarnation == old.incarnation ? $0 : nil })
    }
  }

  private func receive(_ frame: Frame, from session: WorkerSession) throws {
    switch frame.name {
    case ReportAttempt.name: try report(frame.message(ReportAttempt.self), from: session)
    case Heartbeat.name:
      let heartbeat = try frame.message(Heartbeat.self)
      session.residentBytes = heartbeat.residentBytes
      session.spoolRates = heartbeat.spoolRates ?? [:]
      session.held = Dictionary(
        (heartbeat.held ?? []).map { ($0.attempt, $0.bytes) }, uniquingKeysWith: { first, _ in first })
      noteStuck(max(0, heartbeat.stuckBytes ?? 0), in: session)
      enqueue(.heartbeat(session.id))
    case SpoolFaultReport.name:
      let fault = try frame.message(SpoolFaultReport.self)
      noteSpoolFault(
        SpoolFault(
          directory: fault.directory, reason: fault.reason, isFull: fault.isFull,
          fileBytes: min(max(0, fault.fileBytes), 1 << 40), isSilent: fault.isSilent ?? false,
          isOverdue: fault.isOverdue ?? false,
          callBegan: fault.callBeganNanoseconds.map { MonotonicTime(nanoseconds: $0) }),
        workerNumber: session.id.number)
    case DrainWorker.name:
      session.isDraining = true
      enqueue(.workerDraining(session.id))
    default:
      // A newer worker may say things that this release does not know; nothing depends on them.
      log.write(.frameRejected, ["peer": .int(session.processID), "message": .string(frame.name)])
    }
  }

  private func noteStuck(_ bytes: Int64, in session: WorkerSession) {
    guard bytes != session.stuckBytes else { return }
    session.stuckBytes = bytes
    log.write(.memoryStuck, ["worker": .int(session.id.number), "stuck_bytes": .int(bytes)])
    enqueue(.workerMemoryStuck(session.id, bytes))
  }

  /// Hands a report to the scheduler and acknowledges it when what follows from it is durable.
  private func report(_ report: ReportAttempt, from session: WorkerSession) throws {
    let attempt = report.attempt
    let output = try report.output.map { try SpoolOutput(reported: $0, by: attempt) }
    session.running.remove(attempt)
    cleanQuietWrites()
    let acknowledge: () -> Void = { [weak self, weak session] in
      guard let self, let session else { return }
      send(AcknowledgeReport(attempt: attempt), to: session.id)
      queries[attempt.task.stage.query]?.forgetUnselected(attempt)
    }
    if let output {
      queries[attempt.task.stage.query]?.outputs[attempt] = output
      queries[attempt.task.stage.query]?.noteKeySources(report.keySources ?? [], of: attempt)
      noteUse(of: output.location.directory)
      spoolWatch.noteCommit(in: output.location.directory, fileBytes: output.location.fileBytes)
      log.write(
        .attemptFinished, about: .attempt(attempt),
        [
          "worker": .int(session.id.number), "rows": .int(output.rows), "bytes": .int(output.rawBytes),
          "cpu_milliseconds": .int(report.cpuNanoseconds / 1_000_000),
          "peak_memory_bytes": .int(report.peakMemoryBytes),
        ])
      let result = AttemptOutput(
        output, peakMemory: report.peakMemoryBytes, cpuNanoseconds: report.cpuNanoseconds)
      enqueue(.attemptFinished(attempt, session.id, result), then: acknowledge)
    } else {
      let error = report.error ?? WaterbearError(.remoteTaskError, "The worker gave no reason")
      if error.code != .abandonedTask {
        log.write(.attemptFailed, about: .attempt(attempt), ["worker": .int(session.id.number)] + .error(error))
      }
      var failure = AttemptFailure(
        error: error, peakMemory: report.peakMemoryBytes, lostInput: report.lostInput,
        refusal: report.refusedBy.map { refusal(by: $0) })
      if let lost = report.lostInput {
        log.write(.outputLost, about: .attempt(lost), .error(error))
        if let place = queries[lost.task.stage.query]?.outputs[lost]?.location {
          failure.lostWithDirectory = spoolWatch.isToBlame(place.directory)
          searchOutputs(in: place.directory)
        }
      }
      enqueue(.attemptFailed(attempt, session.id, failure), then: acknowledge)
    }
  }

  private func disconnected(_ session: WorkerSession) {
    session.connection = nil
    session.definedStages = []
    guard workers[session.id] === session else { return }
    enqueue(.workerDisconnected(session.id))
    confirmDeath(of: session, after: .milliseconds(250))
  }

  /// The supervisor starts a dead worker's successor within milliseconds, and the successor knows how the dead one
  /// ended. Only where none comes is the process looked for.
  private func confirmDeath(of session: WorkerSession, after delay: TimeAmount) {
    loop.assumeIsolated().scheduleTask(in: delay) { [weak self, weak session] in
      guard let self, let session, workers[session.id] === session, session.connection == nil else { return }
      if ProcessLife.hasEnded(session.processID) {
        lost(session.id)
      } else if delay < .seconds(4) {
        confirmDeath(of: session, after: delay * 2)
      }
    }
  }

  /// A worker process is dead for certain. `crash` says how it ended if it did so by itself, or for want of memory:
  /// then its attempts are at fault as far as anybody knows, and must not be tried as often as those of a worker that
  /// was killed.
  func lost(_ id: WorkerID, crash: PredecessorCrash? = nil) {
    let session = workers.removeValue(forKey: id)
    let held = session?.running ?? []
    // Whoever killed it, it was a likely victim.
    let isSuspect = crash == nil && policy.suspectsMemory
      && session.map { $0.residentBytes / 10 >= $0.memoryBytes / 11 } ?? false
    cleanQuietWrites()
    restoredWorkers.remove(id)
    log.write(
      .workerLost,
      [
        "worker": .int(id.number), "incarnation": .int(id.incarnation),
        "attempts": .strings(held.sorted().map(\.description)),
        "lacked_memory": .bool(crash?.lackedMemory == true || isSuspect),
      ])
    enqueue(
      .workerLost(id, crash.map { Self.error($0, id) }
        ?? WaterbearError(.remoteHostGone, "Worker \(id.number) died while it ran the task"), lackedMemory: isSuspect),
      then: { [weak self] in self?.sweepEndedQueries() })
  }

  private static func error(_ crash: PredecessorCrash, _ id: WorkerID) -> WaterbearError {
    guard crash.lackedMemory == true else {
      return WaterbearError(
        .genericInternalError, "Worker \(id.number) crashed while it ran the task: \(crash.end)")
    }
    return WaterbearError(
      .clusterOutOfMemory, "The kernel ended worker \(id.number), which ran the task, for want of memory",
      remedy: "Lower waterbear.worker-memory, so that all workers together fit beside what else runs.")
  }

  func kill(_ id: WorkerID, reason: String) {
    guard let session = workers[id] else { return lost(id) }
    log.write(.workerSilent, ["worker": .int(id.number), "reason": .string(reason)])
    // Workers are children of the supervisor, and so our siblings. Whatever else holds the connection, such as a
    // program that passes on what is said, is not ours to kill, nor is a process that has got the number of a dead one.
    if session.processID != getpid(), ProcessLife.parent(of: session.processID) == getppid() {
      // It may be gone already; then its death is noticed anyway.
      _ = Glibc.kill(session.processID, SIGKILL)
    } else if let connection = session.connection {
      // Then the worker behind it ends itself.
      reject(connection, WaterbearError(.remoteHostGone, "\(id) was given up: \(reason)"))
    }
    confirmDeath(of: session, after: .milliseconds(250))
  }

  func send(_ message: some WireMessage, to id: WorkerID) {
    // To a worker that is away nothing is sent: it is told again, or given up, when its fate is known.
    guard let connection = workers[id]?.connection else { return }
    do {
      connection.send(try Frame(message))
    } catch {
      fail(WaterbearError.wrapping(error).asCause(of: "Cannot encode '\(type(of: message).name)'"))
    }
  }

  func startAttempt(_ start: AttemptStart) {
    let stage = start.attempt.task.stage
    guard let session = workers[start.worker], let query = queries[stage.query] else { return }
    log.write(
      .attemptStarted, about: .attempt(start.attempt),
      ["worker": .int(start.worker.number), "memory_bytes": .int(start.memory)])
    session.running.insert(start.attempt)
    if session.definedStages.insert(stage).inserted {
      send(
        DefineStage(
          stage: stage, fragment: query.fragments[stage.number], key: query.key?.bytes,
          compressionCodec: query.compressionCodec), to: start.worker)
    }
    do {
      let frame = try Frame(order(start, of: query))
      guard frame.byteCount <= FrameDecoder.defaultLimit else {
        // The worker would take it for damage and end.
        let error = WaterbearError(
          .genericInsufficientResources, "The description of attempt \(start.attempt) takes \(frame.byteCount) bytes",
          remedy: "lower fault-tolerant-execution-max-partition-count, or read less at once")
        session.running.remove(start.attempt)
        return enqueue(.attemptFailed(start.attempt, start.worker, AttemptFailure(error: error)))
      }
      session.connection?.send(frame)
    } catch {
      fail(WaterbearError.wrapping(error).asCause(of: "Cannot describe attempt \(start.attempt)"))
    }
  }

  private func order(_ start: AttemptStart, of query: LiveQuery) throws -> StartAttempt {
    let stage = start.attempt.task.stage
    var splits: [ScanSplits] = []
    for split in try self.splits(of: stage, start.input.splits, of: query) {
      if splits.last?.scan == split.scan {
        splits[splits.count - 1].splits.append(split.split)
      } else {
        splits.append(ScanSplits(scan: split.scan, splits: [split.split]))
      }
    }
    let inputs = try start.input.exchanges.map { exchange in
      AttemptInput(
        stage: exchange.stage.number, partitions: exchange.mode == .partitioned ? exchange.partitions : nil,
        outputs: try exchange.producers.indices.map { partition in
          let producer = exchange.producer(partition)
          guard let output = query.outputs[producer] else {
            throw WaterbearError(.genericInternalError, "The output of \(producer) is not known")
          }
          return try BinaryEncoder.encode(
            output.restricted(to: exchange.mode == .partitioned ? exchange.partitions : nil))
        })
    }
    let shares = start.input.shares.map { AttemptShare($0) }
    return StartAttempt(
      attempt: start.attempt, splits: splits, inputs: inputs, memoryBytes: start.memory,
      shares: shares.isEmpty ? nil : shares,
      avoidedDirectories: start.avoidedDirectories.isEmpty ? nil : start.avoidedDirectories)
  }

  /// Stops placing attempts; `onDrained` is called when none runs any more.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    for session in workers.values { drain(session) }
    checkDrained()
  }

  private func drain(_ session: WorkerSession) {
    session.isDraining = true
    enqueue(.workerDraining(session.id))
  }

  func noteDrained(_ id: WorkerID) {
    workers[id]?.isDrained = true
    checkDrained()
  }

  private func checkDrained() {
    guard isDraining, workers.values.allSatisfy({ $0.isDrained || $0.connection == nil }) else { return }
    onDrained?()
    onDrained = nil
  }
}

extension AttemptShare {
  init(_ share: TaskShare) {
    switch share.axis {
    case .partitions: self.init(build: nil, index: share.index, count: share.count)
    case .build(let stage): self.init(build: stage, index: share.index, count: share.count)
    }
  }
}

extension AttemptOutput {
  /// The scheduler's view of a spool file, dense over its partitions.
  init(_ output: SpoolOutput, peakMemory: Int64, cpuNanoseconds: Int64) {
    var bytes = [Int64](repeating: 0, count: output.partitionCount)
    var rows = bytes
    var checksums = [UInt64](repeating: 0, count: output.partitionCount)
    for part in output.partitions {
      bytes[part.partition] = Int64(part.rawBytes)
      rows[part.partition] = Int64(part.rows)
      checksums[part.partition] = part.checksum
    }
    self.init(
      bytes: bytes, rows: rows, checksums: checksums, peakMemory: peakMemory,
      cpuTime: TimeSpan(nanoseconds: cpuNanoseconds), location: output.location.directory)
  }
}

extension SpoolOutput {
  /// More than any setting allows; what is beyond comes from a peer out of its mind.
  private static let partitionCountMax = 1 << 20
  private static let countMax = 1 << 48

  /// What a worker says of an attempt's output. MALFORMED_FRAME where it cannot be true: the figures are used as
  /// indices and sums.
  init(reported encoded: [UInt8], by attempt: AttemptID) throws {
    self = try BinaryDecoder.decode(SpoolOutput.self, from: encoded)
    var next = 0
    var isPlausible = self.attempt == attempt && (0...Self.partitionCountMax).contains(partitionCount)
    for part in partitions {
      let figures = [part.pages, part.rows, part.rawBytes, part.storedBytes]
      isPlausible = isPlausible && part.partition >= next && part.partition < partitionCount
        && figures.allSatisfy { (0...Self.countMax).contains($0) }
      guard isPlausible else { break }
      next = part.partition + 1
    }
    guard isPlausible else { throw WaterbearError(.malformedFrame, "The output of \(attempt) cannot be what it says") }
  }

  /// Only what a reader of these partitions needs to know; nil keeps all.
  func restricted(to wanted: [Int]?) -> SpoolOutput {
    guard let wanted else { return self }
    var copy = self
    copy.partitions = wanted.map { partition($0) }.filter { $0.pages > 0 }
    return copy
  }
}
