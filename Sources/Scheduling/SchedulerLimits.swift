// Owns the limits of a query's time. Times are the scheduler's: the shell says how much had passed before the scheduler
// knew of the query, and no jump of the wall clock comes in here.
import Base

/// A limit of a query's time.
enum TimeLimit {
  case run
  case execution
  case queued
}

extension Scheduler {
  /// Starts the clocks of a query's limits.
  func limitTime(_ query: QueryState, _ restored: RestoredQuery) {
    guard let limits = query.description.timeLimits else { return }
    end(query, .run, after: limits.run, of: restored.age)
    if query.hasStarted {
      end(query, .execution, after: limits.execution, of: restored.executed)
    } else {
      end(query, .queued, after: limits.queued, of: restored.age)
    }
  }

  /// The query's first attempt starts.
  func noteFirstStart(_ query: QueryState) {
    query.hasStarted = true
    guard let limits = query.description.timeLimits else { return }
    end(query, .execution, after: limits.execution, of: .zero)
  }

  private func end(_ query: QueryState, _ limit: TimeLimit, after span: TimeSpan, of elapsed: TimeSpan) {
    let rest = max(0, span.nanoseconds &- max(0, elapsed.nanoseconds))
    // Beyond what the clock can count, it never comes.
    guard rest < Int64.max / 4 else { return }
    timers.add(now + TimeSpan(nanoseconds: rest), .limit(limit, query.id))
  }

  /// Ends a query whose time is up. One with a complete result, or whose commit has started, stays.
  func limitReached(_ limit: TimeLimit, _ query: QueryState) {
    guard let limits = query.description.timeLimits, query.phase != .finished, query.phase != .committing
    else { return }
    switch limit {
    case .run: failQuery(query, limits.runError)
    case .execution: failQuery(query, limits.executionError)
    case .queued: if !query.hasStarted { failQuery(query, limits.queuedError) }
    }
  }

  /// Limits are mostly days away: without this, those of a million queries that took a second would pile up. Each query
  /// pays for a few entries.
  func forgetLimits(of query: QueryState) {
    guard query.description.timeLimits != nil else { return }
    staleLimits += 3
    guard staleLimits > 64, staleLimits > timers.count / 2 else { return }
    staleLimits = 0
    timers.removeAll { if case .limit(_, let id) = $0 { queries[id] == nil } else { false } }
  }
}
