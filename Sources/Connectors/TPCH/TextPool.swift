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

  /// Addresses of retained `TextBlock`s; 0 where there is none yet.
  private let blocks: UnsafeMutablePointer<Atomic<UInt>>
  private let blockCount = (TextPool.size + TextBlock.span - 1) / TextBlock.span
  private let checkpoints = TextCheckpoints.all

  init() {
    blocks = .allocate(capacity: blockCount)
    for index in 0..<blockCount { (blocks + index).initialize(to: Atomic(0)) }
  }

  deinit {
    for index in 0..<blockCount {
      if let address = UnsafeRawPointer(bitPattern: blocks[index].load(ordering: .acquiring)) {
        Unmanaged<TextBlock>.fromOpaque(address).release()
      }
    }
    blocks.deinitialize(count: blockCount)
    blocks.deallocate()
  }

  /// Copies `count` bytes from `offset` on to `target`, which has room for `Grammar.slot` more.
  @inline(__always)
  func copy(_ target: UnsafeMutablePointer<UInt8>, offset: Int, count: Int, grammar: Grammar) {
    // Tokens bring the blank before them, the text begins without one: it lies one byte further on.
    let place = offset &+ 1
    let block = place / TextBlock.span
    var address = blocks[block].load(ordering: .acquiring)
    if address == 0 { address = make(block) }
    // The address came from a retained block that lives as long as the pool.
    let pointer = UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped
    Unmanaged<TextBlock>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
      $0.copy(target, offset: place % TextBlock.span, count: count, grammar: grammar)
    }
  }

  /// Makes a block and publishes it; where another thread was faster, its block is taken.
  @inline(never)
  private func make(_ index: Int) -> UInt {
    let block = Unmanaged.passRetained(TextBlock(from: checkpoints[index]))
    let address = UInt(bitPattern: block.toOpaque())
    let (published, known) = blocks[index].compareExchange(
      expected: 0, desired: address, ordering: .acquiringAndReleasing)
    if published { return address }
    block.release()
    return known
  }
}
