// Owns the life of a file between its creation under a temporary name and its commit or removal.
import Base

/// A spool file that is being written in one base directory.
struct PlacedFile {
  let fileSystem: any SpoolFileSystem
  /// The base directory.
  let directory: String
  let attempt: AttemptID
  let temporaryPath: String
  let sink: any SpoolFileSink

  /// Makes the file, and the query's directory where it is missing. A base directory that is missing is not made:
  /// it may be a mount that is gone.
  init(
    _ attempt: AttemptID, in directory: String, unique: String, fileSystem: any SpoolFileSystem
  ) throws(FileSystemFailure) {
    let queryDirectory = directory + "/" + attempt.task.stage.query.text
    self.fileSystem = fileSystem
    self.directory = directory
    self.attempt = attempt
    temporaryPath = queryDirectory + "/" + SpoolName.temporary(attempt, unique: unique)
    do {
      sink = try fileSystem.create(temporaryPath)
    } catch where error.number == FileSystemFailure.missing {
      try fileSystem.makeDirectory(queryDirectory)
      sink = try fileSystem.create(temporaryPath)
    }
  }

  /// Closes the file and gives it its final name. After an error there is no committed file.
  func commit(sync: SpoolSync) throws(FileSystemFailure) {
    if sync == .data { try sink.sync() }
    try sink.close()
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
