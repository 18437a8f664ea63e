// Tests what splits count for when tasks are made of them: the standard split size, and how many there are in a task.
import Base
import ConnectorAPI
import Settings
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct SplitWeightTests {
  private static func weights(_ standard: String) throws -> SplitWeights {
    let machine = SettingsEnvironment(cores: 2, memory: .gigabytes(4), dataDirectory: "/data")
    return SplitWeights(
      try SessionProperties(
        Settings(environment: machine), given: ["fault_tolerant_execution_standard_split_size": standard]))
  }

  private func split(_ bytes: Int64) -> Split { Split(payload: [], bytes: bytes, rows: 1) }

  @Test(arguments: [
    ("64MB", 1, 1), ("64MB", 12_345_678_901, 12_345_678_901), ("64MB", 0, 64 << 20), ("32MB", 64 << 20, 32 << 20),
    ("32MB", 1001, 500), ("32MB", 0, 32 << 20), ("1MB", 1, 1), ("128MB", 1000, 2000), ("7PB", Int64.max, 1 << 40),
  ])
  func theStandardSizeIsWhatSixtyFourMegabytesCountFor(standard: String, bytes: Int64, expected: Int64) throws {
    #expect(try Self.weights(standard).bytes(of: split(bytes)) == expected)
  }

  /// How many splits the first task of a scan gets.
  private func splitsOfATask(standard: String) throws -> Int {
    let bench = try CoordinatorBench()
    let request = SubmitQuery(
      nonce: "n", sql: "SELECT sum(quantity) FROM lineitem", catalog: "tpch", schema: "sf1",
      session: [
        "fault_tolerant_execution_standard_split_size": standard,
        "fault_tolerant_execution_arbitrary_distribution_compute_task_target_size_min": "4MB",
      ])
    _ = try bench.client().ask(request, Submitted.self)
    let order = try bench.worker().order()
    try bench.stop()
    return order.splits.reduce(0) { $0 + $1.splits.count }
  }

  /// A split of the table has 640,000 bytes of the column.
  @Test(arguments: [("64MB", 6), ("32MB", 13), ("128MB", 3)])
  func halfOfItMakesTasksOfTwiceAsManySplits(standard: String, expected: Int) throws {
    #expect(try splitsOfATask(standard: standard) == expected)
  }
}
