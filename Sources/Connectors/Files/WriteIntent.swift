// Owns what travels with a write: which table, how its files are written, where attempts put them; and what an attempt
// says of its output. Touches no file.

import Base

/// The payload of a write's handle.
struct WriteIntent: Hashable, Codable, Sendable {
  var query: String
  /// The schema's directory, relative to the base directory.
  var schemaPath: String
  /// The table's directory.
  var tablePath: String
  /// Whether the table is made by this write.
  var isNew: Bool
  /// How files are written; for a new table also what its directory will say.
  var definition: TableDefinition
  /// The query that made the table which rows are added to, where its directory says so.
  var creator: String?

  /// Reads a handle's payload; GENERIC_INTERNAL_ERROR for one that is none of this connector.
  init(payload: [UInt8]) throws {
    do {
      self = try BinaryDecoder.decode(WriteIntent.self, from: payload)
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "A write handle is none of the files connector", code: .genericInternalError)
    }
  }

  init(
    query: QueryID, schemaPath: String, tablePath: String, isNew: Bool, definition: TableDefinition, creator: String?
  ) {
    self.query = Self.plain(query.text)
    self.schemaPath = schemaPath
    self.tablePath = tablePath
    self.isNew = isNew
    self.definition = definition
    self.creator = creator
  }

  /// The hidden directory of all that the write has before it is visible. It is in the schema's directory and not in
  /// the table's, where programs that search directories to the bottom would find its files.
  var staging: String { "\(schemaPath)/\(Self.stagingPrefix)\(query)" }

  /// What will become visible is gathered here.
  var gathered: String { "\(staging)/table" }

  var attempts: String { "\(staging)/attempts" }

  /// Where an attempt puts its files.
  func directory(ofAttempt name: String) -> String { "\(attempts)/\(name)" }

  /// The rows of an INSERT of several files: one directory, which appears at once.
  var insertedDirectory: String { "\(tablePath)/insert-\(query)" }

  /// A part of a file name: what could mean something else in one is replaced.
  static func plain(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" })
  }

  /// Readers pass over names that begin so.
  static let hiddenPrefix = ".waterbear-"
  static let stagingPrefix = hiddenPrefix + "write-"

  /// The extensions of written files.
  var fileExtension: String {
    let format = definition.format
    let packing = definition.compression.ofFile(format).fileExtension
    return format.fileExtension + (packing.map { "." + $0 } ?? "")
  }
}

/// What an attempt that has finished says.
struct AttemptOutput: Hashable, Codable, Sendable {
  /// The name of its directory.
  var attempt: String
  var files: Int
  /// Where its file belongs in the table, if there is just one.
  var onlyFile: String?

  init(attempt: String, files: Int, onlyFile: String?) {
    self.attempt = attempt
    self.files = files
    self.onlyFile = onlyFile
  }

  /// Reads what `finish` gave; GENERIC_INTERNAL_ERROR for anything else.
  init(payload: [UInt8]) throws {
    do {
      self = try BinaryDecoder.decode(AttemptOutput.self, from: payload)
    } catch {
      throw WaterbearError.wrapping(error).asCause(
        of: "An attempt's output is none of the files connector", code: .genericInternalError)
    }
    guard attempt == WriteIntent.plain(attempt), !attempt.isEmpty, files >= 0,
      !(onlyFile ?? "").parts(between: "/").contains("..")
    else {
      throw WaterbearError(.genericInternalError, "An attempt's output names '\(attempt)', which is no attempt")
    }
  }
}
