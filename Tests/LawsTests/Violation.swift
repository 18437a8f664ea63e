// Owns how a broken law is told.
import Testing

/// A place in the source tree where a law is broken.
struct Violation: Hashable, CustomStringConvertible {
  let path: String
  /// From 1; 0 where the whole file is meant.
  let line: Int
  let message: String

  var description: String { line == 0 ? "\(path): \(message)" : "\(path):\(line): \(message)" }
}

/// Fails the running test with one line per violation.
func expectNone(_ found: [Violation], sourceLocation: SourceLocation = #_sourceLocation) {
  guard !found.isEmpty else { return }
  let text = found.map(\.description).sorted().joined(separator: "\n")
  Issue.record("\(found.count) violations:\n\(text)", sourceLocation: sourceLocation)
}
