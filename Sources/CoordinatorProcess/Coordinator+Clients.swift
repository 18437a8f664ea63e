// Owns serving clients: who may do what, and which request is answered how.

import Base
import Glibc
import NIOCore
import Platform
import Scheduling
import TaskStore
import Telemetry
import Transport
import Wire

/// One client's connection. Used on the coordinator's event loop only.
final class ClientSession {
  /// How many requests of one connection may wait for their answers. The next is not read before one is answered, so
  /// that a client that asks without end costs no more than this.
  static let unansweredMax = 8

  let connection: FrameConnection
  private(set) var unanswered = 0

  init(connection: FrameConnection) { self.connection = connection }

  func noteRequest() {
    unanswered += 1
    connection.isReading = unanswered < Self.unansweredMax
  }

  func noteAnswer() {
    unanswered -= 1
    connection.isReading = unanswered < Self.unansweredMax
  }

  var user: String { connection.peer.userName }

  /// Whether this client may see the rows of a query of `owner` or end it: its owner, root and the daemon's own user.
  func mayControl(queryOf owner: String) -> Bool {
    connection.peer.userID == 0 || connection.peer.userID == geteuid() || user == owner
  }
}

extension Coordinator {
  func acceptClient(_ connection: FrameConnection) {
    let client = ClientSession(connection: connection)
    log.write(.clientConnected, ["client_pid": .int(connection.peer.processID), "user": .string(client.user)])
    connection.onFrame = { [unowned self] frame in
      client.noteRequest()
      do {
        try handle(frame, from: client)
      } catch {
        refuse(frame, from: client, WaterbearError.wrapping(error))
      }
    }
    let peer = connection.peer.processID
    connection.onClose = { [unowned self] error in
      if let error { log.write(.frameRejected, ["peer": .int(peer)] + .error(error)) }
      log.write(.clientDisconnected, ["client_pid": .int(peer)])
    }
  }

  private func handle(_ frame: Frame, from client: ClientSession) throws {
    switch frame.name {
    case SubmitQuery.name:
      try submit(frame.message(SubmitQuery.self), user: client.user) { [weak self] outcome in
        switch outcome {
        case .success(let id): self?.answer(frame, with: Submitted(query: id), to: client)
        case .failure(let error): self?.refuse(frame, from: client, error)
        }
      }
    case FetchResult.name: try fetch(frame, from: client)
    case WaitForQuery.name: try wait(frame, from: client)
    case ReleaseResult.name: try releaseResult(frame, from: client)
    case CancelQuery.name: try cancel(frame, from: client)
    case ListQueries.name:
      let limit = min(max(1, try frame.message(ListQueries.self).limit), 10_000)
      answer(frame, with: QueryList(try store.queries(limit: limit)), to: client)
    case ShowQuery.name: answer(frame, with: try detail(of: frame.message(ShowQuery.self).query), to: client)
    case ListWorkers.name:
      let details = workers.values.map(\.detail).sorted { $0.number < $1.number }
      answer(frame, with: WorkerList(workers: details), to: client)
    case AskStatus.name: answer(frame, with: daemonStatus(), to: client)
    default:
      throw WaterbearError(
        .notSupported, "This daemon (release \(Release.version)) does not know the request '\(frame.name)'",
        remedy: "run waterbearctl and waterbeard of the same release")
    }
  }

  func answer(_ request: Frame, with message: some WireMessage, attachment: [UInt8] = [], to client: ClientSession) {
    do {
      var reply = try Frame(message, id: request.id, attachment: attachment)
      if reply.byteCount > FrameDecoder.defaultLimit {
        // The client could not take it and would not know why.
        let error = WaterbearError(
          .genericInsufficientResources,
          "The answer '\(reply.name)' takes \(reply.byteCount) bytes; a frame has at most \(FrameDecoder.defaultLimit)")
        reply = try Frame(Refusal(error), id: request.id)
      }
      client.connection.send(reply)
      client.noteAnswer()
    } catch {
      fail(WaterbearError.wrapping(error).asCause(of: "Cannot encode '\(type(of: message).name)'"))
    }
  }

  func refuse(_ request: Frame, from client: ClientSession, _ error: WaterbearError) {
    answer(request, with: Refusal(error), to: client)
  }

  /// The query if it lives and the client may control it; nil if it is over.
  func live(_ id: QueryID, for client: ClientSession) throws -> LiveQuery? {
    let owner: String
    if let query = queries[id] {
      owner = query.user
    } else if let stored = try store.query(id) {
      owner = stored.user
    } else {
      throw WaterbearError(
        .notFound, "There is no query \(id)", remedy: "waterbearctl list shows the queries that are known")
    }
    guard client.mayControl(queryOf: owner) else {
      throw WaterbearError(.permissionDenied, "Query \(id) belongs to \(owner)")
    }
    return queries[id]
  }

