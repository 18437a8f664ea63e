// Owns the memory of which base directories were marked, and on which file system each of them lay: so that a start
// during an outage does not take the empty mount point for the directory. It must not know how they are marked.
import Base
import Platform
import Synchronization

/// The base directories that were marked before, kept in a small file of the data directory.
///
/// One line for each: the file system as 16 hexadecimal digits, a space, the path. Who has emptied a directory on
/// purpose, or put another disk there, deletes its line.
public final class SpoolMarks: Sendable {
  private static let bytesMax = 1 << 20

  /// Nil: remembered for the life of the process only.
  private let path: String?
  private let marked: Mutex<[String: UInt64]>

  /// Reads the file at `path`, or begins without one. Lines that make no sense are as if they were not there.
  public init(path: String? = nil) throws {
    self.path = path
    let bytes = try path.flatMap { try AtomicFile.read($0, limit: Self.bytesMax) } ?? []
    var found: [String: UInt64] = [:]
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2, let number = UInt64(parts[0], radix: 16) { found[String(parts[1])] = number }
    }
    marked = Mutex(found)
  }

  /// The file system that a directory lay on when it was marked; nil where it never was.
  func fileSystem(of directory: String) -> UInt64? { marked.withLock { $0[directory] } }

  /// Remembers that a directory is marked, safe from a loss of power. Costs nothing where that is known.
  func note(_ directory: String, on fileSystem: UInt64) throws {
    try marked.withLock { marked in
      guard marked[directory] != fileSystem else { return }
      marked[directory] = fileSystem
      try write(marked)
    }
  }

  /// Forgets directories that are the spool's no more. Costs nothing where there are none.
  func forgetAll(but kept: Set<String>) throws {
    try marked.withLock { marked in
      let rest = marked.filter { kept.contains($0.key) }
      guard rest.count < marked.count else { return }
      try write(rest)
      marked = rest
    }
  }

  private func write(_ marked: [String: UInt64]) throws {
    guard let path else { return }
    let lines = marked.sorted { $0.key < $1.key }.map { directory, fileSystem in
      let digits = String(fileSystem, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits + " " + directory + "\n"
    }
    try AtomicFile.write(Array(lines.joined().utf8), to: path, mode: 0o600)
  }
}
