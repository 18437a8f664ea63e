// Owns one data page, decompressed: which rows have values, and the decoder of those.

import Columnar

/// What a page's values are.
enum PageValues {
  /// Positions in the chunk's dictionary.
  case indices(HybridRuns)
  case decoder(ValueDecoder)
  /// None: all rows are NULL.
  case none
}

/// A page being read. Keeps its bytes.
struct DataPage {
  /// The definition levels; nil where all rows have values.
  var levels: HybridRuns?
  var levelMax: Int32
  var values: PageValues
  /// Keeps the bytes, also of the views into them.
  var heap: StringHeap
  let bytes: Buffer

  /// The runs of levels in front of a version 1 page, and the rest of it.
  static func levels(
    _ body: UnsafeBufferPointer<UInt8>, max: Int, encoding: ValueEncoding
  ) throws(Damage) -> (levels: HybridRuns?, values: UnsafeBufferPointer<UInt8>) {
    guard max > 0 else { return (nil, body) }
    guard encoding == .rle else { throw Damage.unsupported("levels in encoding \(encoding)") }
    let (inside, rest) = try LengthPrefix.split(body)
    return (try HybridRuns(inside, width: width(of: max)), rest)
  }

  /// Bits that levels up to `max` take.
  static func width(of max: Int) -> Int { Int.bitWidth - max.leadingZeroBitCount }

  /// The decoder of `body` in `encoding`.
  static func values(
    _ body: UnsafeBufferPointer<UInt8>, encoding: ValueEncoding, mapping: ValueMapping, dictionary: ChunkDictionary?
  ) throws(Damage) -> PageValues {
    // A page of NULLs alone may have no bytes for values at all.
    guard body.count > 0 else { return .none }
    switch encoding {
    case .plain: return .decoder(plainDecoder(body, mapping))
    case .plainDictionary, .rleDictionary:
      guard dictionary != nil else { throw Damage("positions in a dictionary that is not there") }
      return .indices(try HybridRuns(UnsafeBufferPointer(rebasing: body[1...]), width: Int(body[0])))
    case .rle where mapping.physical == .boolean: return .decoder(try HybridBooleanDecoder(body))
    case .deltaBinaryPacked where mapping.physical == .int32 || mapping.physical == .int64:
      return .decoder(try DeltaIntegerDecoder(body, stride: mapping.sourceStride))
    case .deltaLengthByteArray where mapping.physical == .byteArray: return .decoder(try DeltaLengthDecoder(body))
    case .deltaByteArray where mapping.physical == .byteArray:
      return .decoder(try DeltaBytesDecoder(body, fixedLength: nil))
    case .deltaByteArray where mapping.physical == .fixedLengthByteArray:
      return .decoder(try DeltaBytesDecoder(body, fixedLength: mapping.fixedLength))
    case .byteStreamSplit where mapping.physical.fixedWidth != nil && mapping.physical != .int96:
      return .decoder(try ByteStreamSplitDecoder(body, width: mapping.sourceStride, isBytes: false))
    case .byteStreamSplit where mapping.physical == .fixedLengthByteArray:
      return .decoder(try ByteStreamSplitDecoder(body, width: mapping.fixedLength, isBytes: true))
    default: throw Damage.unsupported("\(mapping.physical) values in encoding \(encoding)")
    }
  }

  /// The decoder of PLAIN values in `body`, which is not empty.
  static func plainDecoder(_ body: UnsafeBufferPointer<UInt8>, _ mapping: ValueMapping) -> ValueDecoder {
    switch mapping.physical {
    case .boolean: PlainBooleanDecoder(body)
    case .byteArray: PlainBytesDecoder(body)
    case .fixedLengthByteArray: PlainFixedBytesDecoder(body, length: mapping.fixedLength)
    case .int32, .int64, .int96, .float, .double: PlainFixedDecoder(body, stride: mapping.sourceStride)
    }
  }
}
