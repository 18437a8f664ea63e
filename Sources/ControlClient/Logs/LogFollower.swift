// Owns reading what is appended to a log, across its rotation.
import Base
import Glibc
import Platform

/// Follows the file at a path. When the path leads to another file, the old one is still read for a while: its writers
/// notice the change only with their next line but one.
final class LogFollower {
  /// How long a file that was replaced is read on. Writers look for a new file once a second.
  static let afterlife = TimeSpan.seconds(3)

  private struct Followed {
    let file: OpenLog
    var rest: [UInt8] = []
    var readUntil: MonotonicTime?
  }

  private let path: String
  /// The newest file is the last.
  private var files: [Followed]

  /// - Parameter file: the newest file, whose `position` says where to go on.
  init(_ path: String, from file: OpenLog) {
    self.path = path
    files = [Followed(file: file)]
  }

  /// The whole lines that have come since the last call. Does not wait.
  func newLines() throws -> [[UInt8]] {
    let now = SystemClock.monotonic()
    openReplacement(now)
    var lines: [[UInt8]] = []
    for index in files.indices { lines += try Self.appended(&files[index]) }
    files.removeAll { $0.readUntil.map { $0 < now } ?? false }
    return lines
  }

  private func openReplacement(_ now: MonotonicTime) {
    var status = stat()
    guard let newest = files.last?.file, stat(path, &status) == 0,
      status.st_dev != newest.device || status.st_ino != newest.inode
    else { return }
    do {
      let file = try OpenLog(path)
      files[files.count - 1].readUntil = now + Self.afterlife
      files.append(Followed(file: file))
    } catch {
      // Between the rename and the first line of the new file there is none; the next call looks again.
    }
  }

  private static func appended(_ followed: inout Followed) throws -> [[UInt8]] {
    let file = followed.file
    var lines: [[UInt8]] = []
    // A shorter file was emptied in place.
    if try file.size() < file.position {
      file.position = 0
      followed.rest = []
    }
    while true {
      let bytes = try file.read(at: file.position, count: LogTail.chunkBytes)
      if bytes.isEmpty { return lines }
      file.position += bytes.count
      followed.rest += bytes
      guard let last = followed.rest.lastIndex(of: 0x0a) else { continue }
      lines += followed.rest[..<last].split(separator: 0x0a).map(Array.init)
      followed.rest.removeSubrange(...last)
    }
  }
}
