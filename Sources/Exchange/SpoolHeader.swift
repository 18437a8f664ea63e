// Owns the first and the last bytes of a spool file: whose output it is, and where its index lies.
// The layout is described in docs/spool-format.md.
import Base

/// Numbers that all parts of the format agree on.
enum SpoolFormat {
  /// "WBSP" as bytes in a file.
  static let magic: UInt32 = 0x5053_4257
  static let version: UInt16 = 1
  static let encryptedFlag: UInt16 = 1
  /// Pages may be Zstandard frames. Programs older than this flag refuse the file by its name.
  static let zstdFlag: UInt16 = 2
  static let saltByteCount = 16
  /// A checksum's length, where it stands in for an AES-GCM tag.
  static let checksumByteCount = 8
  /// The largest page that any setting allows: what LZ4 and OpenSSL count in 32-bit integers, with room to spare.
  static let maxPageByteCount = 1 << 30
  /// The longest name of a query.
  static let maxQueryNameByteCount = 64
}

/// The start of a file: format, attempt, and the salt of its key.
struct SpoolHeader: Equatable {
  var attempt: AttemptID
  var partitionCount: Int
  var isEncrypted: Bool
  /// Pages may be compressed with Zstandard.
  var hasZstd = false
  var salt: [UInt8]

  private static let fixedByteCount = 42

  /// Everything but the checksum. These bytes are bound to every page: see `PageSeal`.
  var identity: [UInt8] {
    let query = Array(attempt.task.stage.query.text.utf8)
    precondition(query.count <= SpoolFormat.maxQueryNameByteCount, "the query's name is too long")
    precondition(salt.count == SpoolFormat.saltByteCount, "a salt has 16 bytes")
    var writer = SpoolBytesWriter()
    writer.append(SpoolFormat.magic)
    writer.append(SpoolFormat.version)
    writer.append((isEncrypted ? SpoolFormat.encryptedFlag : 0) | (hasZstd ? SpoolFormat.zstdFlag : 0))
    writer.append(UInt32(attempt.task.stage.number))
    writer.append(UInt32(attempt.task.partition))
    writer.append(UInt32(attempt.number))
    writer.append(UInt32(partitionCount))
    writer.append(salt)
    writer.append(UInt16(query.count))
    writer.append(query)
    return writer.bytes
  }

  /// The header as it lies in the file.
  var encoded: [UInt8] {
    var writer = SpoolBytesWriter()
    let identity = identity
    writer.append(identity)
    writer.append(identity.withUnsafeBytes { XXH64.hash($0) })
    return writer.bytes
  }

  /// A header's length, which depends on the query's name alone.
  static func byteCount(for query: QueryID) -> Int {
    fixedByteCount + query.text.utf8.count + SpoolFormat.checksumByteCount
  }

  /// Reads the header of the file that holds the output of `attempt`; throws what is wrong with it.
  static func decode(_ bytes: UnsafeRawBufferPointer, of attempt: AttemptID) throws(SpoolDamage) -> SpoolHeader {
    guard bytes.count == byteCount(for: attempt.task.stage.query) else {
      throw SpoolDamage("the header is cut short")
    }
    guard bytes.number(at: 0, as: UInt32.self) == SpoolFormat.magic else {
      throw SpoolDamage("it does not start like a spool file")
    }
    let version = bytes.number(at: 4, as: UInt16.self)
    guard version == SpoolFormat.version else {
      throw SpoolDamage("its format version is \(version), this program reads version \(SpoolFormat.version)")
    }
    let end = bytes.count - SpoolFormat.checksumByteCount
    let sum = XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    guard bytes.number(at: end, as: UInt64.self) == sum else {
      throw SpoolDamage("the header's checksum does not match")
    }
    let flags = bytes.number(at: 6, as: UInt16.self)
    guard flags & ~(SpoolFormat.encryptedFlag | SpoolFormat.zstdFlag) == 0 else {
      throw SpoolDamage("the header has unknown flags")
    }
    let header = SpoolHeader(
      attempt: attempt, partitionCount: Int(bytes.number(at: 20, as: UInt32.self)),
      isEncrypted: flags & SpoolFormat.encryptedFlag != 0, hasZstd: flags & SpoolFormat.zstdFlag != 0,
      salt: Array(bytes[24..<40]))
    // Encoding it again compares every field of the identity at once.
    guard header.identity.elementsEqual(bytes[..<end]) else {
      throw SpoolDamage("it belongs to another query, stage, task or attempt")
    }
    return header
  }
}

/// The end of a file: where the index lies.
struct SpoolFooter: Equatable {
  var indexOffset: Int
  /// With its tag.
  var indexStoredBytes: Int

  static let byteCount = 28

  /// The footer as it lies in the file that starts with `header`.
  func encoded(after header: SpoolHeader) -> [UInt8] {
    var writer = SpoolBytesWriter()
    writer.append(UInt64(indexOffset))
    writer.append(UInt64(indexStoredBytes))
    writer.append(writer.bytes.withUnsafeBytes { XXH64.hash($0, seed: Self.seed(header)) })
    writer.append(SpoolFormat.magic)
    return writer.bytes
  }

  /// Reads the last bytes of a file of `fileBytes`; throws what is wrong with them.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, after header: SpoolHeader, fileBytes: Int
  ) throws(SpoolDamage) -> SpoolFooter {
    guard bytes.count == byteCount, bytes.number(at: 24, as: UInt32.self) == SpoolFormat.magic else {
      throw SpoolDamage("it does not end like a spool file")
    }
    let sum = XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[..<16]), seed: seed(header))
    guard bytes.number(at: 16, as: UInt64.self) == sum else {
      throw SpoolDamage("the footer's checksum does not match")
    }
    let offset = bytes.number(at: 0, as: UInt64.self)
    let stored = bytes.number(at: 8, as: UInt64.self)
    let first = UInt64(SpoolHeader.byteCount(for: header.attempt.task.stage.query))
    let end = UInt64(fileBytes - byteCount)
    guard offset >= first, offset <= end, stored == end - offset else {
      throw SpoolDamage("the footer's lengths do not fit the file")
    }
    return SpoolFooter(indexOffset: Int(offset), indexStoredBytes: Int(stored))
  }

  private static func seed(_ header: SpoolHeader) -> UInt64 {
    header.identity.withUnsafeBytes { XXH64.hash($0) }
  }
}

/// What is wrong with a file, as the end of a sentence; the reader adds file and place.
struct SpoolDamage: Error {
  var finding: String

  init(_ finding: String) { self.finding = finding }
}
