// Owns one daemon in a directory of its own, and the control program's words with it. All of it ends with the test.
import Base
import Foundation
import Glibc
import Platform
import Testing

/// A daemon of the built program. Used by one thread, except for what says otherwise.
final class Daemon {
  private let directory: TemporaryDirectory
  private let workers: Int
  private let environment: [String: String]
  private var process: Command?
  /// The program that the next start runs.
  var program = Program.daemon

  var data: String { directory.path + "/data" }
  /// The base directory: in the data directory, or below WATERBEAR_TEST_SPOOL, such as a mounted file system.
  let spool: String
  var log: String { data + "/log/waterbear.jsonl" }
  var socket: String { data + "/run/waterbear.sock" }

  /// The benchmark's tables as its answers were made: standard names, decimals.
  static let catalog = "connector.name=tpch\ntpch.column-naming=STANDARD\ntpch.double-type-mapping=DECIMAL\n"

  /// Starts a daemon with these settings and waits until it serves. `catalogs` are further ones, by name, or others of
  /// the same name; `exchange` are settings of exchange-manager.properties, `spools` the base directories where it is
  /// not one in the data directory.
  init(
    config: String = "", exchange: String = "", spools: [String] = [], catalogs: [String: String] = [:],
    workers: Int = 2, environment: [String: String] = [:], starting: Bool = true
  ) throws {
    self.environment = environment
    directory = try TemporaryDirectory()
    self.workers = workers
    let elsewhere = ProcessEnvironment.current["WATERBEAR_TEST_SPOOL"]
    spool = spools.first ?? elsewhere.map { "\($0)/\(UUID())" } ?? directory.path + "/data/spool"
    try directory.write("log.level=DEBUG\n" + config, to: "etc/config.properties")
    try directory.write(Self.catalog, to: "etc/catalog/tpch.properties")
    for (name, properties) in catalogs { try directory.write(properties, to: "etc/catalog/\(name).properties") }
    var exchange = exchange
    let spools = spools.isEmpty && elsewhere != nil ? [spool] : spools
    if !spools.isEmpty { exchange += "exchange.base-directories=\(spools.joined(separator: ","))\n" }
    if !exchange.isEmpty { try directory.write(exchange, to: "etc/exchange-manager.properties") }
    if starting { try start() }
  }

  deinit { kill() }

  /// Names other base directories, from the next start on.
  func change(spools: [String]) throws {
    let line = "exchange.base-directories=\(spools.joined(separator: ","))\n"
    try directory.write(line, to: "etc/exchange-manager.properties")
  }

  // MARK: Life

  /// Starts it and waits until clients are served and a worker is there.
  func start() throws {
    try launch()
    try wait(for: "the daemon to be ready") {
      if let end = process?.end() {
        throw WaterbearError(.genericInternalError, "the daemon ended with \(end): \(try words())")
      }
      guard try control(["status", "--quiet", "--timeout", "1s"]).succeeded else { return false }
      return try !self.workerList().isEmpty
    }
  }

  /// Starts it and waits for nothing.
  func launch() throws {
    // By a shell, as some libraries that are loaded first change the environment, where Swift's arguments begin.
    process = try Command(
      "/bin/sh",
      [
        "-c", "exec \"$0\" \"$@\"", program, "serve", "--etc-dir", directory.path + "/etc", "--data-dir", data,
        "--workers", "\(workers)",
      ], environment: environment)
  }

