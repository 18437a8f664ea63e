// Owns the rows of one attempt on their way into files: one, or one for each partition. Commits nothing.

import Base
import Columnar
import ConnectorAPI

/// Writes an attempt's files into a hidden directory of its own. Used by one thread.
final class FilesPageSink: PageSink {
  private let base: BaseDirectory
  private let intent: WriteIntent
  private let attempt: String
  private let mostPartitions: Int
  private var files: [WrittenFile] = []
  /// Of each file its partition's directory, in the table; empty for the table's own.
  private var places: [String] = []
  private var router: PartitionRouter?

  /// Nothing is made before the first row, or before `finish`.
  init(_ intent: WriteIntent, attempt: AttemptID, mostPartitions: Int, base: BaseDirectory) {
    self.intent = intent
    self.attempt = WriteIntent.plain(attempt.description)
    self.mostPartitions = mostPartitions
    self.base = base
    let partitions = intent.definition.partitions
    router = partitions.isEmpty ? nil : PartitionRouter(partitions)
  }

  var retainedBytes: Int64 {
    var total = 0
    for file in files { total += file.retainedBytes }
    return Int64(total)
  }

  func append(_ batch: Batch) throws {
    guard batch.count > 0 else { return }
    guard let router else {
      if files.isEmpty { try open("") }
      return try files[0].append(batch)
    }
    let fileColumns = Array(0..<intent.definition.columns.count)
    let rows = batch.selectingColumns(fileColumns)
    for part in try router.parts(of: batch, firstColumn: fileColumns.count) {
      if part.partition == files.count {
        guard files.count < mostPartitions else { throw tooManyPartitions() }
        try open(router.directory(of: part.partition))
      }
      try files[part.partition].append(rows.gather(part.rows))
    }
  }

  private func tooManyPartitions() -> WaterbearError {
    WaterbearError(
      .notSupported,
      "One task writes rows of more than \(mostPartitions) partitions of table \(intent.tablePath)",
      remedy: "Write fewer partitions in one statement, ORDER BY or GROUP BY the partition columns so that a task sees "
        + "fewer, or raise \(FilesSettings.mostPartitionsKey) in the catalog file: each takes some megabytes.")
  }

  private func open(_ place: String) throws {
    // An attempt whose number the store has forgotten with the machine's last second may have left files here.
    if files.isEmpty { try base.removeTree(intent.directory(ofAttempt: attempt)) }
    let directory = intent.directory(ofAttempt: attempt) + (place.isEmpty ? "" : "/\(place)")
    try base.makeDirectories(directory)
    let path = "\(directory)/\(attempt).\(intent.fileExtension)"
    files.append(
      try WrittenFile(path, intent.definition, isOneOfMany: router != nil, in: base))
    places.append(place)
  }

  func finish() throws -> [UInt8] {
    for file in files { try file.finish() }
    if !files.isEmpty {
      // From the bottom up to the directory that was there before.
      var directories: [ExactText: String] = [:]
      for place in places {
        var path = intent.directory(ofAttempt: attempt) + (place.isEmpty ? "" : "/\(place)")
        while path.utf8.count >= intent.schemaPath.utf8.count,
          directories.updateValue(path, forKey: ExactText(path)) == nil
        {
          path = BaseDirectory.split(path).directory
        }
      }
      for (_, path) in directories.sorted(by: { $0.key > $1.key }) { try base.sync(path) }
    }
    let own = intent.directory(ofAttempt: attempt) + "/"
    let only = files.count == 1 ? files[0].path.rest(behind: own).map { String($0) } : nil
    return try BinaryEncoder.encode(AttemptOutput(attempt: attempt, files: files.count, onlyFile: only))
  }

  func abort() {
    files = []
    // What cannot be removed now is removed when the write ends.
    try? base.removeTree(intent.directory(ofAttempt: attempt))
  }
}
