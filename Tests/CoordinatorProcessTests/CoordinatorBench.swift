// Owns a coordinator in this process, with sockets, a store and a spool in a directory of its own, for tests that play
// its clients and workers. It can be restarted as after kill -9: nothing is told to the old one.
import Base
import ConnectorAPI
import ConnectorRegistry
import Exchange
import Foundation
import Glibc
import LocalRunner
import NIOCore
import NIOPosix
@testable import Platform
import Sealing
import Settings
import Sockets
import TaskStore
import Telemetry
import TemporaryDirectories
import Transport
import Wire
import Wiring

@testable import CoordinatorProcess

/// The daemon's other half is whoever holds the sockets that `client()` and `FakeWorker` make. End with `stop()`.
final class CoordinatorBench {
  let home: TemporaryDirectory
  let spool: SpoolDirectories
  let coordinator: Coordinator
  private let group: MultiThreadedEventLoopGroup
  private let storeThreads: NIOThreadPool
  private let directories: DaemonDirectories
  let tables: MemoryTables
  let catalogs: Catalogs

  /// A coordinator over an empty directory, or over that of one that was stopped, with catalogs `tpch` and `memory`.
  /// `spools`: other base directories than before, by their names in `home`; `patience`: with one that is away.
  init(
    home: TemporaryDirectory = TemporaryDirectory(),
    tables: MemoryTables = MemoryTables(catalog: "memory", tables: [:]),
    spools: [String]? = nil, patience: TimeSpan? = nil
  ) throws {
    self.home = home
    self.tables = tables
    let directories = DaemonDirectories(etc: home.path + "/etc", data: home.path + "/data")
    self.directories = directories
    for path in [home.path + "/etc", home.path + "/etc/catalog"] { mkdir(path, 0o755) }
    try directories.prepare()
    Self.write("connector.name=tpch\n", to: home.path + "/etc/catalog/tpch.properties")
    if let spools {
      let paths = spools.map { "\(home.path)/\($0)" }.joined(separator: ",")
      Self.write("exchange.base-directories=\(paths)\n", to: home.path + "/etc/exchange-manager.properties")
    }
    let environment = SettingsEnvironment(cores: 2, memory: DataSize(bytes: 4 << 30), dataDirectory: directories.data)
    let settings = try Settings.load(directory: directories.etc, environment: environment)
    let log = try Wiring.log(settings, directories, role: "coordinator")
    let masterKey = try MasterKeyFile.loadOrCreate(directories.masterKey)
    let store = try TaskStore.open(path: directories.store, masterKey: masterKey, time: "20260101-000000")
    let instance = try InstanceName.letters(of: masterKey)
    let faults = SpoolFaults()
    spool = try Wiring.spool(settings, owner: instance, faults: faults)
    try spool.prepare(requireAll: false)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    storeThreads = NIOThreadPool(numberOfThreads: 1)
    storeThreads.start()
    catalogs = Catalogs(["tpch": try ConnectorRegistry.catalogs(settings).connector("tpch"), "memory": tables])
    let coordinator = Coordinator(
      loop: group.next(), storeThreads: storeThreads, settings: settings, directories: directories, spool: spool,
      store: store,
      planner: try QueryPlanner(catalogs: catalogs), catalogs: catalogs,
      commits: TableCommits(catalogs: catalogs, store: store), log: log, link: try SupervisorLink.toNobody(),
      instanceName: instance)
    self.coordinator = coordinator
    if let patience { coordinator.spoolWatch = SpoolWatch(patienceWhileAway: patience) }
    faults.deliver(to: { fault in coordinator.loop.execute { coordinator.noteSpoolFault(fault) } })
    try coordinator.loop.submit { try coordinator.recover() }.wait()
    let hello = Hello(role: "coordinator", pid: getpid())
    let workers = FrameServer(path: directories.workerSocket, loop: coordinator.loop)
    try workers.start(mode: 0o600, hello: hello, accept: { coordinator.acceptWorker($0) }, refused: { _, _ in })
    let clients = FrameServer(path: directories.clientSocket, loop: coordinator.loop)
    try clients.start(mode: 0o660, hello: hello, accept: { coordinator.acceptClient($0) }, refused: { _, _ in })
  }

