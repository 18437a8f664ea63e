// Owns a first-in-first-out queue on one array.

/// A queue whose operations cost amortised O(1).
struct FIFO<Element> {
  private var items: [Element] = []
  private var head = 0

  var isEmpty: Bool { head == items.count }
  var count: Int { items.count - head }
  var first: Element? { isEmpty ? nil : items[head] }

  /// The element that `index` others are before.
  subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count, "the queue has no element \(index)")
    return items[head + index]
  }

  /// Moves the element that `index` others are before behind all. O(count).
  mutating func moveToEnd(_ index: Int) {
    precondition(index >= 0 && index < count, "the queue has no element \(index)")
    items.append(items.remove(at: head + index))
  }

  mutating func append(_ element: Element) { items.append(element) }

  mutating func removeFirst() {
    precondition(!isEmpty, "the queue is empty")
    head += 1
    // Taken elements stay until they are half of the array, so that each is moved once on average.
    if head > 32, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
  }

  mutating func removeAll() {
    items.removeAll()
    head = 0
  }
}
