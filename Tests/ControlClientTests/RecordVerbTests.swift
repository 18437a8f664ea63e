// Proves what the verbs that ask the daemon about itself and its queries print.
import Base
import Columnar
import Glibc
import Platform
import Synchronization
import Testing
import Wire

@testable import ControlClient

struct RecordVerbTests {
  static func status(log: String = "/d/log/waterbear.jsonl") -> DaemonStatus {
    DaemonStatus(
      build: "0.1.0", pid: 7, uptimeMicroseconds: 61_000_000, supervisorPid: 5,
      supervisorUptimeMicroseconds: 3_661_000_000, workers: 2, runningQueries: 1, dataDirectory: "/d",
      logPath: log, spoolDirectories: ["/d/spool", "/e"],
      settings: [
        SettingValue(key: "b.size", value: "2", isDefault: false, meaning: "Size, of b."),
        SettingValue(key: "a.size", value: "1", isDefault: true, meaning: "Size of a."),
      ])
  }

  private func run(_ arguments: [String], _ answer: any WireMessage) throws -> ControlRun {
    // Messages are Sendable values; the closure only hands this one on.
    let daemon = try FakeDaemon { _ in .answer(answer) }
    return try ControlRun.of(arguments + ["--socket", daemon.socketPath])
  }

  @Test func statusSaysHowTheDaemonIs() throws {
    let csv = try run(["status"], Self.status())
    #expect(csv.code == .done)
    #expect(csv.output.hasPrefix("name,value\nstate,running\nrelease,0.1.0\npid,5\nuptime,1:01:01\n"))
    #expect(csv.output.contains("\ncoordinator pid,7\ncoordinator uptime,1:01\nworkers,2\n"))
    let json = try run(["status", "--format", "json"], Self.status())
    #expect(json.output.contains(#""pid":5,"uptime_seconds":3661,"coordinator_pid":7,"#))
    #expect(json.output.contains(#","coordinator_uptime_seconds":61,"#))
    #expect(json.output.hasSuffix(#""spool_directories":["/d/spool","/e"],"spool_set_aside":[]}"# + "\n"))
  }

  @Test func quietStatusSpeaksByItsCode() throws {
    let up = try run(["status", "--quiet"], Self.status())
    #expect(up.code == .done)
    let down = try ControlRun.of(["status", "--quiet", "--socket", "/nonexistent/s"])
    #expect(down.code == .notRunning)
    #expect((up.output, up.error, down.output, down.error) == ("", "", "", ""))
  }

  @Test func statusCanWaitForTheDaemonAndItsFirstWorker() throws {
    let asked = Mutex(0)
    let daemon = try FakeDaemon { _ in
      var status = Self.status()
      status.workers = asked.withLock { count in
        count += 1
        return count > 2 ? 1 : 0
      }
      return .answer(status)
    }
    // A socket that is there some time after the call has begun.
    let (path, target) = (daemon.socketPath + ".later", daemon.socketPath)
    try NamedThread.start("later", stackBytes: 1 << 20) {
      SystemClock.sleep(.milliseconds(100))
      symlink(target, path)
    }
    let run = try ControlRun.of(["status", "--wait", "--socket", path])
    #expect(run.code == .done)
    #expect(run.output.contains("\nworkers,1\n"))
    #expect(run.error == "")
    #expect(asked.withLock { $0 } == 3)
  }

  @Test func waitingForADaemonHasAnEnd() throws {
    let none = try ControlRun.of(["status", "--wait", "--timeout", "100ms", "--socket", "/nonexistent/s"])
    #expect(none.code == .notRunning)
    let daemon = try FakeDaemon { _ in
      var status = Self.status()
      status.workers = 0
      return .answer(status)
    }
    let idle = try ControlRun.of(["status", "--wait", "--quiet", "--timeout", "100ms", "--socket", daemon.socketPath])
    #expect(idle.code == .timedOut)
  }

  @Test func configListsSettings() throws {
    let all = try run(["config"], Self.status())
    #expect(all.output == "key,value,is_default,meaning\na.size,1,true,Size of a.\nb.size,2,false,\"Size, of b.\"\n")
    let changed = try run(["config", "--changed", "--format", "jsonl"], Self.status())
    #expect(changed.output == #"{"key":"b.size","value":"2","is_default":false,"meaning":"Size, of b."}"# + "\n")
  }

