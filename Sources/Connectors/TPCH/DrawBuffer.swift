// Owns scratch memory for draws and the values they become.

/// Room for a fixed number of draws. For one thread.
final class DrawBuffer {
  let draws: UnsafeMutablePointer<UInt32>
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    draws = .allocate(capacity: capacity)
  }

  deinit { draws.deallocate() }

  /// The same memory once its draws have been turned into values.
  @inline(__always)
  var values: UnsafeMutablePointer<Int32> {
    // Both are plain 32-bit integers; the memory is only ever read through one of them at a time.
    UnsafeMutableRawPointer(draws).assumingMemoryBound(to: Int32.self)
  }
}

/// The lanes a scan works in, allocated once for all its batches. For one thread.
final class Scratch {
  private let lanes: [DrawBuffer]

  init(lanes: Int, capacity: Int) { self.lanes = (0..<lanes).map { _ in DrawBuffer(capacity: capacity) } }

  subscript(lane: Int) -> DrawBuffer { lanes[lane] }
}
