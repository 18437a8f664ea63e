// Owns how much a file may ask of its reader.

/// Bounds on what a file claims about itself, checked before memory is allocated for it.
public struct ParquetLimits: Sendable {
  /// Bytes of the footer.
  public var footerBytes = 256 << 20
  /// Nodes of the schema.
  public var schemaElements = 100_000
  /// How deep the schema is nested.
  public var schemaDepth = 64
  public var rowGroups = 1_000_000
  /// Bytes of a page, uncompressed.
  public var pageBytes = 1 << 30
  /// Bytes of a dictionary, uncompressed. Writers give a dictionary up at some megabytes.
  public var dictionaryBytes = 128 << 20
  /// Values of a dictionary, which take up to 16 bytes each even where nothing is in them.
  public var dictionaryValues = 16 << 20
  /// Rows of all row groups.
  public var rows: Int64 = 1 << 40
  /// Bytes of a page index or a Bloom filter.
  public var indexBytes = 128 << 20

  public init() {}
}
