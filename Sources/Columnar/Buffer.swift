// Owns raw memory for vectors: aligned, padded, freed when the last vector lets go of it.

#if canImport(Glibc)
import Glibc
#endif

/// A fixed block of memory, 64-byte aligned and padded to a multiple of 64 bytes so that kernels may read whole lanes.
///
/// Unchecked Sendable: a buffer is written by the one thread that fills it and is read-only once a `Vector` holds it.
public final class Buffer: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  /// Usable bytes, as asked for.
  public let byteCount: Int

  /// Allocates uninitialised memory. Cost: one allocation.
  public init(byteCount: Int) {
    precondition(byteCount >= 0, "a buffer cannot have \(byteCount) bytes")
    self.byteCount = byteCount
    base = UnsafeMutableRawPointer.allocate(byteCount: (byteCount + 127) & ~63, alignment: 64)
  }

  /// Allocates memory filled with zeros.
  public convenience init(zeroed byteCount: Int) {
    self.init(byteCount: byteCount)
    memset(base, 0, (byteCount + 127) & ~63)
  }

  deinit { base.deallocate() }

  /// Room for `count` values of `type`, uninitialised.
  @inlinable
  public convenience init<Element: BitwiseCopyable>(count: Int, of type: Element.Type) {
    self.init(byteCount: count * MemoryLayout<Element>.stride)
  }

  /// The start of the block as values of `type`; valid as long as the buffer lives.
  @inlinable
  @inline(__always)
  public func pointer<Element: BitwiseCopyable>(to type: Element.Type) -> UnsafeMutablePointer<Element> {
    base.assumingMemoryBound(to: type)
  }
}
