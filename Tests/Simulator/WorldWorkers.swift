// Owns what simulated workers, their connections and their supervisor do.
import Base
import Scheduling

extension World {
  // MARK: Connections

  func connect(_ worker: ModelWorker) {
    guard !worker.isDead, worker.connection == nil else { return }
    guard scheduler != nil, worker.hungUntil <= now else {
      queue.add(max(after(10...60), worker.hungUntil), .connect(worker))
      return
    }
    connections.append(Connection(worker: worker, era: era))
    worker.connection = connections.count - 1
    say("\(worker.id) connects, holding \(worker.held)")
    send(
      worker,
      .workerJoined(worker.id, slots: worker.slots, memoryBytes: worker.memory, running: worker.held))
    for attempt in worker.unacknowledged.keys.sorted() { send(worker, worker.unacknowledged[attempt]!) }
    queue.add(after(100...500), .heartbeat(worker))
  }

  /// Breaks a connection. What is under way is lost, or comes late.
  func close(_ index: Int) {
    guard connections[index].isOpen else { return }
    connections[index].isOpen = false
    let worker = connections[index].worker
    say("connection \(index) of \(worker.id) breaks")
    if worker.connection == index {
      worker.connection = nil
      queue.add(after(1...100), .connect(worker))
    }
    if coordinatorConnections[worker.id] == index {
      coordinatorConnections[worker.id] = nil
      if scheduler != nil { tell(.workerDisconnected(worker.id)) }
    }
  }

  /// Sends a message from a worker, if it is connected.
  func send(_ worker: ModelWorker, _ message: SchedulerEvent) {
    guard let index = worker.connection else { return }
    let time = max(after(0...5), connections[index].lastToCoordinator)
    connections[index].lastToCoordinator = time
    queue.add(time, .toCoordinator(connection: index, message))
  }

  func sendToWorker(_ id: WorkerID, _ message: WorkerMessage) {
    guard let index = coordinatorConnections[id], connections[index].isOpen else { return }
    let time = max(after(0...5), connections[index].lastToWorker)
    connections[index].lastToWorker = time
    queue.add(time, .toWorker(connection: index, message))
  }

  func heartbeat(_ worker: ModelWorker) {
    guard !worker.isDead, worker.connection != nil else { return }
    if worker.hungUntil > now {
      queue.add(worker.hungUntil, .heartbeat(worker))
      return
    }
    send(worker, .heartbeat(worker.id))
    if faultsAreOn, faults.stuckMemory > 0, random.chance(faults.stuckMemory) {
      // Some of it, or more than there is.
      send(worker, .workerMemoryStuck(worker.id, worker.memory * Int64(random.within(0...5)) / 4))
    }
    queue.add(after(400...600), .heartbeat(worker))
  }

  // MARK: Attempts

  func deliverToWorker(_ index: Int, _ message: WorkerMessage) {
    let worker = connections[index].worker
    guard connections[index].isOpen, !worker.isDead else { return }
    if worker.hungUntil > now {
      queue.add(worker.hungUntil, .toWorker(connection: index, message))
      return
    }
    switch message {
    case .start(let start): begin(worker, start)
    case .acknowledge(let attempt): worker.unacknowledged[attempt] = nil
    case .abort(let attempt):
      guard let execution = worker.executing[attempt] else { return }
      // The abort may come too late.
      if execution.content != nil, random.chance(0.3) { endAttempt(worker, attempt) } else {
        let error = WaterbearError(.abandonedTask, "aborted")
        end(worker, attempt, .attemptFailed(attempt, worker.id, AttemptFailure(error: error)))
      }
    }
  }

