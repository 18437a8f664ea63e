// Owns the commit of a write: gathering the files of selected attempts, and the one rename that shows them. Repeatable
// after a crash between any two of its steps. Removes nothing.

import Base
import Columnar
import ConnectorAPI
import Glibc
import Platform

/// One commit.
///
/// Files are first moved into one hidden directory, then made visible at once: a new table as a whole directory, the
/// rows of an INSERT as one file or as one directory in the table's. Whether that was done is told by what is visible:
/// its name, or the definition in it, names the query.
struct TableCommit {
  private let intent: WriteIntent
  private let outputs: [AttemptOutput]
  /// For messages.
  private let name: String
  private let finder: TableFinder
  private let base: BaseDirectory
  private let fileCount: Int

  init(_ intent: WriteIntent, outputs: [AttemptOutput], name: String, finder: TableFinder) {
    self.intent = intent
    self.outputs = outputs
    self.name = name
    self.finder = finder
    base = finder.base
    fileCount = outputs.reduce(0) { $0 + $1.files }
  }

  /// Makes the outputs visible. TABLE_ALREADY_EXISTS or TABLE_NOT_FOUND is a refusal: nothing was.
  func run() throws { if intent.isNew { try create() } else { try insert() } }

  // MARK: CREATE

  private func create() throws {
    if try isCreated() { return }
    try gather()
    if fileCount == 0 && intent.definition.partitions.isEmpty { try writeFileWithoutRows() }
    try writeDefinition()
    try base.sync(intent.gathered)
    guard try base.rename(intent.gathered, to: intent.tablePath) else {
      // Whoever was faster, it was not this write.
      throw alreadyExists()
    }
    try base.sync(intent.schemaPath)
  }

  /// Whether an earlier try has made the table.
  private func isCreated() throws -> Bool {
    guard let entry = try finder.entries(named: BaseDirectory.split(intent.tablePath).name, in: intent.schemaPath).first
    else { return false }
    guard entry.kind == .directory, try TableDefinition.read(of: entry.path, in: base)?.query == intent.definition.query
    else { throw alreadyExists() }
    try base.sync(intent.schemaPath)
    return true
  }

  private func alreadyExists() -> WaterbearError {
    WaterbearError(
      .tableAlreadyExists, "Table '\(name)' was made by somebody else while its rows were written",
      remedy: "Drop one of them.")
  }

  private var fileWithoutRows: String { "\(intent.query)-empty.\(intent.fileExtension)" }

  /// So that programs that know nothing of definitions see the columns too.
  private func writeFileWithoutRows() throws {
    let path = "\(intent.gathered)/\(fileWithoutRows)"
    try WrittenFile(path, intent.definition, isNew: false, in: base).finish()
  }

  private func writeDefinition() throws {
    let path = "\(intent.gathered)/\(TableDefinition.fileName)"
    let file = try base.create(path, isNew: false)
    try BinaryEncoder.encode(intent.definition).withUnsafeBytes { try base.write($0, to: file, of: path) }
    try base.sync(file, of: path)
  }

  // MARK: INSERT

  private func insert() throws {
    guard fileCount > 0 else { return }
    let only = fileCount == 1 ? outputs.first { $0.files == 1 }?.onlyFile : nil
    let target = only.map { "\(intent.tablePath)/\($0)" } ?? intent.insertedDirectory
    let parent = BaseDirectory.split(target).directory
    if try base.exists(target) { return try base.sync(parent) }
    try checkTable()
    try gather()
    if only != nil, parent != intent.tablePath {
      try base.makeDirectories(parent)
      try syncUp(from: parent, to: intent.tablePath)
    }
    let source = only.map { "\(intent.gathered)/\($0)" } ?? intent.gathered
    guard try base.rename(source, to: target) else {
      throw WaterbearError(.filesFilesystemError, "\(target) is there already, but is not what this statement wrote")
    }
    try base.sync(parent)
  }

  private func checkTable() throws {
    guard try base.openIfPresent(intent.tablePath, BaseDirectory.pinning | O_DIRECTORY) != nil,
      try TableDefinition.read(of: intent.tablePath, in: base)?.query == intent.creator
    else {
      throw WaterbearError(
        .tableNotFound, "Table '\(name)' was dropped while rows for it were written", remedy: "Make it again.")
    }
  }

  // MARK: Gathering

  /// Moves the files of the selected attempts into one directory and makes their names durable. Files that an earlier
  /// try has moved are found there.
  private func gather() throws {
    try base.makeDirectories(intent.gathered)
    var places: Set = [ExactText("")]
    for output in outputs where output.files > 0 {
      for file in try files(in: intent.directory(ofAttempt: output.attempt)) {
        let place = BaseDirectory.split(file).directory
        if places.insert(ExactText(place)).inserted { try base.makeDirectories("\(intent.gathered)/\(place)") }
        let source = "\(intent.directory(ofAttempt: output.attempt))/\(file)"
        guard try base.rename(source, to: "\(intent.gathered)/\(file)") else {
          throw WaterbearError(.filesFilesystemError, "cannot rename \(source): a directory has its new name")
        }
      }
    }
    let gathered = try files(in: intent.gathered).filter { $0 != fileWithoutRows }
    guard gathered.count == fileCount else {
      throw WaterbearError(
        .filesFilesystemError,
        "\(gathered.count) of the \(fileCount) files written for table '\(name)' are there",
        remedy: "Somebody has removed others below \(intent.staging); run the statement again.")
    }
    var synced: Set<ExactText> = []
    for place in gathered.map({ BaseDirectory.split("\(intent.gathered)/\($0)").directory })
    where synced.insert(ExactText(place)).inserted {
      try syncUp(from: place, to: intent.gathered)
    }
    try base.sync(intent.staging)
  }

  /// All files below a directory, relative to it, without hidden ones; none where there is no such directory.
  private func files(in directory: String) throws -> [String] {
    var found: [String] = []
    for entry in try base.entries(of: directory) ?? [] {
      switch entry.kind {
      case .file: found.append(entry.name)
      case .directory: found += try files(in: entry.path).map { "\(entry.name)/\($0)" }
      case .outside: break
      }
    }
    return found
  }

  private func syncUp(from directory: String, to last: String) throws {
    var path = directory
    while path.utf8.count > last.utf8.count {
      try base.sync(path)
      path = BaseDirectory.split(path).directory
    }
    try base.sync(last)
  }
}