  /// Ends it without a word to anybody.
  func stop() throws {
    try group.syncShutdownGracefully()
    try storeThreads.syncShutdownGracefully()
    try coordinator.store.close()
  }

  private static func write(_ text: String, to path: String) {
    let file = fopen(path, "w")
    fputs(text, file)
    fclose(file)
  }

  /// What a coordinator that follows this one finds.
  func restarted(spools: [String]? = nil, patience: TimeSpan? = nil) throws -> CoordinatorBench {
    try stop()
    return try CoordinatorBench(home: home, tables: tables, spools: spools, patience: patience)
  }

  /// Lines of the log about an event.
  func events(_ name: String) throws -> [String] {
    let text = try String(contentsOfFile: directories.eventLog, encoding: .utf8)
    return text.split(separator: "\n").filter { $0.contains("\"event\":\"\(name)\"") }.map(String.init)
  }

  /// Looks at the coordinator on its event loop.
  func look<Found: Sendable>(_ body: @escaping @Sendable (Coordinator) throws -> Found) throws -> Found {
    let coordinator = coordinator
    return try coordinator.loop.submit { try body(coordinator) }.wait()
  }

  func client() throws -> FakeClient { try FakeClient(directories.clientSocket) }
  /// `spool`: where it writes, if not where the coordinator has its directories.
  func worker(_ incarnation: UInt64 = 1, number: Int = 1, spool: SpoolDirectories? = nil) throws -> FakeWorker {
    try FakeWorker(directories.workerSocket, spool: spool ?? self.spool, number: number, incarnation: incarnation)
  }
}

extension SupervisorLink {
  /// A link whose words nobody hears.
  static func toNobody() throws -> SupervisorLink {
    try SupervisorLink(descriptor: OwnedDescriptor(adopting: open("/dev/null", O_WRONLY | O_CLOEXEC)))
  }
}

/// What a test waited for did not come.
struct Silence: Error {}

/// A client that sends one request after the other and may stop to read.
final class FakeClient {
  let socket: FrameSocket
  private var lastRequest: UInt64 = 0

  init(_ path: String) throws {
    socket = try FrameSocket(connectingTo: path)
    _ = try socket.greet(role: "client", timeout: .seconds(20))
  }

  func ask<Answer: WireMessage>(_ request: some WireMessage, _ answer: Answer.Type) throws -> Answer {
    lastRequest += 1
    try socket.send(request, id: lastRequest)
    guard let frame = try socket.receive(timeout: .seconds(20)) else { throw Silence() }
    if frame.name == Refusal.name { throw try frame.message(Refusal.self).error }
    return try frame.message(answer)
  }

  func submit(_ sql: String, nonce: String = "n", session: [String: String] = [:]) throws -> QueryID {
    let request = SubmitQuery(nonce: nonce, sql: sql, catalog: "tpch", schema: "tiny", session: session)
    return try ask(request, Submitted.self).query
  }

  /// Waits for a query's end.
  func end(of query: QueryID) throws -> QueryStatus {
    var status = try ask(WaitForQuery(query: query, waitMilliseconds: 5000), QueryStatus.self)
    for _ in 0..<4 where !status.state.isEnd {
      status = try ask(WaitForQuery(query: query, waitMilliseconds: 5000), QueryStatus.self)
    }
    return status
  }

  func fetch(_ query: QueryID, _ position: ResultPosition = ResultPosition(), wait: Int = 5000) throws -> ResultPage {
    try ask(FetchResult(query: query, position: position, waitMilliseconds: wait), ResultPage.self)
  }
}
