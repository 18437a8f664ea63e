// Tests what a coordinator makes of what the one before it left.
import Base
import Exchange
import Foundation
import Glibc
import Platform
import Sealing
import Sockets
import TemporaryDirectories
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct RestartTests {
  /// Nothing of the query comes back: no attempt is started, and its history says how it ended.
  private func expectStaysEnded(_ bench: CoordinatorBench, _ query: QueryID, _ code: ErrorCode) throws {
    let next = try bench.restarted()
    #expect(try next.look { $0.queries.isEmpty })
    let worker = try next.worker(2)
    #expect(try worker.next(StartAttempt.self, within: .milliseconds(100)) == nil)
    let status = try next.client().end(of: query)
    #expect(status.state == .failed && status.error?.code == code)
    try next.stop()
  }

  @Test func aFailedQueryStaysFailed() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    let worker = try bench.worker()
    try worker.fail(try worker.order().attempt, WaterbearError(.divisionByZero, "Division by zero"))
    #expect(try bench.client().end(of: query).error?.code == .divisionByZero)
    try expectStaysEnded(bench, query, .divisionByZero)
  }

  @Test func aCancelledQueryStaysCancelled() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    _ = try bench.client().ask(CancelQuery(query: query), QueryStatus.self)
    try expectStaysEnded(bench, query, .userCanceled)
  }

  @Test func aRunningQueryGoesOnAndAFinishedOneIsServed() throws {
    let bench = try CoordinatorBench()
    let finished = try bench.client().submit("SELECT 1", nonce: "a")
    try bench.worker().work()
    #expect(try bench.client().end(of: finished).state == .finished)
    let running = try bench.client().submit("SELECT 2", nonce: "b")
    let next = try bench.restarted()
    let worker = try next.worker(2)
    #expect(try worker.order().attempt.task.stage.query == running)
    #expect(try next.client().fetch(finished, ResultPosition(task: 0, page: 1)).isLast)
    try next.stop()
  }

  /// Neither a restart nor a result that was lost and is made again make the query longer, or end it twice.
  @Test func aQueryFinishesOnce() throws {
    func lines(_ bench: CoordinatorBench) throws -> Int {
      let log = try String(contentsOfFile: bench.home.path + "/data/log/waterbear.jsonl", encoding: .utf8)
      return log.split(separator: "\n").count { $0.contains("query_finished") }
    }
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    try bench.worker().work()
    #expect(try bench.client().end(of: query).state == .finished)
    #expect(try lines(bench) == 1)
    let next = try bench.restarted()
    let elapsed = try next.client().end(of: query).elapsedMicroseconds
    SystemClock.sleep(.milliseconds(20))
    #expect(try next.client().end(of: query).elapsedMicroseconds == elapsed)
    let directory = bench.home.path + "/data/spool/\(query)"
    for name in try LocalFileSystem().names(in: directory) { unlink("\(directory)/\(name)") }
    let client = try next.client()
    try client.socket.send(FetchResult(query: query, position: ResultPosition(), waitMilliseconds: 20_000), id: 1)
    let worker = try next.worker(2)
    try worker.work()
    #expect(try client.socket.receive(timeout: .seconds(20))?.message(ResultPage.self).status.state == .finished)
    let last = try next.restarted()
    #expect(try last.client().end(of: query).elapsedMicroseconds == elapsed)
    #expect(try lines(last) == 1)
    try last.stop()
  }

  @Test func theFiguresOfStagesOutliveTheResult() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    try bench.worker().work()
    #expect(try bench.client().end(of: query).state == .finished)
    func stages(_ bench: CoordinatorBench) throws -> [[Int64]] {
      try bench.client().ask(ShowQuery(query: query), QueryDetail.self).status.stages.map { stage in
        #expect(stage.state == "FINISHED" && stage.runningTasks == 0)
        return [Int64(stage.number), Int64(stage.totalTasks), stage.outputRows, stage.outputBytes]
      }
    }
    let live = try stages(bench)
    #expect(live.count == 1 && live[0][2] > 0)
    _ = try bench.client().ask(ReleaseResult(query: query), QueryStatus.self)
    while try bench.look({ !$0.queries.isEmpty }) { SystemClock.sleep(.milliseconds(1)) }
    #expect(try stages(bench) == live)
    let next = try bench.restarted()
    #expect(try stages(next) == live)
    try next.stop()
  }

  @Test func aQueryWhoseKeyIsLostFailsAndTheDaemonStarts() throws {
    let bench = try CoordinatorBench()
    let query = try bench.client().submit("SELECT 1")
    // Another key with a spool of its own: as after a store was copied without the rest.
    unlink(bench.home.path + "/data/master.key")
    unlink(bench.home.path + "/data/spool/.waterbear-spool")
    let next = try bench.restarted()
    let status = try next.client().end(of: query)
    #expect(status.state == .failed && status.error?.code == .genericInternalError)
    #expect(try next.look { $0.queries.isEmpty })
    let last = try next.restarted()
    #expect(try last.client().end(of: query).state == .failed)
    try last.stop()
  }

  @Test func aMissingMasterKeyIsNotReplacedWhileThereIsAStore() throws {
    let home = TemporaryDirectory()
    let directories = DaemonDirectories(etc: home.path, data: home.path)
    let key = try MasterKeyFile.forStore(of: directories)
    #expect(try MasterKeyFile.forStore(of: directories).bytes == key.bytes)
    unlink(directories.masterKey)
    #expect(try MasterKeyFile.forStore(of: directories).bytes != key.bytes)
    unlink(directories.masterKey)
    fclose(fopen(directories.store, "w"))
    #expect { try MasterKeyFile.forStore(of: directories) } throws: {
      ($0 as? WaterbearError)?.code == .configurationInvalid
    }
    #expect(access(directories.masterKey, F_OK) != 0)
  }

  /// Two attempts of a query that runs again as a whole, one of which has committed and was given up: whoever ran it
  /// has not heard of that, nor has anybody heard of him.
  private func restartedBeforeAReport() throws -> (bench: CoordinatorBench, query: QueryID, output: SpoolOutput) {
    let bench = try CoordinatorBench()
    let sql = "SELECT count(*) FROM nation UNION ALL SELECT count(*) FROM region"
    let query = try bench.client().submit(sql, session: ["retry_policy": "QUERY"])
    let worker = try bench.worker()
    let attempts = [try worker.order().attempt, try worker.order().attempt]
    try worker.fail(attempts[0], WaterbearError(.genericInternalError, "it was not me"))
    #expect(try worker.next(AbortAttempt.self)?.attempt == attempts[1])
    let output = try worker.commit(attempts[1])
    let next = try bench.restarted()
    #expect(next.coordinator.firstSweeps.wait(timeout: .now() + 20) == .success)
    #expect(access(output.location.path, F_OK) == 0)
    return (next, query, output)
  }

  @Test func whatAWorkerMayStillReportOutlivesTheFirstSweep() throws {
    let (bench, query, output) = try restartedBeforeAReport()
    let worker = try FakeWorker(
      bench.home.path + "/data/run/workers.sock", spool: bench.spool, incarnation: 1, running: [output.attempt])
    try worker.report(output.attempt, output)
    while let acknowledged = try worker.next(AcknowledgeReport.self), acknowledged.attempt != output.attempt {}
    _ = try bench.worker(1, number: 2)
    #expect(try bench.look { $0.queries[query]?.selected.contains(output.attempt) == true })
    #expect(access(output.location.path, F_OK) == 0)
    try bench.stop()
  }

  @Test func whatNobodyReportedIsSweptWhenAllWorkersWereHeardOf() throws {
    let (bench, _, output) = try restartedBeforeAReport()
    let successors = try [1, 2].map { try bench.worker(2, number: $0) }
    for _ in 0..<20_000 where access(output.location.path, F_OK) == 0 { usleep(1000) }
    #expect(access(output.location.path, F_OK) != 0)
    try withExtendedLifetime(successors) { try bench.stop() }
  }
}