  /// What a daemon that refuses to start says.
  func words() throws -> String { try #require(process).finish(within: .seconds(20)).error }

  /// What a running daemon's processes have printed beside the log, such as where one has trapped.
  func traps() throws -> String {
    let lines = try process?.errorSoFar().split(separator: "\n") ?? []
    return lines.filter { !$0.contains("Z INFO ") && !$0.contains("Z WARN ") && !$0.contains("Z DEBUG ") }
      .joined(separator: "\n")
  }

  /// Asks it to stop and waits for its end.
  func stop() throws -> ProcessEnd {
    let process = try #require(process)
    process.send(SIGTERM)
    defer { self.process = nil }
    return try process.finish(within: .seconds(60)).end
  }

  /// Kills every process of it at once, with no chance to say or write anything more.
  func kill() {
    guard let process else { return }
    let children = ProcessTable.children(of: process.processID).map(\.process)
    process.send(SIGKILL)
    for child in children { _ = Glibc.kill(child, SIGKILL) }
    while process.end() == nil { SystemClock.sleep(.milliseconds(1)) }
    // The children's ends are collected by init; their locks go with them.
    while children.contains(where: { !ProcessLife.hasEnded($0) }) { SystemClock.sleep(.milliseconds(1)) }
    self.process = nil
  }

  /// The supervisor's process id, for other threads.
  var processID: pid_t { process?.processID ?? 0 }

  // MARK: The control program

  func startControl(_ arguments: [String]) throws -> Command {
    try Command(Program.control, arguments, environment: ["WATERBEAR_SOCKET": socket])
  }

  @discardableResult
  func control(_ arguments: [String], within limit: TimeSpan = .seconds(120)) throws -> Command.Result {
    try startControl(arguments).finish(within: limit)
  }

  /// The options under which the benchmark's queries run.
  static func options(schema: String) -> [String] {
    ["--catalog", "tpch", "--schema", schema, "--format", "tsv"]
  }

  /// Runs SQL and gives its rows as tab-separated text with a header.
  func rows(_ sql: String, schema: String = "tiny", session: [String] = []) throws -> String {
    let result = try control(
      ["query", sql, "--catalog", "tpch", "--schema", schema, "--format", "tsv"]
        + session.flatMap { ["--session", $0] })
    try #require(result.succeeded, "\(result.error)")
    return result.output
  }

  /// Submits SQL and gives the query's id.
  func submit(_ arguments: [String]) throws -> String {
    let result = try control(["submit"] + arguments)
    try #require(result.succeeded, "\(result.error)")
    return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// All that is known of a query.
  func show(_ query: String) throws -> QueryDetail {
    let result = try control(["show", query, "--format", "json"])
    try #require(result.succeeded, "\(result.error)")
    return try JSONDecoder().decode(QueryDetail.self, from: Data(result.output.utf8))
  }

  func workerList() throws -> [WorkerDetail] {
    let result = try control(["workers", "--format", "json"])
    try #require(result.succeeded, "\(result.error)")
    return try JSONDecoder().decode([WorkerDetail].self, from: Data(result.output.utf8))
  }

  // MARK: What it leaves

  /// Files of attempts, relative to the spool. (What marks a directory as a spool is none.)
  var spoolFiles: [String] {
    // A listing there may be that of some time ago, as on HDFS.
    if ProcessEnvironment.current["WATERBEAR_TEST_SPOOL"] != nil { SystemClock.sleep(.milliseconds(100)) }
    return files(below: spool).filter { $0.contains("/") }
  }

  /// Lines of the log about an event.
  func events(_ name: String) throws -> [String] {
    let text = try String(contentsOfFile: log, encoding: .utf8)
    return text.split(separator: "\n").filter { $0.contains("\"event\":\"\(name)\"") }.map(String.init)
  }

  /// Nothing may be left in the spool once all queries are over; deleting takes a moment.
  func expectEmptySpool(sourceLocation: Testing.SourceLocation = #_sourceLocation) throws {
    try wait(for: "the spool to be empty", sourceLocation: sourceLocation) { spoolFiles.isEmpty }
  }

  /// Looks every few milliseconds until the condition holds; fails the test after a while.
  func wait(
    for what: String, within limit: TimeSpan = .seconds(30), sourceLocation: Testing.SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
  ) throws {
    let deadline = SystemClock.monotonic() + limit
    while SystemClock.monotonic() < deadline {
      if try condition() { return }
      SystemClock.sleep(.milliseconds(10))
    }
    Issue.record("not within \(limit): \(what); in the spool: \(spoolFiles)", sourceLocation: sourceLocation)
    throw WaterbearError(.exceededTimeLimit, what)
  }
}

/// `waterbearctl show --format json`.
struct QueryDetail: Decodable {
  struct Attempt: Decodable {
    var stage: Int
    var task: Int
    var attempt: Int
    var worker: String
    var state: String
    var selected: Bool
    var retry_reason: String?
  }
  struct Stage: Decodable {
    var stage: Int
    var state: String
    var tasks: Int
    var finished: Int
  }

  var query: String
  var state: String
  var retries: Int
  var error_code: String?
  var error_message: String?
  var stages: [Stage]
  var attempts: [Attempt]
}

/// `waterbearctl workers --format json`.
struct WorkerDetail: Decodable {
  var worker: Int
  var pid: pid_t
  var state: String
  var running: Int
}