  /// How a query stands, live or from history.
  func status(of id: QueryID) throws -> QueryStatus {
    if let query = queries[id] { return query.status(nowMicroseconds: SystemClock.wallMicroseconds()) }
    guard let stored = try store.query(id) else { throw WaterbearError(.notFound, "There is no query \(id)") }
    return stored.status
  }

  private func wait(_ frame: Frame, from client: ClientSession) throws {
    let request = try frame.message(WaitForQuery.self)
    guard let query = try live(request.query, for: client), !query.state.isEnd, request.waitMilliseconds > 0 else {
      return answer(frame, with: try status(of: request.query), to: client)
    }
    query.lastHeard = .now()
    let deadline = NIODeadline.now() + .milliseconds(Int64(min(request.waitMilliseconds, 60_000)))
    whenChanged(query, until: deadline) { [weak self] in
      guard let self else { return }
      queries[request.query]?.lastHeard = .now()
      var again = request
      again.waitMilliseconds = Int(max(0, (deadline - .now()).nanoseconds / 1_000_000))
      do {
        let ended = queries[request.query].map { $0.state.isEnd } ?? true
        if ended || again.waitMilliseconds == 0 {
          answer(frame, with: try status(of: request.query), to: client)
        } else {
          var retry = frame
          retry.body = try BinaryEncoder.encode(again)
          try wait(retry, from: client)
        }
      } catch {
        refuse(frame, from: client, WaterbearError.wrapping(error))
      }
    }
  }

  /// Calls `action` at the query's next change, or at `deadline`.
  func whenChanged(_ query: LiveQuery, until deadline: NIODeadline, action: @escaping () -> Void) {
    let waiter = ResultWaiter(action: action)
    waiter.arm(loop.assumeIsolated().scheduleTask(deadline: deadline) { waiter.resume() })
    query.add(waiter)
  }

  private func cancel(_ frame: Frame, from client: ClientSession) throws {
    let id = try frame.message(CancelQuery.self).query
    guard let query = try live(id, for: client), !query.state.isEnd else {
      return answer(frame, with: try status(of: id), to: client)
    }
    enqueue(
      .cancel(id, WaterbearError(.userCanceled, "Query was canceled by \(client.user)")),
      then: { [weak self] in
        guard let self else { return }
        do {
          answer(frame, with: try status(of: id), to: client)
        } catch {
          refuse(frame, from: client, WaterbearError.wrapping(error))
        }
      })
  }

  private func releaseResult(_ frame: Frame, from client: ClientSession) throws {
    let id = try frame.message(ReleaseResult.self).query
    let current = try status(of: id)
    if let query = try live(id, for: client), query.state == .finished { enqueue(.queryReleased(id)) }
    answer(frame, with: current, to: client)
  }

  private func detail(of id: QueryID) throws -> QueryDetail {
    guard let stored = try store.query(id) else {
      throw WaterbearError(
        .notFound, "There is no query \(id)", remedy: "waterbearctl list shows the queries that are known")
    }
    let attempts = try store.attempts(id).map(\.detail)
    return QueryDetail(
      summary: stored.wire, status: try status(of: id), retryPolicy: stored.retryPolicy.rawValue, attempts: attempts,
      decisions: try store.decisions(id).map {
        DecisionDetail(stage: $0.stage, kind: $0.kind, reason: $0.reason, madeMicroseconds: $0.madeMicros)
      })
  }

  private func daemonStatus() -> DaemonStatus {
    // Our parent is the supervisor for as long as we live: the kernel ends us with it.
    let supervisor = getppid()
    return DaemonStatus(
      build: Release.version, pid: getpid(), uptimeMicroseconds: uptimeMicroseconds, supervisorPid: supervisor,
      supervisorUptimeMicroseconds: ProcessLife.age(of: supervisor).map { $0.nanoseconds / 1000 },
      workers: workers.values.count { $0.connection != nil },
      runningQueries: queries.values.count { !$0.state.isEnd } + planning.count, dataDirectory: directories.data,
      logPath: directories.eventLog, spoolDirectories: spool.paths,
      settings: settings.rows.map {
        SettingValue(
          key: $0.setting.name, value: $0.value, isDefault: $0.origin == nil, meaning: $0.setting.meaning)
      }, spool: spoolStatus())
  }
}
