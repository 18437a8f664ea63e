// Owns the choice of whether a page is worth compressing, and LZ4's working memory.
import CLZ4

/// Compresses pages with LZ4 and stops trying for a while where the data does not shrink. For one thread at a time.
final class PageCompressor {
  /// So many pages in a row that do not shrink, and the next ones are not tried.
  private static let patience = 4
  private static let shortestPause = 8
  private static let longestPause = 64

  private let state: UnsafeMutableRawPointer
  private var failures = 0
  private var pause = shortestPause
  /// Pages left that are stored as they are, untried.
  private var skipping = 0

  init() {
    state = UnsafeMutableRawPointer.allocate(byteCount: Int(LZ4_sizeofState()), alignment: 64)
  }

  deinit { state.deallocate() }

  /// Compresses `raw` to the start of `output`, which is at least as long, and returns the compressed length; nil
  /// where that would not save a tenth, or where it was not tried.
  func compress(_ raw: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
    precondition(output.count >= raw.count, "the output has room for the page")
    if skipping > 0 {
      skipping -= 1
      return nil
    }
    // LZ4 gives up by itself as soon as the result would be longer than this.
    let limit = raw.count - raw.count / 10 - 1
    if limit > 0 {
      let count = LZ4_compress_fast_extState(
        state, raw.bindMemory(to: CChar.self).baseAddress, output.bindMemory(to: CChar.self).baseAddress,
        Int32(raw.count), Int32(limit), 1)
      if count > 0 {
        failures = 0
        pause = Self.shortestPause
        return Int(count)
      }
    }
    failures += 1
    if failures >= Self.patience {
      skipping = pause
      pause = min(pause * 2, Self.longestPause)
    }
    return nil
  }

  /// Undoes `compress`; false where `compressed` does not give exactly `output.count` bytes. Safe on any input.
  static func decompress(_ compressed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
    let count = LZ4_decompress_safe(
      compressed.bindMemory(to: CChar.self).baseAddress, output.bindMemory(to: CChar.self).baseAddress,
      Int32(compressed.count), Int32(output.count))
    return Int(count) == output.count
  }
}