  @Test func workersAreListedInOrder() throws {
    func worker(_ number: Int, _ running: [String]) -> WorkerDetail {
      WorkerDetail(
        number: number, pid: 10, state: "ACTIVE", slots: 2, running: running, memoryBytes: 1024, residentBytes: 2048,
        uptimeMicroseconds: 5_000_000)
    }
    let list = WorkerList(workers: [worker(2, []), worker(1, ["q.1.0.0", "q.1.1.0"])])
    #expect(
      try run(["workers"], list).output == """
        worker,pid,state,slots,running,memory_bytes,resident_bytes,uptime_seconds,attempts
        1,10,ACTIVE,2,2,1024,2048,5,q.1.0.0 q.1.1.0
        2,10,ACTIVE,2,0,1024,2048,5,""

        """)
  }

  private static let summary = QuerySummary(
    query: FakeQuery.id, state: .failed, user: "ann", sql: "SELECT\n  1 / 0  FROM t", createdMicroseconds: 0,
    endedMicroseconds: 1_234_000, errorCode: "DIVISION_BY_ZERO")

  @Test func listHasTheWholeSQLForProgramsOnly() throws {
    let list = QueryList(queries: [Self.summary])
    #expect(
      try run(["list", "--limit", "5"], list).output == """
        query,state,user,created,seconds,error,sql
        20260131_235959_00001_abcde,FAILED,ann,1970-01-01 00:00:00.000,1.234,DIVISION_BY_ZERO,"SELECT
          1 / 0  FROM t"

        """)
    #expect(try run(["list", "--format", "table"], list).output.contains("| SELECT 1 / 0 FROM t\n"))
    #expect(ListVerb.excerpt(of: String(repeating: "x ", count: 100)).count == 80)
  }

  private func attempt(
    _ partition: Int, _ number: Int, _ state: String, code: String? = nil, message: String? = nil
  ) -> AttemptDetail {
    AttemptDetail(
      stage: 1, partition: partition, number: number, worker: "worker-1#9", state: state,
      isSelected: state == "FINISHED", startedMicroseconds: 0, endedMicroseconds: 2000, errorCode: code,
      errorMessage: message)
  }

  private var detail: QueryDetail {
    let status = QueryStatus(
      query: FakeQuery.id, state: .failed, error: WaterbearError(.divisionByZero, "Division by zero", remedy: "nullif"),
      stages: [], elapsedMicroseconds: 1_234_000, retriedAttempts: 1)
    return QueryDetail(
      summary: Self.summary, status: status, retryPolicy: "TASK",
      attempts: [
        attempt(0, 1, "FINISHED"), attempt(1, 0, "FINISHED"),
        attempt(0, 0, "FAILED", code: "REMOTE_HOST_GONE", message: "the worker died"),
      ],
      decisions: [DecisionDetail(stage: 2, kind: "STAGE_SKIPPED", reason: "no rows", madeMicroseconds: 7)])
  }

  @Test func showTellsWhyThereWereRetries() throws {
    let text = try run(["show", FakeQuery.id.text], detail).output
    #expect(text.hasPrefix("query         20260131_235959_00001_abcde\nstate         FAILED\nuser          ann\n"))
    #expect(text.contains("error         Division by zero [DIVISION_BY_ZERO]\nhint          nullif\n"))
    #expect(text.contains("sql\n  SELECT\n    1 / 0  FROM t\n"))
    #expect(text.contains("     1 |     2 |       0 |        2 |       1\n"))
    #expect(text.contains("\nDecisions\n\n  stage 2 STAGE_SKIPPED: no rows\n"))
    let reason = "attempt 0 on worker-1#9 failed: the worker died [REMOTE_HOST_GONE]"
    #expect(text.hasSuffix("\nRetries\n\n  stage 1 task 0 attempt 1: \(reason)\n"))
  }

  @Test func showHasAFormForPrograms() throws {
    #expect(
      try run(["show", "--format", "csv", FakeQuery.id.text], detail).output == """
        stage,task,attempt,worker,state,selected,started,seconds,error,message
        1,0,0,worker-1#9,FAILED,false,1970-01-01 00:00:00.000,0.002,REMOTE_HOST_GONE,the worker died
        1,0,1,worker-1#9,FINISHED,true,1970-01-01 00:00:00.000,0.002,,
        1,1,0,worker-1#9,FINISHED,true,1970-01-01 00:00:00.000,0.002,,

        """)
    let json = try run(["show", "--format", "json", FakeQuery.id.text], detail).output
    #expect(
      json.contains(#""decisions":[{"stage":2,"decision":"STAGE_SKIPPED","reason":"no rows","made_us":7}],"#))
    #expect(json.contains(#""stages":[{"stage":1,"state":null,"tasks":2,"#))
    #expect(json.contains(#""retry_reason":"attempt 0 on worker-1#9 failed: the worker died [REMOTE_HOST_GONE]"}"#))
    #expect(json.hasSuffix("]}\n"))
  }

  @Test func aLargeQueryShowsTheTasksWithTrouble() {
    var large = detail
    large.attempts += (2..<400).map { attempt($0, 0, "FINISHED") }
    let file = TemporaryFile()
    let output = OutputStream(descriptor: file.descriptor)
    #expect(throws: Never.self) {
      try QueryReport(large).writeSections(as: .table, to: output)
      try output.flush()
    }
    #expect(file.contents().contains("Attempts of tasks with retries"))
    #expect(file.contents().contains("(2 rows)"))
  }

  @Test func cancelSaysWhatBecameOfTheQuery() throws {
    #expect(try run(["cancel", "q"], FakeQuery().status()).error == "Query q had already finished\n")
    let canceled = FakeQuery(error: WaterbearError(.userCanceled, "Query was canceled by ann")).status()
    #expect(try run(["cancel", "q"], canceled).error == "Query q was canceled\n")
    let failed = FakeQuery(error: WaterbearError(.divisionByZero, "Division by zero")).status()
    let run = try run(["cancel", "q"], failed)
    #expect(run.error == "Query q had already failed: Division by zero [DIVISION_BY_ZERO]\n")
    #expect(run.code == .done)
  }
}
