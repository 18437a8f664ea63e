// Tests of what the scheduler does with advice on a query's plan: stages skipped, resumed, and given other work.
import Base
import Testing

@testable import Scheduling

/// Answers as a test says.
private final class FixedAdvisor: PlanAdvising {
  var answer: (PlanSituation) -> PlanAdvice?
  private(set) var asked: [PlanSituation] = []

  init(_ answer: @escaping (PlanSituation) -> PlanAdvice?) { self.answer = answer }

  func advice(on situation: PlanSituation) -> PlanAdvice? {
    asked.append(situation)
    return answer(situation)
  }
}

@Suite struct AdaptationTests {
  /// Stage 0 gathers stages 1 and 2; stage 1 joins stage 3 with stage 4 by partition; 2, 3 and 4 read splits.
  private static let join = Bench.describe([
    StageDescription(
      number: 0, kind: .single, inputs: [.init(stage: 1, mode: .gathered), .init(stage: 2, mode: .gathered)]),
    StageDescription(
      number: 1, kind: .hash, inputs: [.init(stage: 3, mode: .partitioned), .init(stage: 4, mode: .partitioned)]),
    StageDescription(number: 2, kind: .source),
    StageDescription(number: 3, kind: .source, outputPartitionCount: 2),
    StageDescription(number: 4, kind: .source, outputPartitionCount: 2),
  ])

