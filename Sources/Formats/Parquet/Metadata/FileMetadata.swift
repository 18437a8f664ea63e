// Owns the structures of a footer as Parquet defines them (parquet-format, parquet.thrift): plain data, no meaning.
// Fields are named as there, in Swift's spelling. Optional fields are nil where a writer left them out.

/// All that a footer says.
struct FileMetadata: Sendable {
  var version: Int32 = 1
  /// The schema's nodes in depth-first order, its root first.
  var schema: [SchemaElement] = []
  var rowCount: Int64 = 0
  var rowGroups: [RowGroup] = []
  var keyValues: [KeyValue] = []
  var createdBy: String?
  /// One for each leaf: true where minima and maxima are ordered as the type demands. Nil where not said.
  var hasTypeDefinedOrder: [Bool]?
}

/// A note of the writer's.
struct KeyValue: Hashable, Sendable {
  var key = ""
  var value: String?
}

/// A node of the schema.
struct SchemaElement: Sendable {
  /// Nil for inner nodes.
  var type: PhysicalType?
  /// Bytes of a fixed-length value.
  var typeLength: Int32?
  /// Nil for the root.
  var repetition: Repetition?
  var name = ""
  var childCount: Int32?
  var convertedType: ConvertedType?
  var scale: Int32?
  var precision: Int32?
  var fieldID: Int32?
  var logicalType: LogicalType?
}

/// Some rows of the file, column by column.
struct RowGroup: Sendable {
  /// One for each leaf of the schema, in its order.
  var columns: [ColumnChunk] = []
  var totalByteSize: Int64 = 0
  var rowCount: Int64 = 0
  var sortingColumns: [SortingColumn]?
  var fileOffset: Int64?
  var totalCompressedSize: Int64?
  var ordinal: Int16?
}

/// By what a row group's rows are sorted.
struct SortingColumn: Hashable, Sendable {
  var column: Int32 = 0
  var isDescending = false
  var nullsFirst = false
}

/// The values of one leaf in one row group: where they and their indexes lie.
struct ColumnChunk: Sendable {
  /// The file that holds the values; nil for this one.
  var filePath: String?
  var fileOffset: Int64 = 0
  var metadata: ColumnMetadata?
  var offsetIndexOffset: Int64?
  var offsetIndexLength: Int32?
  var columnIndexOffset: Int64?
  var columnIndexLength: Int32?
  var isEncrypted = false
}

/// What a column chunk is made of.
struct ColumnMetadata: Sendable {
  var type = PhysicalType.int32
  var encodings: [ValueEncoding] = []
  var path: [String] = []
  var codec = CompressionCodec.uncompressed
  /// Values, NULLs included.
  var valueCount: Int64 = 0
  /// Bytes of all pages with their headers.
  var totalUncompressedSize: Int64 = 0
  var totalCompressedSize: Int64 = 0
  var keyValues: [KeyValue] = []
  var dataPageOffset: Int64 = 0
  var indexPageOffset: Int64?
  var dictionaryPageOffset: Int64?
  var statistics: Statistics?
  var encodingStatistics: [PageEncodingStatistics]?
  var bloomFilterOffset: Int64?
  var bloomFilterLength: Int32?
}

/// How many pages of a kind a chunk has.
struct PageEncodingStatistics: Hashable, Sendable {
  var pageType: Int32 = 0
  var encoding: Int32 = 0
  var count: Int32 = 0
}

/// What is known of values; bounds are PLAIN encoded, without the length of a byte array.
struct Statistics: Hashable, Sendable {
  /// Bounds of old writers, ordered by signed comparison of bytes.
  var deprecatedMaximum: [UInt8]?
  var deprecatedMinimum: [UInt8]?
  var nullCount: Int64?
  var distinctCount: Int64?
  var maximum: [UInt8]?
  var minimum: [UInt8]?
  /// False where a bound may be cut off rather than a value that occurs.
  var isMaximumExact: Bool?
  var isMinimumExact: Bool?
}

/// What stands in front of a page.
struct PageHeader: Sendable {
  var type = PageType.data
  var uncompressedSize: Int32 = 0
  var compressedSize: Int32 = 0
  /// CRC-32 of the page's bytes as they lie in the file.
  var checksum: UInt32?
  var data: DataPageHeader?
  var dictionary: DictionaryPageHeader?
  var dataV2: DataPageHeaderV2?
}

/// A page of values whose levels are compressed with them.
struct DataPageHeader: Sendable {
  /// Values, NULLs included.
  var valueCount: Int32 = 0
  var encoding = ValueEncoding.plain
  var definitionLevelEncoding = ValueEncoding.rle
  var repetitionLevelEncoding = ValueEncoding.rle
  var statistics: Statistics?
}

/// A page of values whose levels stand uncompressed in front.
struct DataPageHeaderV2: Sendable {
  var valueCount: Int32 = 0
  var nullCount: Int32 = 0
  var rowCount: Int32 = 0
  var encoding = ValueEncoding.plain
  var definitionLevelsLength: Int32 = 0
  var repetitionLevelsLength: Int32 = 0
  var isCompressed = true
  var statistics: Statistics?
}

/// The page of a chunk's distinct values.
struct DictionaryPageHeader: Sendable {
  var valueCount: Int32 = 0
  var encoding = ValueEncoding.plain
  var isSorted: Bool?
}

/// Where each data page of a chunk lies.
struct OffsetIndex: Sendable {
  var pages: [PageLocation] = []
}

/// Where a data page lies, header included.
struct PageLocation: Hashable, Sendable {
  var offset: Int64 = 0
  var compressedSize: Int32 = 0
  /// Counts rows of the row group.
  var firstRow: Int64 = 0
}

/// Bounds of each data page of a chunk.
struct ColumnIndex: Sendable {
  /// How the bounds of successive pages are ordered.
  enum BoundaryOrder: Int32, Sendable {
    case unordered = 0
    case ascending = 1
    case descending = 2
  }

  /// Whether a page has only NULLs; its bounds mean nothing then.
  var nullPages: [Bool] = []
  var minima: [[UInt8]] = []
  var maxima: [[UInt8]] = []
  var boundaryOrder = BoundaryOrder.unordered
  var nullCounts: [Int64]?
}

/// What stands in front of a Bloom filter; nil where it is of a kind that is not known.
struct BloomFilterHeader: Sendable {
  var byteCount: Int32 = 0
  var isSplitBlock = false
  var isXXHash = false
  var isUncompressed = false
}
