// Tests workers that report what cannot be, or what nobody asked for.
import Base
import Glibc
import Scheduling
import Sockets
import Testing
import Wire

@testable import CoordinatorProcess
@testable import Exchange

@Suite struct WorkerFaultTests {
  /// Sends a report that is wrong in one way: its connection is closed with a reason, and a successor does the work.
  private func expectRefusal(_ spoil: (inout SpoolOutput) -> Void) throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    let worker = try bench.worker()
    let attempt = try worker.order().attempt
    var output = try worker.commit(attempt)
    spoil(&output)
    try worker.report(attempt, output)
    #expect(try worker.next(Refusal.self)?.error.code == .malformedFrame)
    let successor = try bench.worker(2)
    try successor.work()
    #expect(try bench.client().end(of: query).state == .finished)
    try bench.stop()
  }

  @Test func aPartitionThatIsNotThereIsRefused() throws { try expectRefusal { $0.partitions[0].partition = 1 } }
  @Test func aNegativePartitionIsRefused() throws { try expectRefusal { $0.partitions[0].partition = -1 } }
  @Test func aSizeBeyondAllMeasureIsRefused() throws { try expectRefusal { $0.partitions[0].rawBytes = .max } }
  @Test func aNegativeCountIsRefused() throws { try expectRefusal { $0.partitionCount = -5 } }
  @Test func partitionsBeyondAllMeasureAreRefused() throws { try expectRefusal { $0.partitionCount = .max } }

  @Test func anotherAttemptsOutputIsRefused() throws {
    try expectRefusal { $0.location.attempt = AttemptID(task: $0.attempt.task, number: 7) }
  }

  @Test func reportsOfUnknownAttemptsAreAcknowledged() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    let worker = try bench.worker()
    for stage in [StageID(query: query, number: 77), StageID(query: QueryID("../../x"), number: -1)] {
      let attempt = AttemptID(task: TaskID(stage: stage, partition: -3), number: .max)
      try worker.fail(attempt, WaterbearError(.genericInternalError, "it was not me"))
      #expect(try worker.next(AcknowledgeReport.self)?.attempt == attempt)
    }
    try bench.stop()
  }

  @Test func memoryThatHangsInACallIsGrantedToNobody() throws {
    let bench = try CoordinatorBench()
    let worker = try bench.worker()
    try worker.socket.send(Heartbeat(residentBytes: 1, stuckBytes: 6 << 30))
    let queries = try ["a", "b"].map { try bench.client().submit("SELECT 1", nonce: $0) }
    try expectNoGrantOfStuckMemory(bench, worker, queries)
  }

  /// A worker that comes back, or meets the next coordinator, says it before anything is placed on it.
  @Test func memoryThatHangsIsKnownFromTheFirst() throws {
    let bench = try CoordinatorBench()
    let queries = try ["a", "b"].map { try bench.client().submit("SELECT 1", nonce: $0) }
    let worker = try FakeWorker(
      bench.home.path + "/data/run/workers.sock", spool: bench.spool, incarnation: 1, stuckBytes: 6 << 30)
    try expectNoGrantOfStuckMemory(bench, worker, queries)
  }

  private func expectNoGrantOfStuckMemory(
    _ bench: CoordinatorBench, _ worker: FakeWorker, _ queries: [QueryID]
  ) throws {
    let first = try worker.order().attempt
    // There is a slot for it, but too little memory beside the first.
    #expect(try worker.next(StartAttempt.self, within: .milliseconds(300)) == nil)
    try worker.socket.send(Heartbeat(residentBytes: 1, stuckBytes: 0))
    let second = try worker.order().attempt
    for attempt in [first, second] { try worker.report(attempt, try worker.commit(attempt)) }
    for query in queries { #expect(try bench.client().end(of: query).state == .finished) }
    try bench.stop()
  }

  @Test func whatCannotBeDeletedOfALiveQueryIsFoundByASweep() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    let worker = try bench.worker()
    let first = try worker.order().attempt
    let directory = bench.spool.paths[0] + "/\(query)"
    // Nothing is deleted that is no file.
    let obstacle = "\(directory)/\(SpoolName.committed(first))"
    let left = try worker.commit(AttemptID(task: first.task, number: 77)).location.path
    mkdir(obstacle, 0o700)
    #expect(access(left, F_OK) == 0)
    try worker.fail(first, WaterbearError(.genericInternalError, "it was not me"))
    for _ in 0..<20_000 where access(left, F_OK) == 0 { usleep(1000) }
    #expect(access(left, F_OK) != 0)
    rmdir(obstacle)
    try bench.stop()
  }

  /// The query is finished, so its first stage is released; and before anything follows from that it turns out that
  /// what was read last is gone, so that the first stage runs again.
  @Test func whatWasReleasedIsDeletedThoughItsStageRunsAgainInTheSameTurn() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT regionkey, count(*) FROM nation GROUP BY regionkey ORDER BY 1")
    let worker = try bench.worker()
    let root = try worker.runUpToRoot(bench.catalogs)
    let output = try worker.commit(root)
    let released = try bench.look { coordinator -> [String] in
      let live = try #require(coordinator.queries[query])
      #expect(live.description.stages.count == 3)
      let outputs = Dictionary(grouping: live.outputs.values) { $0.attempt.task.stage.number }
      live.outputs[root] = output
      coordinator.enqueue(
        .attemptFinished(
          root, WorkerID(number: 1, incarnation: 1), AttemptOutput(output, peakMemory: 0, cpuNanoseconds: 0)))
      let gone = WaterbearError(.exchangeDataUnrecoverable, "it is gone")
      let lost = [root] + (outputs[1] ?? []).map(\.attempt)
      coordinator.enqueue(.outputsMissing(lost, gone, withDirectory: true))
      return (outputs[2] ?? []).map(\.location.path)
    }
    #expect(!released.isEmpty)
    for path in released {
      for _ in 0..<20_000 where access(path, F_OK) == 0 { usleep(1000) }
      #expect(access(path, F_OK) != 0)
    }
    try bench.stop()
  }

  @Test func aWorkerWithoutSlotsIsRefused() throws {
    let bench = try CoordinatorBench()
    for slots in [-1, 0, Int.max] {
      let worker = try FakeWorker(
        bench.home.path + "/data/run/workers.sock", spool: bench.spool, incarnation: 1, slots: slots)
      #expect(try worker.next(Refusal.self)?.error.code == .malformedFrame)
    }
    try bench.stop()
  }

  @Test func aWorkerThatRegistersTwiceKeepsItsLastConnection() throws {
    let bench = try CoordinatorBench()
    let first = try bench.worker()
    let second = try bench.worker()
    #expect(throws: ConnectionLost.self) { try first.next(StartAttempt.self) }
    let query = try bench.client().submit("SELECT 1")
    try second.work()
    #expect(try bench.client().end(of: query).state == .finished)
    try bench.stop()
  }

  /// Whoever refuses to read there must hear of it before the directory takes files again.
  @Test func thatASilentDirectoryAnswersIsToldBeforeItIsUsedAgain() throws {
    let bench = try CoordinatorBench()
    let worker = try bench.worker()
    #expect(try worker.next(SpoolStates.self) == SpoolStates(setAside: [], silent: []))
    let directory = bench.spool.paths[0]
    try worker.socket.send(
      SpoolFaultReport(
        directory: directory, reason: "it hangs", isFull: false, fileBytes: 0, isSilent: true, isOverdue: true))
    #expect(try worker.next(SpoolStates.self) == SpoolStates(setAside: [directory], silent: [directory]))
    #expect(try worker.next(SpoolStates.self) == SpoolStates(setAside: [directory], silent: []))
    #expect(try worker.next(SpoolStates.self) == SpoolStates(setAside: [], silent: []))
    try bench.stop()
  }

  /// The coordinator wants it dead, but it is no child of the supervisor: here it is the test itself.
  @Test func whoeverElseSpeaksForAWorkerIsNotKilled() throws {
    let bench = try CoordinatorBench()
    let path = bench.home.path + "/data/run/workers.sock"
    let present = try FakeWorker(path, spool: bench.spool, incarnation: 2)
    let past = try FakeWorker(path, spool: bench.spool, incarnation: 1)
    // It is told instead, and ends itself.
    #expect(try past.next(Refusal.self)?.error.code == .remoteHostGone)
    #expect(throws: ConnectionLost.self) { try past.next(StartAttempt.self) }
    let query = try bench.client().submit("SELECT 1")
    try present.work()
    #expect(try bench.client().end(of: query).state == .finished)
    try bench.stop()
  }
}
