"""Runs Spark for tools/bench: local-cluster, so that a driver, two executors of one core each and their shuffle files
are processes and files as on a real cluster. Adaptive execution is on, as it is by default; shuffles have 16 partitions
at first instead of 200, which on two cores only cost time."""
import os
import pathlib
import shutil

import pyspark
from pyspark.sql import SparkSession

from peer_loop import serve


def prepare(settings):
    scratch = pathlib.Path(settings["scratch"])
    executor = settings["executor_megabytes"]
    session = (
        SparkSession.builder.master(f"local-cluster[{settings['executors']},1,{executor}]")
        .appName("waterbear-bench")
        .config("spark.executor.memory", f"{executor}m")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", str(scratch / "local"))
        .config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
        .config("spark.sql.shuffle.partitions", "16")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        # All processes are stopped while others have their turn, which must not look like their death.
        .config("spark.executor.heartbeatInterval", "600s")
        .config("spark.network.timeout", "3600s")
        .getOrCreate())
    for name, path in settings["tables"].items():
        session.read.parquet(path).createOrReplaceTempView(name)
    return pyspark.__version__, lambda sql: session.sql(sql).collect()


serve(prepare)
session = SparkSession.getActiveSession()
if session:
    # The directories of executors lie in Spark's own home, whatever spark.local.dir says.
    left = pathlib.Path(os.environ.get("SPARK_HOME", pathlib.Path(pyspark.__file__).parent)) / "work"
    left /= session.sparkContext.applicationId
    session.stop()
    shutil.rmtree(left, ignore_errors=True)
