// Owns the tests of queries that need far more memory than all workers have together.
import Base
import Glibc
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct MemoryTests {
    /// Two workers of 32 MB and one thread each. Four partitions, so that one task meets a fourth of all rows at once.
    private static let config = """
      waterbear.worker-memory=32MB
      task.max-worker-threads=1
      fault-tolerant-execution-max-partition-count=4
      fault-tolerant-execution-min-partition-count=4

      """

    /// Each keeps 100 to 300 MB of six million line items, or of one and a half million orders, at its widest place.
    private static let queries: [(name: String, sql: String, answer: String)] = [
      (
        "group by",
        """
        SELECT count(*), sum(n), sum(q) FROM
          (SELECT l_orderkey, l_linenumber, count(*) AS n, sum(l_quantity) AS q FROM lineitem GROUP BY 1, 2)
        """, "6001215\t6001215\t153078795.00"
      ),
      (
        "distinct",
        "SELECT count(*) FROM (SELECT DISTINCT l_orderkey, l_partkey, l_suppkey, l_shipdate FROM lineitem)",
        "6001215"
      ),
      (
        "partitioned join",
        """
        SELECT count(*), sum(b.l_quantity), count(DISTINCT b.l_shipmode) FROM lineitem a
          JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber
        """, "6001215\t153078795.00\t7"
      ),
      (
        "broadcast join",
        """
        SELECT count(*), sum(length(b.o_comment)), sum(b.o_totalprice) FROM orders a
          JOIN orders b ON a.o_orderkey = b.o_orderkey WHERE a.o_custkey + b.o_custkey > 0
        """, "1500000\t72770808\t226829306447.46"
      ),
      (
        "broadcast NOT IN",
        """
        SELECT count(*) FROM orders
          WHERE o_orderkey + 1 NOT IN (SELECT CASE WHEN l_orderkey > 0 THEN l_orderkey END FROM lineitem)
        """, "187501"
      ),
    ]

    @Test(arguments: queries.map(\.name))
    func `a query that needs three times all memory finishes`(name: String) throws {
      let daemon = try Daemon(config: Self.config)
      let query = try #require(Self.queries.first { $0.name == name })
      let distribution = name.hasPrefix("broadcast") ? "BROADCAST" : "PARTITIONED"
      let rows = try daemon.rows(query.sql, schema: "sf1", session: ["join_distribution_type=\(distribution)"])
      #expect(rows.split(separator: "\n").dropFirst() == [query.answer[...]])
      #expect(try !daemon.events("task_divided").isEmpty, "nothing was too big; the test has lost its point")
      try daemon.expectEmptySpool()
    }

    @Test func `all rows are put in order with some pages of each task`() throws {
      let daemon = try Daemon(config: Self.config)
      let sql = """
        SELECT l_orderkey, l_linenumber, l_extendedprice FROM lineitem
          ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber OFFSET 6001212
        """
      let rows = try daemon.rows(sql, schema: "sf1")
      let last = ["5143585\t4\t904.00", "5071588\t2\t903.00", "599361\t7\t901.00"]
      #expect(rows.split(separator: "\n").dropFirst().map(String.init) == last)
      try daemon.expectEmptySpool()
    }

    @Test func `rows of one key that no worker can hold end their query with a reason`() throws {
      let daemon = try Daemon(config: Self.config)
      let sql = """
        SELECT count(*) FROM lineitem a JOIN lineitem b
          ON a.l_linenumber - a.l_linenumber = b.l_linenumber - b.l_linenumber WHERE a.l_comment < b.l_comment
        """
      let result = try daemon.control(["query"] + Daemon.options(schema: "sf1") + [sql])
      #expect(!result.succeeded)
      for words in [
        "Cannot allocate enough memory for task", "EXCEEDED_LOCAL_MEMORY_LIMIT", "Raise waterbear.worker-memory",
      ] {
        #expect(result.error.contains(words), "\(result.error)")
      }
      #expect(try daemon.rows("SELECT count(*) FROM region", schema: "tiny").hasSuffix("\n5\n"))
      try daemon.expectEmptySpool()
    }

    /// Workers are granted far more than the kernel lets them have, and nothing looks at what is left.
    @Test(.enabled(if: MemoryGroup.isPossible, "no control group for memory can be made here"))
    func `the kernel's kills for memory make tasks smaller`() throws {
      let config = """
        waterbear.worker-memory=1GB
        waterbear.memory-reserve=0B
        task.max-worker-threads=1

        """
      let group = try MemoryGroup(bytes: 170 << 20)
      let daemon = try Daemon(config: config)
      let children = ProcessTable.children(of: daemon.processID).map(\.process)
      for process in [daemon.processID] + children { try group.add(process) }
      let query = try #require(Self.queries.first)
      let rows = try daemon.rows(query.sql, schema: "sf1")
      #expect(rows.split(separator: "\n").dropFirst() == [query.answer[...]])
      #expect(try !daemon.events("worker_lost").isEmpty, "nothing was killed; the test has lost its point")
      #expect(try !daemon.events("task_divided").isEmpty)
      try daemon.expectEmptySpool()
    }

    /// No machine has that much, so it is always short.
    @Test func `tasks are ended while the machine is short of memory, and run again`() throws {
      let sql = "SELECT count(*), count(DISTINCT l_suppkey) FROM lineitem WHERE l_comment NOT LIKE '%zz%zz%'"
      let expected = try Daemon().rows(sql, schema: "sf3")
      let daemon = try Daemon(
        config: "waterbear.memory-reserve=900TB\ntask-retry-attempts-per-task=30\nretry-initial-delay=100ms\n")
      let id = try daemon.submit([sql, "--catalog", "tpch", "--schema", "sf3"])
      #expect(try daemon.control(["wait", id]).succeeded)
      #expect(try daemon.control(["fetch", id, "--format", "tsv"]).output == expected)
      #expect(try !daemon.events("memory_short").isEmpty)
      #expect(try daemon.show(id).attempts.contains { $0.state == "FAILED" })
      try daemon.expectEmptySpool()
    }

    @Test(.enabled(if: MemoryGroup.isPossible, "no control group for memory can be made here"))
    func `a worker's memory follows from the control group that the daemon is in`() throws {
      let group = try MemoryGroup(bytes: 1 << 30)
      let daemon = try Daemon()
      let worker = try #require(
        ProcessTable.children(of: daemon.processID).first { $0.title.contains("worker") }).process
      try group.add(daemon.processID)
      // The next one is born into the group.
      kill(worker, SIGKILL)
      let share = Int64(1 << 30) / 10 * 7 / 2
      try daemon.wait(for: "a worker with a share of the group's memory") {
        try daemon.events("worker_started").contains { $0.contains("\"memory_bytes\":\(share)") }
      }
    }
  }
}
