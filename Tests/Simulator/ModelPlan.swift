// Owns what simulated queries let the scheduler decide about their plans: which stages have nothing to do once others
// turned out empty, and a join whose probe side may do the join itself. Shares nothing with the real planner.
import Base
import Scheduling

/// What of a simulated query's plan may change.
struct ModelPlan {
  /// A stage that joins two others by partition, and can be done by the stage of its probe side instead.
  struct Fold {
    var join: Int
    var probe: Int
    var build: Int
  }

  /// By stage: the places of inputs without whose rows it has none itself.
  var innerInputs: [Set<Int>]
  /// Stages whose tasks give no rows; where the stage is not deterministic, sometimes.
  var barren: Set<Int>
  var fold: Fold?
  var seed: UInt64

  /// Nothing may change where `isFixed`. Not drawn from the world's source, so that its other draws stay what they are.
  init(
    _ stages: [StageDescription], seed: UInt64, isFixed: Bool, noisy: Set<Int>, mayFold: (Fold) -> Bool
  ) {
    self.seed = seed
    innerInputs = stages.map { _ in [] }
    barren = []
    for stage in stages where !isFixed {
      let roll = RandomSource.mix(seed ^ 0x5EED, UInt64(stage.number))
      if roll % (noisy.contains(stage.number) ? 2 : 4) == 0 { barren.insert(stage.number) }
      for place in stage.inputs.indices where (roll >> UInt64(8 + place)) % 2 == 0 {
        innerInputs[stage.number].insert(place)
      }
    }
    if isFixed { return }
    for stage in stages.dropFirst() where stage.kind == .hash && stage.inputs.count == 2 {
      let found = Fold(join: stage.number, probe: stage.inputs[0].stage, build: stage.inputs[1].stage)
      let readers = stages.count { $0.inputs.contains { $0.stage == found.probe } }
      guard found.probe != found.build, stage.inputs.allSatisfy({ $0.mode == .partitioned }), readers == 1,
        stages[found.probe].kind == .source, !barren.contains(found.join), mayFold(found)
      else { continue }
      fold = found
      innerInputs[found.join] = [0, 1]
      // What the probe side waits for may leave it nothing to do, while others still read it.
      innerInputs[found.probe] = Set(stages[found.probe].inputs.indices)
      if seed % 2 == 0 { innerInputs[0] = [] }
      return
    }
  }

  /// Whether the stage does the join of its consumer, too.
  func isFolded(_ stage: Int, in description: QueryDescription) -> Bool {
    guard let fold, fold.probe == stage else { return false }
    return description.stages[fold.join].inputs.isEmpty
  }

  /// What each row of the probe side with this partition adds to an output partition, by the build side's rows.
  static func factor(_ build: UInt64, _ partition: Int, _ output: Int) -> UInt64 {
    build == 0 ? 0 : RandomSource.mix(build, UInt64(partition * 64 + output)) | 1
  }

