// Owns the tests of EXPLAIN's formats.

import Columnar
import ConnectorAPI
import LocalRunner
import SQLSyntax
import Testing

@testable import Planning

struct PlanPrinterTests {
  static let query = "SELECT r_name, count(*) FROM region WHERE r_regionkey > 1 GROUP BY r_name"

  @Test func textOfFragments() throws {
    let expected = """
      Fragment 0 [HASH]
          Output layout: [r_name, count]
          Output partitioning: SINGLE []
          Inputs: [1 PARTITIONED]
          Output[columnNames = [r_name, _col1]]
          │   Layout: [r_name:varchar(25), count:bigint]
          │   Estimates: {rows: 4 (86B)}
          │   _col1 := count
          └─ Aggregate[type = FINAL, keys = [r_name]]
             │   Layout: [r_name:varchar(25), count:bigint]
             │   Estimates: {rows: 4 (86B)}
             │   count := count(count_partial)
             └─ RemoteSource[sourceFragmentIds = [1]]
                    Layout: [r_name:varchar(25), count_partial:bigint]
                    Estimates: {rows: 4 (86B)}
      """
    #expect(try explained(Self.query).hasPrefix(expected))
  }

  @Test func logicalTextHasNoFragments() throws {
    let text = try explained("SELECT one, 'it''s' FROM (VALUES (1), (NULL)) AS v (one)", "(TYPE LOGICAL)")
    #expect(
      text == """
        Output[columnNames = [one, _col1]]
        │   Layout: [_col0:integer, expr:varchar(4)]
        │   Estimates: {rows: 2 (60B)}
        │   one := _col0
        │   _col1 := expr
        └─ Values[]
               Layout: [_col0:integer, expr:varchar(4)]
               Estimates: {rows: 2 (60B)}
               (1, 'it''s')
               (NULL, 'it''s')
        """)
  }

  @Test func jsonOfFragments() throws {
    let text = try explained("SELECT r_name AS \"a\"\"b\" FROM region", "(FORMAT JSON)")
    #expect(
      text == #"""
        {
          "0" : {
            "id" : "0",
            "name" : "Output",
            "descriptor" : {
              "columnNames" : "[a\"b]"
            },
            "outputs" : [
              { "name" : "r_name", "type" : "varchar(25)" }
            ],
            "details" : [
              "a\"b := r_name"
            ],
            "estimates" : [
              { "outputRowCount" : 5, "outputSizeInBytes" : 74 }
            ],
            "children" : [
              {
                "id" : "1",
                "name" : "TableScan",
                "descriptor" : {
                  "table" : "tpch:sf1:region"
                },
                "outputs" : [
                  { "name" : "r_name", "type" : "varchar(25)" }
                ],
                "details" : [ ],
                "estimates" : [
                  { "outputRowCount" : 5, "outputSizeInBytes" : 74 }
                ],
                "children" : [ ]
              }
            ]
          }
        }
        """#)
  }

  @Test func graphvizDrawsClustersAndEdges() throws {
    let text = try explained(Self.query, "(FORMAT GRAPHVIZ)")
    #expect(text.hasPrefix("digraph distributed_plan {\nsubgraph cluster_0 {\nlabel = \"Fragment 0 [HASH]\"\n"))
    #expect(text.contains("label=\"{Filter[filterPredicate = (r_regionkey \\> BIGINT '1')]}\""))
    // From the remote source to the root of fragment 1.
    #expect(text.contains("plannode_2 -> plannode_3;"))
    #expect(text.hasSuffix("\n}"))
  }

  @Test func symbolsAreNumberedOnlyWhereNamesRepeat() throws {
    let symbols = SymbolAllocator(startingAt: 70)
    let all = ["a", "b", "a", "a_0", "a"].map { symbols.symbol($0, .bigint) }
    let names = SymbolNames(of: [.values(ValuesNode(outputs: all.reversed(), rows: []))])
    #expect(all.map { names[$0] } == ["a", "b", "a_1", "a_0", "a_2"])
  }

  @Test(arguments: [
    (Value.integer(7), DataType.integer, "7"), (.integer(7), .bigint, "BIGINT '7'"),
    (.integer(-705), .decimal(precision: 5, scale: 2), "DECIMAL '-7.05'"), (.null, .date, "NULL"),
    (.integer(8766), .date, "DATE '1994-01-01'"), (.boolean(true), .boolean, "true"),
    (.text("it's"), .varchar(length: 4), "'it''s'"), (.text("ab"), .char(length: 3), "CHAR 'ab '"),
    (.double(1.5), .double, "DOUBLE '1.5'"), (.bytes([0xab, 1]), .varbinary, "X'ab 01'"),
    (.integer(14), .intervalYearToMonth, "INTERVAL '1-2' YEAR TO MONTH"),
    (.integer(1_500_000), .timestamp(precision: 1), "TIMESTAMP '1970-01-01 00:00:01.5'"),
  ]) func constants(value: Value, type: DataType, expected: String) {
    #expect(ExpressionText.constant(value, type) == expected)
  }

  @Test func expressionsReadLikeSQL() throws {
    let text = try explained(
      "SELECT CASE WHEN n_name LIKE 'A#%' ESCAPE '#' THEN 1 END, try_cast(n_name AS bigint), coalesce(n_comment, 'x') "
        + "FROM nation WHERE n_name IS NOT NULL AND NOT (n_regionkey + 1 IN (2, 3))", "(TYPE LOGICAL)")
    for part in [
      "CASE WHEN (n_name LIKE 'A#%' ESCAPE '#') THEN 1 END", "TRY_CAST(n_name AS bigint)",
      "COALESCE(n_comment, 'x')", "(n_name IS NOT NULL)",
      "(NOT ((n_regionkey + BIGINT '1') IN (BIGINT '2', BIGINT '3')))",
    ] {
      #expect(text.contains(part), "\(part) in\n\(text)")
    }
  }
}
