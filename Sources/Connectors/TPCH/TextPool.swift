// Owns the benchmark's 300 MB of comment text, shared by all scans of a process and made a block at a time when first
// read. Knows the text's blocks, not its grammar.

import Columnar
import Synchronization

/// The pool. Blocks stay until the pool goes; all of them take about 55 MB.
///
/// Unchecked Sendable: `blocks` is allocated once and its elements are atomic.
final class TextPool: @unchecked Sendable {
  /// Bytes of text, as in the kit.
  static let size = 300 << 20

  private static let current = Mutex<TextPool?>(nil)

  /// The process's pool. A scan holds it while it runs.
  static var shared: TextPool {
    current.withLock { pool in
      if let pool { return pool }
      let made = TextPool()
      pool = made
      return made
    }
  }

  /// Lets go of the process's pool; its memory is freed when the last scan that uses it ends.
  static func release() { current.withLock { $0 = nil } }

  /// Addresses of blocks; 0 where there is none yet.
  private let blocks: UnsafeMutablePointer<Atomic<UInt>>
  private let blockCount = (TextPool.size + TextBlock.span - 1) / TextBlock.span
  private let checkpoints = TextCheckpoints.all

  init() {
    blocks = .allocate(capacity: blockCount)
    for index in 0..<blockCount { (blocks + index).initialize(to: Atomic(0)) }
  }

  deinit {
    for index in 0..<blockCount {
      let address = blocks[index].load(ordering: .acquiring)
      if let base = UnsafeMutableRawPointer(bitPattern: address) { TextBlock(base: base).free() }
    }
    blocks.deinitialize(count: blockCount)
    blocks.deallocate()
  }

  /// Where to start reading at `offset`; good as long as the pool lives.
  @inline(__always)
  func place(_ offset: Int) -> TextBlock.Place {
    // Tokens bring the blank before them, the text begins without one: it lies one byte further on.
    let place = offset &+ 1
    let index = place / TextBlock.span
    var address = blocks[index].load(ordering: .acquiring)
    if address == 0 { address = make(index) }
    // The address is that of a block, checked above.
    let base = UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    return TextBlock(base: base).place(place % TextBlock.span)
  }

  /// Makes a block and publishes it; where another thread was faster, its block is taken.
  @inline(never)
  private func make(_ index: Int) -> UInt {
    let block = TextBlock.make(from: checkpoints[index]).block
    let address = UInt(bitPattern: block.base)
    let (published, known) = blocks[index].compareExchange(
      expected: 0, desired: address, ordering: .acquiringAndReleasing)
    if published { return address }
    block.free()
    return known
  }
}
