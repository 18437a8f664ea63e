// Owns the run of the scripts in `Tests/sql`: every query in several ways to run it, which must all give the same rows.

import ConnectorAPI
import LocalRunner
import Planning
import SQLScripts
import TPCHConnector
import Testing

struct LogicTests {
  static let scripts: [String] = {
    do {
      return try SQLFiles.names(endingIn: ".slt")
    } catch {
      preconditionFailure("the scripts cannot be listed: \(error)")
    }
  }()

  /// Ways to run a query. What the optimiser makes of it, how it is cut into tasks and how joins meet must not show.
  static let ways: [(name: String, options: LocalRunner.Options)] = {
    var whole = LocalRunner.Options()
    whole.isOptimized = false
    whole.partitionCount = 1
    whole.splitsPerTask = 1000
    var pieces = LocalRunner.Options()
    pieces.splitsPerTask = 1
    pieces.partitionCount = 5
    pieces.joinDistribution = .partitioned
    var copies = LocalRunner.Options()
    copies.joinDistribution = .broadcast
    copies.partitionsPerTask = 2
    var shares = LocalRunner.Options()
    shares.sharesPerTask = 3
    shares.splitsPerTask = 1000
    var sharedCopies = shares
    sharedCopies.joinDistribution = .broadcast
    var changing = LocalRunner.Options()
    changing.joinDistribution = .partitioned
    changing.adaptive = AdaptiveOptions(sizeDifferenceRatio: 1, minSizeThreshold: 0)
    changing.adaptive?.gainMin = 0.01
    changing.adaptive?.surpriseMin = 0.01
    changing.adaptive?.partitioning = .init(count: 5, taskBytesMax: 0)
    var changingShares = changing
    changingShares.sharesPerTask = 3
    changingShares.splitsPerTask = 1000
    var spreading = copies
    spreading.adaptive = AdaptiveOptions(broadcastBytesMax: -1)
    spreading.adaptive?.surpriseMin = 0
    spreading.adaptive?.partitionCount = 4
    return [
      ("as optimised", LocalRunner.Options()), ("as written", whole), ("in pieces", pieces), ("with copies", copies),
      ("in shares", shares), ("with copies in shares", sharedCopies), ("with changes", changing),
      ("with changes in shares", changingShares), ("with copies spread", spreading),
    ]
  }()

  @Test(arguments: scripts)
  func script(_ name: String) throws {
    var run = LogicTestRun()
    for record in try LogicTestScript.parse(SQLFiles.text(name)).records {
      for fault in try run.faults(of: record) {
        Issue.record("\(name):\(record.line): \(fault)\n\(record.sql)")
      }
    }
  }
}

/// The tables a script has made so far.
struct LogicTestRun {
  private var tables: [String: MemoryTable] = [:]

  private func runner(_ options: LocalRunner.Options) throws -> LocalRunner {
    let catalogs = Catalogs([
      "memory": MemoryTables(catalog: "memory", tables: tables),
      "tpch": try TPCHConnector(catalog: "tpch"),
    ])
    return LocalRunner(catalogs, catalog: "memory", schema: MemoryTables.schema, options: options)
  }

  /// What is wrong with the outcome of a record.
  mutating func faults(of record: LogicTestScript.Record) throws -> [String] {
    if case .table(let name) = record.kind {
      let result = try runner(LocalRunner.Options()).run(record.sql)
      tables[name] = MemoryTable(Array(zip(result.columnNames, result.types)), rows: result.rows)
      return []
    }
    return try LogicTests.ways.compactMap { way in
      record.fault(in: outcome(of: record.sql, try runner(way.options))).map { "\(way.name): \($0)" }
    }
  }

  private func outcome(of sql: String, _ runner: LocalRunner) -> Result<ResultTable, any Error> {
    Result { try runner.run(sql).table }
  }
}
