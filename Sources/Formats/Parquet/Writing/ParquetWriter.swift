// Owns the layout of a Parquet file that is written: row groups, page indexes, footer. It must not know where the
// bytes go. The format: https://parquet.apache.org/docs/file-format/
import Base
import Columnar

/// Writes batches as a Parquet file. For one thread.
///
/// Pages are encoded as rows come; at most one row group of encoded pages is in memory. The file is whole once `finish`
/// has returned. Types become: tinyint and smallint INT32 with their width, decimals INT32, INT64 or 16 bytes by their
/// precision, timestamps INT64 milliseconds (up to 3 digits) or microseconds of local time, varchar and char STRING,
/// char padded to its length. Intervals have no type that readers agree on: they are INT32 months and INT64
/// milliseconds.
public final class ParquetWriter {
  /// Takes bytes, which are valid during the call only.
  public typealias Output = (UnsafeRawBufferPointer) throws -> Void

  private let options: ParquetWriterOptions
  private let output: Output
  private let scratch: PageScratch
  private var columns: [ColumnEncoder]
  private var metadata = FileMetadata()
  /// Rows in the row group that is being filled.
  private var groupRows = 0
  /// Chunks of the row groups that were written, for the page indexes.
  private var groups: [[WrittenChunk]] = []
  /// About the memory that those take.
  private var footerBytes = 0
  /// Bytes given to the output so far.
  public private(set) var writtenBytes = 0
  private static let magic = Array("PAR1".utf8)

  /// A file with these columns, written to `output`, whose errors come out of the calls below. Writes nothing yet.
  ///
  /// DUPLICATE_COLUMN_NAME where names are not distinct: hardly a reader could tell the columns apart.
  public init(
    columns: [(name: String, type: DataType)], options: ParquetWriterOptions = ParquetWriterOptions(),
    output: @escaping Output
  ) throws {
    var names: Set<String> = []
    for column in columns where !names.insert(column.name).inserted {
      throw WaterbearError(
        .duplicateColumnName, "A Parquet file cannot have two columns with the name '\(column.name)'",
        remedy: "Give them names with AS.")
    }
    self.options = options
    self.output = output
    let scratch = PageScratch(options.compression)
    self.scratch = scratch
    self.columns = columns.map { ColumnEncoder(ColumnPlan(name: $0.name, type: $0.type), options, scratch) }
    metadata.version = 2
    metadata.createdBy = "waterbear version \(Release.version)"
    metadata.hasTypeDefinedOrder = columns.map { _ in true }
    metadata.schema = [SchemaElement(name: "schema", childCount: Int32(columns.count))]
    metadata.schema += self.columns.map { SchemaElement($0.plan) }
  }

  /// Bytes held in memory: encoded pages of the row group, dictionaries, and what the footer will say.
  public var retainedBytes: Int {
    var total = scratch.retainedBytes
    for column in columns { total += column.retainedBytes }
    return total + footerBytes
  }

  /// Rows taken so far.
  public var rows: Int { Int(metadata.rowCount) + groupRows }

  /// Takes the rows of a batch, which has the file's columns; writes a row group where one is full. After an error the
  /// file cannot be finished. NOT_SUPPORTED for single values of a gigabyte.
  public func append(_ batch: Batch) throws {
    precondition(batch.columns.count == columns.count, "\(batch.columns.count) columns for \(columns.count)")
    guard batch.count > 0 else { return }
    for index in columns.indices { try columns[index].append(batch.columns[index]) }
    groupRows += batch.count
    var encoded = 0
    for column in columns { encoded += column.pages.encodedBytes }
    if groupRows >= options.rowGroupRows || encoded >= options.rowGroupBytes { try endRowGroup() }
  }

  /// Writes what is left, and the footer. Called once, last. Closes nothing.
  public func finish() throws {
    try endRowGroup()
    try begin()
    if options.writesStatistics { try writeColumnIndexes() }
    try writeOffsetIndexes()
    let footer = metadata.encoded()
    try write(footer)
    try write(withUnsafeBytes(of: UInt32(footer.count).littleEndian) { Array($0) } + Self.magic)
  }

  private func begin() throws { if writtenBytes == 0 { try write(Self.magic) } }

