// Owns what follows for a query's stages when its plan is looked at again: stages skipped, resumed and replaced.
import Base

extension Scheduler {
  private static let fixedPlanRemedy =
    "This is a defect of Waterbear: please report it. Until it is mended, run the query with "
    + "--session fault_tolerant_execution_adaptive_query_planning_enabled=false."

  /// Asks for advice and follows it. `ended`: the stage that has just become complete, if that is why.
  func adapt(_ query: QueryState, after ended: Int?) {
    guard let advisor, query.phase == .running || query.phase == .delayed else { return }
    let situation = PlanSituation(query: query.id, stages: query.stages.map(\.situation), ended: ended)
    guard let advice = advisor.advice(on: situation) else { return }
    if let change = advice.change {
      if let problem = query.problem(with: change.stages.map(\.description)) {
        // The same would come again after a restart: it must not take the other queries along.
        let message = "The plan of query \(query.id) was to be changed while it runs, but \(problem)"
        failQuery(query, WaterbearError(.genericInternalError, message, remedy: Self.fixedPlanRemedy))
        return
      }
      record(.planChanged(query.id, change))
      query.change(change.stages.map(\.description))
    }
    // All are marked first, so that none gets tasks on the way that is to be skipped itself.
    var changed = advice.change?.stages.map(\.description.number) ?? []
    for stage in query.order {
      let reason = advice.idle[stage]
      if let reason, !query.stages[stage].isComplete {
        skip(query, stage, reason)
        changed.append(stage)
      } else if reason == nil, query.stages[stage].isSkipped {
        query.stages[stage].isSkipped = false
        record(.stageResumed(query.stages[stage].id))
        changed.append(stage)
      }
    }
    for stage in changed where query.phase == .running || query.phase == .delayed {
      updateCompletion(query, stage)
      if !query.stages[stage].isSkipped { takeUp(query, stage) }
      query.updateRunnable(stage)
    }
  }

  private func skip(_ query: QueryState, _ stage: Int, _ reason: String) {
    query.stages[stage].isSkipped = true
    query.stages[stage].selectionChanged()
    record(.stageSkipped(query.stages[stage].id, reason: reason))
    for key in query.runningTasks.sorted(by: { $0.task < $1.task }) where key.stage == stage {
      abortRuns(TaskReference(query: query, stage: stage, task: key.task), except: nil, recorded: true)
      query.enqueue(stage: stage, task: key.task)
    }
    // What these attempts have made is deleted when they report it. Should the stage be resumed, a report that comes
    // twice must not count.
    for index in query.stages[stage].tasks.indices {
      let task = TaskReference(query: query, stage: stage, task: index)
      var counters = task.state.counters
      guard task.state.selected == nil, counters.firstValidAttempt < task.state.nextAttempt else { continue }
      counters.firstValidAttempt = task.state.nextAttempt
      setCounters(task, counters)
    }
  }

  /// Lets a stage run that was skipped before, or waits for less than before.
  private func takeUp(_ query: QueryState, _ stage: Int) {
    query.stages[stage].selectionChanged()
    if query.stages[stage].incompleteInputs == 0 { createTasks(query, stage) }
    makeTasks(query)
    makeInputsAgain(query, stage)
    enter(query)
  }
}

extension StageState {
  fileprivate var situation: PlanSituation.Stage {
    PlanSituation.Stage(
      isComplete: wasComplete && !isSkipped, isSkipped: isSkipped, isFixed: isFixed, isEmpty: isKnownEmpty,
      rows: rows, bytes: partitionBytes.reduce(0, &+))
  }

  /// Whether it must stay what it is: an attempt was started, so that a task may have been divided by what the stage
  /// reads, or it was decided which task reads which partitions. The tasks of a source stage that has not started are
  /// ranges of splits, whatever is done with those.
  fileprivate var isFixed: Bool { hasStarted || !tasks.isEmpty && description.kind != .source }
}

extension StageDescription {
  fileprivate func readsPartitions(of stage: Int) -> Bool {
    inputs.contains { $0.stage == stage && $0.mode == .partitioned }
  }
}

extension QueryState {
  /// Why stages cannot be given these descriptions; nil where they can.
  func problem(with changed: [StageDescription]) -> String? {
    var result = description
    for new in changed {
      if new.number == result.stages.count {
        result.stages.append(new)
        continue
      }
      guard stages.indices.contains(new.number) else { return "stage \(new.number) would come after a gap" }
      let stage = stages[new.number]
      if stage.isFixed { return "stage \(stage.id) has started and must stay what it is" }
      if !stage.tasks.isEmpty, new.kind != .source { return "stage \(stage.id) has tasks, which cover splits" }
      let isResized = new.outputPartitionCount != stage.description.outputPartitionCount
      if isResized, stages.contains(where: { $0.isFixed && $0.description.readsPartitions(of: new.number) }) {
        return "it was decided who reads which partition of stage \(stage.id)"
      }
      result.stages[new.number] = new
    }
    return Self.problem(in: result)
  }

  /// Gives stages another description, or adds them. Only where there is no `problem(with:)` that.
  func change(_ changed: [StageDescription]) {
    for description in changed {
      if description.number == stages.count {
        self.description.stages.append(description)
        let id = StageID(query: id, number: description.number)
        stages.append(
          StageState(
            id: id, description: description, sizing: self.description.sizing, memory: self.description.memory))
        continue
      }
      self.description.stages[description.number] = description
      stages[description.number].change(description)
    }
    link()
    for stage in stages.indices { countInputs(of: stage) }
    for stage in stages.indices { updateRunnable(stage) }
  }
}
