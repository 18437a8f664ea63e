// Owns the plans of running queries between the scheduler, which knows stages, and planning, which knows fragments.

import Base
import Planning
import Scheduling
import Wire

/// Tells the scheduler what planning makes of finished stages. Used on the coordinator's event loop only.
final class PlanAdvisor: PlanAdvising {
  private var plans: [QueryID: AdaptivePlan] = [:]
  /// By stage: what its tasks are granted at first, which no change of plan concerns.
  private var memoryEstimates: [QueryID: [Int64]] = [:]

  /// `stages` describe the plan's fragments to the scheduler.
  func add(_ plan: AdaptivePlan, of query: QueryID, stages: [StageDescription]) {
    plans[query] = plan
    memoryEstimates[query] = stages.map(\.memoryEstimate)
  }

  func forget(_ query: QueryID) {
    plans[query] = nil
    memoryEstimates[query] = nil
  }

  func advice(on situation: PlanSituation) -> PlanAdvice? {
    guard var plan = plans[situation.query] else { return nil }
    let figures = situation.stages.map { FragmentFigures($0) }
    var change: PlanChange?
    if let ended = situation.ended, let revision = plan.revise(figures, ended: ended) {
      do {
        change = try PlanChange(revision, of: plan, memoryEstimates: memoryEstimates[situation.query] ?? [])
        plans[situation.query] = plan
      } catch {
        // It would be too big for its workers. The query runs as it was planned.
        plan = plans[situation.query] ?? plan
      }
    }
    return PlanAdvice(idle: plan.idle(figures), change: change)
  }
}

extension FragmentFigures {
  init(_ stage: PlanSituation.Stage) {
    self.init(
      isComplete: stage.isComplete, isSkipped: stage.isSkipped, isFixed: stage.isFixed, isEmpty: stage.isEmpty,
      rows: stage.rows, bytes: stage.bytes)
  }
}

extension PlanChange {
  /// NOT_SUPPORTED where a fragment does not fit into a frame.
  init(_ revision: PlanRevision, of plan: AdaptivePlan, memoryEstimates: [Int64]) throws {
    self.init(
      stages: try revision.changed.sorted().map { number in
        let fragment = plan.fragments[number]
        // What was added asks for as much as any.
        let memory = memoryEstimates.indices.contains(number) ? memoryEstimates[number] : 0
        return Stage(
          description: StageDescription(fragment, memoryEstimate: memory),
          fragment: try fragment.encodedForWorkers)
      },
      decisions: revision.decisions.map { PlanDecision($0) })
  }
}

extension PlanDecision {
  init(_ decision: PlanRevision.Decision) {
    let kind: Kind =
      switch decision.kind {
      case .joinSidesSwapped: .joinSidesSwapped
      case .joinMadeBroadcast: .joinMadeBroadcast
      case .joinMadePartitioned: .joinMadePartitioned
      case .partitionsRaised: .partitionsRaised
      }
    self.init(kind: kind, stage: decision.fragment, reason: decision.reason)
  }
}

extension StageDescription {
  /// What the scheduler is told of a fragment.
  init(_ fragment: PlanFragment, memoryEstimate: Int64) {
    self.init(
      number: fragment.number, kind: Kind(fragment.kind),
      inputs: fragment.inputs.map { input in
        StageInput(
          stage: input.fragment, mode: StageInput.Mode(input.mode), isDivisible: fragment.isDivisible(by: input))
      },
      outputPartitionCount: fragment.output.partitionCount, memoryEstimate: memoryEstimate,
      isWriter: fragment.root.writesTable)
  }
}

extension PlanFragment {
  /// The fragment's bytes. It travels in a frame of its own, and must fit into it: NOT_SUPPORTED where it does not.
  var encodedForWorkers: [UInt8] {
    get throws {
      let bytes = try BinaryEncoder.encode(self)
      guard bytes.count <= FrameDecoder.defaultLimit / 2 else {
        throw WaterbearError(
          .notSupported, "The plan of stage \(number) takes \(bytes.count) bytes, more than a worker accepts",
          remedy: "shorten the query; long lists of values belong into a table")
      }
      return bytes
    }
  }
}
