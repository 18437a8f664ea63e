// Owns the choice of whether a page is worth compressing, and the codecs' working memory.
import Base
import CLZ4
import CZstd

/// Compresses pages and stops trying for a while where the data does not shrink. For one thread at a time.
final class PageCompressor {
  /// So many pages in a row that do not shrink, and the next ones are not tried.
  private static let patience = 4
  private static let shortestPause = 8
  private static let longestPause = 64
  /// Zstandard's fastest ordinary level: the disk is fast, and the next ones take far more time for little.
  private static let zstdLevel: Int32 = 1

  /// What the pages are compressed with: LZ4 or Zstandard.
  let codec: SpoolCodec
  /// LZ4's working memory, or nil.
  private let lz4: UnsafeMutableRawPointer?
  /// Zstandard's, or nil.
  private let zstd: OpaquePointer?
  private var failures = 0
  private var pause = shortestPause
  /// Pages left that are stored as they are, untried.
  private var skipping = 0

  /// Nil for the codec that does nothing.
  init?(_ codec: SpoolCodec) {
    self.codec = codec
    switch codec {
    case .none: return nil
    case .lz4:
      lz4 = UnsafeMutableRawPointer.allocate(byteCount: Int(LZ4_sizeofState()), alignment: 64)
      zstd = nil
    case .zstd:
      lz4 = nil
      zstd = ZSTD_createCCtx()
    }
  }

  deinit {
    lz4?.deallocate()
    ZSTD_freeCCtx(zstd)
  }

  /// Compresses `raw` to the start of `output`, which is at least as long, and returns the compressed length; nil
  /// where that would not save a tenth, or where it was not tried.
  func compress(_ raw: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
    precondition(output.count >= raw.count, "the output has room for the page")
    if skipping > 0 {
      skipping -= 1
      return nil
    }
    // The codecs give up by themselves as soon as the result would be longer than this.
    let limit = raw.count - raw.count / 10 - 1
    if limit > 0, let count = compress(raw, into: output, limit: limit) {
      failures = 0
      pause = Self.shortestPause
      return count
    }
    failures += 1
    if failures >= Self.patience {
      skipping = pause
      pause = min(pause * 2, Self.longestPause)
    }
    return nil
  }

  private func compress(
    _ raw: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, limit: Int
  ) -> Int? {
    if let lz4 {
      let count = LZ4_compress_fast_extState(
        lz4, raw.bindMemory(to: CChar.self).baseAddress, output.bindMemory(to: CChar.self).baseAddress,
        Int32(raw.count), Int32(limit), 1)
      return count > 0 ? Int(count) : nil
    }
    // Without memory for its context the page stays as it is.
    guard let zstd else { return nil }
    let count = ZSTD_compressCCtx(zstd, output.baseAddress, limit, raw.baseAddress, raw.count, Self.zstdLevel)
    return ZSTD_isError(count) == 0 ? count : nil
  }
}

/// Undoes compression. For one thread at a time.
final class PageDecompressor {
  /// Zstandard's working memory, made when the first such page comes.
  private var zstd: OpaquePointer?

  deinit { ZSTD_freeDCtx(zstd) }

  /// Undoes `PageCompressor.compress`; false where `compressed` does not give exactly `output.count` bytes. Safe on any
  /// input. Throws GENERIC_INSUFFICIENT_RESOURCES where there is no memory to work with, which says nothing of the
  /// page.
  func decompress(
    _ compressed: UnsafeRawBufferPointer, _ codec: SpoolCodec, into output: UnsafeMutableRawBufferPointer
  ) throws(WaterbearError) -> Bool {
    switch codec {
    case .none: return false
    case .lz4:
      let count = LZ4_decompress_safe(
        compressed.bindMemory(to: CChar.self).baseAddress, output.bindMemory(to: CChar.self).baseAddress,
        Int32(compressed.count), Int32(output.count))
      return Int(count) == output.count
    case .zstd:
      if zstd == nil { zstd = ZSTD_createDCtx() }
      guard let zstd else {
        throw WaterbearError(
          .genericInsufficientResources, "There is no memory to decompress a page with Zstandard",
          remedy: "Give the service more memory, or run fewer tasks at once.")
      }
      let count = ZSTD_decompressDCtx(
        zstd, output.baseAddress, output.count, compressed.baseAddress, compressed.count)
      return ZSTD_isError(count) == 0 && count == output.count
    }
  }
}
