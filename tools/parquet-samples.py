#!/usr/bin/env python3
"""Writes the samples of ParquetTests: small files of other writers, each beside the values that it holds.

Wants pyarrow, duckdb and polars, and pyspark with a Java for the samples of Spark:

    tools/parquet-samples.py [pyarrow] [duckdb] [polars] [spark]

What is written differs from run to run in bytes (versions of the writers are in it), not in values.

NAME.txt, or the same without the last parts of NAME where several samples hold the same, has a line of `column:type`, separated by tabs, and a line per row: \\N for NULL, numbers and unscaled decimals
in digits, floating point as the bits of the double in hexadecimal, bytes and texts in hexadecimal, dates in days,
timestamps in microseconds. A column that cannot be read has the type `refused`.
"""
import datetime, decimal, os, pathlib, random, shutil, struct, sys, tempfile, uuid

import pyarrow as pa
import pyarrow.parquet as pq

SAMPLES = pathlib.Path(__file__).resolve().parent.parent / "Tests/Formats/ParquetTests/Samples"
EPOCH = datetime.datetime(1970, 1, 1)


def type_name(field, uuids):
    t = field.type
    if isinstance(t, pa.BaseExtensionType):
        t = t.storage_type
        return "varchar"
    if pa.types.is_dictionary(t):
        t = t.value_type
    names = {
        pa.bool_(): "boolean", pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "integer",
        pa.int64(): "bigint", pa.uint8(): "smallint", pa.uint16(): "integer", pa.uint32(): "bigint",
        pa.uint64(): "decimal(20,0)", pa.float16(): "real", pa.float32(): "real", pa.float64(): "double",
        pa.string(): "varchar", pa.large_string(): "varchar", pa.binary(): "varbinary",
        pa.large_binary(): "varbinary", pa.date32(): "date", pa.null(): "integer", pa.string_view(): "varchar",
        pa.binary_view(): "varbinary",
    }
    if t in names:
        return names[t]
    if pa.types.is_fixed_size_binary(t):
        return "varchar" if field.name in uuids else "varbinary"
    if pa.types.is_decimal(t):
        return f"decimal({t.precision},{t.scale})"
    if pa.types.is_timestamp(t):
        return "timestamp(3)" if t.unit in ("s", "ms") else "timestamp(6)"
    return "refused"


def text(value, field, uuids):
    t = field.type
    if isinstance(t, pa.BaseExtensionType):
        t = t.storage_type
    if pa.types.is_dictionary(t):
        t = t.value_type
    if value is None:
        return "\\N"
    if isinstance(value, uuid.UUID):
        return str(value).encode().hex()
    if field.name in uuids and isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)).encode().hex()
    if isinstance(value, bool):
        return "true" if value else "false"
    if pa.types.is_timestamp(t) or pa.types.is_date(t):
        return str(value)
    if pa.types.is_floating(t):
        return struct.pack(">d", float(value)).hex()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return str(int(value.scaleb(t.scale, decimal.Context(prec=60))))
    if isinstance(value, str):
        return value.encode().hex()
    if isinstance(value, bytes):
        return value.hex()
    raise ValueError(f"{value!r} of {t}")


