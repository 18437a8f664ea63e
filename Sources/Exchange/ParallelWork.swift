// Owns doing many small waits at once: operations on files that each take a round trip to a server.
// It must not know what the operations are.
import Base
import Dispatch
import Platform
import Synchronization

/// Work spread over threads that end with it.
enum ParallelWork {
  /// An item that takes longer than this waits for a network or a disk; then a thread for each is worth its start. On a
  /// local disk each takes microseconds.
  private static let slowItem = TimeSpan(nanoseconds: 500_000)
  private static let stackBytes = 256 << 10

  private final class Progress<Item: Sendable, Result: Sendable>: Sendable {
    let items: [Item]
    let body: @Sendable (Item) -> Result
    let next = Atomic<Int>(0)
    let results: Mutex<[Result?]>

    init(_ items: [Item], _ body: @escaping @Sendable (Item) -> Result) {
      self.items = items
      self.body = body
      results = Mutex(Array(repeating: nil, count: items.count))
    }

    /// How many items nobody has taken yet.
    var rest: Int { max(0, items.count - next.load(ordering: .relaxed)) }

    /// Does one item that nobody has taken; false where there is none.
    func workOnce() -> Bool {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < items.count else { return false }
      let result = body(items[index])
      results.withLock { $0[index] = result }
      return true
    }
  }

  /// Applies `body` to all items and returns when all are done: on this thread, and as soon as an item turns out to be
  /// slow on up to `width` threads at a time, this one among them. What each of the others does is called in `around`.
  static func map<Item: Sendable, Result: Sendable>(
    _ items: [Item], width: Int, around: @escaping @Sendable (() -> Void) -> Void = { $0() },
    _ body: @escaping @Sendable (Item) -> Result
  ) -> [Result] {
    let progress = Progress<Item, Result>(items, body)
    let others = DispatchGroup()
    var isSpread = false
    var start = SystemClock.monotonic()
    while progress.workOnce() {
      let now = SystemClock.monotonic()
      if !isSpread, now - start > slowItem {
        isSpread = true
        spread(progress, over: min(width - 1, progress.rest), others, around)
      }
      start = now
    }
    others.wait()
    // Every place was filled by whoever took it, and all have ended.
    return progress.results.withLock { $0.map { $0! } }
  }

  private static func spread<Item: Sendable, Result: Sendable>(
    _ progress: Progress<Item, Result>, over count: Int, _ group: DispatchGroup,
    _ around: @escaping @Sendable (() -> Void) -> Void
  ) {
    for _ in 0..<max(0, count) {
      group.enter()
      do {
        try NamedThread.start("spool files", stackBytes: stackBytes) {
          around { while progress.workOnce() {} }
          group.leave()
        }
      } catch {
        // With fewer threads it takes longer, that is all.
        group.leave()
        return
      }
    }
  }
}
