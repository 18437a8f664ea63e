// Owns what is known of a committed spool file outside of it: what a task reports, and what its consumers need.
import Base

/// Where a committed attempt's output lies: all that a reader needs besides the key.
public struct SpoolLocation: Codable, Hashable, Sendable {
  /// Whose output it is.
  public var attempt: AttemptID
  /// The base directory that holds the file, as in `exchange.base-directories`.
  public var directory: String
  /// The file's length.
  public var fileBytes: Int

  public init(attempt: AttemptID, directory: String, fileBytes: Int) {
    self.attempt = attempt
    self.directory = directory
    self.fileBytes = fileBytes
  }

  /// The file's path.
  public var path: String { directory + "/" + SpoolName.relativePath(of: attempt) }
}

/// One partition of an attempt's output.
public struct SpoolPartitionOutput: Codable, Hashable, Sendable {
  public var partition: Int
  public var pages: Int
  public var rows: Int
  /// Bytes as they were given to the writer.
  public var rawBytes: Int
  /// Bytes in the file, tags included.
  public var storedBytes: Int
  /// XXH64 over the plain pages in their order, chained: equal for two attempts whose pages are equal.
  public var checksum: UInt64

  public init(
    partition: Int, pages: Int = 0, rows: Int = 0, rawBytes: Int = 0, storedBytes: Int = 0, checksum: UInt64 = 0
  ) {
    self.partition = partition
    self.pages = pages
    self.rows = rows
    self.rawBytes = rawBytes
    self.storedBytes = storedBytes
    self.checksum = checksum
  }
}

/// What a committed attempt reports.
public struct SpoolOutput: Codable, Hashable, Sendable {
  public var location: SpoolLocation
  public var partitionCount: Int
  /// The partitions that have pages, by number. The others are empty.
  public var partitions: [SpoolPartitionOutput]

  public init(location: SpoolLocation, partitionCount: Int, partitions: [SpoolPartitionOutput]) {
    self.location = location
    self.partitionCount = partitionCount
    self.partitions = partitions
  }

  /// Whose output it is.
  public var attempt: AttemptID { location.attempt }
  /// Rows of all partitions.
  public var rows: Int { partitions.reduce(0) { $0 + $1.rows } }
  /// Bytes of all partitions before compression.
  public var rawBytes: Int { partitions.reduce(0) { $0 + $1.rawBytes } }

  /// The figures of one partition; zeros where it has no pages. Cost: a binary search.
  public func partition(_ number: Int) -> SpoolPartitionOutput {
    var low = 0
    var high = partitions.count
    while low < high {
      let middle = (low + high) / 2
      if partitions[middle].partition < number { low = middle + 1 } else { high = middle }
    }
    guard low < partitions.count, partitions[low].partition == number else {
      return SpoolPartitionOutput(partition: number)
    }
    return partitions[low]
  }

  /// Whether another attempt of the same task gave the same pages in every partition.
  public func hasSameContent(as other: SpoolOutput) -> Bool {
    partitionCount == other.partitionCount
      && partitions.elementsEqual(other.partitions) {
        $0.partition == $1.partition && $0.rows == $1.rows && $0.rawBytes == $1.rawBytes && $0.checksum == $1.checksum
      }
  }
}
