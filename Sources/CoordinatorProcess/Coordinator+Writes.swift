// Owns the life of a write in the coordinator: noted before its query is accepted, committed when its root stage is
// complete, and cleaned up until no attempt can leave anything. docs/decisions/writes.md tells why it is like this.

import Base
import Columnar
import Exchange
import NIOCore
import Planning
import Platform
import Scheduling
import Sealing
import TaskStore
import Telemetry

extension Coordinator {
  // MARK: The beginning

  /// Notes a write, safe from a loss of power, before its query is accepted: whatever an attempt may leave is then
  /// known to whoever comes after. `then` gets the error that kept it from being noted.
  func open(_ write: PlannedWrite, of id: QueryID, then: @escaping (WaterbearError?) -> Void) {
    let store = store
    let outcome = storeThreads.runIfActive(eventLoop: loop) {
      try store.apply([.writeOpened(id, act: try BinaryEncoder.encode(write))])
      try store.sync()
    }
    outcome.assumeIsolated().whenComplete { outcome in
      switch outcome {
      case .success: then(nil)
      case .failure(let error): then(WaterbearError.wrapping(error))
      }
    }
  }

  // MARK: The commit

  /// Reads what these attempts of the root stage left. The scheduler hears of it, or of the output that is lost.
  func collectOutputs(of id: QueryID, _ attempts: [Int]) {
    guard let query = queries[id] else { return }
    let root = StageID(query: id, number: 0)
    var outputs: [SpoolOutput] = []
    for (partition, number) in attempts.enumerated() {
      let attempt = AttemptID(task: TaskID(stage: root, partition: partition), number: number)
      // One that is not known any more was lost meanwhile, which the scheduler knows.
      guard let output = query.outputs[attempt] else { return }
      outputs.append(output)
    }
    if query.write?.wanted != attempts { query.write?.shortages = nil }
    query.write?.wanted = attempts
    read(outputs, key: query.key) { [weak self] outcome in
      // A reading of attempts of which one was lost meanwhile may end after the reading that replaced it.
      guard let self, let query = queries[id], query.write?.wanted == attempts else { return }
      switch outcome {
      case .success(let outputs):
        CrashPoint.reach("write.collected")
        query.write?.outputs = outputs
        enqueue(.outputsCollected(id, attempts))
      case .failure(let error as UnreadOutput) where error.miss != .lost:
        log.write(.outputUnread, about: .attempt(error.attempt), .error(error.error))
        collectLater(query, attempts, error)
      case .failure(let error as UnreadOutput): loseUnread(error, of: query)
      case .failure(let error): fail(WaterbearError.wrapping(error))
      }
    }
  }

