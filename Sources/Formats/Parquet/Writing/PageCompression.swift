// Owns compressing pages with the libraries of the system. Knows nothing of what is in a page.
import Base
import CLZ4
import CSnappy
import CZlib
import CZstd
import Glibc

/// Compresses pages in one way, with state that is kept from page to page. For one thread.
final class PageCompression {
  private let compression: ParquetCompression
  private let zstd: OpaquePointer?

  init(_ compression: ParquetCompression) {
    self.compression = compression
    if case .zstd = compression { zstd = ZSTD_createCCtx() } else { zstd = nil }
  }

  deinit { ZSTD_freeCCtx(zstd) }

  /// Memory of the libraries between pages.
  var retainedBytes: Int { zstd == nil ? 0 : ZSTD_sizeof_CCtx(zstd) }

  /// The number of the codec in the footer.
  var codec: CompressionCodec {
    switch compression {
    case .uncompressed: .uncompressed
    case .snappy: .snappy
    case .gzip: .gzip
    case .zstd: .zstd
    case .lz4Raw: .lz4Raw
    }
  }

  /// Replaces what is in `target` by `source`, compressed. GENERIC_INSUFFICIENT_RESOURCES where a library fails.
  func compress(_ source: PageBytes, to target: PageBytes) throws {
    target.removeAll()
    switch compression {
    case .uncompressed: target.append(source.base, count: source.count)
    case .snappy: try snappy(source, to: target)
    case .zstd(let level): try zstd(source, level: level, to: target)
    case .gzip(let level): try gzip(source, level: level, to: target)
    case .lz4Raw: try lz4(source, to: target)
    }
  }

  private func snappy(_ source: PageBytes, to target: PageBytes) throws {
    var size = snappy_max_compressed_length(source.count)
    let room = target.room(size)
    let status = snappy_compress(
      source.base.assumingMemoryBound(to: CChar.self), source.count, room.assumingMemoryBound(to: CChar.self), &size)
    guard status == SNAPPY_OK else { throw failure("snappy", "status \(status.rawValue)") }
    target.advance(size)
  }

  private func zstd(_ source: PageBytes, level: Int, to target: PageBytes) throws {
    let bound = ZSTD_compressBound(source.count)
    let size = ZSTD_compressCCtx(zstd, target.room(bound), bound, source.base, source.count, Int32(level))
    guard ZSTD_isError(size) == 0 else { throw failure("zstd", String(cString: ZSTD_getErrorName(size))) }
    target.advance(size)
  }

  private func gzip(_ source: PageBytes, level: Int, to target: PageBytes) throws {
    // On the heap, since zlib's state points back to it.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    defer { stream.deallocate() }
    stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip's header and trailer.
    let begun = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard begun == Z_OK else { throw failure("gzip", "status \(begun)") }
    defer { deflateEnd(stream) }
    // The bound of a stream that was set up counts the header too.
    let bound = Int(deflateBound(stream, UInt(source.count)))
    stream.pointee.next_in = source.base.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(source.count)
    stream.pointee.next_out = target.room(bound).assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(bound)
    let status = deflate(stream, Z_FINISH)
    guard status == Z_STREAM_END else { throw failure("gzip", "status \(status)") }
    target.advance(Int(stream.pointee.total_out))
  }

  private func lz4(_ source: PageBytes, to target: PageBytes) throws {
    let bound = LZ4_compressBound(Int32(source.count))
    let size = LZ4_compress_default(
      source.base.assumingMemoryBound(to: CChar.self), target.room(Int(bound)).assumingMemoryBound(to: CChar.self),
      Int32(source.count), bound)
    guard size > 0 || source.count == 0 else { throw failure("LZ4", "status \(size)") }
    target.advance(Int(size))
  }

  private func failure(_ library: String, _ finding: String) -> WaterbearError {
    WaterbearError(.genericInsufficientResources, "A Parquet page could not be compressed by \(library): \(finding)")
  }
}
