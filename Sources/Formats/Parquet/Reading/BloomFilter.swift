// Owns asking a chunk's Bloom filter whether it may hold a value.

import Base
import Columnar
import ConnectorAPI

/// A split block Bloom filter over XXH64 of PLAIN encoded values (parquet-format, BloomFilter.md).
struct BloomFilter {
  private let bits: Buffer
  private let start: Int
  private let blocks: UInt64

  private static let blockBytes = 32
  private static let salts: [UInt32] = [
    0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
  ]
  /// What a header may take at most.
  private static let headerBytes = 256

  /// Reads the filter of a chunk; nil where there is none, or one of a kind that is not known.
  init?(_ file: ParquetFile, _ chunk: ColumnMetadata, column: String) throws {
    guard let offset = chunk.bloomFilterOffset else { return nil }
    guard offset >= 4, offset < file.footerOffset else {
      throw file.descriptor.damaged("a Bloom filter at \(offset)", at: file.footerOffset, column: column)
    }
    let room = Int(min(file.footerOffset - offset, Int64(file.limits.indexBytes)))
    let hint = chunk.bloomFilterLength.map { max(Int($0), 1) } ?? Self.headerBytes
    var bytes = try file.descriptor.read(at: offset, count: min(room, hint))
    var decoder = CompactDecoder(UnsafeRawBufferPointer(start: bytes.base, count: bytes.byteCount))
    let header: BloomFilterHeader
    do {
      header = try BloomFilterHeader(&decoder)
    } catch {
      throw file.descriptor.error(error, at: offset, column: column)
    }
    guard header.isSplitBlock, header.isXXHash, header.isUncompressed else { return nil }
    let count = Int(header.byteCount)
    guard count > 0, count % Self.blockBytes == 0, count <= room - decoder.position else {
      throw file.descriptor.damaged("a Bloom filter of \(count) bytes", at: offset, column: column)
    }
    start = decoder.position
    if start + count > bytes.byteCount { bytes = try file.descriptor.read(at: offset, count: start + count) }
    bits = bytes
    blocks = UInt64(count / Self.blockBytes)
  }

  /// Whether a value with these PLAIN encoded bytes may be there.
  func mayHold(_ bytes: [UInt8]) -> Bool {
    let hash = bytes.withUnsafeBytes { XXH64.hash($0) }
    let block = Int(((hash >> 32) &* blocks) >> 32)
    let low = UInt32(truncatingIfNeeded: hash)
    for (index, salt) in Self.salts.enumerated() {
      let word = bits.base.loadUnaligned(fromByteOffset: start + block * Self.blockBytes + index * 4, as: UInt32.self)
      if word & (1 << ((low &* salt) >> 27)) == 0 { return false }
    }
    return true
  }
}

extension ValueMapping {
  /// How a value of the SQL type, or of a wider one, would be stored.
  enum StoredForm: Equatable {
    case bytes([UInt8])
    /// No stored value equals it.
    case impossible
    /// Several may, or it is not known.
    case unknown
  }

  /// The PLAIN encoding of a value, without the length of a byte array.
  func storedForm(of value: Value) -> StoredForm {
    switch (physical, value) {
    case (.int32, _), (.int64, _): return value.asInt128.map(storedInteger) ?? .unknown
    case (.double, .double(let number)):
      // Zeros of both signs are equal and hash differently.
      return number == 0 || number.isNaN ? .unknown : .bytes(Self.littleEndian(number.bitPattern, 8))
    case (.float, .double(let number)):
      if number == 0 || number.isNaN { return .unknown }
      let short = Float(number)
      return Double(short) == number ? .bytes(Self.littleEndian(UInt64(short.bitPattern), 4)) : .impossible
    case (.byteArray, .bytes(let bytes)) where conversion == .none: return .bytes(bytes)
    case (.fixedLengthByteArray, .bytes(let bytes)) where conversion == .none: return .bytes(bytes)
    case (.fixedLengthByteArray, _) where conversion == .bytesToInt64 || conversion == .bytesToInt128:
      return value.asInt128.map(storedDecimal) ?? .unknown
    default: return .unknown
    }
  }

  private func storedInteger(_ number: Int128) -> StoredForm {
    var stored = number
    switch conversion {
    case .nanosToMicros: return .unknown
    case .millisToMicros:
      guard number % 1000 == 0 else { return .impossible }
      stored = number / 1000
    default: break
    }
    let width = physical == .int32 ? 4 : 8
    let bits = Int128(width * 8)
    let isStorable =
      isUnsigned ? stored >= 0 && stored < 1 << bits : stored >= -(1 << (bits - 1)) && stored < 1 << (bits - 1)
    return isStorable ? .bytes(Self.littleEndian(UInt64(truncatingIfNeeded: stored), width)) : .impossible
  }

  private func storedDecimal(_ number: Int128) -> StoredForm {
    var bytes: [UInt8] = []
    var rest = number
    for _ in 0..<fixedLength {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
    let stored = Array(bytes.reversed())
    return BigEndianInteger.decode(stored) == number ? .bytes(stored) : .impossible
  }

  private static func littleEndian(_ bits: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
  }
}
