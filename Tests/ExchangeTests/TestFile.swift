// Owns reading and damaging whole files for tests.
import Glibc
import Testing

/// Whole files, for tests that damage them.
enum TestFile {
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    try #require(descriptor >= 0, "\(path) cannot be opened")
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = Glibc.read(descriptor, &part, part.count), count > 0 { bytes += part[..<count] }
    return bytes
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0, "\(path) cannot be written")
    defer { close(descriptor) }
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
  }

  /// Changes one byte in place.
  static func overwrite(_ byte: UInt8, at position: Int, of path: String) throws {
    let descriptor = open(path, O_WRONLY)
    try #require(descriptor >= 0, "\(path) cannot be written")
    defer { close(descriptor) }
    try #require(pwrite(descriptor, [byte], 1, position) == 1)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
