// Owns the description of a table's files: where they are, which content was meant, what their directories say.

import Base
import Glibc
import Platform

/// A file with rows of a table.
struct DataFile: Hashable, Codable, Sendable {
  /// Relative to the base directory.
  var path: String
  var version: FileVersion
  var compression: FileCompression
  /// The values of partition columns as directory names have them; nil is NULL.
  var partitions: [String?]

  /// Opens exactly the content that was meant; FILES_BAD_DATA where the file changed since it was listed.
  func open(in base: BaseDirectory) throws -> OwnedDescriptor {
    guard let descriptor = try base.openIfPresent(path, O_RDONLY) else {
      throw WaterbearError(
        .filesBadData, "\(path) was removed or renamed while the query ran", remedy: Self.changeRemedy)
    }
    try checkUnchanged(descriptor)
    return descriptor
  }

  /// FILES_BAD_DATA where the open file has another size or modification time than when it was listed.
  func checkUnchanged(_ descriptor: OwnedDescriptor) throws {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else {
      throw SystemCall.failure("cannot read \(path)", errno, code: .filesFilesystemError)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WaterbearError(.filesBadData, "\(path) is no regular file", remedy: "Move it away or hide it with a dot.")
    }
    let found = FileVersion(status)
    guard found != version else { return }
    let what = found.size == version.size
      ? "its modification time is another one" : "it has \(found.size) bytes and had \(version.size)"
    throw WaterbearError(
      .filesBadData, "\(path) changed while the query ran: \(what)", remedy: Self.changeRemedy)
  }

  private static let changeRemedy =
    "Run the query again. Whoever replaces files should write them under a hidden name and rename them when complete."
}

/// All files of a table at one moment.
struct FileList: Hashable, Sendable {
  /// The table's directory, or its only file, relative to the base directory.
  var path: String
  var isDirectory: Bool
  var format: FileFormat
  /// Names of the partition columns, outermost first.
  var partitionKeys: [String]
  /// In the order of paths.
  var files: [DataFile]
  /// What the statement that made the table said; nil for files that others put there.
  var definition: TableDefinition?
}