def values(column, t):
    """Python values, times as whole numbers."""
    if pa.types.is_timestamp(t):
        factor = {"s": (1_000_000, 1), "ms": (1000, 1), "us": (1, 1), "ns": (1, 1000)}[t.unit]
        whole = column.cast(pa.int64()).to_pylist()
        return [None if v is None else v * factor[0] // factor[1] for v in whole]
    if pa.types.is_date(t):
        return column.cast(pa.int32()).to_pylist()
    return column.to_pylist()


def expect(name, table, uuids=()):
    columns = []
    header = []
    for field, column in zip(table.schema, table.columns):
        kind = type_name(field, uuids)
        header.append(f"{field.name}:{kind}")
        if kind == "refused":
            columns.append(["-"] * table.num_rows)
        else:
            columns.append([text(v, field, uuids) for v in values(column, field.type)])
    lines = ["\t".join(header)] + ["\t".join(row) for row in zip(*columns)]
    (SAMPLES / f"{name}.txt").write_text("\n".join(lines) + "\n")


def some(make, rows, nulls, seed):
    """Values in stretches of repetition and of change, so that runs of both kinds occur."""
    chance = random.Random(seed)
    out = []
    while len(out) < rows:
        if chance.random() < 0.3:
            out += [make(chance)] * chance.randint(9, 30)
        else:
            out += [make(chance) for _ in range(chance.randint(1, 20))]
    out = out[:rows]
    if nulls:
        at = 0
        while at < rows:
            at += chance.randint(1, 25)
            for i in range(at, min(rows, at + chance.choice([1, 1, 2, 12]))):
                out[i] = None
    return out


WORDS = ["", "a", "bear", "water", "twelve bytes", "thirteen byte", "a text that does not fit into a view", "größer",
         "a text that does fit", "日本語"]


def makers():
    def digits(p, s):
        return lambda c: decimal.Decimal(c.randint(-10**p + 1, 10**p - 1) // c.choice([1, 10 ** (p // 2)])).scaleb(
            -s, decimal.Context(prec=60))
    return {
        "flag": (pa.bool_(), lambda c: c.random() < 0.4),
        "i8": (pa.int8(), lambda c: c.randint(-128, 127)),
        "i16": (pa.int16(), lambda c: c.randint(-32768, 32767)),
        "i32": (pa.int32(), lambda c: c.choice([c.randint(-5, 5), c.randint(-2**31, 2**31 - 1)])),
        "i64": (pa.int64(), lambda c: c.choice([c.randint(-5, 5), c.randint(-2**63, 2**63 - 1)])),
        "u8": (pa.uint8(), lambda c: c.randint(0, 255)),
        "u16": (pa.uint16(), lambda c: c.randint(0, 65535)),
        "u32": (pa.uint32(), lambda c: c.randint(0, 2**32 - 1)),
        "u64": (pa.uint64(), lambda c: c.randint(0, 2**64 - 1)),
        "f16": (pa.float16(), lambda c: c.choice([0.0, -0.5, 1.5, 65504.0, 6e-8, float("inf")])),
        "f32": (pa.float32(), lambda c: c.choice([0.0, 1.5, -2.25, 3.0e38, 1e-40])),
        "f64": (pa.float64(), lambda c: c.choice([0.0, 0.1, -2.25, 1e300, float("-inf"), float("nan")])),
        "d9": (pa.decimal128(9, 2), digits(9, 2)),
        "d18": (pa.decimal128(18, 4), digits(18, 4)),
        "d38": (pa.decimal128(38, 10), digits(38, 10)),
        "text": (pa.string(), lambda c: c.choice(WORDS) + c.choice(["", "", str(c.randint(0, 9))])),
        "bytes": (pa.binary(), lambda c: c.randbytes(c.choice([0, 1, 11, 12, 13, 40]))),
        "fixed": (pa.binary(5), lambda c: c.randbytes(5)),
        "day": (pa.date32(), lambda c: c.randint(-1_000_000, 1_000_000)),
        "ts_ms": (pa.timestamp("ms"), lambda c: c.randint(-10**13, 10**13)),
        "ts_us": (pa.timestamp("us"), lambda c: c.randint(-10**15, 10**15)),
        "ts_utc": (pa.timestamp("us", "UTC"), lambda c: c.randint(-10**15, 10**15)),
        "ts_ns": (pa.timestamp("ns"), lambda c: c.randint(-10**18, 10**18)),
    }


def table(rows, nulls, only=None, seed=1):
    fields, columns = [], []
    for i, (name, (kind, make)) in enumerate(makers().items()):
        if only and name not in only:
            continue
        fields.append(pa.field(name, kind, nullable=nulls))
        columns.append(pa.array(some(make, rows, nulls, seed * 100 + i), kind))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def pyarrow_samples():
    def write(name, data, expected=None, **options):
        pq.write_table(data, SAMPLES / f"{name}.parquet", **options)
        expect(expected or name, data)

    write("pyarrow-plain-required", table(90, False), use_dictionary=False, compression="none",
          write_page_checksum=True)
    write("pyarrow-dictionary-required", table(90, False, seed=2), compression="snappy")
    write("pyarrow-plain-nulls-v2", table(90, True, seed=3), use_dictionary=False, compression="zstd",
          data_page_version="2.0", write_page_checksum=True)
    write("pyarrow-dictionary-nulls-v2", table(90, True, seed=4), compression="gzip", data_page_version="2.0")
    write("pyarrow-dictionary-nulls", table(90, True, seed=5), compression="none")
    write("pyarrow-version-1", table(90, True, seed=6, only=["i32", "i64", "text", "ts_ms", "ts_us", "d9", "u8"]),
          version="1.0", compression="brotli")
    small = ["flag", "i32", "i64", "f64", "text", "d18"]
    for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
        for page in ["1.0", "2.0"]:
            write(f"pyarrow-codec-{codec}-v{page[0]}", table(60, True, only=small, seed=7), "pyarrow-codec", compression=codec,
                  data_page_version=page, data_page_size=128, write_batch_size=16, write_page_checksum=True)
    encodings = {
        "flag": "RLE", "i8": "DELTA_BINARY_PACKED", "i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED",
        "f16": "BYTE_STREAM_SPLIT", "f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "d9": "BYTE_STREAM_SPLIT",
        "d38": "BYTE_STREAM_SPLIT", "text": "DELTA_BYTE_ARRAY", "bytes": "DELTA_LENGTH_BYTE_ARRAY",
        "fixed": "DELTA_BYTE_ARRAY", "day": "BYTE_STREAM_SPLIT", "ts_ms": "DELTA_BINARY_PACKED",
        "ts_us": "BYTE_STREAM_SPLIT",
    }
    for nulls in [False, True]:
        for page in ["1.0", "2.0"]:
            name = f"pyarrow-encodings-{'nulls' if nulls else 'required'}"
            write(f"{name}-v{page[0]}", table(160, nulls, only=list(encodings), seed=8), name, use_dictionary=False, column_encoding=encodings,
                  compression="zstd", data_page_version=page)
    # Deltas of all widths, over many blocks.
    chance = random.Random(9)
    wide = pa.table({
        f"w{bits}": pa.array([chance.randint(-2**bits, 2**bits) >> chance.choice([0, 0, 5]) for _ in range(140)],
                             pa.int64()) for bits in [0, 1, 7, 20, 31, 40, 56, 57, 58, 60, 62]})
    write("pyarrow-delta-widths", wide, use_dictionary=False, compression="none",
          column_encoding={name: "DELTA_BINARY_PACKED" for name in wide.schema.names})
    decimals = table(80, True, only=["d9", "d18", "d38"], seed=10)
    write("pyarrow-decimal-integers", decimals, store_decimal_as_integer=True, use_dictionary=False,
          compression="none")
    stamps = table(80, True, only=["ts_us", "ts_ns"], seed=11)
    pq.write_table(stamps, SAMPLES / "pyarrow-int96.parquet", use_deprecated_int96_timestamps=True)
    expect("pyarrow-int96", stamps)
    # A dictionary that becomes too large in the middle of the chunk.
    fallback = table(200, True, only=["i64", "text", "d38"], seed=12)
    write("pyarrow-fallback", fallback, dictionary_pagesize_limit=200, data_page_size=64, write_batch_size=8,
          compression="snappy")
    chance = random.Random(13)
    sorted_rows = pa.table({
        "id": pa.array(range(400), pa.int64()), "text": pa.array([f"row {i // 7:04}" for i in range(400)]),
        "gap": pa.array([None if i % 100 < 50 else i for i in range(400)], pa.int32()),
        "noise": pa.array([chance.randint(0, 3) for _ in range(400)], pa.int32()),
        "price": pa.array([decimal.Decimal(i).scaleb(-2) for i in range(400)], pa.decimal128(12, 2)),
    })
    for name, options in {"pyarrow-row-groups": dict(row_group_size=100, data_page_size=80, write_batch_size=10),
                          "pyarrow-pages": dict(row_group_size=400, data_page_size=80, write_batch_size=10)}.items():
        write(name, sorted_rows, write_page_index=True, compression="none",
              use_dictionary=["noise"], **options)
    write("pyarrow-no-rows", table(0, True, only=small))
    with pq.ParquetWriter(SAMPLES / "pyarrow-no-row-groups.parquet", pa.schema([("a", pa.int32())])):
        pass
    expect("pyarrow-no-row-groups", pa.table({"a": pa.array([], pa.int32())}))
    write("pyarrow-all-null", pa.table({
        "a": pa.nulls(20, pa.int32()), "b": pa.nulls(20, pa.string()), "c": pa.nulls(20)}))
    nested = pa.table({
        "id": pa.array([1, 2, 3], pa.int32()),
        "list": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
        "place": pa.array([{"x": 1, "name": "a"}, None, {"x": None, "name": "c"}],
                          pa.struct([("x", pa.int32()), ("name", pa.string())])),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        "time": pa.array([1, None, 2], pa.time64("us")),
        "last": pa.array(["x", None, "z"]),
    })
    pq.write_table(nested, SAMPLES / "pyarrow-nested.parquet")
    flat = pa.table({
        "id": nested["id"], "list": nested["list"], "place.x": pa.array([1, None, None], pa.int32()),
        "place.name": pa.array(["a", None, "c"]), "map": nested["map"], "time": nested["time"],
        "last": nested["last"]})
    expect("pyarrow-nested", flat)


def duckdb_samples():
    import duckdb
    con = duckdb.connect()
    con.execute("set threads = 1")
    con.execute("set TimeZone = 'UTC'")
    con.execute("""create table t as select
        i % 3 = 0 as flag, (i % 100)::tinyint as i8, (i * 7)::smallint as i16, (i * i)::integer as i32,
        (i * 1000000007 - 500)::bigint as i64, (i % 200)::utinyint as u8, (i * 50)::usmallint as u16,
        (i * 4000000)::uinteger as u32, (i * 1000000007)::ubigint as u64, (i / 3)::float as f32, (i / 7)::double as f64,
        (i * 1.25)::decimal(9, 2) as d9, (i * 1.25)::decimal(18, 3) as d18, (i * 123456789.5)::decimal(38, 5) as d38,
        case when i % 5 = 0 then null else 'text ' || (i % 17) end as text,
        case when i % 4 = 0 then null else 'a longer text of row ' || i end as longer,
        encode('b' || i) as bytes, date '2000-01-01' + i::integer as day, timestamp '2001-02-03 04:05:06.789012' +
        to_seconds(i) as ts_us, (timestamp '2001-02-03 04:05:06.789' + to_seconds(i))::timestamp_ms as ts_ms,
        (timestamp '1969-02-03 04:05:06.789012' + to_seconds(i))::timestamp_ns as ts_ns,
        (timestamp '2001-02-03 04:05:06' + to_seconds(i))::timestamptz as ts_utc,
        case when i % 11 = 0 then null else i end as holes
        from range(100) r(i) order by i""")
    for name, options in {
        "duckdb-v1-snappy": "parquet_version v1, compression snappy",
        "duckdb-v2-zstd": "parquet_version v2, compression zstd",
        "duckdb-v2-lz4": "parquet_version v2, compression lz4_raw",
        "duckdb-v1-brotli": "parquet_version v1, compression brotli",
    }.items():
        path = SAMPLES / f"{name}.parquet"
        con.execute(f"copy t to '{path}' (format parquet, {options})")
        expect("duckdb", pq.ParquetFile(path).read())
    path = SAMPLES / "duckdb-uuid.parquet"
    con.execute(f"""copy (select i, case when i % 3 = 0 then null else
        ('00112233-4455-6677-8899-aabbccddee' || lpad(i::varchar, 2, '0'))::uuid end as u
        from range(20) r(i) order by i) to '{path}' (format parquet)""")
    expect("duckdb-uuid", pq.ParquetFile(path).read(), uuids=("u",))
    # Dictionary columns get Bloom filters.
    path = SAMPLES / "duckdb-bloom.parquet"
    con.execute(f"""copy (select (i % 16) * 10 as number, 'key ' || ((i % 16) * 3) as word, (i % 16)::double * 0.5 as f,
        (i % 16)::integer * 5 as small from range(320) r(i) order by i)
        to '{path}' (format parquet, compression zstd)""")
    expect("duckdb-bloom", pq.ParquetFile(path).read())


def polars_samples():
    import polars as pl
    rows = table(90, True, only=["flag", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "text",
                                  "bytes", "day", "ts_ms", "ts_us", "ts_ns"], seed=20)
    frame = pl.from_arrow(rows).with_columns(
        pl.col("text").cast(pl.Categorical).alias("category"),
        pl.Series("d38", some(makers()["d38"][1], 90, True, 21), pl.Decimal(38, 10)))
    for codec in ["uncompressed", "snappy", "gzip", "zstd", "lz4", "brotli"]:
        full = codec in ("snappy", "zstd")
        name = f"polars-{codec}" if full else f"polars-small-{codec}"
        chosen = frame if full else frame.select("i32", "text", "f64", "flag")
        chosen.write_parquet(SAMPLES / f"{name}.parquet", compression=codec, row_group_size=50, data_page_size=200)
        expect("polars" if full else "polars-small", pq.ParquetFile(SAMPLES / f"{name}.parquet").read())


def spark_samples():
    from pyspark.sql import SparkSession
    session = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
               .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
               .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
               .getOrCreate())
    frame = session.range(0, 100, 1, 1).selectExpr(
        "id % 3 = 0 as flag", "cast(id % 100 as tinyint) as i8", "cast(id * 7 as smallint) as i16",
        "cast(id * id as int) as i32", "id * 1000000007 - 500 as i64", "cast(id / 3 as float) as f32",
        "id / 7 as f64", "cast(id * 1.25 as decimal(9, 2)) as d9", "cast(id * 1.25 as decimal(18, 3)) as d18",
        "cast(id * 123456789.5 as decimal(38, 5)) as d38",
        "case when id % 5 = 0 then null else concat('text ', id % 17) end as text",
        "case when id % 4 = 0 then null else concat('a longer text of row ', id) end as longer",
        "cast(concat('b', id) as binary) as bytes", "date_add(date '2000-01-01', cast(id as int)) as day",
        "timestamp '2001-02-03 04:05:06.789012' + make_interval(0, 0, 0, 0, 0, 0, id) as ts",
        "case when id % 11 = 0 then null else id end as holes")
    variants = {
        "spark-default": {},
        "spark-int96-legacy": {"spark.sql.parquet.outputTimestampType": "INT96",
                               "spark.sql.parquet.writeLegacyFormat": "true",
                               "spark.sql.parquet.compression.codec": "gzip"},
        "spark-v2-zstd": {"parquet.writer.version": "v2", "spark.sql.parquet.compression.codec": "zstd",
                          "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"},
        "spark-millis-lz4": {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS",
                             "spark.sql.parquet.compression.codec": "lz4_raw", "parquet.enable.dictionary": "false",
                             "parquet.writer.version": "v2"},
        "spark-bloom": {"parquet.bloom.filter.enabled#i64": "true", "parquet.bloom.filter.enabled#text": "true",
                        "parquet.bloom.filter.expected.ndv#i64": "150",
                        "parquet.bloom.filter.expected.ndv#text": "20", "parquet.page.size": "256",
                        "parquet.page.row.count.limit": "40", "parquet.block.size": "100000"},
    }
    for name, options in variants.items():
        for key in [k for k in options if k.startswith("spark.")]:
            session.conf.set(key, options[key])
        directory = tempfile.mkdtemp()
        writer = frame.write.mode("overwrite")
        for key in [k for k in options if not k.startswith("spark.")]:
            writer = writer.option(key, options[key])
        writer.parquet(directory)
        part = next(p for p in pathlib.Path(directory).iterdir() if p.name.endswith(".parquet"))
        shutil.copyfile(part, SAMPLES / f"{name}.parquet")
        shutil.rmtree(directory)
        for key in [k for k in options if k.startswith("spark.")]:
            session.conf.unset(key)
        expect(name, pq.ParquetFile(SAMPLES / f"{name}.parquet").read())
    session.stop()


if __name__ == "__main__":
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for wanted in sys.argv[1:] or ["pyarrow", "duckdb", "polars", "spark"]:
        {"pyarrow": pyarrow_samples, "duckdb": duckdb_samples, "polars": polars_samples, "spark": spark_samples}[wanted]()
