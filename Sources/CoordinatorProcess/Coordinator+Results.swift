// Owns handing out results: which page comes next, reading it off the loop, waiting while there is none.

import Base
import Columnar
import Exchange
import NIOCore
import Platform
import Scheduling
import Wire

extension Coordinator {
  /// Before an output that could not be read, though it may be whole, is read again.
  static let rereadInterval = TimeAmount.milliseconds(250)
  /// The same after many tries.
  static let rereadIntervalMax = TimeAmount.seconds(10)

  /// Answers with the page at the asked position, or with none when the time is up.
  func fetch(_ frame: Frame, from client: ClientSession) throws {
    let request = try frame.message(FetchResult.self)
    guard request.position.task >= 0, request.position.page >= 0 else {
      throw WaterbearError(
        .invalidArguments, "There is no page \(request.position.page) of task \(request.position.task) in a result")
    }
    guard let query = try live(request.query, for: client) else {
      let status = try status(of: request.query)
      guard status.state == .failed else {
        throw WaterbearError(
          .notFound, "The result of query \(request.query) is gone: it was fetched or has expired",
          remedy: "run the query again")
      }
      let page = ResultPage(status: status, columns: nil, next: request.position, isLast: true)
      return answer(frame, with: page, to: client)
    }
    let wait = Int64(min(max(0, request.waitMilliseconds), 60_000))
    serve(
      ResultRequest(frame: frame, client: client, position: request.position, deadline: .now() + .milliseconds(wait)),
      of: query)
  }

  private func serve(_ request: ResultRequest, of query: LiveQuery) {
    (query.lastAccess, query.lastHeard) = (.now(), .now())
    if query.state == .failed { return answer(request, of: query, next: request.position, isLast: true) }
    // The query was released while this request waited.
    guard queries[query.id] === query else {
      return refuse(
        request.frame, from: request.client,
        WaterbearError(.notFound, "The result of query \(query.id) is gone: it was fetched or has expired"))
    }
    switch query.locate(request.position) {
    case .rowCount(let rows):
      let batch = Batch(columns: [.repeating(.integer(rows), type: .bigint, count: 1)], count: 1)
      var encoder = BatchEncoder()
      let page = encoder.encode(batch) { Array($0) }
      answer(request, of: query, page: page, next: ResultPosition(task: 1), isLast: true)
    case .end: answer(request, of: query, next: request.position, isLast: true)
    case .page(let position, let output, let isLastOfTask):
      read(position, from: output, isLastOfTask: isLastOfTask, for: request, of: query)
    case .notYet(let position):
      var request = request
      request.position = position
      guard request.deadline > .now() else { return answer(request, of: query, next: position, isLast: false) }
      whenChanged(query, until: request.deadline) { [weak self] in self?.serve(request, of: query) }
    }
  }

  private func read(
    _ position: ResultPosition, from output: SpoolOutput, isLastOfTask: Bool, for request: ResultRequest,
    of query: LiveQuery
  ) {
    let (results, key) = (results, query.key)
    ask(output.location.directory, .reading) {
      try results.page(position.page, of: output, key: key)
    } then: { [weak self] outcome in
      guard let self else { return }
      // Released while it was read: the reader that was kept for the next page would stay open for ever.
      if queries[query.id] !== query { results.close(query.id) }
      switch outcome {
      case .success(let bytes):
        let next = isLastOfTask
          ? ResultPosition(task: position.task + 1) : ResultPosition(task: position.task, page: position.page + 1)
        var isLast = false
        if case .end = query.locate(next) { isLast = true }
        answer(request, of: query, page: bytes, next: next, isLast: isLast)
      case .failure(let failure):
        let unread = failure as? UnreadOutput ?? UnreadOutput(unasked: output.attempt, failure)
        guard unread.miss == .lost else { return readLater(position, request, of: query, unread) }
        let error = unread.error
        // The scheduler has the lost part made again; the client waits on.
        var request = request
        request.position = position
        log.write(.outputLost, about: .attempt(output.attempt), .error(error))
        let directory = output.location.directory
        let withDirectory = spoolWatch.isToBlame(directory)
        searchOutputs(in: directory)
        enqueue(
          .outputLost(output.attempt, error, withDirectory: withDirectory),
          then: { [weak self] in self?.serve(request, of: query) })
      }
    }
  }

  /// A page could not be read, which says nothing against it: it is tried again while the client waits. Where its
  /// directory stays away, its outputs are given up together.
  private func readLater(
    _ position: ResultPosition, _ request: ResultRequest, of query: LiveQuery, _ unread: UnreadOutput
  ) {
    var request = request
    request.position = position
    if unread.miss == .away, let place = query.outputs[unread.attempt]?.location {
      searchOutputs(in: place.directory)
    } else {
      log.write(.outputUnread, about: .attempt(unread.attempt), .error(unread.error))
    }
    guard request.deadline > .now() else {
      if unread.miss == .shortage { return refuse(request.frame, from: request.client, unread.error) }
      return answer(request, of: query, next: position, isLast: false)
    }
    whenChanged(query, until: min(request.deadline, .now() + Self.rereadInterval)) { [weak self] in
      self?.serve(request, of: query)
    }
  }

  private func answer(
    _ request: ResultRequest, of query: LiveQuery, page: [UInt8] = [], next: ResultPosition, isLast: Bool
  ) {
    let status = query.status(nowMicroseconds: SystemClock.wallMicroseconds())
    answer(
      request.frame,
      with: ResultPage(status: status, columns: query.columns, next: next, isLast: isLast),
      attachment: page, to: request.client)
  }
}

/// A client's request for a page, while it is being served.
struct ResultRequest {
  let frame: Frame
  let client: ClientSession
  var position: ResultPosition
  let deadline: NIODeadline
}