  /// The stages with nothing to do, where these are known to be empty.
  func idle(_ empty: Set<Int>, in description: QueryDescription) -> Set<Int> {
    var derived: Set<Int> = []
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for stage in description.stages where !derived.contains(stage.number) {
        // A stage that was added passes on what it reads.
        var inner = stage.number < innerInputs.count ? innerInputs[stage.number] : [0]
        if isFolded(stage.number, in: description) { inner.insert(stage.inputs.count - 1) }
        let hasEmpty = stage.inputs.enumerated().contains { place, input in
          inner.contains(place) && (empty.contains(input.stage) || derived.contains(input.stage))
        }
        guard hasEmpty, stage.number != 0 || description.completion != .commit else { continue }
        derived.insert(stage.number)
        isGrowing = true
      }
    }
    var needed: Set<Int> = []
    var waiting = [0]
    while let stage = waiting.popLast() {
      guard needed.insert(stage).inserted, !derived.contains(stage) else { continue }
      waiting += description.stages[stage].inputs.map(\.stage)
    }
    return Set(description.stages.map(\.number)).subtracting(needed).union(derived)
  }

  /// Another plan for what has not started; nil where it stays.
  func change(_ situation: PlanSituation, of description: QueryDescription) -> PlanChange? {
    guard let ended = situation.ended else { return nil }
    let roll = RandomSource.mix(seed, UInt64(bitPattern: situation.stages[ended].bytes))
    if let change = folding(situation, of: description), roll % 4 != 0 { return change }
    if roll % 5 == 0, let change = raising(situation, of: description) { return change }
    if roll % 5 == 1, let change = relaying(situation, ended, of: description) { return change }
    // A plan that is another one only for the workers.
    for stage in description.stages where stage.inputs.contains(where: { $0.stage == ended }) && stage.kind != .source {
      let state = situation.stages[stage.number]
      guard !state.isFixed, !state.isComplete, !state.isSkipped, roll % 3 == 0,
        stage.inputs.allSatisfy({ situation.stages[$0.stage].isComplete })
      else { continue }
      return PlanChange(
        stages: [.init(description: stage, fragment: [1])],
        decisions: [PlanDecision(kind: .joinSidesSwapped, stage: stage.number, reason: "the dice say so")])
    }
    return nil
  }

  /// More partitions for what nobody has written, and of which nobody has chosen what to read.
  private func raising(_ situation: PlanSituation, of description: QueryDescription) -> PlanChange? {
    func readers(of writer: Int) -> [Int] {
      description.stages.filter { $0.inputs.contains { $0.stage == writer && $0.mode == .partitioned } }.map(\.number)
    }
    for reader in description.stages where reader.kind == .hash {
      let writers = Set(reader.inputs.filter { $0.mode == .partitioned }.map(\.stage)).sorted()
      let mayChange = (writers + [reader.number]).allSatisfy {
        let state = situation.stages[$0]
        return !state.isFixed && !state.isComplete && !state.isSkipped
      }
      guard mayChange, writers.allSatisfy({ readers(of: $0) == [reader.number] }) else { continue }
      let stages = writers.map { number in
        var stage = description.stages[number]
        stage.outputPartitionCount += 3
        return PlanChange.Stage(description: stage, fragment: [3])
      }
      return PlanChange(
        stages: stages,
        decisions: [PlanDecision(kind: .partitionsRaised, stage: reader.number, reason: "the dice say so")])
    }
    return nil
  }

  /// One more stage, which hands on what has just become complete to one that was to read it.
  private func relaying(_ situation: PlanSituation, _ ended: Int, of description: QueryDescription) -> PlanChange? {
    guard ended < innerInputs.count else { return nil }
    for var reader in description.stages where reader.inputs.contains(where: { $0.stage == ended }) {
      let state = situation.stages[reader.number]
      let isPartitioned = reader.inputs.contains { $0.stage == ended && $0.mode == .partitioned }
      guard !state.isFixed, !state.isComplete, !state.isSkipped, !isPartitioned else { continue }
      let relay = StageDescription(
        number: description.stages.count, kind: .single, inputs: [StageInput(stage: ended, mode: .gathered)],
        outputPartitionCount: description.stages[ended].outputPartitionCount)
      for index in reader.inputs.indices where reader.inputs[index].stage == ended {
        reader.inputs[index].stage = relay.number
      }
      return PlanChange(
        stages: [reader, relay].map { .init(description: $0, fragment: [4]) },
        decisions: [PlanDecision(kind: .joinMadePartitioned, stage: reader.number, reason: "the dice say so")])
    }
    return nil
  }

  /// The stage of the plan whose rows a stage gives: itself, unless it was added.
  func origin(of stage: Int, in description: QueryDescription) -> Int {
    var stage = stage
    while stage >= innerInputs.count { stage = description.stages[stage].inputs[0].stage }
    return stage
  }

  private func folding(_ situation: PlanSituation, of description: QueryDescription) -> PlanChange? {
    guard let fold, !isFolded(fold.probe, in: description), situation.ended == fold.build else { return nil }
    let readers = description.stages.filter { stage in stage.inputs.contains { $0.stage == fold.join } }
    let touched = [fold.join, fold.probe] + readers.map(\.number)
    let mayChange = touched.allSatisfy { !situation.stages[$0].isFixed && !situation.stages[$0].isSkipped }
    guard mayChange, !situation.stages[fold.probe].isComplete else { return nil }
    var probe = description.stages[fold.probe]
    probe.inputs.append(StageInput(stage: fold.build, mode: .broadcast))
    probe.outputPartitionCount = description.stages[fold.join].outputPartitionCount
    var changed = [probe, StageDescription(number: fold.join, kind: .single)]
    for reader in readers {
      var reader = reader
      for index in reader.inputs.indices where reader.inputs[index].stage == fold.join {
        reader.inputs[index].stage = fold.probe
      }
      changed.append(reader)
    }
    return PlanChange(
      stages: changed.sorted { $0.number < $1.number }.map { .init(description: $0, fragment: [2]) },
      decisions: [PlanDecision(kind: .joinMadeBroadcast, stage: fold.join, reason: "the dice say so")])
  }
}

/// The simulated coordinator's knowledge of plans; made anew from the store with each of its lives.
final class ModelAdvisor: PlanAdvising {
  private var queries: [QueryID: (plan: ModelPlan, description: QueryDescription)] = [:]

  func add(_ plan: ModelPlan, _ description: QueryDescription) { queries[description.id] = (plan, description) }

  func advice(on situation: PlanSituation) -> PlanAdvice? {
    guard let (plan, description) = queries[situation.query] else { return nil }
    let change = plan.change(situation, of: description)
    for stage in (change?.stages ?? []).map(\.description) {
      if stage.number == queries[situation.query]?.description.stages.count {
        queries[situation.query]?.description.stages.append(stage)
      } else {
        queries[situation.query]?.description.stages[stage.number] = stage
      }
    }
    let empty = Set(situation.stages.indices.filter { situation.stages[$0].isEmpty })
    let idle = plan.idle(empty, in: queries[situation.query]?.description ?? description)
    return PlanAdvice(
      idle: Dictionary(uniqueKeysWithValues: idle.map { ($0, "stages \(empty.sorted()) are empty") }), change: change)
  }
}
