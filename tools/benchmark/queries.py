"""Owns the 22 queries: their texts as each engine wants them, and by which columns their answers are ordered.

The texts lie in Tests/sql/tpch with the benchmark's validation parameters. All engines understand them as they are; so
far no dialect is needed. One parameter depends on the scale: the fraction of query 11 is 0.0001 / scale.
"""
from .environment import ROOT

NUMBERS = range(1, 23)

# Positions of the ORDER BY columns, for the check that rows come in order where ties leave it open.
ORDER = {
    1: [0, 1], 2: [0, 2, 1, 3], 3: [1, 2], 4: [0], 5: [1], 6: [], 7: [0, 1, 2], 8: [0], 9: [0, 1], 10: [2], 11: [1],
    12: [0], 13: [1, 0], 14: [], 15: [0], 16: [3, 0, 1, 2], 17: [], 18: [4, 3], 19: [], 20: [0], 21: [1, 0], 22: [0],
}


def name(number):
    return f"q{number:02}"


def text(number, scale):
    sql = (ROOT / "Tests/sql/tpch" / f"{name(number)}.sql").read_text()
    if number == 11 and scale != 1:
        if sql.count("0.0001\n") != 1:
            raise ValueError("the text of query 11 has changed; its fraction is not found")
        fraction = f"{0.0001 / scale:.12f}".rstrip("0")
        sql = sql.replace("0.0001\n", fraction + "\n")
    return sql


def chosen(words):
    """The numbers in `1,6,9-12`; all where nothing is given."""
    if not words:
        return list(NUMBERS)
    numbers = []
    for word in words.split(","):
        first, _, last = word.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    if not set(numbers) <= set(NUMBERS):
        raise ValueError(f"TPC-H has the queries 1 to 22, not {words}")
    return sorted(set(numbers))

# A query of some seconds at scale 1 and a quarter of a minute at scale 10, for what is measured in parts of its time.
LONG = """
SELECT a.l_shipmode, count(*), sum(a.l_extendedprice * b.l_discount), max(b.l_comment)
FROM lineitem a JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_linenumber <> b.l_linenumber + 1
WHERE a.l_comment LIKE '%e%' GROUP BY a.l_shipmode ORDER BY 1
"""