  /// Reads again what may be whole. A directory that is away is back soon, or its outputs are given up together; what
  /// this process lacks is waited for in growing pauses, as long as for a directory, and then counts as a loss.
  private func collectLater(_ query: LiveQuery, _ attempts: [Int], _ unread: UnreadOutput) {
    var pause = Self.rereadInterval
    if unread.miss == .away, let place = query.outputs[unread.attempt]?.location {
      query.write?.shortages = nil
      searchOutputs(in: place.directory)
    } else {
      let now = SystemClock.monotonic()
      let (count, since) = query.write?.shortages ?? (0, now)
      guard now - since < policy.spoolWait else { return loseUnread(unread, of: query) }
      query.write?.shortages = (count + 1, since)
      pause = min(pause * Int64(1 << min(count, 20)), Self.rereadIntervalMax)
    }
    let id = query.id
    loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
      guard let self, queries[id]?.write?.wanted == attempts else { return }
      collectOutputs(of: id, attempts)
    }
  }

  private func loseUnread(_ unread: UnreadOutput, of query: LiveQuery) {
    log.write(.outputLost, about: .attempt(unread.attempt), .error(unread.error))
    let withDirectory = query.outputs[unread.attempt].map { spoolWatch.isToBlame($0.location.directory) } ?? false
    query.write?.shortages = nil
    enqueue(.outputLost(unread.attempt, unread.error, withDirectory: withDirectory))
  }

  /// Reads what writers say in their outputs, which may lie in several directories.
  private func read(
    _ outputs: [SpoolOutput], key: SealingKey?, then: @escaping (Result<WriterOutputs, any Error>) -> Void
  ) {
    var parts: [Int: WriterOutputs] = [:]
    let places = Dictionary(grouping: outputs.indices) { outputs[$0].location.directory }
    var missing = places.count
    if places.isEmpty { return then(.success(WriterOutputs())) }
    for (directory, indices) in places.sorted(by: { $0.key < $1.key }) {
      let spool = spool
      ask(directory, .reading) {
        try indices.map { ($0, try WriterOutputs(reading: outputs[$0], key: key, spool)) }
      } then: { outcome in
        guard missing > 0 else { return }
        switch outcome {
        case .success(let found):
          for (index, part) in found { parts[index] = part }
          missing -= 1
          if missing == 0 { then(.success(WriterOutputs(joining: outputs.indices.compactMap { parts[$0] }))) }
        case .failure(let error):
          missing = 0
          then(.failure(error as? UnreadOutput ?? UnreadOutput(unasked: outputs[indices[0]].attempt, error)))
        }
      }
    }
  }

  /// Takes the last step of a query whose commit has been noted.
  func commit(_ id: QueryID) {
    guard let query = queries[id], var write = query.write else { return }
    CrashPoint.reach("write.committing")
    let outputs = write.outputs ?? WriterOutputs()
    let isRepeated = write.endedWithin || write.tries > 0
    write.tries += 1
    write.rowCount = outputs.rowCount
    query.write = write
    log.write(
      .commitStarted, about: .query(id), ["rows": .int(outputs.rowCount), "outputs": .int(outputs.fragments.count)])
    commits.commit(
      write.planned, outputs: outputs.fragments, isRepeated: isRepeated, endedWithin: write.endedWithin, on: loop
    ) { [weak self] error in
      guard let self else { return }
      if let error { log.write(.commitFailed, about: .query(id), .error(error)) }
      enqueue(.commitEnded(id, error))
    }
  }

  /// What of a write's end belongs into the transaction of its query's.
  func writeChanges(of id: QueryID, isCommitted: Bool) -> [StoreChange] {
    guard let write = queries[id]?.write else { return [] }
    return write.planned.hasLeftovers ? [.writeEnded(id, isCommitted: isCommitted)] : [.writeForgotten(id)]
  }

  /// The query of a write is over: what it has left goes, now and when the last of its attempts has ended.
  func endWrite(of query: LiveQuery) {
    guard let write = query.write, !write.isOver else { return }
    query.write?.isOver = true
    guard write.planned.hasLeftovers else { return }
    CrashPoint.reach("write.ended")
    writes[query.id] = EndedWrite(planned: write.planned)
    clean(query.id)
  }

  // MARK: Cleaning up

  /// Whether no worker can hold an attempt of the query: all have been heard of in this life, and none names one.
  func isQuiet(_ id: QueryID) -> Bool {
    unheardWorkers.isEmpty
      && workers.values.allSatisfy { session in !session.running.contains { $0.task.stage.query == id } }
  }

  /// To be called whenever an attempt may have ended: the writes that waited for it are cleaned up for good.
  func cleanQuietWrites() {
    for (id, write) in writes where !write.planned.hasAttempts || isQuiet(id) { clean(id) }
  }

  private func clean(_ id: QueryID) {
    guard let write = writes[id], !write.isBeingCleaned, SystemClock.monotonic() >= write.notBefore else { return }
    writes[id]?.isBeingCleaned = true
    let isLast = !write.planned.hasAttempts || isQuiet(id)
    commits.removeLeftovers(of: write.planned, on: loop) { [weak self] error in
      self?.noteCleaned(id, isLast: isLast, error)
    }
  }

  private func noteCleaned(_ id: QueryID, isLast: Bool, _ error: WaterbearError?) {
    writes[id]?.isBeingCleaned = false
    if let error {
      log.write(.writeNotCleaned, about: .query(id), .error(error))
      let pause = policy.pause(afterFailures: writes[id]?.failures ?? 0)
      writes[id]?.failures += 1
      writes[id]?.notBefore = SystemClock.monotonic() + pause
      loop.assumeIsolated().scheduleTask(in: .nanoseconds(pause.nanoseconds)) { [weak self] in
        self?.writes[id]?.notBefore = .init(nanoseconds: 0)
        self?.clean(id)
      }
      return
    }
    writes[id]?.failures = 0
    guard isLast else { return cleanQuietWrites() }
    writes[id] = nil
    note([.writeForgotten(id)])
  }

  /// Changes that no event of the scheduler belongs to.
  private func note(_ changes: [StoreChange]) {
    do {
      try store.apply(changes)
      hasUnflushedChanges = true
    } catch {
      fail(WaterbearError.wrapping(error))
    }
  }

  // MARK: After a restart

  /// Takes up the write of a live query from what the store says of it.
  func restore(_ stored: StoredWrite?, of query: LiveQuery, hasEnded: Bool) throws {
    query.write?.isOver = hasEnded
    guard var write = query.write, !hasEnded else { return }
    guard let stored, stored.state == .open || stored.state == .committing else {
      throw WaterbearError(.taskStoreFailed, "The write of \(query.id) is not in the store")
    }
    guard stored.state == .committing else { return }
    write.outputs = try BinaryDecoder.decode(WriterOutputs.self, from: stored.outputs ?? [])
    write.endedWithin = true
    query.write = write
  }

  /// Writes without a live query: what was to be committed is, what was not goes.
  func takeUp(_ stored: [StoredWrite]) {
    for write in stored {
      do {
        let planned = try BinaryDecoder.decode(PlannedWrite.self, from: write.act)
        let isUnderWay = write.state == .open || write.state == .committing
        if isUnderWay && queries[write.id] != nil { continue }
        if write.state == .committing {
          let outputs = try BinaryDecoder.decode(WriterOutputs.self, from: write.outputs ?? [])
          commitOrphan(write.id, planned, outputs)
          continue
        }
        if write.state == .open { note([.writeEnded(write.id, isCommitted: false)]) }
        writes[write.id] = EndedWrite(planned: planned)
        clean(write.id)
      } catch {
        log.write(.writeNotCleaned, about: .query(write.id), .error(WaterbearError.wrapping(error)))
      }
    }
  }

  /// Removes what writes of this data directory have left that its store knows nothing of: it was lost, or set aside.
  func sweepLostWrites() {
    let (store, suffix) = (store, "_" + instanceName)
    commits.sweep(on: loop) { query in
      // A write is noted before it leaves anything. What cannot be looked up is left alone.
      guard query.hasSuffix(suffix), let known = try? store.writes() else { return false }
      return !known.contains { $0.id.text == query }
    } done: { [log] error in
      if let error { log.write(.writeNotCleaned, .error(error)) }
    }
  }

  /// Completes a commit whose query could not be taken up. Tried until it is made or refused, as nobody else will.
  private func commitOrphan(_ id: QueryID, _ planned: PlannedWrite, _ outputs: WriterOutputs, failures: Int = 0) {
    commits.commit(
      planned, outputs: outputs.fragments, isRepeated: true, endedWithin: true, on: loop
    ) { [weak self] error in
      guard let self else { return }
      if let error {
        log.write(.commitFailed, about: .query(id), .error(error))
        guard error.code.type == .userError else {
          let pause = policy.pause(afterFailures: failures)
          loop.assumeIsolated().scheduleTask(in: .nanoseconds(pause.nanoseconds)) {
            [weak self] in self?.commitOrphan(id, planned, outputs, failures: failures + 1)
          }
          return
        }
      }
      note([.writeEnded(id, isCommitted: error == nil)])
      writes[id] = EndedWrite(planned: planned)
      clean(id)
    }
  }
}