  private func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    try output(bytes)
    writtenBytes += bytes.count
  }

  private func endRowGroup() throws {
    guard groupRows > 0 else { return }
    try begin()
    let start = writtenBytes
    var group = RowGroup()
    var chunks: [WrittenChunk] = []
    for column in columns {
      let offset = writtenBytes
      var chunk = try column.endChunk { try write($0) }
      chunk.offset = offset
      chunk.dataOffset += offset
      group.columns.append(ColumnChunk(chunk, column.plan, scratch.compression.codec, options))
      group.totalByteSize += Int64(chunk.uncompressedBytes)
      chunks.append(chunk)
      footerBytes += 512 + chunk.pages.count * 256
    }
    group.rowCount = Int64(groupRows)
    group.fileOffset = Int64(start)
    group.totalCompressedSize = Int64(writtenBytes - start)
    group.ordinal = Int16(exactly: groups.count)
    metadata.rowGroups.append(group)
    metadata.rowCount += Int64(groupRows)
    groups.append(chunks)
    groupRows = 0
  }

  private func writeColumnIndexes() throws {
    for (group, chunks) in groups.enumerated() {
      for (column, chunk) in chunks.enumerated() {
        guard let index = ColumnIndex(chunk) else { continue }
        let bytes = index.encoded()
        metadata.rowGroups[group].columns[column].columnIndexOffset = Int64(writtenBytes)
        metadata.rowGroups[group].columns[column].columnIndexLength = Int32(bytes.count)
        try write(bytes)
      }
    }
  }

  private func writeOffsetIndexes() throws {
    for (group, chunks) in groups.enumerated() {
      for (column, chunk) in chunks.enumerated() {
        let index = OffsetIndex(
          pages: chunk.pages.map {
            PageLocation(
              offset: Int64(chunk.dataOffset + $0.offset), compressedSize: Int32($0.byteCount),
              firstRow: Int64($0.firstRow))
          })
        let bytes = index.encoded()
        metadata.rowGroups[group].columns[column].offsetIndexOffset = Int64(writtenBytes)
        metadata.rowGroups[group].columns[column].offsetIndexLength = Int32(bytes.count)
        try write(bytes)
      }
    }
  }
}

extension SchemaElement {
  /// A column, which may have NULLs.
  fileprivate init(_ plan: ColumnPlan) {
    self.init(name: plan.name, logicalType: plan.logical)
    type = plan.physical
    repetition = .optional
    if plan.physical == .fixedLengthByteArray { typeLength = 16 }
    // What older readers look for. Local timestamps had no converted type.
    switch plan.logical {
    case .string: convertedType = .utf8
    case .date: convertedType = .date
    case .integer(8, _): convertedType = .int8
    case .integer(16, _): convertedType = .int16
    case .decimal(let precision, let scale):
      convertedType = .decimal
      self.precision = precision
      self.scale = scale
    default: break
    }
  }
}

extension ColumnChunk {
  fileprivate init(
    _ chunk: WrittenChunk, _ plan: ColumnPlan, _ codec: CompressionCodec, _ options: ParquetWriterOptions
  ) {
    var metadata = ColumnMetadata(type: plan.physical, path: [plan.name], codec: codec)
    metadata.encodings = [.plain, .rle] + (chunk.hasDictionary ? [.rleDictionary] : [])
    metadata.valueCount = Int64(chunk.rows)
    metadata.totalUncompressedSize = Int64(chunk.uncompressedBytes)
    metadata.totalCompressedSize = Int64(chunk.compressedBytes)
    metadata.dataPageOffset = Int64(chunk.dataOffset)
    if chunk.hasDictionary { metadata.dictionaryPageOffset = Int64(chunk.offset) }
    metadata.encodingStatistics = [
      (.dictionary, .plain, chunk.hasDictionary ? 1 : 0), (.data, .rleDictionary, chunk.dictionaryPages),
      (.data, .plain, chunk.plainPages),
    ].filter { $0.2 > 0 }.map { (page: PageType, encoding: ValueEncoding, count: Int) in
      PageEncodingStatistics(pageType: page.rawValue, encoding: encoding.rawValue, count: Int32(count))
    }
    if options.writesStatistics {
      metadata.statistics = Statistics(
        nullCount: Int64(chunk.nulls), maximum: chunk.bounds?.greatest, minimum: chunk.bounds?.least,
        isMaximumExact: chunk.bounds?.isGreatestExact, isMinimumExact: chunk.bounds?.isLeastExact)
    }
    self.init(fileOffset: 0, metadata: metadata)
  }
}

extension ColumnIndex {
  /// Nil where a page has values without bounds: NaN only, or text that has no cut upper bound.
  fileprivate init?(_ chunk: WrittenChunk) {
    self.init(nullCounts: [])
    for page in chunk.pages {
      guard page.isNull || page.bounds != nil else { return nil }
      nullPages.append(page.isNull)
      minima.append(page.bounds?.least ?? [])
      maxima.append(page.bounds?.greatest ?? [])
      nullCounts?.append(Int64(page.nulls))
    }
  }
}
