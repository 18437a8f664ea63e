// Owns finding the last lines of a log that lies in several files, without reading what is not needed.
import Base
import Glibc
import Platform

/// The log's files: the one that is written, and older ones with `.1`, `.2` and so on behind its name.
struct LogTail {
  static let chunkBytes = 256 << 10

  private let path: String

  init(_ path: String) { self.path = path }

  /// The last `limit` lines (nil: all) that `isWanted` takes, oldest first, and how far the newest file was read: what
  /// a follower goes on from. Throws where the newest file cannot be read.
  func lines(limit: Int?, isWanted: ([UInt8]) -> Bool) throws -> (lines: [[UInt8]], file: OpenLog) {
    let newest = try OpenLog(path)
    var found: [[UInt8]] = []
    try collect(newest, end: &newest.position, limit: limit, into: &found, isWanted: isWanted)
    var number = 1
    while limit.map({ found.count < $0 }) ?? true {
      let older: OpenLog
      do {
        older = try OpenLog("\(path).\(number)")
      } catch {
        // The row of old files ends here.
        break
      }
      var end = 0
      try collect(older, end: &end, limit: limit, into: &found, isWanted: isWanted)
      number += 1
    }
    return (found.reversed(), newest)
  }

  /// Walks through a file from its end. `end` becomes the offset behind its last whole line.
  private func collect(
    _ file: OpenLog, end: inout Int, limit: Int?, into found: inout [[UInt8]], isWanted: ([UInt8]) -> Bool
  ) throws {
    var start = try file.size()
    var carried: [UInt8] = []
    var isAtEnd = true
    while start > 0, limit.map({ found.count < $0 }) ?? true || isAtEnd {
      let count = min(Self.chunkBytes, start)
      start -= count
      var bytes = try file.read(at: start, count: count)
      bytes += carried
      if isAtEnd {
        // A line without its end is being written.
        guard let last = bytes.lastIndex(of: 0x0a) else {
          carried = bytes
          continue
        }
        bytes.removeSubrange((last + 1)...)
        end = start + bytes.count
        isAtEnd = false
      }
      var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
      // What is behind the last line feed is empty; what is before the first may be the end of a line.
      if lines.last?.isEmpty == true { lines.removeLast() }
      carried = start > 0 && !lines.isEmpty ? Array(lines.removeFirst()) + [0x0a] : []
      for line in lines.reversed() where !line.isEmpty {
        if let limit, found.count >= limit { return }
        let line = Array(line)
        if isWanted(line) { found.append(line) }
      }
    }
  }
}

/// One file of the log, open. Used by one thread.
final class OpenLog {
  private let descriptor: OwnedDescriptor
  /// Identity of the file, whatever its name becomes.
  let device: dev_t
  let inode: ino_t
  /// How far a follower has read.
  var position = 0

  init(_ path: String) throws {
    descriptor = try OwnedDescriptor.open(path, O_RDONLY)
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else { throw SystemCall.failure("cannot look at \(path)", errno) }
    (device, inode) = (status.st_dev, status.st_ino)
  }

  func size() throws -> Int {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else { throw SystemCall.failure("cannot look at the log", errno) }
    return status.st_size
  }

  /// The bytes at `offset`; fewer where the file ends.
  func read(at offset: Int, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { raw in
        SystemCall.retrying {
          pread(descriptor.number, raw.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
        }
      }
      guard got >= 0 else { throw SystemCall.failure("cannot read the log", errno) }
      guard got > 0 else { break }
      done += got
    }
    bytes.removeSubrange(done...)
    return bytes
  }
}