  private func begin(_ worker: ModelWorker, _ start: AttemptStart) {
    guard worker.seen.insert(start.attempt).inserted else { return }
    say("\(worker.id) begins \(start.attempt)")
    worker.executing[start.attempt] = ModelWorker.Execution(start: start)
    let granted = worker.executing.values.reduce(0) { $0 + $1.start.memory }
    checks.require(
      worker.executing.count <= worker.slots + WorkerID.attemptsBeyondSlots,
      "\(worker.id) has more attempts than may be beyond its slots")
    checks.require(granted <= worker.memory, "\(worker.id) has granted \(granted) of \(worker.memory) bytes")
    queue.add(after(0...60), .readInputs(worker, start.attempt))
  }

  func readInputs(_ worker: ModelWorker, _ attempt: AttemptID) {
    guard !worker.isDead, let execution = worker.executing[attempt] else { return }
    if worker.hungUntil > now {
      queue.add(worker.hungUntil, .readInputs(worker, attempt))
      return
    }
    // Whoever knows that no directory takes files does not begin.
    if spoolFullUntil > now, random.chance(0.5) { return failSpool(worker, attempt) }
    let input = execution.start.input
    // For each input and partition the sum over all producers.
    var sums: [[UInt64]] = []
    for exchange in input.exchanges {
      var bySum = [UInt64](repeating: 0, count: (exchange.partitions.max() ?? -1) + 1)
      for producer in exchange.producers.indices {
        let id = exchange.producer(producer)
        guard let content = spool.read(id) else {
          let error = WaterbearError(.exchangeDataUnrecoverable, "output of \(id) cannot be read")
          let isWithDirectory = faults.lossWithDirectory > 0 && random.chance(faults.lossWithDirectory)
          let failure = AttemptFailure(error: error, lostInput: id, lostWithDirectory: isWithDirectory)
          end(worker, attempt, .attemptFailed(attempt, worker.id, failure))
          return
        }
        checks.noteRead(by: attempt, of: id)
        for partition in exchange.partitions { bySum[partition] &+= content[partition] }
      }
      sums.append(bySum)
    }
    let query = store.queries[attempt.task.stage.query]!
    worker.executing[attempt]!.content = query.model.output(
      of: attempt.task.stage.number, as: query.description, input: input, noise: random.next()
    ) { sums[$0][$1] }
    let isSlow = faultsAreOn && random.chance(faults.slowAttempt)
    queue.add(after(isSlow ? 1000...3000 : 1...120), .endAttempt(worker, attempt))
  }

  func endAttempt(_ worker: ModelWorker, _ attempt: AttemptID) {
    guard !worker.isDead, let execution = worker.executing[attempt] else { return }
    if worker.hungUntil > now {
      queue.add(worker.hungUntil, .endAttempt(worker, attempt))
      return
    }
    let model = store.queries[attempt.task.stage.query]!.model
    let input = execution.start.input
    let needed = model.memoryNeeded(attempt.task.stage.number, input)
    if model.touches(attempt.task, input, model.userError) {
      fail(worker, attempt, WaterbearError(.divisionByZero, "Division by zero"))
    } else if model.touches(attempt.task, input, model.poison) {
      die(worker, WaterbearError(.genericInternalError, "crashed by \(attempt)"))
    } else if needed > execution.start.memory {
      let error = WaterbearError(.exceededLocalMemoryLimit, "\(needed) bytes needed")
      fail(worker, attempt, error, peak: execution.start.memory)
    } else if faultsAreOn, random.chance(faults.internalFailure) {
      fail(worker, attempt, WaterbearError(.genericInternalError, "bad luck"))
    } else if faultsAreOn, random.chance(faults.externalFailure) {
      fail(worker, attempt, WaterbearError(.genericExternal, "the store is away"))
    } else if faultsAreOn, random.chance(faults.attemptCrashesWorker) {
      die(worker, WaterbearError(.genericInternalError, "crashed"))
    } else if faultsAreOn, random.chance(faults.attemptIsKilledForMemory) {
      die(worker, WaterbearError(.clusterOutOfMemory, "killed for memory"))
    } else {
      finish(worker, attempt, execution)
    }
  }

