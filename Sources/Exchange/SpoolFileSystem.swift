// Owns what the spool asks of a place that stores files, so that object stores can follow local disks.
// It must not know the format of a spool file.
import Base
import Glibc

/// Where spool files are kept. Files are written front to back, closed, renamed once and never changed.
///
/// Nothing else is asked for: no memory maps, locks, hard links, truncation or writes in the middle, so NFS and FUSE
/// mounts serve as well as local disks.
public protocol SpoolFileSystem: Sendable {
  /// Makes a directory that only its owner may enter. No error where it exists.
  func makeDirectory(_ path: String) throws(FileSystemFailure)
  /// Makes a new file; EEXIST where there is one already.
  func create(_ path: String) throws(FileSystemFailure) -> any SpoolFileSink
  /// Gives a closed file its final name, in one step.
  func rename(_ path: String, to target: String) throws(FileSystemFailure)
  /// Makes earlier renames in `directory` outlive a power cut.
  func syncDirectory(_ directory: String) throws(FileSystemFailure)
  /// Opens a file for reading.
  func open(_ path: String) throws(FileSystemFailure) -> any SpoolFileSource
  /// The names in a directory, in no order.
  func names(in directory: String) throws(FileSystemFailure) -> [String]
  /// Deletes a file; no error where there is none.
  func delete(_ path: String) throws(FileSystemFailure)
  /// What is known of the file system that a directory lies on.
  func volume(of directory: String) throws(FileSystemFailure) -> SpoolVolume
  /// Which directory this is, whatever it is called, and which lie above it, up to the root.
  func lineage(of directory: String) throws(FileSystemFailure) -> [FileIdentity]
  /// Deletes an empty directory. Whether there is none any more: false where it is not empty.
  func deleteDirectory(_ path: String) throws(FileSystemFailure) -> Bool
}

/// A file being written. It is closed when the last reference goes, at the latest.
public protocol SpoolFileSink: AnyObject {
  /// Appends all of `bytes`.
  func append(_ bytes: UnsafeRawBufferPointer) throws(FileSystemFailure)
  /// Makes what was appended outlive a power cut.
  func sync() throws(FileSystemFailure)
  /// Closes the file; network file systems report late write errors here.
  func close() throws(FileSystemFailure)
}

/// A file open for reading. It is closed when the last reference goes.
public protocol SpoolFileSource: AnyObject {
  /// The file's length.
  func byteCount() throws(FileSystemFailure) -> Int64
  /// Lets the next reads come from where the file is stored, as far as the system can do that, and not from memory.
  func forgetCached()
  /// Reads from `offset` until `buffer` is full or the file ends; returns how many bytes were read.
  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemFailure) -> Int
}

/// A file operation that the operating system refused.
public struct FileSystemFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb: `write`.
  public var operation: String
  public var path: String
  /// The operating system's error number, or one of those below.
  public var number: Int32

  public init(_ operation: String, _ path: String, _ number: Int32) {
    self.operation = operation
    self.path = path
    self.number = number
  }

  /// The error number in words. (glibc's strerror keeps its text per thread.)
  public var reason: String {
    switch number {
    case Self.noAnswer, Self.tooLate: "the file system does not answer"
    case Self.tooSlow: "the file system takes too long"
    case Self.mountGone:
      "it has no marker, and another file system lies there than where it was marked: its mount is gone (if the disk "
        + "was replaced on purpose, delete the directory's line from spool-marks in the data directory, and restart)"
    default: String(cString: strerror(number))
    }
  }

  public var description: String { "Cannot \(operation) \(path): \(reason)" }

  /// The call was not made, as others have not returned. No error number of the operating system's.
  public static let noAnswer: Int32 = -1
  /// The call was made and has not returned in time: whoever made it was given up. No error number either.
  public static let tooLate: Int32 = -3
  /// The call was to find out whether a directory takes files, and has not returned in time. No error number either.
  static let tooSlow: Int32 = -4
  /// A directory that was marked has no marker, and lies on another file system. No error number either.
  static let mountGone: Int32 = -2
  /// No such file or directory.
  static let missing = ENOENT
  static let notADirectory = ENOTDIR

  /// Whether this process lacks something, so that another directory would not help.
  var isOwnShortage: Bool { number == EMFILE || number == ENFILE || number == ENOMEM }

  /// Whether the file is at fault rather than the directory: it is larger than the file system or the process may make
  /// one, or its name is not one that is allowed there. Other files may do.
  var isFaultOfFile: Bool { number == EFBIG || number == ENAMETOOLONG || number == EINVAL }

  /// Whether the storage is full, broken or away, so that it may work again without a change of the configuration.
  var isTransient: Bool {
    // Numbers below 0 are ours: the mount hangs, or is gone.
    isFull || number < 0 || [EIO, ESTALE, EROFS, ENOTCONN, ETIMEDOUT, EHOSTDOWN, ENODEV, ENXIO].contains(number)
  }

  /// Whether the directory does not answer, so that nothing more is asked of it.
  var isSilence: Bool { number == Self.noAnswer || number == Self.tooLate }

  /// Whether the disk or a quota is full.
  var isFull: Bool { number == ENOSPC || number == EDQUOT }

  /// The failure to write as an error that lets the task run again: SPOOL_UNAVAILABLE where the directory is at fault,
  /// else GENERIC_INSUFFICIENT_RESOURCES. `remedy` is for faults of the directory or the process.
  func asWriteError(remedy: String) -> WaterbearError {
    let isOfDirectory = !isOwnShortage && !isFaultOfFile
    let code: ErrorCode = isOfDirectory ? .spoolUnavailable : .genericInsufficientResources
    let ofFile = "Let tasks be smaller, raise the limit of file sizes for the service (LimitFSIZE), or use another "
      + "file system: an output is one file."
    return WaterbearError(code, description, remedy: isFaultOfFile ? ofFile : remedy)
  }
}
