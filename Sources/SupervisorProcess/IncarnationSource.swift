// Owns the numbers that tell a process from its predecessors in the same place, also across restarts of the daemon.
import Base
import Platform

/// Gives out strictly growing numbers. The file holds a number that none has reached, so one write serves a block.
struct IncarnationSource {
  private static let block: UInt64 = 1 << 20

  private let path: String
  private var last: UInt64
  private var reserved: UInt64
  /// Why the file cannot be relied on, for the log; nil where all is well.
  private(set) var problem: String?

  /// Goes on after the number in the file and never below the wall clock, so a lost file does no harm unless the clock
  /// was set back as well.
  init(path: String, wallMicroseconds: Int64) {
    self.path = path
    var stored: UInt64 = 0
    do {
      if let bytes = try AtomicFile.read(path, limit: 64) {
        let text = String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }
        if let number = UInt64(text), number < .max / 2 { stored = number } else { problem = "\(path) is damaged" }
      }
    } catch {
      problem = "\(error)"
    }
    last = max(stored, UInt64(max(0, wallMicroseconds)))
    reserved = last
  }

  mutating func next() -> UInt64 {
    last += 1
    if last > reserved { reserve() }
    return last
  }

  /// A disk that is full must not keep the daemon from starting: then the clock alone keeps the numbers growing.
  private mutating func reserve() {
    reserved = last + Self.block
    do {
      try AtomicFile.write("\(reserved)\n".utf8, to: path, mode: 0o640)
    } catch {
      problem = "\(error)"
    }
  }
}
