"""Runs DuckDB for tools/bench, inside this process: views over the Parquet files, which each query reads anew."""
import os

import duckdb

from peer_loop import serve


def prepare(settings):
    connection = duckdb.connect()
    connection.execute(f"SET threads = {settings['threads']}")
    connection.execute(f"SET temp_directory = '{settings['scratch']}'")
    if settings["memory_limit"]:
        connection.execute(f"SET memory_limit = '{settings['memory_limit']}B'")
    for name, path in settings["tables"].items():
        files = path + "/*.parquet" if os.path.isdir(path) else path
        quoted = files.replace("'", "''")
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")
    return duckdb.__version__, lambda sql: connection.execute(sql).fetchall()


serve(prepare)
