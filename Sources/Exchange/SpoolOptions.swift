// Owns the settings that a spool writer obeys.

/// When written data is forced to the disk.
public enum SpoolSync: String, Codable, Sendable, CaseIterable {
  /// Never. After a power cut a torn file is recognised by its tags and made again; a process's death tears nothing.
  case none = "NONE"
  /// File and directory before the commit counts.
  case data = "DATA"
}

/// How an attempt's output is written. Encryption is on exactly if the writer has a key.
public struct SpoolOptions: Codable, Hashable, Sendable {
  /// `exchange.compression-codec`.
  public var codec: SpoolCodec
  /// `exchange.max-page-storage-size`: the largest page that `append` takes.
  public var maxPageBytes: Int
  /// Bytes gathered before each write(2), which comes when the next page does not fit. An output that fits is placed
  /// only at commit.
  public var bufferBytes: Int
  public var sync: SpoolSync
  /// `exchange.sink-max-file-size`: the largest file.
  public var maxFileBytes: Int
  /// Base directories that are to take the file only where no other does, and then in this order.
  public var avoidedDirectories: [String] = []

  /// The size of one buffer of `exchange.sink-buffer-pool-min-size` and `exchange.sink-buffers-per-partition`.
  public static let sinkBufferBytes = 32 << 10

  /// Nothing is gained by larger writes.
  public static let bufferBytesMax = 8 << 20

  /// `bufferBytes` for an output of so many partitions: what Trino keeps as a pool of buffers is one piece here, in
  /// which the pages of all partitions are gathered. At most a sixteenth of the attempt's memory, in bytes, which is
  /// why it is not taken from there: what is on its way between operators is not counted either.
  public static func bufferBytes(partitions: Int, poolMinimum: Int, perPartition: Int, memory: Int64) -> Int {
    let most = max(2 * sinkBufferBytes, Int(min(Int64(bufferBytesMax), memory / 16)))
    return min(max(2, poolMinimum, partitions * perPartition) * sinkBufferBytes, most)
  }

  public init(
    codec: SpoolCodec = .lz4, maxPageBytes: Int = 16 << 20, bufferBytes: Int = 512 << 10, sync: SpoolSync = .none,
    maxFileBytes: Int = .max
  ) {
    self.maxFileBytes = maxFileBytes
    self.codec = codec
    self.maxPageBytes = maxPageBytes
    self.bufferBytes = bufferBytes
    self.sync = sync
  }
}