  private func fail(_ worker: ModelWorker, _ attempt: AttemptID, _ error: WaterbearError, peak: Int64 = 0) {
    end(worker, attempt, .attemptFailed(attempt, worker.id, AttemptFailure(error: error, peakMemory: peak)))
  }

  private func failSpool(_ worker: ModelWorker, _ attempt: AttemptID, _ refusal: SpoolRefusal? = nil) {
    let error = WaterbearError(.spoolUnavailable, "no spool directory takes any output")
    end(worker, attempt, .attemptFailed(attempt, worker.id, AttemptFailure(error: error, refusal: refusal)))
  }

  /// Whether the attempt's output goes to the smaller spool directory.
  private func choosesSmall(_ start: AttemptStart) -> Bool {
    smallFullUntil <= now && start.avoidedDirectories.isEmpty && faults.smallSpool > 0 && random.chance(0.5)
  }

  private func finish(_ worker: ModelWorker, _ attempt: AttemptID, _ execution: ModelWorker.Execution) {
    let content = execution.content!
    if spoolFullUntil > now { return failSpool(worker, attempt) }
    if choosesSmall(execution.start), faultsAreOn, random.chance(faults.smallSpool) {
      smallFullUntil = after(20...1500)
      queue.add(smallFullUntil, .spoolRecovers)
      return failSpool(worker, attempt, SpoolRefusal(directory: "small", isFull: true))
    }
    guard spool.commit(attempt, content) else {
      fail(worker, attempt, WaterbearError(.genericInternalError, "the query's directory is gone"))
      return
    }
    // Dies after its commit, before its report.
    if faultsAreOn, faults.workerDeathEvery != nil, random.chance(0.02) {
      die(worker, WaterbearError(.remoteHostGone, "killed after a commit"))
      return
    }
    let model = store.queries[attempt.task.stage.query]!.model
    let output = AttemptOutput(
      bytes: content.map { Int64($0 % 3) * ModelQuery.megabyte },
      rows: content.map { $0 == 0 ? 0 : Int64($0 % 1000) + 1 },
      checksums: content, peakMemory: model.memoryNeeded(attempt.task.stage.number, execution.start.input))
    end(worker, attempt, .attemptFinished(attempt, worker.id, output))
    // Dies, or loses its connection, while its report is under way.
    if faultsAreOn, faults.workerDeathEvery != nil, random.chance(0.04) {
      die(worker, WaterbearError(.remoteHostGone, "killed after a report"))
    } else if faultsAreOn, faults.connectionLossEvery != nil, random.chance(0.04), let connection = worker.connection {
      close(connection)
    }
  }

  private func end(_ worker: ModelWorker, _ attempt: AttemptID, _ report: SchedulerEvent) {
    worker.executing[attempt] = nil
    worker.unacknowledged[attempt] = report
    send(worker, report)
    if faultsAreOn, random.chance(faults.duplicateReport) { send(worker, report) }
  }

  // MARK: Supervisor

  /// Ends the process. Nobody is told.
  func die(_ worker: ModelWorker) {
    worker.isDead = true
    worker.executing = [:]
    if let connection = worker.connection { close(connection) }
  }

  func die(_ worker: ModelWorker, _ error: WaterbearError) {
    if worker.isDead { return }
    say("\(worker.id) dies: \(error)")
    die(worker)
    if !(faultsAreOn && random.chance(faults.deathUnreported)) {
      queue.add(after(0...30), .reportDeath(worker.id, error, era: era))
    }
    if !faultsAreOn || random.chance(faults.workerReturns) {
      queue.add(after(5...200), .spawn(worker.id.number))
    }
  }

  func spawn(_ number: Int) {
    let old = workers[number]
    guard old.isDead else { return }
    let id = WorkerID(number: number, incarnation: old.id.incarnation + 1)
    workers[number] = ModelWorker(id: id, slots: old.slots, memory: old.memory)
    queue.add(after(1...40), .connect(workers[number]))
  }
}
