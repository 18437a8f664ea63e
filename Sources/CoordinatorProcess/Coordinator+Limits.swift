// Owns what the coordinator adds to the limits of a query's time, which the scheduler keeps: how much had passed before
// the scheduler knew of the query, the time of planning, and clients that do not come back.

import Base
import NIOCore
import Platform
import Scheduling

extension LiveQuery {
  /// Time since the client submitted it.
  var age: TimeSpan {
    submission.age(createdMicroseconds: createdMicroseconds, now: .now())
  }
}

extension TimeAmount {
  /// A century at most: the sum with a time then never overflows.
  static func clamped(_ span: TimeSpan) -> TimeAmount { min(.nanoseconds(span.nanoseconds), .hours(24 * 36_525)) }
}

extension Coordinator {
  /// Ends a query whose plan is not ready in time: until then the scheduler does not know it.
  func limitPlanning(_ planned: PlanningQuery) {
    let limits = TimeLimits(planned.request.session)
    let (limit, error) = limits.run < limits.queued
      ? (limits.run, limits.runError) : (limits.queued, limits.queuedError)
    let id = planned.request.id
    planned.limit = loop.assumeIsolated().scheduleTask(in: .clamped(limit)) { [weak self] in
      // Planned in this very moment: then the scheduler sees to its limits.
      guard let self, let planned = planning[id], !planned.isPlanned else { return }
      do {
        try refuse(planned, error)
      } catch {
        fail(WaterbearError.wrapping(error))
      }
    }
  }

  /// Ends the query when its client has neither asked for rows nor waited for `query.client.timeout`. After a restart
  /// the client has all of that time again to find the way back.
  func watchClient(of query: LiveQuery) {
    guard query.submission.isAwaited else { return }
    let patience = TimeAmount.clamped(policy.clientPatience)
    let due = query.isWaitedFor ? .now() + patience : query.lastHeard + patience
    loop.assumeIsolated().scheduleTask(deadline: due) { [weak self, weak query] in
      guard let self, let query, queries[query.id] === query, !query.state.isEnd else { return }
      guard !query.isWaitedFor, query.lastHeard + patience <= .now() else { return watchClient(of: query) }
      let now = SystemClock.wallMicroseconds()
      let since = now - (NIODeadline.now() - query.lastHeard).nanoseconds / 1000
      let message =
        "Query \(query.id) was abandoned by the client, as it may have exited or stopped checking for query results. "
        + "Query results have not been accessed since \(SystemClock.utcText(microseconds: since)): "
        + "currentTime \(SystemClock.utcText(microseconds: now))"
      let remedy = "raise query.client.timeout, or start the query with waterbearctl submit"
      enqueue(.cancel(query.id, WaterbearError(.abandonedQuery, message, remedy: remedy)))
    }
  }
}
