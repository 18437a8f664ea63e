// Owns what all readers of one attempt have in common: the key, the file system, when to stop, and how long to wait for
// a directory that is away.

import Base
import Exchange
import Sealing

/// How an attempt reads spool files.
struct SpoolAccess: Sendable {
  /// So long a reader waits for a base directory that is away before it takes the file for lost. A mount that blinks is
  /// back within seconds, and what lies in it is worth more than that. Longer than the coordinator waits, which then
  /// has all that lies there made again at once, and blames no task.
  static let patience = TimeSpan.seconds(15)

  /// The query's; nil where its spool is not encrypted.
  let key: SealingKey?
  var fileSystem: any SpoolFileSystem = LocalFileSystem()
  var patience = Self.patience
  /// Whether the attempt is to end.
  var isStopped: @Sendable () -> Bool = { false }
  /// Whether a base directory does not answer, so that no call on it is made.
  var isSilent: @Sendable (String) -> Bool = { _ in false }
  /// Told of a base directory that is away.
  var noteAway: @Sendable (String) -> Void = { _ in }

  func open(_ output: SpoolOutput, buffers: SpoolReadBuffers) throws -> SpoolReader {
    try SpoolReader(output.location, key: key, fileSystem: fileSystem, buffers: buffers)
  }

  /// Whether the base directory of an output is away as a whole, as a mount that has gone.
  func isAway(_ output: SpoolOutput) -> Bool { fileSystem.isSpoolAway(output.location.directory) }

  /// Whether an error says that the file is gone or damaged, rather than that it could not be read just now.
  static func isLoss(_ error: any Error) -> Bool { WaterbearError.wrapping(error).code == .exchangeDataUnrecoverable }

  /// Whether this process lacks descriptors or memory, which says nothing about the file.
  static func isOwnShortage(_ error: any Error) -> Bool {
    WaterbearError.wrapping(error).code == .genericInsufficientResources
  }
}
