// Owns what can be chosen about written Parquet files, with the defaults and their reasons.

/// How pages are compressed.
public enum ParquetCompression: Hashable, Sendable {
  case uncompressed
  case snappy
  /// Level 1 to 22.
  case zstd(level: Int)
  /// Level 1 to 9.
  case gzip(level: Int)
  case lz4Raw
}

/// Choices of a `ParquetWriter`. Row groups end with a batch, so they may exceed their sizes by one.
public struct ParquetWriterOptions: Hashable, Sendable {
  /// Snappy, as most writers: readers decode it several times faster than zstd, at some tenths of the size more.
  public var compression = ParquetCompression.snappy
  /// A row group ends after this many rows. Readers share files out by row groups, and a writer holds one in memory.
  public var rowGroupRows = 1 << 20
  /// A row group ends when its encoded pages have this many bytes.
  public var rowGroupBytes = 64 << 20
  /// A page ends after this many rows: three batches, so that page indexes can skip much and headers cost little.
  public var pageRows = 24576
  /// A page ends when its values have this many bytes.
  public var pageBytes = 1 << 20
  /// Whether columns start with a dictionary. One that does not pay is given up after the first page.
  public var usesDictionaries = true
  /// A dictionary that grows beyond this many bytes takes no more values; later pages hold them as they are.
  public var dictionaryBytes = 1 << 20
  /// Whether least and greatest values and counts of NULLs are written, for columns and for pages.
  public var writesStatistics = true
  /// Least and greatest text is cut to this many bytes, and marked as cut.
  public var statisticsBytes = 64

  public init() {}
}
