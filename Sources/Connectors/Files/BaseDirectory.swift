// Owns the way to files: every name is resolved step by step below one directory and can never lead out of it. Knows no
// tables and no formats.

import Base
import Glibc
import Platform

/// The directory that a catalog may read and write.
///
/// Paths are relative to it, with `/` between names. Each name is opened beneath the descriptor of the one before and
/// symbolic links are followed here and not by the kernel, so a link, `..` or an absolute name that leads out is
/// refused even if somebody changes directories at the same moment.
final class BaseDirectory: Sendable {
  /// As it is configured, absolute.
  let path: String
  /// Called before each change; what it throws comes out of the call that was about to change something. For tests.
  let onChange: (@Sendable (DirectoryChange) throws -> Void)?

  /// CONFIGURATION_INVALID for a path that is not absolute. The directory need not exist yet.
  init(_ path: String, onChange: (@Sendable (DirectoryChange) throws -> Void)? = nil) throws(WaterbearError) {
    guard path.hasPrefix("/") else {
      throw WaterbearError(
        .configurationInvalid, "files.base-directory '\(path)' is not an absolute path",
        remedy: "Write the whole path, beginning with /.")
    }
    self.path = path
    self.onChange = onChange
  }

  /// O_PATH, a Linux extension that Swift's Glibc does not show: opens a name without reading what it stands for.
  static let pinning: Int32 = 0o10_000_000

  /// More links than this in one path are a loop, as for the kernel.
  private static let mostLinks = 40

  /// Opens what `path` names; nil where it does not exist. PERMISSION_DENIED where it leads out of the base directory.
  /// Never waits for the other end of a FIFO.
  func openIfPresent(_ path: String, _ flags: Int32) throws -> OwnedDescriptor? {
    let base = try openBase()
    var directories = [base]
    var pending = Self.names(of: path)
    var links = 0
    while let name = pending.popLast() {
      if name == ".." {
        directories.removeLast()
        if directories.isEmpty { throw outside(path) }
        continue
      }
      let parent = directories[directories.count - 1].number
      let mode = pending.isEmpty ? flags | O_NONBLOCK : BaseDirectory.pinning | O_DIRECTORY
      let number = SystemCall.retrying { openat(parent, String(name), mode | O_NOFOLLOW | O_CLOEXEC) }
      let failure = errno
      if number >= 0 {
        let opened = OwnedDescriptor(adopting: number)
        if !(mode & BaseDirectory.pinning != 0 && Self.isLink(number)) {
          if pending.isEmpty { return opened }
          directories.append(opened)
          continue
        }
      } else if failure == ENOENT {
        return nil
      }
      guard let target = Self.target(ofLink: String(name), in: parent) else {
        if number < 0 && failure == ENOTDIR { return nil }
        throw self.failure("cannot open", path, failure)
      }
      links += 1
      guard links <= Self.mostLinks else { throw self.failure("cannot open", path, ELOOP) }
      if target.utf8.first == UInt8(ascii: "/") {
        guard let rest = pathBelow(target) else { throw outside(path) }
        directories = [base]
        pending += Self.names(of: rest)
      } else {
        pending += Self.names(of: target)
      }
    }
    // The path ended with `..` of a link, or is empty: the directory that was reached.
    let last = directories[directories.count - 1].number
    let number = SystemCall.retrying { openat(last, ".", flags | O_CLOEXEC) }
    guard number >= 0 else { throw failure("cannot open", path, errno) }
    return OwnedDescriptor(adopting: number)
  }

  /// Opens what `path` names; FILES_FILESYSTEM_ERROR where it does not exist.
  func open(_ path: String, _ flags: Int32) throws -> OwnedDescriptor {
    guard let descriptor = try openIfPresent(path, flags) else { throw failure("cannot open", path, ENOENT) }
    return descriptor
  }

  /// What lies in a directory, without hidden names (`.` or `_` first), in the order of names' bytes; nil where there
  /// is no directory of this name. Links count as what they lead to; those that lead out are `.outside`.
  ///
  /// A name that is no UTF-8 is FILES_BAD_DATA, as its rows would be missing; with `onlyText` it is passed over, where
  /// nobody can mean it.
  func entries(of path: String, onlyText: Bool = false) throws -> [Entry]? {
    guard let descriptor = try openIfPresent(path, O_RDONLY | O_DIRECTORY) else { return nil }
    var names: [String] = []
    for name in try self.names(in: descriptor, of: path) where !name.isHidden {
      if let text = name.text {
        names.append(text)
      } else if !onlyText {
        throw WaterbearError(
          .filesBadData, "\(path.isEmpty ? "" : path + "/")\(name.shown): the name is no UTF-8",
          remedy: "Rename it, or hide it with a dot in front.")
      }
    }
    names.sort { ExactText($0) < ExactText($1) }
    return try names.compactMap { try entry($0, of: path, in: descriptor.number) }
  }

