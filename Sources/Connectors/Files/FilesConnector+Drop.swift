// Owns the end of a table: which one a statement means, hiding it by one rename, and removing what is hidden.

import Base
import ConnectorAPI
import Glibc

/// The payload of a drop's handle.
struct DropIntent: Hashable, Codable, Sendable {
  var query: String
  /// The schema's directory, relative to the base directory.
  var schemaPath: String
  /// The table's directory or file.
  var path: String
  var identity: TableIdentity

  /// Where the table is hidden, in the schema's directory. As the name is the statement's, and goes only when its end
  /// has been noted, it tells whoever repeats the drop that it was done.
  var hidden: String { "\(schemaPath)/\(Self.hiddenPrefix)\(query)" }
  static let hiddenPrefix = WriteIntent.hiddenPrefix + "drop-"

  init(query: QueryID, schemaPath: String, path: String, identity: TableIdentity) {
    self.query = WriteIntent.plain(query.text)
    self.schemaPath = schemaPath
    self.path = path
    self.identity = identity
  }

  /// Reads a handle's payload; GENERIC_INTERNAL_ERROR for one that `beginDrop` has not made.
  init(payload: [UInt8]) throws {
    do {
      self = try BinaryDecoder.decode(DropIntent.self, from: payload)
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "The handle of a drop is none of the files connector", code: .genericInternalError)
    }
  }
}

/// What tells a table from another one of the same name.
struct TableIdentity: Hashable, Codable, Sendable {
  /// The query that made it, where its directory says so. Then nothing else counts: a copy is the same table.
  var creator: String?
  /// Of its directory or file; zero beside a creator.
  var device: UInt64 = 0
  var inode: UInt64 = 0
}

extension FilesConnector {
  public func beginDrop(_ table: TableHandle, query: QueryID) throws -> TableHandle {
    let layout = try TableLayout(payload: table.payload)
    guard let schemaPath = try finder.directory(ofSchema: table.schema), let identity = try identity(of: layout.path)
    else { throw Self.notFound(table) }
    guard try base.device(of: layout.path) == base.device(of: schemaPath) else {
      throw WaterbearError(
        .notSupported,
        "Table '\(table.schema).\(table.name)' cannot be dropped: \(layout.path) is on another file system than its "
          + "schema",
        remedy: "Unmount it.")
    }
    let intent = DropIntent(query: query, schemaPath: schemaPath, path: layout.path, identity: identity)
    var begun = table
    begun.payload = try BinaryEncoder.encode(intent)
    return begun
  }

  public func drop(_ table: TableHandle) throws {
    let intent = try DropIntent(payload: table.payload)
    if try base.exists(intent.hidden) { return try base.sync(intent.schemaPath) }
    guard try identity(of: intent.path) == intent.identity else { throw Self.notFound(table) }
    guard try base.rename(intent.path, to: intent.hidden) else {
      throw WaterbearError(.filesFilesystemError, "cannot rename \(intent.path) to \(intent.hidden)")
    }
    try base.sync(intent.schemaPath)
  }

  public func finishDrop(_ table: TableHandle) throws {
    try base.removeTree(try DropIntent(payload: table.payload).hidden)
  }

  /// Nil where nothing has the name.
  private func identity(of path: String) throws -> TableIdentity? {
    guard let status = try base.status(of: path) else { return nil }
    if status.st_mode & S_IFMT == S_IFDIR, let definition = try TableDefinition.read(of: path, in: base) {
      return TableIdentity(creator: definition.query)
    }
    return TableIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  private static func notFound(_ table: TableHandle) -> WaterbearError {
    WaterbearError(.tableNotFound, "Table '\(table.schema).\(table.name)' does not exist")
  }
}
