// Owns undoing the compression of pages with Debian's libraries. Knows nothing of what pages hold.

import CBrotli
import CLZ4
import CZlib
import CZstd

/// Decompresses pages, one after the other, on one thread. Keeps the libraries' working memory between pages.
final class PageDecompressor {
  private var zstd: OpaquePointer?
  /// On the heap, since zlib's state points back to it.
  private var inflater: UnsafeMutablePointer<z_stream>?

  deinit {
    if let zstd { ZSTD_freeDCtx(zstd) }
    if let inflater {
      inflateEnd(inflater)
      inflater.deallocate()
    }
  }

  /// Undoes `codec`: fills all of `output`. Damage where `input` does not give exactly that many bytes. Safe on any
  /// input. Behind both are `SnappyBlock.padding` bytes that may be read and written.
  func decompress(
    _ input: UnsafeRawBufferPointer, _ codec: CompressionCodec, into output: UnsafeMutableRawBufferPointer
  ) throws(Damage) {
    let isComplete: Bool
    switch codec {
    case .uncompressed:
      isComplete = input.count == output.count
      if isComplete { output.copyMemory(from: input) }
    case .snappy: isComplete = SnappyBlock.decompress(input, into: output)
    case .gzip: isComplete = inflate(input, output)
    case .brotli:
      var count = output.count
      let result = BrotliDecoderDecompress(
        input.count, input.bindMemory(to: UInt8.self).baseAddress, &count,
        output.bindMemory(to: UInt8.self).baseAddress)
      isComplete = result == BROTLI_DECODER_RESULT_SUCCESS && count == output.count
    case .zstd:
      if zstd == nil { zstd = ZSTD_createDCtx() }
      isComplete =
        ZSTD_decompressDCtx(zstd, output.baseAddress, output.count, input.baseAddress, input.count) == output.count
    case .lz4Raw: isComplete = Self.lz4(input, output)
    case .lz4: isComplete = Self.hadoopLZ4(input, output) || Self.lz4(input, output)
    case .lzo: throw Damage.unsupported("pages compressed with LZO")
    }
    guard isComplete else { throw Damage("\(codec) data that is no page of \(output.count) bytes") }
  }

  /// Whether `count` bytes can come out of `compressed` bytes: what no compressor reaches need not be allocated.
  static func canExpand(_ compressed: Int, to count: Int, _ codec: CompressionCodec) -> Bool {
    switch codec {
    case .uncompressed: count == compressed
    case .snappy: count / 32 <= compressed
    case .lz4, .lz4Raw: count / 256 <= compressed
    case .gzip: count / 1100 <= compressed
    case .zstd, .brotli, .lzo: compressed > 0 || count == 0
    }
  }

  private static func lz4(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> Bool {
    guard let inputCount = Int32(exactly: input.count), let outputCount = Int32(exactly: output.count) else {
      return false
    }
    let count = LZ4_decompress_safe(
      input.bindMemory(to: CChar.self).baseAddress, output.bindMemory(to: CChar.self).baseAddress, inputCount,
      outputCount)
    return count == outputCount
  }

  /// Blocks as Hadoop frames them: the uncompressed and the compressed length, most significant byte first, then LZ4.
  private static func hadoopLZ4(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> Bool {
    var read = 0
    var written = 0
    while input.count - read >= 8 {
      let raw = Int(UInt32(bigEndian: input.loadUnaligned(fromByteOffset: read, as: UInt32.self)))
      let compressed = Int(UInt32(bigEndian: input.loadUnaligned(fromByteOffset: read + 4, as: UInt32.self)))
      read += 8
      guard compressed <= input.count - read, raw <= output.count - written else { return false }
      guard
        lz4(
          UnsafeRawBufferPointer(rebasing: input[read..<read + compressed]),
          UnsafeMutableRawBufferPointer(rebasing: output[written..<written + raw]))
      else { return false }
      read += compressed
      written += raw
    }
    return read == input.count && written == output.count
  }

  /// One or more members of gzip, or zlib's own form.
  private func inflate(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> Bool {
    guard let stream = readyInflater(), UInt32(exactly: input.count) != nil, UInt32(exactly: output.count) != nil else {
      return false
    }
    // zlib reads from `next_in` and does not write to it.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(output.count)
    while true {
      guard CZlib.inflate(stream, Z_FINISH) == Z_STREAM_END else { return false }
      if stream.pointee.avail_in == 0 { return stream.pointee.avail_out == 0 }
      guard inflateReset(stream) == Z_OK else { return false }
    }
  }

  private func readyInflater() -> UnsafeMutablePointer<z_stream>? {
    if let inflater { return inflateReset(inflater) == Z_OK ? inflater : nil }
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, and 32 to tell gzip from zlib by the header.
    guard inflateInit2_(stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      stream.deallocate()
      return nil
    }
    inflater = stream
    return stream
  }
}

/// The checksum of pages.
enum PageChecksum {
  /// CRC-32 with gzip's polynomial.
  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
  }
}
