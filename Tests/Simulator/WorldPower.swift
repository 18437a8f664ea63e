// Owns the loss of power in a simulated world: what of the store is found again, and what of the files. Who syncs what
// is the shell's part, which the simulated one plays as the real one does.
import Base
import Scheduling

/// The states of the store that a loss of power may lead back to.
struct UnsyncedStates {
  private var states: [(time: MonotonicTime, store: ModelStore)] = []

  /// What is older than this has reached the disk.
  private static let span = TimeSpan.seconds(1)

  mutating func note(_ store: ModelStore, at time: MonotonicTime) {
    states.removeAll { time - $0.time > Self.span }
    states.append((time, store))
  }

  /// All so far is on the disk.
  mutating func sync() { states = [] }

  func any(_ random: inout RandomSource, at time: MonotonicTime) -> ModelStore? {
    let found = states.filter { time - $0.time <= Self.span }
    return found.isEmpty ? nil : random.pick(found).store
  }
}

extension World {
  /// Notes that the store may be found as it is now. Only where power may be lost, since each state is a copy.
  func noteUnsynced() {
    if faults.powerCutEvery != nil, faultsAreOn { unsynced.note(store, at: now) }
  }

  /// The coordinator has synced its store, unless it is planted that it forgets that.
  func syncStore() {
    if settings.plantedBug != .commitsUnsynced { unsynced.sync() }
  }

  /// Everything dies at once. The store is as it was up to a second ago; files that are younger than that, and others,
  /// may still be there, whole or torn. Clients come back with what they had submitted.
  func cutPower() {
    say("power is lost")
    checks.powerCuts += 1
    for worker in workers where !worker.isDead { die(worker) }
    era += 1
    if scheduler != nil { crash() }
    if let earlier = unsynced.any(&random, at: now) { store = earlier }
    unsynced.sync()
    let torn = random.pick([0, 0.2, 1])
    spool.tear(&random, chance: torn)
    for (index, query) in queries.enumerated() where submitted[query.id] != nil {
      guard store.queries[query.id] == nil else {
        if store.isLive(query.id) { spool.reopen(query.id) }
        continue
      }
      // Nobody knows it any more. What it has left is swept away, and its client submits it again.
      spool.delete(query.id)
      spool.reopen(query.id)
      submitted[query.id] = nil
      queue.add(after(0...600), .submit(index))
    }
    let store = store
    checks.forgetReads { attempt in (store.task(attempt.task)?.nextAttempt ?? 0) <= attempt.number }
    for (id, rows) in committed {
      checks.require(store.queries[id]?.toCommit == rows, "\(id) is committed, but its store has lost the note")
    }
    for number in workers.indices { queue.add(after(20...400), .spawn(number)) }
  }

  /// Whether power is to be lost once more, now that all queries have ended.
  func cutsPowerAtEnd() -> Bool {
    if let quietUntil { return now < quietUntil }
    guard faults.powerCutEvery != nil, faultsAreOn else { return false }
    quietUntil = now + .seconds(1)
    queue.add(after(1...950), .fault(.powerCut))
    return true
  }
}
