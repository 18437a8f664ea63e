"""Owns the shapes of queries that are disturbed, each with the table it needs. Knows nothing of faults."""
import dataclasses
import pathlib
import sys

from benchmark import queries


@dataclasses.dataclass
class Shape:
    name: str
    sql: str
    # Rows come in this order; else they are compared as a set.
    is_ordered: bool = False
    # Doubles are added in the order in which tasks were made, so their sums differ in the last digits.
    is_approximate: bool = False
    session: tuple = ()
    # Statements before and after, undisturbed; `{schema}` as in `sql`.
    before: tuple = ()
    after: tuple = ()
    # What is to be compared where the statement itself answers with a count of rows only.
    check: str | None = None
    # What gives another answer once the statement has written anything.
    untouched: str | None = None

    @property
    def writes(self):
        return self.check is not None


PARTITIONED = ("join_distribution_type=PARTITIONED",)
BROADCAST = ("join_distribution_type=BROADCAST",)
WRITTEN = ("SELECT count(*), count(DISTINCT l_orderkey), sum(l_quantity), min(l_comment), max(l_comment) "
           "FROM lake.chaos.written")
TABLES = "SHOW TABLES FROM lake.chaos LIKE 'written'"
DROP = ("DROP TABLE IF EXISTS lake.chaos.written",)

