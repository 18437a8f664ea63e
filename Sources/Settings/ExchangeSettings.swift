// Owns the settings of exchanged data: how it is compressed and sealed, and where it is kept.
import Base

extension SettingKey where Value == ExchangeCompressionCodec {
  public static var exchangeCompressionCodec: Self {
    Self(
      "exchange.compression-codec", default: .fixed(.lz4), session: true,
      trino: .differs(
        "NONE, and LZ4 under retry-policy=TASK", because: "all exchanged data is spooled here", value: ""),
      "How exchanged pages are compressed, where that makes them smaller.")
  }
}

extension SettingKey where Value == Bool {
  public static var exchangeEncryptionEnabled: Self {
    Self(
      "fault-tolerant-execution.exchange-encryption-enabled", default: .fixed(true),
      "Seals exchanged pages with AES-256-GCM under a key of its own per query. Off, a checksum takes its place.")
  }
}

extension SettingKey where Value == ExchangeManagerName {
  public static var exchangeManagerName: Self {
    Self(
      "exchange-manager.name", in: .exchangeManager, default: .fixed(.filesystem),
      trino: .differs("none", because: "an exchange is always needed"),
      """
      The kind of storage that exchanged data is kept in. Without one (none), retry-policy=TASK is refused, and under
      QUERY a result larger than exchange.deduplication-buffer-size.
      """)
  }
}

extension SettingKey where Value == [DirectoryAddress] {
  public static var exchangeBaseDirectories: Self {
    Self(
      "exchange.base-directories", in: .exchangeManager,
      default: .computed(text: "spool in the data directory") { environment, _ in
        [DirectoryAddress(path: environment.dataDirectory + "/spool")]
      },
      range: SettingRange(text: addresses, objection: { DirectoryAddress.objection(to: $0) }) {
        DirectoryAddress.objection(to: $0) == nil
      },
      trino: .differs("none", because: "the data directory serves on one machine"),
      """
      Directories over which exchanged data is spread, with commas between them; local disks, NFS, or mounted HDFS. \
      They are the spool's alone: none is that of a catalog's tables, or lies in or around one.
      """)
  }

  private static var addresses: String {
    "absolute paths or file:/// addresses of directories of which none lies in another; what has another scheme "
      + "(hdfs, s3, gs, abfs) has to be mounted"
  }
}

extension SettingKey where Value == DataSize {
  public static var exchangeDeduplicationBufferSize: Self {
    Self(
      "exchange.deduplication-buffer-size", default: .fixed(.megabytes(32)),
      """
      The largest result under retry-policy=QUERY without an exchange manager. Results are held until the whole query
      has finished; with an exchange manager it holds them, whatever their size.
      """)
  }

  public static var exchangeMaxPageStorageSize: Self {
    Self(
      "exchange.max-page-storage-size", in: .exchangeManager, default: .fixed(.megabytes(16)),
      range: .within(DataSize(bytes: 64 << 10)...DataSize.gigabytes(1)),
      trinoRange: "any; here a page has room for the smallest piece of work, and its length fits the file's format",
      "The largest stored page. A single row above it fails the query.")
  }
}

extension SettingKey where Value == DataSize {
  public static var exchangeSinkMaxFileSize: Self {
    Self(
      "exchange.sink-max-file-size", in: .exchangeManager, default: .fixed(.gigabytes(1024)),
      range: .atLeast(DataSize(bytes: 64 << 10)),
      trino: .differs(
        "1GB, after which a further file begins",
        because: "an output is one file here, which readers open at any offset", value: ""),
      """
      The largest spool file, for file systems that have a limit. An output is one file and is not continued in \
      another: one that grows beyond ends its query with NOT_SUPPORTED.
      """)
  }

  public static var exchangeSourceHandleTargetDataSize: Self {
    Self(
      "exchange.source-handle-target-data-size", in: .exchangeManager, default: .fixed(.megabytes(16)),
      trino: .differs("256MB", because: "what is read ahead is held in memory"),
      "How much of its input a reader that reads ahead takes on at a time.")
  }
}

extension SettingKey where Value == Int {
  public static var exchangeSinkBufferPoolMinSize: Self {
    Self(
      "exchange.sink-buffer-pool-min-size", in: .exchangeManager, default: .fixed(10), range: .atLeast(0),
      """
      So many buffers of 32kB, but at least 2, gather an attempt's output before it is written. They are one piece of \
      memory, of 8MB or a sixteenth of the attempt's memory at most, written when it is full; an output that fits goes \
      to the disk in one piece. More than 4096 count as 4096.
      """)
  }

  public static var exchangeSinkBuffersPerPartition: Self {
    Self(
      "exchange.sink-buffers-per-partition", in: .exchangeManager, default: .fixed(2), range: .atLeast(2),
      """
      So many buffers of 32kB for each output partition, where that makes more than the least number of buffers. More \
      than 64 count as 64.
      """)
  }

  public static var exchangeSourceConcurrentReaders: Self {
    Self(
      "exchange.source-concurrent-readers", in: .exchangeManager, default: .fixed(4), range: .atLeast(1),
      """
      How many readers fetch a task's input from a stage at a time, merges of sorted files included. They work ahead \
      only where opening files turns out to be slow, as on network mounts; local files are read by the task itself. 1: \
      never. More than 256 count as 256.
      """)
  }

  public static var exchangeSourceMaxFilesPerReader: Self {
    Self(
      "exchange.source-max-files-per-reader", in: .exchangeManager, default: .fixed(25), range: .atLeast(1),
      "How many files a reader that reads ahead takes on at a time. More than 10000 count as 10000.")
  }

  public static var exchangeMaxOutputPartitionCount: Self {
    Self(
      "exchange.max-output-partition-count", in: .exchangeManager, default: .fixed(1000), range: .atLeast(1),
      trino: .differs("50", because: "a partition costs an entry in an index here, not a file of its own"),
      "The most partitions of an exchange; a query that wants more fails with MAX_OUTPUT_PARTITION_COUNT_EXCEEDED.")
  }

  public static var exchangeFileListingParallelism: Self {
    Self(
      "exchange.file-listing-parallelism", in: .exchangeManager, default: .fixed(50), range: .atLeast(1),
      """
      How many spool files are deleted at a time, when stages and queries end and when left-overs are swept. They are \
      deleted side by side only where deleting one turns out to be slow, as on network mounts. More than 1000 count as \
      1000.
      """)
  }
}

extension SettingKey where Value == DataSize {
  public static var spoolMemorySize: Self {
    Self(
      "waterbear.spool-memory-size", in: .exchangeManager,
      default: .computed(text: "10% of memory") { environment, _ in DataSize(bytes: environment.memory.bytes / 10) },
      range: .atLeast(DataSize(bytes: 0)),
      trino: .absent(because: "Trino's exchange keeps nothing in memory"),
      """
      How much the file system of waterbear.spool-memory-directory may hold, files of others included. Outputs that \
      would not fit go to the disks. What lies there is no worker's memory, but the machine's.
      """)
  }
}

extension SettingKey where Value == String {
  public static var spoolMemoryDirectory: Self {
    Self(
      "waterbear.spool-memory-directory", in: .exchangeManager, default: .fixed("none"),
      range: SettingRange(text: "none, or an absolute path") { $0 == "none" || $0.hasPrefix("/") },
      trino: .absent(because: "Trino's exchange keeps nothing in memory"),
      """
      A directory on a file system in memory, such as one below /dev/shm, for outputs that fit one buffer. It outlives \
      workers and coordinator; what a restart of the machine takes away is recognised and made again.
      """)
  }
}
