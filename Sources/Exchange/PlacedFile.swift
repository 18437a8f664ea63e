// Owns the life of a file between its creation under a temporary name and its commit or removal.
import Base
import Glibc

/// A spool file that is being written in one base directory.
struct PlacedFile {
  let fileSystem: any SpoolFileSystem
  /// The base directory.
  let directory: String
  /// Its place among the base directories.
  let position: Int
  let attempt: AttemptID
  let temporaryPath: String
  let sink: any SpoolFileSink

  /// Makes the file, and the query's directory where it is missing. A base directory that is missing is not made, and
  /// one without its marker is not used: it may be a mount that is gone.
  init(
    _ attempt: AttemptID, in directory: String, position: Int, unique: String, fileSystem: any SpoolFileSystem
  ) throws(FileSystemFailure) {
    let queryDirectory = directory + "/" + attempt.task.stage.query.text
    self.fileSystem = fileSystem
    self.directory = directory
    self.position = position
    self.attempt = attempt
    temporaryPath = queryDirectory + "/" + SpoolName.temporary(attempt, unique: unique)
    do {
      sink = try fileSystem.create(temporaryPath)
    } catch where error.number == FileSystemFailure.missing {
      _ = try fileSystem.open(directory + "/" + SpoolName.marker)
      try fileSystem.makeDirectory(queryDirectory)
      sink = try fileSystem.create(temporaryPath)
    }
  }

  /// Closes the file, of `fileBytes`, and gives it its final name. After an error there is no committed file.
  func commit(fileBytes: Int, sync: SpoolSync) throws(FileSystemFailure) {
    if sync == .data { try sink.sync() }
    try sink.close()
    try fileSystem.waitUntilVisible(temporaryPath, fileBytes: fileBytes)
    let path = directory + "/" + SpoolName.relativePath(of: attempt)
    try fileSystem.rename(temporaryPath, to: path)
    guard sync == .data else { return }
    do {
      try fileSystem.syncDirectory(directory + "/" + attempt.task.stage.query.text)
    } catch {
      // The failure to sync is the one to report; a file that stays is found by the next sweep.
      try? fileSystem.delete(path)
      throw error
    }
  }

  /// Deletes the file. What cannot be deleted now is found by the next sweep.
  func discard() {
    // The writer has a failure of its own to report, or none at all; the sweep tries again.
    try? fileSystem.delete(temporaryPath)
  }
}

extension SpoolFileSystem {
  /// Some mounts (HDFS) show a file's length only some moments after it was closed, and a reader takes a file of
  /// another length for damaged. So the length counts that a reader would see. One that stays wrong was not written as
  /// asked.
  func waitUntilVisible(_ path: String, fileBytes: Int) throws(FileSystemFailure) {
    // Doubled from the first to the last: two seconds in all.
    let longest: UInt32 = 1_024_000
    var pause: UInt32 = 1000
    while try open(path).byteCount() != Int64(fileBytes) {
      guard pause <= longest else { throw FileSystemFailure("find all \(fileBytes) bytes of", path, EIO) }
      usleep(pause)
      pause *= 2
    }
  }
}