  /// The names in an open directory, in no order, without `.` and `..`.
  func names(in descriptor: OwnedDescriptor, of path: String) throws -> [RawName] {
    // A stream owns its descriptor, and its position must be its own.
    let number = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0, let stream = fdopendir(number) else {
      let reason = errno
      if number >= 0 { close(number) }
      throw failure("cannot list", path, reason)
    }
    defer { closedir(stream) }
    var names: [RawName] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw failure("cannot list", path, errno) }
        break
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { start in
          RawName(bytes: Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1)))
        }
      }
      if name.text != "." && name.text != ".." { names.append(name) }
    }
    return names
  }

  /// Whether readers pass over a name: writers put unfinished output under such names.
  static func isHidden(_ name: some StringProtocol) -> Bool {
    name.utf8.first == UInt8(ascii: ".") || name.utf8.first == UInt8(ascii: "_")
  }

  /// Nil for what is neither a file nor a directory, or gone.
  private func entry(_ name: String, of directory: String, in parent: Int32) throws -> Entry? {
    let path = directory.isEmpty ? name : "\(directory)/\(name)"
    var status = stat()
    // A name that vanished since the listing is no longer there.
    guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw failure("cannot read", path, errno)
    }
    if status.st_mode & S_IFMT == S_IFLNK {
      do {
        // A link to nothing is as a file that is gone.
        guard let target = try openIfPresent(path, BaseDirectory.pinning) else { return nil }
        guard fstat(target.number, &status) == 0 else { throw failure("cannot read", path, errno) }
      } catch let error as WaterbearError where error.code == .permissionDenied {
        return Entry(name: name, path: path, kind: .outside, version: FileVersion())
      }
    }
    let kind: Entry.Kind
    switch status.st_mode & S_IFMT {
    case S_IFDIR: kind = .directory
    case S_IFREG: kind = .file
    default: return nil
    }
    return Entry(name: name, path: path, kind: kind, version: FileVersion(status))
  }

  private func openBase() throws -> OwnedDescriptor {
    let number = SystemCall.retrying { Glibc.open(path, BaseDirectory.pinning | O_DIRECTORY | O_CLOEXEC) }
    guard number >= 0 else {
      throw SystemCall.failure(
        "cannot open files.base-directory \(path)", errno, code: .filesFilesystemError,
        remedy: "Make the directory, and let the user that runs waterbeard read it.")
    }
    return OwnedDescriptor(adopting: number)
  }

  /// The part of an absolute path that lies below the base directory, compared after all links of the base are
  /// resolved.
  private func pathBelow(_ absolute: String) -> String? {
    var roots = [path]
    if let resolved = realpath(path, nil) {
      roots.append(String(cString: resolved))
      free(resolved)
    }
    for root in roots {
      if ExactText(absolute) == ExactText(root) { return "" }
      if let rest = absolute.rest(behind: root.hasSuffix("/") ? root : root + "/") { return String(rest) }
    }
    return nil
  }

  private static func names(of path: String) -> [Substring] {
    path.parts(between: "/").filter { $0 != "." }.reversed()
  }

  private static func isLink(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  private static func target(ofLink name: String, in parent: Int32) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlinkat(parent, name, start, Int(PATH_MAX))
      guard count > 0 else { return nil }
      start[count] = 0
      return String(cString: start)
    }
  }

  private func outside(_ path: String) -> WaterbearError {
    WaterbearError(
      .permissionDenied, "\(path) leads out of files.base-directory \(self.path)",
      remedy: "Only what lies below that directory can be read; put the file there instead of a link.")
  }

  /// The error of a system call on `path`.
  func failure(_ what: String, _ path: String, _ number: Int32) -> WaterbearError {
    let remedy = number == EACCES ? "Let the user that runs waterbeard read it." : nil
    return SystemCall.failure("\(what) \(path)", number, code: .filesFilesystemError, remedy: remedy)
  }
}

/// A name in a directory.
struct Entry: Sendable {
  enum Kind: Sendable {
    case file
    case directory
    /// A link that leads out of the base directory.
    case outside
  }

  var name: String
  /// Relative to the base directory.
  var path: String
  var kind: Kind
  var version: FileVersion
}

/// What tells one content of a file from another.
struct FileVersion: Hashable, Codable, Sendable {
  /// Bytes.
  var size: Int64
  /// Seconds since 1970, rounded down. A file system may hold times that do not fit into 64 bits of nanoseconds.
  var seconds: Int64
  /// 0 to 999,999,999.
  var nanoseconds: Int64

  init(size: Int64 = 0, seconds: Int64 = 0, nanoseconds: Int64 = 0) {
    self.size = size
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  init(_ status: stat) {
    size = Int64(status.st_size)
    seconds = Int64(status.st_mtim.tv_sec)
    nanoseconds = Int64(status.st_mtim.tv_nsec)
  }

  /// The modification time in microseconds since 1970, rounded down; the nearest that there is for times further away.
  var modifiedMicroseconds: Int64 {
    let (whole, isTooFar) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, isOver) = whole.addingReportingOverflow(nanoseconds / 1000)
    return isTooFar || isOver ? (seconds < 0 ? .min : .max) : sum
  }
}
