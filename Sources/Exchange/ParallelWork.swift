// Owns doing many small waits at once: operations on files that each take a round trip to a server.
// It must not know what the operations are.
import Dispatch
import Platform
import Synchronization

/// Work spread over threads that end with it.
enum ParallelWork {
  /// Fewer items than this per thread are not worth one: on a local disk each takes microseconds.
  private static let itemsPerThread = 8
  private static let stackBytes = 256 << 10

  private final class Progress<Item: Sendable, Result: Sendable>: Sendable {
    let items: [Item]
    let next = Atomic<Int>(0)
    let results: Mutex<[Result?]>

    init(_ items: [Item]) {
      self.items = items
      results = Mutex(Array(repeating: nil, count: items.count))
    }

    func work(_ body: (Item) -> Result) {
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < items.count else { return }
        let result = body(items[index])
        results.withLock { $0[index] = result }
      }
    }
  }

  /// Applies `body` to all items, on up to `width` threads at a time, this one among them. Returns when all are done.
  static func map<Item: Sendable, Result: Sendable>(
    _ items: [Item], width: Int, _ body: @escaping @Sendable (Item) -> Result
  ) -> [Result] {
    let progress = Progress<Item, Result>(items)
    let others = DispatchGroup()
    for _ in 1..<max(1, min(width, items.count / itemsPerThread)) {
      others.enter()
      do {
        try NamedThread.start("spool files", stackBytes: stackBytes) {
          progress.work(body)
          others.leave()
        }
      } catch {
        // With fewer threads it takes longer, that is all.
        others.leave()
        break
      }
    }
    progress.work(body)
    others.wait()
    // Every place was filled by whoever took it, and all have ended.
    return progress.results.withLock { $0.map { $0! } }
  }
}
