// Owns finding schemas, tables and their files below the base directory. Looks at names, sizes and times; the only
// content it reads are the first bytes of a file whose name tells no format.

import Base
import Columnar
import Glibc
import Platform

/// Looks names up in directories. Each call looks anew.
struct TableFinder: Sendable {
  let base: BaseDirectory

  /// Directories deeper than this below a table are taken for a mistake.
  private static let deepest = 32
  /// A table has at most this many files.
  private static let mostFiles = 200_000

  /// Schemas: the directories in the base directory, in lower case.
  func schemaNames() throws -> [String] {
    let entries = try base.entries(of: "", onlyText: true) ?? []
    let names = entries.filter { $0.kind == .directory }.map { $0.name.lowercased() }
    return Set(names).sorted()
  }

  /// Tables of a schema, in lower case; nil where there is no such schema.
  func tableNames(in schema: String) throws -> [String]? {
    guard let directory = try directory(ofSchema: schema),
      let entries = try base.entries(of: directory, onlyText: true)
    else { return nil }
    return Set(entries.compactMap(Self.tableName)).sorted()
  }

  /// The files of a table; nil where there is no such schema or table. FILES_BAD_DATA where names contradict each
  /// other.
  func files(schema: String, table: String) throws -> FileList? {
    guard Self.isPlain(table), let directory = try directory(ofSchema: schema) else { return nil }
    let found = try entries(named: table, in: directory)
    guard let entry = found.first else { return nil }
    if let other = found.dropFirst().first {
      throw WaterbearError(
        .filesBadData, "Table '\(schema).\(table)' could be \(entry.path) or \(other.path)",
        remedy: "Rename one of them, or put both into a directory \(directory)/\(table).")
    }
    switch entry.kind {
    case .outside:
      // Opening it says why.
      _ = try base.open(entry.path, BaseDirectory.pinning)
      return nil
    case .file:
      let name = FileName(entry.name)
      guard let format = name.format else { return nil }
      let file = DataFile(path: entry.path, version: entry.version, compression: name.compression, partitions: [])
      return FileList(path: entry.path, isDirectory: false, format: format, partitionKeys: [], files: [file])
    case .directory:
      return try list(entry.path)
    }
  }

  /// All that could be a table of this name in a schema's directory.
  func entries(named table: String, in directory: String) throws -> [Entry] {
    try (base.entries(of: directory, onlyText: true) ?? []).filter {
      Self.tableName($0) == table || ($0.kind == .outside && Self.stem($0) == table)
    }
  }

  /// The path of a schema's directory as it is written on disk; nil where there is none.
  func directory(ofSchema schema: String) throws -> String? {
    guard Self.isPlain(schema) else { return nil }
    let entries = try base.entries(of: "", onlyText: true) ?? []
    let found = entries.filter { $0.kind != .file && $0.name.lowercased() == schema }
    // A name in lower case is meant before one that only reads alike.
    guard let entry = found.first(where: { $0.name == schema }) ?? found.first else { return nil }
    if entry.kind == .outside { _ = try base.open(entry.path, BaseDirectory.pinning) }
    return entry.path
  }

  /// Whether a name is that of one visible thing in a directory.
  static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !BaseDirectory.isHidden(name) && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }

  private static func stem(_ entry: Entry) -> String { FileName(entry.name).stem.lowercased() }

  private static func tableName(_ entry: Entry) -> String? {
    switch entry.kind {
    case .directory: return entry.name.lowercased()
    case .file:
      let name = FileName(entry.name)
      return name.format == nil || name.stem.isEmpty ? nil : name.stem.lowercased()
    case .outside: return nil
    }
  }

  // MARK: Directories

  private func list(_ path: String) throws -> FileList {
    var walk = Walk()
    try visit(path, keys: [], values: [], depth: 0, &walk)
    let definition = try TableDefinition.read(of: path, in: base)
    return FileList(
      path: path, isDirectory: true, format: walk.first?.format ?? definition?.format ?? .csv,
      partitionKeys: walk.keys ?? [], files: walk.files, definition: definition)
  }

  /// What a walk through a table's directories has found.
  private struct Walk {
    var files: [DataFile] = []
    var first: (path: String, format: FileFormat)?
    var keys: [String]?
  }

  private func visit(_ path: String, keys: [String], values: [String?], depth: Int, _ walk: inout Walk) throws {
    guard depth <= Self.deepest else {
      throw WaterbearError(
        .filesBadData, "\(path): directories are nested too deeply", remedy: "Look for a loop of links.")
    }
    for entry in try base.entries(of: path) ?? [] {
      switch entry.kind {
      case .outside: _ = try base.open(entry.path, BaseDirectory.pinning)
      case .directory:
        if let part = PartitionName.parse(entry.name) {
          try visit(entry.path, keys: keys + [part.key], values: values + [part.value], depth: depth + 1, &walk)
        } else {
          try visit(entry.path, keys: keys, values: values, depth: depth + 1, &walk)
        }
      case .file: try add(entry, keys: keys, values: values, &walk)
      }
    }
  }

  private func add(_ entry: Entry, keys: [String], values: [String?], _ walk: inout Walk) throws {
    let name = FileName(entry.name)
    guard let format = try name.format ?? sniffedFormat(entry) else {
      throw WaterbearError(
        .filesBadData, "\(entry.path): its name does not say in which format it is",
        remedy: "Let it end with \(FileName.knownExtensions), or hide it with a dot in front.")
    }
    if let first = walk.first, first.format != format {
      throw WaterbearError(
        .filesBadData, "\(first.path) is \(first.format.rawValue) and \(entry.path) is \(format.rawValue)",
        remedy: "Files of one table have one format: put them into directories of their own.")
    }
    if let known = walk.keys, known != keys, let first = walk.first {
      throw WaterbearError(
        .filesBadData,
        "\(first.path) is in partitions \(Self.text(known)) and \(entry.path) in \(Self.text(keys))",
        remedy: "All files of a table have the same partition directories, in the same order.")
    }
    guard Set(keys).count == keys.count else {
      throw WaterbearError(
        .filesBadData, "\(entry.path) names a partition column twice", remedy: "Move the file one directory up.")
    }
    guard walk.files.count < Self.mostFiles else {
      throw WaterbearError(
        .notSupported, "The directory of \(entry.path) has more than \(Self.mostFiles) files",
        remedy: "Merge small files into larger ones, some hundred megabytes each.")
    }
    walk.keys = keys
    if walk.first == nil { walk.first = (entry.path, format) }
    walk.files.append(
      DataFile(path: entry.path, version: entry.version, compression: name.compression, partitions: values))
  }

  private static func text(_ keys: [String]) -> String {
    keys.isEmpty ? "without columns" : "of " + keys.joined(separator: ", ")
  }

  /// Writers from the world of Hive give no extensions. Parquet can be told by its first four bytes.
  private func sniffedFormat(_ entry: Entry) throws -> FileFormat? {
    guard !entry.name.contains("."), let file = try base.openIfPresent(entry.path, O_RDONLY) else { return nil }
    var magic: [UInt8] = [0, 0, 0, 0]
    let count = magic.withUnsafeMutableBytes { raw in
      SystemCall.retrying { pread(file.number, raw.baseAddress, raw.count, 0) }
    }
    return count == 4 && magic == Array("PAR1".utf8) ? .parquet : nil
  }
}