SHAPES = [
    Shape("scan", "SELECT count(*), sum(l_extendedprice), min(l_comment) FROM lineitem WHERE l_comment LIKE '%ly%ep%'"),
    Shape("group-by", "SELECT l_suppkey, l_shipmode, count(*), sum(l_quantity), max(l_comment) FROM lineitem "
          "GROUP BY 1, 2"),
    Shape("distinct", "SELECT count(*), sum(a), sum(b) FROM "
          "(SELECT DISTINCT l_partkey AS a, l_suppkey AS b, l_linenumber FROM lineitem)"),
    Shape("partitioned-join", "SELECT o_orderpriority, count(*), sum(l_extendedprice) FROM orders "
          "JOIN lineitem ON o_orderkey = l_orderkey WHERE o_comment NOT LIKE '%zz%' GROUP BY 1", session=PARTITIONED),
    Shape("broadcast-join", "SELECT n_name, count(*), sum(l_quantity) FROM lineitem JOIN supplier ON l_suppkey = "
          "s_suppkey JOIN nation ON s_nationkey = n_nationkey GROUP BY 1", session=BROADCAST),
    Shape("self-join", "SELECT count(*), sum(a.l_quantity) FROM lineitem a JOIN lineitem b ON a.l_orderkey = "
          "b.l_orderkey AND a.l_linenumber < b.l_linenumber", session=PARTITIONED),
    Shape("semi-join", "SELECT count(*), sum(o_totalprice) FROM orders WHERE o_orderkey IN "
          "(SELECT l_orderkey FROM lineitem WHERE l_quantity > 45)"),
    Shape("anti-join", "SELECT count(*), sum(o_totalprice) FROM orders WHERE NOT EXISTS "
          "(SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_shipmode = 'AIR')"),
    Shape("outer-join", "SELECT c_mktsegment, count(*), count(o_orderkey) FROM customer FULL JOIN orders "
          "ON c_custkey = o_custkey AND o_totalprice > 200000 GROUP BY 1"),
    Shape("union", "SELECT k, count(*) FROM (SELECT l_orderkey % 100 AS k FROM lineitem UNION ALL "
          "SELECT o_orderkey % 100 FROM orders) GROUP BY 1 UNION SELECT n_nationkey, 0 FROM nation"),
    Shape("top-n", "SELECT l_orderkey, l_linenumber, l_extendedprice FROM lineitem "
          "ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber LIMIT 500", is_ordered=True),
    Shape("order-by", "SELECT o_orderkey, o_comment FROM orders WHERE o_orderkey % 20 = 1 ORDER BY o_comment, "
          "o_orderkey", is_ordered=True),
    Shape("correlated", "SELECT count(*), sum(l_extendedprice) FROM lineitem l WHERE l_quantity < "
          "(SELECT 0.2 * avg(l_quantity) FROM lineitem i WHERE i.l_partkey = l.l_partkey)"),
    Shape("empty-input", "SELECT count(*), sum(l_tax) FROM lineitem JOIN orders ON l_orderkey = o_orderkey "
          "WHERE o_totalprice < 0"),
    Shape("one-row", "SELECT l_extendedprice, o_comment, c_name FROM lineitem JOIN orders ON l_orderkey = o_orderkey "
          "JOIN customer ON o_custkey = c_custkey WHERE l_comment = (SELECT max(l_comment) FROM lineitem "
          "WHERE l_orderkey < 1000)"),
    Shape("doubles", "SELECT l_suppkey, sum(CAST(l_extendedprice AS double)), avg(CAST(l_discount AS double) / 3), "
          "count(*) FROM lineitem GROUP BY 1", is_approximate=True),
    # Which value it is depends on the order of rows, but it is one of the group.
    Shape("any-value", "SELECT count(*), sum(n), count_if(o_orderkey % 1000 = k) FROM (SELECT l_orderkey % 1000 AS k, "
          "any_value(l_orderkey) AS o_orderkey, count(*) AS n FROM lineitem GROUP BY 1)"),
    Shape("one-huge-key", "SELECT n, count(*), sum(q) FROM (SELECT 1 AS k, l_quantity AS q FROM lineitem) a JOIN "
          "(SELECT 1 AS k, n_name AS n FROM nation WHERE n_nationkey < 3) b ON a.k = b.k GROUP BY 1",
          session=PARTITIONED),
    # Chance decides which rows meet in a group, and order which are within the limit, but none is lost or doubled.
    Shape("chance", "SELECT count(*), sum(n), sum(k) FROM (SELECT r, count(*) AS n, sum(k) AS k FROM (SELECT "
          "floor(random() * 500) AS r, l_orderkey AS k FROM lineitem) GROUP BY r)"),
    Shape("limit", "SELECT count(*), count(DISTINCT k) FROM (SELECT l_orderkey * 10 + l_linenumber AS k FROM lineitem "
          "LIMIT 100000)"),
    Shape("tiny-files", "SELECT count(*), sum(id), count(DISTINCT word) FROM lake.chaos.tiny"),
    Shape("ctas", "CREATE TABLE lake.chaos.written AS SELECT * FROM lineitem WHERE l_linenumber < 3",
          before=DROP, check=WRITTEN, untouched=TABLES, after=DROP),
    Shape("ctas-partitioned", "CREATE TABLE lake.chaos.written WITH (partitioned_by = ARRAY['l_shipmode']) AS SELECT "
          "l_orderkey, l_quantity, l_comment, l_shipmode FROM lineitem WHERE l_linenumber = 2",
          before=DROP, check=WRITTEN + " GROUP BY l_shipmode", untouched=TABLES, after=DROP),
    Shape("insert", "INSERT INTO lake.chaos.written SELECT * FROM lineitem WHERE l_linenumber = 1",
          before=DROP + ("CREATE TABLE lake.chaos.written WITH (format = 'CSV') AS SELECT * FROM {schema}.lineitem "
                         "WHERE l_orderkey < 100",), check=WRITTEN, untouched=WRITTEN, after=DROP),
]


def benchmark_shapes(scale):
    """The 22 queries of TPC-H."""
    return [Shape(f"q{number}", queries.text(number, scale)) for number in queries.NUMBERS]


def make_tables(lake):
    """The files that shapes read."""
    tiny = pathlib.Path(lake) / "chaos/tiny"
    tiny.mkdir(parents=True)
    for number in range(400):
        rows = "".join(f"{number * 10 + row},word{(number * row) % 97}\n" for row in range(5))
        (tiny / f"part-{number:04}.csv").write_text("id,word\n" + rows)


def chosen(names, scale):
    everything = {shape.name: shape for shape in SHAPES + benchmark_shapes(scale)}
    if names == "all":
        return SHAPES
    if names == "tpch":
        return benchmark_shapes(scale)
    unknown = [name for name in names.split(",") if name not in everything]
    if unknown:
        sys.exit(f"chaos: there is no shape {', '.join(unknown)}; there are {', '.join(everything)}")
    return [everything[name] for name in names.split(",")]
