// Owns the settings of exchanged data: how it is compressed and sealed, and where it is kept.
import Base

extension SettingKey where Value == ExchangeCompressionCodec {
  public static var exchangeCompressionCodec: Self {
    Self(
      "exchange.compression-codec", default: .fixed(.lz4), session: true,
      trino: .differs(
        "NONE, and LZ4 under TASK", because: "all exchanged data is spooled here", value: "NONE"),
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

extension SettingKey where Value == [String] {
  public static var exchangeBaseDirectories: Self {
    Self(
      "exchange.base-directories", in: .exchangeManager,
      default: .computed(text: "spool in the data directory") { environment, _ in
        [environment.dataDirectory + "/spool"]
      },
      range: SettingRange(text: "absolute paths or file:// addresses") { $0.allSatisfy(isDirectoryAddress) },
      trino: .differs("none", because: "the data directory serves on one machine"),
      """
      Directories over which exchanged data is spread, with commas between them; local disks, NFS, or mounted HDFS.
      """)
  }

  private static func isDirectoryAddress(_ text: String) -> Bool {
    text.hasPrefix("/") || text.hasPrefix("file:///")
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
      "The largest stored page. A single row above it fails the query.")
  }
}
