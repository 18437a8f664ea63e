// Tests settings whose effect shows in the orders that workers get: grants of memory, and the number of partitions.
import Base
import Glibc
import TemporaryDirectories
import Testing
import Wire

@testable import CoordinatorProcess

@Suite struct GrantTests {
  private func submit(
    _ bench: CoordinatorBench, _ sql: String = "SELECT sum(quantity) FROM lineitem", session: [String: String]
  ) throws {
    let request = SubmitQuery(nonce: "n", sql: sql, catalog: "tpch", schema: "sf1", session: session)
    _ = try bench.client().ask(request, Submitted.self)
  }

  /// The grants of the attempts that a worker of two slots and 8 GB is given at once.
  private func grants(_ session: [String: String]) throws -> [Int64] {
    let bench = try CoordinatorBench()
    // The bench's settings think of a smaller machine than its workers have.
    let machine = ["task_max_memory": "8GB", "query_max_memory": "16GB"]
    try submit(bench, session: machine.merging(session) { $1 })
    let worker = try bench.worker()
    var grants = [try worker.order().memoryBytes]
    while let order = try worker.next(StartAttempt.self, within: .milliseconds(500)) {
      grants.append(order.memoryBytes)
    }
    try bench.stop()
    return grants
  }

  @Test func aTasksMemoryIsTheLeastThatItGets() throws {
    let small = try grants(["fault_tolerant_execution_task_memory": "1MB"])
    #expect(small.count == 2 && small.allSatisfy { $0 > 3 << 30 }, "\(small)")
    // Beyond the share of a slot one alone has room.
    let large = try grants(["fault_tolerant_execution_task_memory": "5GB"])
    #expect(large.count == 1 && large.allSatisfy { $0 >= 5 << 30 }, "\(large)")
  }

  @Test func noTaskGetsMoreThanItMay() throws {
    let bounded = try grants(["task_max_memory": "100MB"])
    #expect(bounded.count == 2 && bounded.allSatisfy { $0 <= 100 << 20 }, "\(bounded)")
    #expect(try grants(["query_max_memory": "0B"]).count == 1)
  }

  @Test func tooManyPartitionsAreRefusedInTrinosWords() throws {
    let home = TemporaryDirectory()
    mkdir(home.path + "/etc", 0o755)
    let file = fopen(home.path + "/etc/exchange-manager.properties", "w")
    fputs("exchange.max-output-partition-count=3\n", file)
    fclose(file)
    let bench = try CoordinatorBench(home: home)
    let error = #expect(throws: WaterbearError.self) {
      try submit(
        bench, "SELECT orderkey, sum(quantity) FROM lineitem GROUP BY orderkey",
        session: [
          "fault_tolerant_execution_min_partition_count": "5", "fault_tolerant_execution_max_partition_count": "5",
        ])
    }
    #expect(error?.code == .maxOutputPartitionCountExceeded)
    let words = "Max number of output partitions exceeded for exchange 'external-exchange-"
    #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
    #expect(error?.message.hasSuffix("'. Allowed: 3. Requested: 5.") == true, "\(error?.message ?? "")")
    try bench.stop()
  }
}
