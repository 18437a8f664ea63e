#!/usr/bin/env python3
"""Makes the reference data of TPCHConnectorTests from another program's output.

  pip install tpchgen-cli
  for sf in 0.01 0.1; do tpchgen-cli -s $sf -o reference/sf$sf; done
  tools/tpch-reference.py reference Tests/TPCHConnectorTests

Writes the first and last rows of each table at 0.01 to Samples/, and to ReferenceChecksums.swift the row count of each
table and a checksum of each column, over its first 100 rows and over all of them.
"""
import datetime
import pathlib
import sys
import zlib

COLUMNS = {
    "customer": "custkey name' address' nationkey phone' acctbal mktsegment' comment'",
    "lineitem": "orderkey partkey suppkey linenumber quantity* extendedprice discount tax returnflag' linestatus' "
    "shipdate commitdate receiptdate shipinstruct' shipmode' comment'",
    "nation": "nationkey name' regionkey comment'",
    "orders": "orderkey custkey orderstatus' totalprice orderdate orderpriority' clerk' shippriority comment'",
    "part": "partkey name' mfgr' brand' type' size container' retailprice comment'",
    "partsupp": "partkey suppkey availqty supplycost comment'",
    "region": "regionkey name' comment'",
    "supplier": "suppkey name' address' nationkey phone' acctbal comment'",
}
EPOCH = datetime.date(1970, 1, 1).toordinal()
FACTOR, MASK = 6364136223846793005, (1 << 64) - 1


def number(column, text):
    """A field as the integer that is hashed: text by CRC-32, amounts in hundredths, dates in days since 1970."""
    if column.endswith("'"):
        return zlib.crc32(text.encode())
    if column.endswith("*"):
        return int(text) * 100
    if "." in text:
        return int(text.replace(".", ""))
    if column.endswith("date"):
        return datetime.date.fromisoformat(text).toordinal() - EPOCH
    return int(text)


def table_lines(scale, table, path):
    names = COLUMNS[table].split()
    sums, first = [0] * len(names), []
    count = 0
    with open(path) as file:
        for line in file:
            for index, field in enumerate(line.rstrip("\n").split("|")[:-1]):
                sums[index] = (sums[index] * FACTOR + number(names[index], field) + 1) & MASK
            count += 1
            if count == 100:
                first = list(sums)
    first = first or sums
    yield f'    Reference("{scale}", .{table}, rows: {count}, columns: ['
    for name, start, whole in zip(names, first, sums):
        yield f"      (\"{name.strip(chr(39) + '*')}\", 0x{start:016x}, 0x{whole:016x}),"
    yield "    ]),"


def main(reference, target):
    samples = target / "Samples"
    samples.mkdir(exist_ok=True)
    lines = [
        "// Owns checksums of another program's tables (tpchgen-cli); made by tools/tpch-reference.py, see there.",
        "",
        "@testable import TPCHConnector",
        "",
        "extension Reference {",
        "  static let all = [",
    ]
    for scale in ["0.01", "0.1"]:
        for table in COLUMNS:
            path = reference / f"sf{scale}" / f"{table}.tbl"
            lines += table_lines(scale, table, path)
            if scale == "0.01":
                rows = path.read_text().splitlines(keepends=True)
                (samples / f"{table}.tbl").write_text("".join(rows[:4] + rows[-4:] if len(rows) > 8 else rows))
    lines += ["  ]", "}", ""]
    (target / "ReferenceChecksums.swift").write_text("\n".join(lines))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
