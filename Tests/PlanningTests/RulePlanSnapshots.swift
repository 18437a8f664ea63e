// Owns the plans of small queries, a few for each rule of the optimiser. Logical plans unless the rule is about
// exchanges.

import Testing

struct RulePlanSnapshots {
  struct Group: Sendable, CustomTestStringConvertible {
    var name: String
    var options = "(TYPE LOGICAL)"
    var queries: [String]

    var testDescription: String { name }
  }

  static let groups = [
    Group(
      name: "filters",
      queries: [
        "SELECT n_name FROM (SELECT n_name, n_regionkey + 1 AS r FROM nation) WHERE r > 2 AND n_name LIKE 'A%'",
        "SELECT * FROM (SELECT n_regionkey, count(*) AS n FROM nation GROUP BY n_regionkey) "
          + "WHERE n_regionkey = 1 AND n > 2",
        "SELECT * FROM (SELECT n_name FROM nation UNION ALL SELECT r_name FROM region) AS u (x) WHERE x < 'B'",
        "SELECT n_name FROM nation WHERE n_regionkey = 1 OR n_regionkey = 2 OR n_regionkey IN (2, 3)",
        "SELECT n_name FROM nation WHERE (n_regionkey = 1 AND n_nationkey > 5) OR (n_regionkey = 1 AND n_name = 'X')",
        "SELECT n_name, r_name FROM nation, region WHERE n_regionkey = r_regionkey AND n_regionkey < 3",
        "SELECT count(*) FROM nation, region WHERE (n_name = 'A' AND r_name = 'B') OR (n_name = 'C' AND r_name = 'D')",
        "SELECT r_name FROM region LEFT JOIN nation ON n_regionkey = r_regionkey WHERE n_name = 'FRANCE'",
        "SELECT r_name, n_name FROM region LEFT JOIN nation ON n_regionkey = r_regionkey AND n_name = 'FRANCE' "
          + "WHERE r_regionkey = 3",
        "SELECT n_name FROM nation WHERE 1 < n_regionkey AND n_regionkey <= 3 AND n_name LIKE 'UNITED%'",
      ]),
    Group(
      name: "casts",
      queries: [
        "SELECT o_orderkey FROM orders WHERE CAST(o_orderdate AS timestamp) >= TIMESTAMP '1995-01-01 10:00:00'",
        "SELECT o_orderkey FROM orders WHERE o_totalprice > 100000.005",
        "SELECT p_partkey FROM part WHERE p_size IN (1, 2.5, 3.0)",
        "SELECT p_partkey FROM part WHERE p_size = 2.5",
        "SELECT p_partkey FROM part WHERE CAST(p_size AS bigint) < 3000000000",
        "SELECT sum(CASE WHEN p_size > 10 THEN 1 ELSE 0 END) FROM part",
        "SELECT CAST(p_size AS bigint) + 2 * 3 FROM part WHERE p_retailprice * 2 > 100 + 50",
      ]),
    Group(
      name: "joins",
      queries: [
        "SELECT count(*) FROM lineitem, orders, customer WHERE l_orderkey = o_orderkey AND o_custkey = c_custkey "
          + "AND c_mktsegment = 'BUILDING'",
        "SELECT count(*) FROM region, lineitem, nation, supplier WHERE l_suppkey = s_suppkey "
          + "AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA'",
        "SELECT n_name, r_name FROM nation CROSS JOIN region WHERE n_nationkey + 1 = r_regionkey",
        "SELECT c_name, o_orderkey FROM customer LEFT JOIN orders ON c_custkey = o_custkey",
        "SELECT n_name, c_name FROM customer LEFT JOIN nation ON c_nationkey = n_nationkey",
        "SELECT c_name FROM customer FULL JOIN supplier ON c_nationkey = s_nationkey AND c_acctbal = s_acctbal",
        "SELECT n1.n_name FROM nation n1, nation n2, region WHERE n1.n_regionkey = r_regionkey "
          + "AND r_regionkey = n2.n_regionkey",
      ]),
    Group(
      name: "subqueries",
      queries: [
        "SELECT o_orderkey FROM orders, customer WHERE o_custkey = c_custkey "
          + "AND o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)",
        "SELECT c_name FROM customer WHERE NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)",
        "SELECT c_name FROM customer WHERE c_nationkey NOT IN (SELECT n_nationkey FROM nation WHERE n_regionkey = 1)",
        "SELECT c_name, c_nationkey IN (SELECT n_nationkey FROM nation) FROM customer",
        "SELECT c_name FROM customer WHERE c_acctbal > (SELECT avg(c_acctbal) FROM customer)",
        "SELECT p_name FROM part WHERE p_size = 1 AND p_retailprice > "
          + "(SELECT avg(l_extendedprice) FROM lineitem WHERE l_partkey = p_partkey)",
        "SELECT p_name FROM part WHERE p_size > "
          + "(SELECT sum(l_quantity) FROM lineitem WHERE l_partkey = p_partkey HAVING count(*) > 3) / 10",
        "SELECT p_name FROM part WHERE p_size > "
          + "(SELECT coalesce(sum(l_quantity), 0) FROM lineitem WHERE l_partkey = p_partkey)",
        "SELECT (SELECT count(*) FROM nation WHERE n_regionkey = r_regionkey) FROM region",
      ]),
    Group(
      name: "aggregates",
      queries: [
        "SELECT count(*) FROM nation",
        "SELECT count(DISTINCT n_regionkey) FROM nation",
        "SELECT n_regionkey, count(DISTINCT n_name) FROM nation GROUP BY n_regionkey",
        "SELECT max(DISTINCT n_name) FROM nation",
        "SELECT DISTINCT n_regionkey FROM (SELECT DISTINCT n_regionkey, n_name FROM nation)",
        "SELECT DISTINCT n_regionkey, c FROM (SELECT n_regionkey, count(*) AS c FROM nation GROUP BY n_regionkey)",
        "SELECT n_regionkey FROM (SELECT n_regionkey, sum(n_nationkey), max(n_name) FROM nation GROUP BY n_regionkey)",
        "SELECT 1 FROM (SELECT count(*) FROM nation)",
      ]),
    Group(
      name: "limits",
      queries: [
        "SELECT n_name FROM nation ORDER BY n_name LIMIT 3",
        "SELECT n_name FROM nation ORDER BY n_name OFFSET 2 LIMIT 3",
        "SELECT n_nationkey + 1 FROM nation LIMIT 3",
        "SELECT n_name FROM nation UNION ALL SELECT r_name FROM region LIMIT 3",
        "SELECT x FROM (SELECT n_name AS x FROM nation UNION ALL SELECT r_name FROM region) ORDER BY x LIMIT 3",
        "SELECT c_name, o_orderkey FROM customer LEFT JOIN orders ON c_custkey = o_custkey ORDER BY c_name LIMIT 3",
        "SELECT * FROM (SELECT n_name FROM nation LIMIT 10) LIMIT 3",
        "SELECT count(*) FROM (SELECT n_name FROM nation ORDER BY n_name)",
        "SELECT count(*) FROM nation ORDER BY 1 LIMIT 5",
      ]),
    Group(
      name: "constants",
      queries: [
        "SELECT 1 + 2, upper('a') || 'b', DATE '2020-01-31' + INTERVAL '1' MONTH",
        "SELECT x * 2 FROM (VALUES 1, 2, 3) AS v (x) WHERE x > 1",
        "SELECT n_name FROM nation WHERE 1 = 0",
        "SELECT n_name FROM nation LIMIT 0",
        "SELECT n_name, r_name FROM nation JOIN (SELECT * FROM region WHERE FALSE) ON n_regionkey = r_regionkey",
        "SELECT n_name, r_name FROM nation LEFT JOIN (SELECT * FROM region WHERE NULL) ON n_regionkey = r_regionkey",
        "SELECT count(*) FROM nation WHERE n_regionkey = NULL",
        "SELECT n_name FROM nation WHERE n_regionkey IN (SELECT r_regionkey FROM region WHERE FALSE)",
        "SELECT n_name FROM nation WHERE n_regionkey > (SELECT 2)",
        "SELECT n_name FROM nation UNION ALL SELECT r_name FROM region WHERE FALSE",
        "SELECT 1 UNION ALL (SELECT 2 UNION ALL SELECT 3)",
        "SELECT 1 / 0",
      ]),
    Group(
      name: "exchanges", options: "",
      queries: [
        "SELECT c_mktsegment FROM customer WHERE c_acctbal > 0 ORDER BY c_name LIMIT 5",
        "SELECT o_orderdate, count(*) FROM orders, lineitem WHERE o_orderkey = l_orderkey GROUP BY o_orderdate",
        "SELECT o_custkey, sum(n) FROM (SELECT o_custkey, o_orderdate, count(*) AS n FROM orders "
          + "GROUP BY o_custkey, o_orderdate) GROUP BY o_custkey",
        "SELECT count(*) FROM (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey) AS l "
          + "JOIN (SELECT o_orderkey FROM orders GROUP BY o_orderkey) AS o ON l_orderkey = o_orderkey",
        "SELECT n_name FROM nation UNION ALL SELECT r_name FROM region",
        "SELECT n_name FROM nation UNION SELECT r_name FROM region",
        "SELECT sum(c_acctbal), count(DISTINCT c_nationkey) FROM customer",
      ]),
  ]

  @Test(arguments: groups)
  func plans(_ group: Group) throws {
    let texts = try group.queries.map { sql in "\(sql)\n\n\(try explained(sql, group.options))" }
    try Snapshot.expect(texts.joined(separator: "\n\n"), named: group.name)
  }
}
