// Owns the store's files on disk before SQLite opens them: what their first bytes say, and setting them aside.
// Facts of the format are from sqlite.org/fileformat2.html.
import Base
import Glibc

/// What became of a store that could not be used.
public struct StoreDamage: Sendable, Equatable {
  /// Where the damaged file is now.
  public var setAsideAs: String
  public var reason: String
}

/// The paths of a store and the checks that need no SQLite.
struct StoreFile {
  /// What the first look at the files tells.
  enum Look: Equatable {
    /// No file yet, or one in which nothing was ever committed.
    case fresh
    /// Plausible. `wasClean`: the last process closed it, so its contents need no check.
    case usable(wasClean: Bool)
    /// A format that only a newer release knows.
    case newer
    case damaged(String)
  }

  let path: String
  var walPath: String { path + "-wal" }
  /// Exists while contents are under suspicion: SQLite reported damage to the process before.
  var suspectPath: String { path + "-suspect" }

  /// Brings the write-ahead log to the disk. What is not in it any more was brought there before it was taken out.
  func syncLog() throws {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    // The directory as well: the log may have been made a moment ago.
    for name in [walPath, directory.isEmpty ? "/" : directory] {
      let number = open(name, O_RDONLY | O_CLOEXEC)
      // Without a log everything is in the database.
      if number < 0 && errno == ENOENT { continue }
      guard number >= 0 else { throw Self.failure("cannot open \(name)", errno) }
      defer { close(number) }
      guard fsync(number) == 0 else { throw Self.failure("cannot sync \(name)", errno) }
    }
  }

  private static func failure(_ what: String, _ number: Int32) -> WaterbearError {
    WaterbearError(.taskStoreFailed, "\(what): \(String(cString: strerror(number)))")
  }

  func look() throws -> Look {
    let size = Self.size(path)
    guard size > 0 else {
      // Without its database a log of changes means nothing.
      return Self.size(walPath) > 0 ? .damaged("there is a write-ahead log, but no database to it") : .fresh
    }
    let header = try readHeader()
    guard header.count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
      return .damaged("the file does not begin like a database")
    }
    let wasClean = Self.size(walPath) <= 0 && !isSuspect
    let application = Int32(bitPattern: Self.bigEndian(header, 68))
    let pages = Int64(Self.bigEndian(header, 28))
    // Until the first checkpoint the identification is in the write-ahead log only.
    guard application == StoreSchema.applicationID || (application == 0 && (!wasClean || pages <= 1)) else {
      return .damaged("the file is a database of another program")
    }
    let version = Int32(bitPattern: Self.bigEndian(header, 60))
    if version > StoreSchema.version { return .newer }
    if wasClean {
      let pageSize = Int64(header[16]) << 8 | Int64(header[17])
      // 1 stands for 65536.
      guard size >= pages * (pageSize == 1 ? 65536 : pageSize) else {
        return .damaged("the file is shorter than its \(pages) pages")
      }
    }
    return .usable(wasClean: wasClean)
  }

  /// Makes an empty file that only its owner may read, since it will hold the text of queries. SQLite gives its other
  /// files the same mode.
  func create() throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.unusable(path, "cannot be made", errno) }
    close(descriptor)
  }

  /// Renames the database and its log, so that both can still be examined together.
  func setAside(reason: String, time: String) throws -> StoreDamage {
    var target = "\(path).damaged-\(time)"
    // Never over one that was set aside within the same second.
    while Self.size(target) >= 0 || Self.size(target + "-wal") >= 0 { target += "-again" }
    // There may be a log without a database.
    guard rename(path, target) == 0 || errno == ENOENT else {
      throw Self.unusable(path, "cannot be set aside", errno)
    }
    // The shared-memory file is rebuilt by SQLite; it and the mark may be missing, so results are not looked at.
    rename(walPath, target + "-wal")
    unlink(path + "-shm")
    unlink(suspectPath)
    return StoreDamage(setAsideAs: target, reason: reason)
  }

  var isSuspect: Bool { Self.size(suspectPath) >= 0 }

  /// Makes the next start check the contents.
  func markSuspect() {
    let descriptor = open(suspectPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor >= 0 { close(descriptor) }
  }

  func clearSuspect() { unlink(suspectPath) }

  private func readHeader() throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.unusable(path, "cannot be opened", errno) }
    defer { close(descriptor) }
    var header = [UInt8](repeating: 0, count: 100)
    let count = header.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else { throw Self.unusable(path, "cannot be read", errno) }
    return Array(header[..<count])
  }

  /// The file's length; -1 where there is none.
  private static func size(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : -1
  }

  private static func bigEndian(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  static func unusable(_ path: String, _ what: String, _ code: Int32) -> WaterbearError {
    WaterbearError(
      .taskStoreFailed, "The task store \(path) \(what): \(String(cString: strerror(code)))",
      remedy: "Make its directory, let the user the daemon runs as write there, and see that the disk has room.")
  }
}
