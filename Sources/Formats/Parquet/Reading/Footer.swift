// Owns finding the footer in a file. Knows nothing of what it says.

import Base
import Columnar

/// The bytes of a footer. A file ends with them, their length in four bytes, and `PAR1`.
struct Footer {
  /// Where it begins in the file.
  var offset: Int64
  /// Holds it from `start` on.
  var bytes: Buffer
  var start: Int
  var count: Int

  private static let magic: UInt32 = 0x3152_4150  // PAR1
  private static let encryptedMagic: UInt32 = 0x4552_4150  // PARE
  /// What one read at the end of the file takes, in the hope that the footer is in it.
  private static let firstRead: Int64 = 64 << 10

  /// Reads the end of a file, and what of the footer was not in it.
  static func read(_ file: FileDescriptor, limits: ParquetLimits) throws -> Footer {
    let size = file.byteCount
    guard size >= 12 else { throw file.damaged("\(size) bytes are too few for a Parquet file", at: 0) }
    let tailCount = Int(min(size, firstRead))
    let tail = try file.read(at: size - Int64(tailCount), count: tailCount)
    let magic = tail.base.loadUnaligned(fromByteOffset: tailCount - 4, as: UInt32.self)
    guard magic != encryptedMagic else {
      throw WaterbearError(.notSupported, "\(file.name) is encrypted, which cannot be read")
    }
    guard magic == Self.magic else {
      throw file.damaged("no Parquet file, or one that is not complete: it does not end with PAR1", at: size - 4)
    }
    let count = Int(tail.base.loadUnaligned(fromByteOffset: tailCount - 8, as: UInt32.self))
    guard count > 0, Int64(count) <= size - 12 else {
      throw file.damaged("a footer of \(count) bytes in a file of \(size)", at: size - 8)
    }
    guard count <= limits.footerBytes else {
      throw file.damaged("a footer of \(count) bytes, where \(limits.footerBytes) are allowed", at: size - 8)
    }
    let offset = size - 8 - Int64(count)
    if count + 8 <= tailCount {
      return Footer(offset: offset, bytes: tail, start: tailCount - 8 - count, count: count)
    }
    return Footer(offset: offset, bytes: try file.read(at: offset, count: count), start: 0, count: count)
  }

  /// What it says.
  func metadata(_ file: FileDescriptor, limits: ParquetLimits) throws -> FileMetadata {
    defer { withExtendedLifetime(bytes) {} }
    var decoder = CompactDecoder(UnsafeRawBufferPointer(start: bytes.base + start, count: count))
    do {
      return try FileMetadata(&decoder, limits: limits)
    } catch {
      throw file.error(error, at: offset + Int64(decoder.position))
    }
  }
}
