// Owns finding the known name that a misspelt one most likely means.

enum EditDistance {
  /// Insertions, deletions and replacements that turn one text into the other, by UTF-8 bytes.
  static func between(_ left: String, _ right: String) -> Int {
    let target = Array(right.utf8)
    var row = Array(0...target.count)
    for (index, byte) in left.utf8.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in target.indices {
        let replaced = diagonal + (byte == target[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[target.count]
  }

  /// The known name nearest to `name`, or nil where none is near enough to be meant (a third of its length).
  static func nearest(to name: String, among known: [String]) -> String? {
    let lower = String(name.prefix(200)).lowercased()
    let best = known.map { (name: $0, distance: between(lower, $0.lowercased())) }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let best, best.distance <= max(2, lower.utf8.count / 3) else { return nil }
    return best.name
  }

  /// The nearest known name as the end of a message, or nothing.
  static func hint(for name: String, among known: [String]) -> String {
    nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
  }
}
