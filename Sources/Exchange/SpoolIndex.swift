// Owns the index of a spool file: which pages each partition has. The layout is described in docs/spool-format.md.
// It must not know how pages are sealed or read.
import Base

/// How a page's bytes were compressed.
public enum SpoolCodec: UInt32, Codable, Sendable, CaseIterable {
  case none = 0
  case lz4 = 1
  /// Only in files whose header says so.
  case zstd = 2
}

/// One page as the index lists it.
struct SpoolPageEntry: Equatable {
  var offset: Int
  /// Bytes in the file, with the tag.
  var storedBytes: Int
  /// Bytes as the writer was given them.
  var rawBytes: Int
  var rows: Int
  var codec: SpoolCodec

  var end: Int { offset + storedBytes }
}

/// The index as bytes, searched in place: a reader of one partition does not pay for the others.
struct SpoolIndex {
  private static let prefixByteCount = 8
  private static let partitionByteCount = 40
  private static let pageByteCount = 24

  private let bytes: [UInt8]
  private let partitionCount: Int
  private let pageCount: Int

  /// Takes over an index whose tag matched; throws where its length does not suit its counts.
  init(_ bytes: [UInt8]) throws(SpoolDamage) {
    self.bytes = bytes
    guard bytes.count >= Self.prefixByteCount else { throw SpoolDamage("the index is cut short") }
    partitionCount = Int(bytes.withUnsafeBytes { $0.number(at: 0, as: UInt32.self) })
    pageCount = Int(bytes.withUnsafeBytes { $0.number(at: 4, as: UInt32.self) })
    let expected = Self.prefixByteCount + partitionCount * Self.partitionByteCount + pageCount * Self.pageByteCount
    guard bytes.count == expected else { throw SpoolDamage("the index has \(bytes.count) bytes, not \(expected)") }
  }

  /// Makes the index of `pages`, each with its partition, in the order of the file.
  static func encode(_ output: [SpoolPartitionOutput], _ pages: [(partition: Int, page: SpoolPageEntry)]) -> [UInt8] {
    var writer = SpoolBytesWriter()
    writer.reserve(prefixByteCount + output.count * partitionByteCount + pages.count * pageByteCount)
    writer.append(UInt32(output.count))
    writer.append(UInt32(pages.count))
    var first = 0
    for partition in output {
      writer.append(UInt32(partition.partition))
      writer.append(UInt32(first))
      writer.append(UInt64(partition.pages))
      writer.append(UInt64(partition.rows))
      writer.append(UInt64(partition.rawBytes))
      writer.append(partition.checksum)
      first += partition.pages
    }
    // A stable order within each partition, since offsets grow.
    for (_, page) in pages.sorted(by: { ($0.partition, $0.page.offset) < ($1.partition, $1.page.offset) }) {
      writer.append(UInt64(page.offset))
      writer.append(UInt32(page.storedBytes))
      writer.append(UInt32(page.rawBytes))
      writer.append(UInt32(page.rows))
      writer.append(page.codec.rawValue)
    }
    return writer.bytes
  }

  /// The pages of `partition` as positions in the index; empty where it has none.
  func pages(of partition: Int) throws(SpoolDamage) -> Range<Int> {
    var low = 0
    var high = partitionCount
    while low < high {
      let middle = (low + high) / 2
      if partitionNumber(middle) < partition { low = middle + 1 } else { high = middle }
    }
    guard low < partitionCount, partitionNumber(low) == partition else { return 0..<0 }
    let start = Self.prefixByteCount + low * Self.partitionByteCount
    let first = UInt64(bytes.withUnsafeBytes { $0.number(at: start + 4, as: UInt32.self) })
    let count = bytes.withUnsafeBytes { $0.number(at: start + 8, as: UInt64.self) }
    guard count <= UInt64(pageCount), first + count <= UInt64(pageCount) else {
      throw SpoolDamage("the index lists more pages of partition \(partition) than the file has")
    }
    return Int(first)..<Int(first + count)
  }

  /// The page at `position`, checked against the range of the file that holds pages.
  func page(at position: Int, within range: Range<Int>, tagBytes: Int) throws(SpoolDamage) -> SpoolPageEntry {
    precondition(position >= 0 && position < pageCount, "page \(position) of \(pageCount)")
    let start = Self.prefixByteCount + partitionCount * Self.partitionByteCount + position * Self.pageByteCount
    let (offset, stored, raw, rows, codec) = bytes.withUnsafeBytes { bytes in
      (
        bytes.number(at: start, as: UInt64.self), Int(bytes.number(at: start + 8, as: UInt32.self)),
        Int(bytes.number(at: start + 12, as: UInt32.self)), Int(bytes.number(at: start + 16, as: UInt32.self)),
        bytes.number(at: start + 20, as: UInt32.self)
      )
    }
    guard let codec = SpoolCodec(rawValue: codec) else { throw SpoolDamage("the index names an unknown codec") }
    guard raw <= SpoolFormat.maxPageByteCount, stored >= tagBytes, codec != .none || stored == raw + tagBytes,
      offset >= UInt64(range.lowerBound), offset <= UInt64(range.upperBound),
      UInt64(stored) <= UInt64(range.upperBound) - offset
    else { throw SpoolDamage("the index lists a page that does not fit the file") }
    return SpoolPageEntry(offset: Int(offset), storedBytes: stored, rawBytes: raw, rows: rows, codec: codec)
  }

  private func partitionNumber(_ position: Int) -> Int {
    let start = Self.prefixByteCount + position * Self.partitionByteCount
    return Int(bytes.withUnsafeBytes { $0.number(at: start, as: UInt32.self) })
  }
}
