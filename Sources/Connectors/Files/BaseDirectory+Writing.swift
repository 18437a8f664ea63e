// Owns changes below the base directory: making, renaming and removing, durable where it is said. Resolves every parent
// as reading does, so nothing outside can be changed. Knows no tables.

import Base
import Glibc
import Platform

/// What is about to be changed, for tests that fail or die at such a point.
enum DirectoryChange: Hashable, Sendable {
  case makeDirectory(String)
  case create(String)
  case rename(String, to: String)
  case remove(String)
  case sync(String)

  /// What a script of crashes calls it.
  var step: String {
    switch self {
    case .makeDirectory: "make-directory"
    case .create: "create"
    case .rename: "rename"
    case .remove: "remove"
    case .sync: "sync"
    }
  }
}

extension BaseDirectory {
  private static let directoryMode: mode_t = 0o755
  private static let fileMode: mode_t = 0o644

  /// Whether something has this name, whatever it is.
  func exists(_ path: String) throws -> Bool { try status(of: path) != nil }

  /// What the system says of whatever has this name, links not followed; nil where nothing has it.
  func status(of path: String) throws -> stat? {
    let (parent, name) = Self.split(path)
    guard let directory = try openIfPresent(parent, BaseDirectory.pinning | O_DIRECTORY) else { return nil }
    var status = stat()
    if fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    let number = errno
    guard number == ENOENT || number == ENOTDIR else { throw failure("cannot look for", path, number) }
    return nil
  }

  /// The file system on which something lies that is there, links followed.
  func device(of path: String) throws -> dev_t {
    let opened = try open(path, BaseDirectory.pinning)
    var status = stat()
    guard fstat(opened.number, &status) == 0 else { throw failure("cannot look at", path, errno) }
    return status.st_dev
  }

  /// Makes a directory and those above it, as far as they are missing. Not durable before `sync`.
  func makeDirectories(_ path: String) throws {
    var made = ""
    for name in path.parts(between: "/") {
      let parent = made
      made = made.isEmpty ? String(name) : "\(made)/\(name)"
      if try openIfPresent(made, BaseDirectory.pinning | O_DIRECTORY) != nil { continue }
      let directory = try open(parent, BaseDirectory.pinning | O_DIRECTORY)
      try willChange(.makeDirectory(made))
      guard mkdirat(directory.number, String(name), Self.directoryMode) == 0 || errno == EEXIST else {
        throw changeFailure("cannot make", made, errno)
      }
    }
  }

  /// Makes a file in a directory that is there. `isNew`: it is an error if there is one; else that loses its content.
  func create(_ path: String, isNew: Bool) throws -> OwnedDescriptor {
    let (parent, name) = Self.split(path)
    let directory = try open(parent, BaseDirectory.pinning | O_DIRECTORY)
    try willChange(.create(path))
    let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (isNew ? O_EXCL : O_TRUNC)
    let number = SystemCall.retrying { openat(directory.number, name, flags, Self.fileMode) }
    guard number >= 0 else { throw changeFailure("cannot make", path, errno) }
    return OwnedDescriptor(adopting: number)
  }

  /// Writes all bytes to a file that `create` made; errors name `path`.
  func write(_ bytes: UnsafeRawBufferPointer, to file: OwnedDescriptor, of path: String) throws {
    var rest = bytes[...]
    while rest.count > 0 {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = SystemCall.retrying { Glibc.write(file.number, part.baseAddress, part.count) }
      guard count >= 0 else { throw changeFailure("cannot write to", path, errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Makes the content of a file durable; errors name `path`.
  func sync(_ file: OwnedDescriptor, of path: String) throws {
    guard fsync(file.number) == 0 else { throw changeFailure("cannot sync", path, errno) }
  }

  /// Renames within the base directory; false where `target` is there and cannot be replaced: a file by a directory, a
  /// directory by a file, or a directory that is not empty. Links are renamed, not followed. Not durable before `sync`.
  func rename(_ source: String, to target: String) throws -> Bool {
    let (sourceParent, sourceName) = Self.split(source)
    let (targetParent, targetName) = Self.split(target)
    let from = try open(sourceParent, BaseDirectory.pinning | O_DIRECTORY)
    let to = try open(targetParent, BaseDirectory.pinning | O_DIRECTORY)
    try willChange(.rename(source, to: target))
    if renameat(from.number, sourceName, to.number, targetName) == 0 { return true }
    let number = errno
    if [EEXIST, ENOTEMPTY, ENOTDIR, EISDIR].contains(number) { return false }
    throw changeFailure("cannot rename \(source) to", target, number)
  }

  /// Makes the names in a directory durable.
  func sync(_ path: String) throws {
    let directory = try open(path, O_RDONLY | O_DIRECTORY)
    try willChange(.sync(path))
    guard fsync(directory.number) == 0 else { throw changeFailure("cannot sync", path, errno) }
  }

  /// Removes a file, a link or a directory with all that is in it; nothing to remove is fine. What appears in it
  /// meanwhile may stay.
  func removeTree(_ path: String) throws {
    let (parent, name) = Self.split(path)
    guard let directory = try openIfPresent(parent, BaseDirectory.pinning | O_DIRECTORY) else { return }
    try remove(RawName(bytes: Array(name.utf8CString)), path: path, in: directory)
  }

  private func remove(_ name: RawName, path: String, in parent: OwnedDescriptor) throws {
    var status = stat()
    guard fstatat(parent.number, name.bytes, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return }
      throw changeFailure("cannot remove", path, errno)
    }
    let isDirectory = status.st_mode & S_IFMT == S_IFDIR
    if isDirectory {
      let number = openat(parent.number, name.bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard number >= 0 else {
        if errno == ENOENT { return }
        throw changeFailure("cannot remove", path, errno)
      }
      let directory = OwnedDescriptor(adopting: number)
      for child in try names(in: directory, of: path) {
        try remove(child, path: "\(path)/\(child.shown)", in: directory)
      }
    }
    try willChange(.remove(path))
    guard unlinkat(parent.number, name.bytes, isDirectory ? AT_REMOVEDIR : 0) == 0 else {
      // Another one was faster, or a late writer put something into it, which is removed when it has ended.
      if errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST { return }
      throw changeFailure("cannot remove", path, errno)
    }
  }

  /// Directory and last name of a path.
  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    return (String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
  }

  func willChange(_ change: DirectoryChange) throws { try onChange?(change) }

  /// The error of a system call that changes `path`.
  func changeFailure(_ what: String, _ path: String, _ number: Int32) -> WaterbearError {
    let remedy: String? =
      switch number {
      case EACCES, EPERM: "Let the user that runs waterbeard write to that directory."
      case EROFS: "The file system is mounted read-only."
      case ENOSPC: "Free space in files.base-directory \(self.path)."
      case EDQUOT: "Free space in files.base-directory \(self.path), or raise the quota."
      case ENAMETOOLONG: "A name has at most 255 bytes; values of partition columns become names."
      default: nil
      }
    // What is too long for a name stays too long.
    let code: ErrorCode = number == ENAMETOOLONG ? .notSupported : .filesFilesystemError
    return SystemCall.failure("\(what) \(path)", number, code: code, remedy: remedy)
  }
}