  private func bench(slots: Int = 1, _ answer: @escaping (PlanSituation) -> PlanAdvice?) -> (Bench, FixedAdvisor) {
    let advisor = FixedAdvisor(answer)
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(60)), advisor: advisor)
    // All tasks are known before the first is chosen, so that the stage with the highest number goes first.
    bench.submit(Self.join, splits: 1)
    bench.join(1, slots: slots)
    return (bench, advisor)
  }

  private func finish(_ bench: Bench, _ name: String, rows: Int64, checksum: UInt64 = 7) {
    guard let index = bench.runningNames.firstIndex(of: name) else {
      Issue.record("\(name) does not run, but \(bench.runningNames)")
      return
    }
    let start = bench.running.remove(at: index)
    let count = start.outputPartitionCount
    bench.send(
      .attemptFinished(
        start.attempt, start.worker,
        AttemptOutput(
          bytes: Array(repeating: rows * 10, count: count), rows: Array(repeating: rows, count: count),
          checksums: Array(repeating: checksum, count: count))))
  }

  /// Stages 1 and 3 have nothing to do while stage 4 is empty.
  private static func skipping(_ situation: PlanSituation) -> PlanAdvice? {
    PlanAdvice(idle: situation.stages[4].isEmpty ? [1: "no rows", 3: "not read"] : [:])
  }

  @Test func theAdvisorIsToldWhatStagesLeft() {
    let (bench, advisor) = bench { _ in nil }
    finish(bench, "q.4.0.0", rows: 3)
    #expect(advisor.asked.count == 1 && advisor.asked[0].ended == 4)
    let stage = advisor.asked[0].stages[4]
    #expect(stage.isComplete && stage.isFixed && !stage.isEmpty && stage.rows == 6 && stage.bytes == 60)
    #expect(advisor.asked[0].stages[3] == PlanSituation.Stage())
  }

  @Test func whatIsCompleteAndNotNeededIsNotMadeAgain() {
    let (bench, _) = bench(slots: 3) { situation in
      // Nobody needs stage 3 once stage 4 is known to be empty; it may be complete by then.
      PlanAdvice(idle: situation.stages[4].isEmpty ? [1: "no rows", 3: "not read"] : [:])
    }
    finish(bench, "q.3.0.0", rows: 5)
    finish(bench, "q.4.0.0", rows: 0)
    let lost = AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 3), partition: 0), number: 0)
    for _ in 0..<6 { bench.send(.outputLost(lost, WaterbearError(.exchangeDataUnrecoverable, "gone"))) }
    #expect(bench.runningNames == ["q.2.0.0"])
    finish(bench, "q.2.0.0", rows: 1)
    finish(bench, "q.0.0.0", rows: 1)
    #expect(bench.hasAllResults && bench.failure() == nil)
  }

  @Test func whatWentWhileNobodyReadItIsMadeAgainTogetherWhenSomebodyDoes() {
    let advisor = FixedAdvisor { PlanAdvice(idle: $0.stages[4].isEmpty ? [1: "no rows"] : [:]) }
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(60)), advisor: advisor)
    bench.submit(Self.join, splits: 3)
    bench.join(1, slots: 9)
    for task in 0..<3 { finish(bench, "q.3.\(task).0", rows: 5) }
    for task in 0..<3 { finish(bench, "q.4.\(task).0", rows: 0) }
    func output(_ stage: Int, _ task: Int) -> AttemptID {
      AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: stage), partition: task), number: 0)
    }
    let error = WaterbearError(.exchangeDataUnrecoverable, "gone")
    // The only reader is skipped.
    bench.send(.outputsMissing((0..<3).map { output(3, $0) }, error, withDirectory: true))
    let others = ["q.2.0.0", "q.2.1.0", "q.2.2.0"]
    #expect(bench.runningNames.sorted() == others)
    // It is needed after all.
    bench.send(.outputLost(output(4, 1), error))
    finish(bench, "q.4.1.1", rows: 1, checksum: 9)
    #expect(bench.runningNames.sorted() == others + ["q.3.0.1", "q.3.1.1", "q.3.2.1"])
    for task in 0..<3 { finish(bench, "q.3.\(task).1", rows: 5) }
    #expect(bench.runningNames.contains { $0.hasPrefix("q.1.") })
  }

  @Test func skippedStagesCountAsCompleteAndAreReadAsEmpty() {
    let (bench, _) = bench(Self.skipping)
    finish(bench, "q.4.0.0", rows: 0)
    let skipped = bench.records.filter { if case .stageSkipped = $0 { true } else { false } }
    #expect(
      skipped == [
        .stageSkipped(StageID(query: QueryID("q"), number: 3), reason: "not read"),
        .stageSkipped(StageID(query: QueryID("q"), number: 1), reason: "no rows"),
      ])
    finish(bench, "q.2.0.0", rows: 1)
    #expect(bench.runningNames == ["q.0.0.0"])
    #expect(bench.running[0].input.exchanges.map(\.producers) == [[], [0]])
    finish(bench, "q.0.0.0", rows: 1)
    #expect(bench.hasAllResults)
  }

  @Test func whatASkippedStageRunsIsAborted() {
    let (bench, _) = bench(slots: 3, Self.skipping)
    #expect(Set(bench.runningNames) == ["q.2.0.0", "q.3.0.0", "q.4.0.0"])
    finish(bench, "q.4.0.0", rows: 0)
    #expect(bench.runningNames == ["q.2.0.0"])
    // Too late: nobody wants it any more.
    let late = AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 3), partition: 0), number: 0)
    let turn = bench.send(
      .attemptFinished(late, Bench.worker(1), AttemptOutput(bytes: [1, 1], rows: [1, 1], checksums: [1, 1])))
    #expect(turn.effects.contains(.deleteOutput(late)) && turn.records.isEmpty)
  }

  @Test func stagesRunAfterAllWhenAnEmptyOutputHasRowsTheSecondTime() {
    let (bench, _) = bench(Self.skipping)
    finish(bench, "q.4.0.0", rows: 0)
    let output = AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 4), partition: 0), number: 0)
    bench.send(.outputLost(output, WaterbearError(.exchangeDataUnrecoverable, "it is gone")))
    finish(bench, "q.2.0.0", rows: 1)
    // As long as nothing else is known, the stage was empty.
    #expect(!bench.records.contains { if case .stageResumed = $0 { true } else { false } })
    bench.pass(.seconds(60))
    finish(bench, "q.4.0.1", rows: 2, checksum: 8)
    let resumed = bench.records.filter { if case .stageResumed = $0 { true } else { false } }
    #expect(resumed.count == 2)
    finish(bench, "q.3.0.0", rows: 2)
    #expect(bench.runningNames == ["q.1.0.0"])
  }

  @Test func whatAnAttemptMadeBeforeItsStageWasSkippedCountsNoMore() {
    let (bench, _) = bench(slots: 3, Self.skipping)
    finish(bench, "q.4.0.0", rows: 0)
    let late = AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 3), partition: 0), number: 0)
    let report = SchedulerEvent.attemptFinished(
      late, Bench.worker(1), AttemptOutput(bytes: [1, 1], rows: [1, 1], checksums: [1, 1]))
    bench.send(report)
    let output = AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 4), partition: 0), number: 0)
    bench.send(.outputLost(output, WaterbearError(.exchangeDataUnrecoverable, "it is gone")))
    bench.pass(.seconds(60))
    finish(bench, "q.4.0.1", rows: 2, checksum: 8)
    // The stage runs again, and the worker repeats what was not acknowledged; the file is deleted by now.
    let turn = bench.send(report)
    #expect(!turn.records.contains { if case .selected = $0 { true } else { false } })
    #expect(turn.effects.contains(.deleteOutput(late)))
    #expect(bench.runningNames.contains("q.3.0.1"))
  }

  @Test func anImpossibleChangeFailsItsQueryOnly() {
    let (bench, _) = bench { situation in
      guard situation.query == QueryID("q"), situation.ended == 4 else { return nil }
      let circle = StageDescription(number: 3, kind: .source, inputs: [.init(stage: 0, mode: .broadcast)])
      return PlanAdvice(change: PlanChange(stages: [.init(description: circle, fragment: [])], decisions: []))
    }
    bench.submit(Bench.scan("other"), splits: 1)
    finish(bench, "q.4.0.0", rows: 1)
    #expect(bench.failure()?.code == .genericInternalError)
    #expect(!bench.records.contains { if case .planChanged = $0 { true } else { false } })
    #expect(bench.runningNames == ["other.0.0.0"])
  }

  @Test func sizesOfAnOutputMadeAgainAreTheNewOnes() {
    let (bench, advisor) = bench { _ in nil }
    finish(bench, "q.4.0.0", rows: 3)
    let output = AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 4), partition: 0), number: 0)
    bench.send(.outputLost(output, WaterbearError(.exchangeDataUnrecoverable, "it is gone")))
    bench.pass(.seconds(60))
    finish(bench, "q.3.0.0", rows: 1)
    finish(bench, "q.4.0.1", rows: 50, checksum: 8)
    #expect(advisor.asked.last?.stages[4].bytes == 1000)
  }

  @Test func anEmptyRootEndsTheQuery() {
    let (bench, _) = bench { PlanAdvice(idle: $0.stages[4].isEmpty ? [0: "", 1: "", 2: "", 3: ""] : [:]) }
    finish(bench, "q.4.0.0", rows: 0)
    #expect(bench.effects.contains(.allResults(QueryID("q"), taskCount: 0)))
    #expect(bench.runningNames == [])
  }

  @Test func skippedStagesStaySkippedAfterARestart() {
    let advisor = FixedAdvisor(Self.skipping)
    let bench = Bench(SchedulerSettings(workerTimeout: .seconds(60)), advisor: advisor)
    let done = RestoredTask(
      input: .splits(0..<1), nextAttempt: 1, selected: 0,
      output: AttemptOutput(bytes: [0, 0], rows: [0, 0], checksums: [7, 7]))
    let open = RestoredTask(input: .splits(0..<1))
    bench.send(
      .queryRestored(
        Self.join,
        RestoredQuery(stages: [
          RestoredStage(), RestoredStage(isSkipped: true),
          RestoredStage(splitWeights: [1], splitsComplete: true, tasksComplete: true, tasks: [open]),
          RestoredStage(splitWeights: [1], splitsComplete: true, tasksComplete: true, isSkipped: true, tasks: [open]),
          RestoredStage(splitWeights: [1], splitsComplete: true, tasksComplete: true, tasks: [done]),
        ])))
    bench.join(1, slots: 4)
    #expect(bench.runningNames == ["q.2.0.0"])
    finish(bench, "q.2.0.0", rows: 1)
    #expect(bench.runningNames == ["q.0.0.0"])
  }

  @Test func stagesThatHaveNotStartedDoSomethingElse() {
    let probe = StageDescription(number: 3, kind: .source, inputs: [.init(stage: 4, mode: .broadcast)])
    let reader = StageDescription(
      number: 0, kind: .single, inputs: [.init(stage: 3, mode: .gathered), .init(stage: 2, mode: .gathered)])
    let change = PlanChange(
      stages: [reader, StageDescription(number: 1, kind: .single), probe].map {
        PlanChange.Stage(description: $0, fragment: [9])
      },
      decisions: [PlanDecision(kind: .joinMadeBroadcast, stage: 1, reason: "it is small")])
    let (bench, _) = bench { situation in
      PlanAdvice(idle: [1: "stage 3 does it"], change: situation.ended == 4 ? change : nil)
    }
    finish(bench, "q.4.0.0", rows: 2)
    #expect(bench.records.contains(.planChanged(QueryID("q"), change)))
    #expect(bench.runningNames == ["q.3.0.0"])
    #expect(bench.running[0].outputPartitionCount == 1)
    #expect(bench.running[0].input.exchanges.map(\.partitions) == [[0, 1]])
    finish(bench, "q.3.0.0", rows: 2)
    finish(bench, "q.2.0.0", rows: 2)
    #expect(bench.running[0].input.exchanges.map(\.stage.number) == [3, 2])
    finish(bench, "q.0.0.0", rows: 2)
    #expect(bench.hasAllResults)
  }
}
