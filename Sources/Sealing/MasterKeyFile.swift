// Owns the file that holds the master key: its length, its mode, and how it comes into being.
// It must not know what is sealed under the key.
import Base
import Glibc

/// The file with the data directory's master key: 32 bytes, readable by its owner alone.
///
/// Whoever has the file can open every query key in the task store. Who deletes it loses the queries in flight.
public enum MasterKeyFile {
  /// The key in the file at `path`. Where there is no such file, a new random key is written first: to a temporary
  /// file, synced, then put in place in one step, so that a crash leaves a whole key or none; of two processes that
  /// do so at once both get the same key.
  ///
  /// Throws where the file may be read by others, has another length, or cannot be read or made.
  public static func loadOrCreate(_ path: String) throws -> SealingKey {
    if let key = try load(path) { return key }
    try create(path)
    if let key = try load(path) { return key }
    throw WaterbearError(
      .configurationInvalid, "The master key file \(path) vanished while it was made",
      remedy: "See that nothing else deletes files in its directory, then start again.")
  }

  /// The key in an existing file; nil where there is none.
  static func load(_ path: String) throws -> SealingKey? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    if descriptor < 0 {
      let number = errno
      if number == ENOENT { return nil }
      throw failure("open", path, number)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("inspect", path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WaterbearError(
        .configurationInvalid, "The master key file \(path) is not a regular file",
        remedy: "Move it away; a new key is made at the next start.")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw WaterbearError(
        .configurationInvalid,
        "The master key file \(path) may be read or written by others "
          + "(mode 0\(String(status.st_mode & 0o777, radix: 8)))",
        remedy: "If nobody else has read it: chmod 600 \(path)")
    }
    return try read(descriptor, path)
  }

  private static func read(_ descriptor: Int32, _ path: String) throws -> SealingKey {
    // One byte more than a key, so that a file that is too long is seen.
    var bytes = [UInt8](repeating: 0, count: SealingKey.byteCount + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
      }
      if got == 0 { break }
      if got > 0 { count += got } else if errno != EINTR { throw failure("read", path, errno) }
    }
    guard count == SealingKey.byteCount else {
      let found = count > SealingKey.byteCount ? "more" : "\(count)"
      throw WaterbearError(
        .configurationInvalid,
        "The master key file \(path) should hold \(SealingKey.byteCount) bytes, but holds \(found)",
        remedy: "Restore it from a copy; without it move it away, and queries in flight are lost.")
    }
    return try SealingKey(bytes: Array(bytes.prefix(SealingKey.byteCount)))
  }

  /// Puts a new key in place, unless a file is there by then.
  private static func create(_ path: String) throws {
    let suffix = try RandomBytes.make(8).map { String($0, radix: 16) }.joined()
    let temporary = "\(path).tmp-\(suffix)"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create", temporary, errno) }
    defer {
      close(descriptor)
      unlink(temporary)
    }
    // The umask may have taken bits away, never added any; the owner's are needed.
    guard fchmod(descriptor, 0o600) == 0 else { throw failure("set the mode of", temporary, errno) }
    try write(SealingKey.random().bytes, descriptor, temporary)
    guard fsync(descriptor) == 0 else { throw failure("sync", temporary, errno) }
    // link(2) and not rename(2): it never replaces a key that another process put there a moment ago.
    guard link(temporary, path) == 0 || errno == EEXIST else { throw failure("put in place", path, errno) }
    try syncDirectory(of: path)
  }

  private static func write(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      }
      if count >= 0 { written += count } else if errno != EINTR { throw failure("write", path, errno) }
    }
  }

  private static func syncDirectory(of path: String) throws {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", directory, errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("sync", directory, errno) }
  }

  private static func failure(_ action: String, _ path: String, _ number: Int32) -> WaterbearError {
    // glibc's strerror keeps its text per thread.
    let reason = String(cString: strerror(number))
    return WaterbearError(
      .configurationInvalid, "Cannot \(action) \(path) for the master key: \(reason)",
      remedy: "Let the account that runs Waterbear own the directory and write to it.")
  }
}
