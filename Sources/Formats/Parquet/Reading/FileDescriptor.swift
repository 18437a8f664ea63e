// Owns an open file: its descriptor, size and name, and reading from it. Knows nothing of what it holds.

import Base
import Columnar
import Glibc

/// A file that is open for reading, closed with the last reference. Reads carry their own position, so that threads may
/// share it.
final class FileDescriptor: Sendable {
  let name: String
  let byteCount: Int64
  private let number: Int32

  /// Opens `path`. FILES_FILESYSTEM_ERROR where the system refuses.
  convenience init(path: String) throws {
    var number: Int32 = -1
    repeat { number = open(path, O_RDONLY | O_CLOEXEC) } while number < 0 && errno == EINTR
    guard number >= 0 else { throw Self.failure("cannot open \(path)", errno) }
    try self.init(adopting: number, name: path)
  }

  /// Takes over an open descriptor. It is closed also where this fails.
  init(adopting number: Int32, name: String) throws {
    var status = stat()
    guard fstat(number, &status) == 0 else {
      let reason = errno
      close(number)
      throw Self.failure("cannot look at \(name)", reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(number)
      throw WaterbearError(.filesFilesystemError, "\(name) is no regular file")
    }
    self.number = number
    self.name = name
    byteCount = Int64(status.st_size)
  }

  deinit { close(number) }

  /// Reads `count` bytes at `offset` into fresh memory. FILES_BAD_DATA where the file ends before.
  func read(at offset: Int64, count: Int) throws -> Buffer {
    let buffer = Buffer(byteCount: count)
    try read(at: offset, into: UnsafeMutableRawBufferPointer(start: buffer.base, count: count))
    return buffer
  }

  /// Fills `target` with the bytes at `offset`.
  func read(at offset: Int64, into target: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < target.count {
      let count = pread(number, target.baseAddress! + done, target.count - done, off_t(offset) + done)
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.failure("cannot read \(name) at offset \(offset + Int64(done))", errno)
      }
      guard count > 0 else {
        throw damaged("the file ends where \(target.count - done) more bytes belong", at: offset + Int64(done))
      }
      done += count
    }
  }

  /// The error for bytes that are not what the format demands.
  func damaged(_ what: String, at offset: Int64, column: String? = nil) -> WaterbearError {
    let place = column.map { ", column '\($0)'" } ?? ""
    return WaterbearError(
      .filesBadData, "\(name), offset \(offset)\(place): \(what)",
      remedy: "write the file anew, or move it out of the table's directory")
  }

  /// The error for damage that was found at `offset`.
  func error(_ damage: Damage, at offset: Int64, column: String? = nil) -> WaterbearError {
    guard damage.isUnsupported else { return damaged(damage.what, at: offset, column: column) }
    let place = column.map { ", column '\($0)'" } ?? ""
    return WaterbearError(
      .notSupported, "\(name), offset \(offset)\(place): \(damage.what) cannot be read",
      remedy: "write the file with another setting, or leave the column out")
  }

  private static func failure(_ what: String, _ number: Int32) -> WaterbearError {
    let scarce = [EMFILE, ENFILE, ENOMEM].contains(number)
    return WaterbearError(
      scarce ? .genericInsufficientResources : .filesFilesystemError,
      "\(what): \(String(cString: strerror(number)))")
  }
}
