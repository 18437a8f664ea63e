// Owns the spool's system calls. It must not know the format or the names of spool files.
import Glibc
import Platform

/// Files on a mounted file system, through plain POSIX calls.
public struct LocalFileSystem: SpoolFileSystem {
  public init() {}

  public func makeDirectory(_ path: String) throws(FileSystemFailure) {
    guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
    throw FileSystemFailure("make directory", path, errno)
  }

  public func create(_ path: String) throws(FileSystemFailure) -> any SpoolFileSink {
    LocalSink(descriptor: try open("create", path, O_WRONLY | O_CREAT | O_EXCL), path: path)
  }

  public func rename(_ path: String, to target: String) throws(FileSystemFailure) {
    guard Glibc.rename(path, target) == 0 else { throw FileSystemFailure("rename", path, errno) }
  }

  public func syncDirectory(_ directory: String) throws(FileSystemFailure) {
    let descriptor = try open("open", directory, O_RDONLY | O_DIRECTORY)
    let number = fsync(descriptor) == 0 ? 0 : errno
    Glibc.close(descriptor)
    // Some network file systems cannot sync a directory and need not.
    guard number == 0 || number == EINVAL || number == ENOTSUP else {
      throw FileSystemFailure("sync", directory, number)
    }
  }

  public func open(_ path: String) throws(FileSystemFailure) -> any SpoolFileSource {
    LocalSource(descriptor: try open("open", path, O_RDONLY), path: path)
  }

  public func names(in directory: String) throws(FileSystemFailure) -> [String] {
    guard let stream = opendir(directory) else { throw FileSystemFailure("list", directory, errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw FileSystemFailure("list", directory, errno) }
    return names
  }

  public func volume(of directory: String) throws(FileSystemFailure) -> SpoolVolume {
    var status = stat()
    var space = statvfs()
    guard stat(directory, &status) == 0, statvfs(directory, &space) == 0,
      let identity = FileSystemIdentity.number(of: directory)
    else { throw FileSystemFailure("inspect", directory, errno) }
    let unit = max(1, Int64(clamping: space.f_frsize))
    let bytes = { (blocks: UInt) in min(Int64(clamping: blocks), Int64.max / unit) * unit }
    return SpoolVolume(
      totalBytes: bytes(space.f_blocks), freeBytes: bytes(space.f_bavail), device: UInt64(status.st_dev),
      fileSystem: identity)
  }

  /// O_PATH, a Linux extension that Swift's Glibc does not show: opens a directory that need not be readable.
  private static let pinning: Int32 = 0o10_000_000

  public func lineage(of directory: String) throws(FileSystemFailure) -> [FileIdentity] {
    var descriptor = try open("inspect", directory, Self.pinning | O_DIRECTORY)
    defer { Glibc.close(descriptor) }
    var found: [FileIdentity] = []
    var status = stat()
    while true {
      guard fstat(descriptor, &status) == 0 else { throw FileSystemFailure("inspect", directory, errno) }
      let identity = FileIdentity(device: UInt64(status.st_dev), file: UInt64(status.st_ino))
      // Above the root is the root.
      if found.last == identity { return found }
      found.append(identity)
      let above = openat(descriptor, "..", Self.pinning | O_DIRECTORY | O_CLOEXEC)
      if above < 0, errno == EACCES, stat("/", &status) == 0 {
        // What lies between is not for us to know, but it ends there.
        return found + [FileIdentity(device: UInt64(status.st_dev), file: UInt64(status.st_ino))]
      }
      guard above >= 0 else { throw FileSystemFailure("inspect what is above", directory, errno) }
      Glibc.close(descriptor)
      descriptor = above
    }
  }

  public func delete(_ path: String) throws(FileSystemFailure) {
    guard unlink(path) != 0, errno != ENOENT else { return }
    throw FileSystemFailure("delete", path, errno)
  }

  public func deleteDirectory(_ path: String) throws(FileSystemFailure) -> Bool {
    if rmdir(path) == 0 || errno == ENOENT { return true }
    if errno == ENOTEMPTY || errno == EEXIST { return false }
    throw FileSystemFailure("delete", path, errno)
  }

  private func open(_ operation: String, _ path: String, _ flags: Int32) throws(FileSystemFailure) -> Int32 {
    while true {
      let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
      if descriptor >= 0 { return descriptor }
      if errno != EINTR { throw FileSystemFailure(operation, path, errno) }
    }
  }
}

/// A file being written with write(2).
private final class LocalSink: SpoolFileSink {
  /// -1 once closed.
  private var descriptor: Int32
  private let path: String

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  func append(_ bytes: UnsafeRawBufferPointer) throws(FileSystemFailure) {
    var rest = bytes
    while let start = rest.baseAddress, rest.count > 0 {
      let written = write(descriptor, start, rest.count)
      if written > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      } else if written == 0 {
        // Never seen on a file; without this it would be an endless loop.
        throw FileSystemFailure("write", path, EIO)
      } else if errno != EINTR {
        throw FileSystemFailure("write", path, errno)
      }
    }
  }

  func sync() throws(FileSystemFailure) {
    guard fdatasync(descriptor) == 0 else { throw FileSystemFailure("sync", path, errno) }
  }

  func close() throws(FileSystemFailure) {
    let closing = descriptor
    descriptor = -1
    // After EINTR, Linux has closed the descriptor all the same.
    guard Glibc.close(closing) == 0 || errno == EINTR else { throw FileSystemFailure("close", path, errno) }
  }
}

/// A file being read with pread(2).
private final class LocalSource: SpoolFileSource {
  private let descriptor: Int32
  private let path: String

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { Glibc.close(descriptor) }

  func byteCount() throws(FileSystemFailure) -> Int64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileSystemFailure("inspect", path, errno) }
    return Int64(status.st_size)
  }

  func forgetCached() {
    // Advice, and only for what has reached the disk; where it is not taken, a read shows less.
    _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
  }

  func read(
    at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemFailure) -> Int {
    guard let start = buffer.baseAddress else { return 0 }
    var count = 0
    while count < buffer.count {
      let got = pread(descriptor, start + count, buffer.count - count, off_t(offset) + off_t(count))
      if got == 0 { break }
      if got > 0 { count += got } else if errno != EINTR { throw FileSystemFailure("read", path, errno) }
    }
    return count
  }
}
