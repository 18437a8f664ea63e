// A store in a directory of its own, and the values that the tests of the store share.
import Base
import Foundation
import Sealing
import Testing

@testable import TaskStore

/// A directory with a store; removed with the last reference.
final class StoreFixture {
  let directory: String
  let masterKey: SealingKey
  var path: String { directory + "/store.sqlite" }

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    masterKey = try SealingKey.random()
  }

  deinit {
    try? FileManager.default.removeItem(atPath: directory)  // A left-over directory fails no test.
  }

  func open() throws -> TaskStore { try TaskStore.open(path: path, masterKey: masterKey, time: "T") }

  /// Opens a copy of the files as they are on disk at this moment: what a new process finds after kill -9.
  func openAfterCrash() throws -> TaskStore {
    let copy = directory + "/copy-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + "/store.sqlite" + suffix)
    }
    return try TaskStore.open(path: copy + "/store.sqlite", masterKey: masterKey, time: "T")
  }

  /// All bytes of the database and its log.
  func bytes() throws -> Data {
    var all = Data()
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
      all += try Data(contentsOf: URL(fileURLWithPath: path + suffix))
    }
    return all
  }

  /// Overwrites bytes of a file.
  func overwrite(_ suffix: String = "", at offset: UInt64, with bytes: [UInt8]) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path + suffix))
    defer { handle.closeFile() }
    try handle.seek(toOffset: offset)
    try handle.write(contentsOf: Data(bytes))
  }

  func truncate(_ suffix: String = "", to length: UInt64) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path + suffix))
    defer { handle.closeFile() }
    try handle.truncate(atOffset: length)
  }

  func size(_ suffix: String = "") throws -> Int {
    try Data(contentsOf: URL(fileURLWithPath: path + suffix)).count
  }
}

let queryID = QueryID("20260101_000000_00001_abcde")
let stage = StageID(query: queryID, number: 0)
let worker = WorkerID(number: 2, incarnation: UInt64.max)
let failure = WaterbearError(
  .remoteHostGone, "Worker 2 is gone", at: SourceLocation(line: 1, column: 8), causes: ["signal 9"], remedy: "Wait.")

func task(_ partition: Int) -> TaskID { TaskID(stage: stage, partition: partition) }

func attempt(_ partition: Int, _ number: Int) -> AttemptID { AttemptID(task: task(partition), number: number) }

func newQuery(_ store: TaskStore, id: QueryID = queryID, nonce: String = "nonce", sql: String = "SELECT 1") throws
  -> NewQuery
{
  NewQuery(
    id: id, nonce: nonce, sql: sql, user: "ada", catalog: "tpch", schema: nil,
    session: ["retry_policy": "TASK"], retryPolicy: .task, state: "QUEUED", createdMicros: 1_000,
    sealedKey: try store.sealQueryKey(try SealingKey.random(), for: id), description: [1, 2, 3],
    stages: [(0, [10]), (1, [11, 12])])
}

/// A query with two tasks in stage 0.
func submitWithTasks(_ store: TaskStore) throws {
  try store.apply([
    .querySubmitted(try newQuery(store)),
    .tasksCreated(stage, [NewTask(partition: 0, input: [1]), NewTask(partition: 1, input: [2])]),
  ])
}

/// The only live query's stage 0.
func liveStage(_ store: TaskStore) throws -> StoredStage {
  let queries = try store.liveQueries()
  #expect(queries.count == 1)
  return try #require(queries.first?.stages.first)
}
