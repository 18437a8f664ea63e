// Owns what follows for a query's stages when its plan is looked at again: stages skipped, resumed and replaced.
import Base

extension Scheduler {
  /// Asks for advice and follows it. `ended`: the stage that has just become complete, if that is why.
  func adapt(_ query: QueryState, after ended: Int?) {
    guard let advisor, query.phase == .running || query.phase == .delayed else { return }
    let situation = PlanSituation(query: query.id, stages: query.stages.map(\.situation), ended: ended)
    guard let advice = advisor.advice(on: situation) else { return }
    if let change = advice.change {
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
  /// Gives stages another description, or adds them. None of them may have started.
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
      let stage = stages[description.number]
      precondition(!stage.isFixed, "stage \(stage.id) has started and must stay what it is")
      precondition(
        stage.tasks.isEmpty || description.kind == .source, "stage \(stage.id) has tasks, which cover splits")
      let isResized = description.outputPartitionCount != stage.description.outputPartitionCount
      precondition(
        !isResized || !stages.contains { $0.isFixed && $0.description.readsPartitions(of: description.number) },
        "it was decided who reads which partition of stage \(stage.id)")
      self.description.stages[description.number] = description
      stages[description.number].change(description)
    }
    Self.validate(self.description)
    link()
    for stage in stages.indices { countInputs(of: stage) }
    for stage in stages.indices { updateRunnable(stage) }
  }
}
