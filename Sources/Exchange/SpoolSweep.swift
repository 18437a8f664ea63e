// Owns the finding and deleting of spool files. It deletes nothing that it did not name itself.
import Base
import Glibc

/// What a removal did. Failures are for the log: what could not be deleted is found by the next sweep.
public struct SpoolRemoval: Sendable {
  public var deleted: [SpoolFile] = []
  public var failures: [FileSystemFailure] = []
  /// Directories of queries that should have gone and hold something still. Where listings may be stale, as on HDFS,
  /// another removal some moments later finds it.
  public var leftDirectories: [String] = []

  public init() {}
}

/// What a sweep leaves alone. Asked again and again, as what was not wanted when the sweep began may be by now.
public protocol SpoolWants {
  /// Which of these queries are live. Those that are not never will be.
  func live(among queries: [QueryID]) throws -> Set<QueryID>

  /// Which of these files, all of live queries, nobody wants at this moment.
  func unwanted(among files: [SpoolFile]) throws -> [SpoolFile]
}

extension SpoolDirectories {
  /// All spool files in a base directory.
  public func list(_ directory: String) throws(FileSystemFailure) -> [SpoolFile] {
    var files: [SpoolFile] = []
    for query in try queries(in: directory) { files += try self.files(of: query, in: directory) }
    return files
  }

  /// Deletes what a crash has left in a base directory: every file of a query that is not live; a thorough sweep also
  /// those files of live queries that are not wanted. That is asked when it is known what there is, which may take long
  /// to find out, and right before each few files are deleted, which may take long, too.
  ///
  /// A directory whose marker is missing is left alone and adds to `failures`. Throws where the marker names another
  /// owner, and what `wants` throws.
  public func sweep(
    _ directory: String, isThorough: Bool = false, wants: some SpoolWants
  ) throws -> SpoolRemoval {
    var removal = SpoolRemoval()
    do {
      guard try checkMarker(in: directory) else {
        removal.failures.append(Self.markerMissing(directory))
        return removal
      }
      try sweepProbes(in: directory, &removal)
      let found = try queries(in: directory)
      if found.isEmpty { return removal }
      let live = try wants.live(among: found)
      for query in found {
        if !live.contains(query) {
          removeFiles(of: query, in: directory, &removal, removingDirectory: true) { _ in true }
        } else if isThorough {
          try deleteUnwanted(of: query, in: directory, wants, &removal)
        }
      }
    } catch let failure as FileSystemFailure {
      removal.failures.append(failure)
    }
    return removal
  }

  /// Deletes what a base directory has of a query that ended.
  public func removeQuery(_ query: QueryID, in directory: String) -> SpoolRemoval {
    var removal = SpoolRemoval()
    removeFiles(of: query, in: directory, &removal, removingDirectory: true) { _ in true }
    return removal
  }

  /// Deletes what a base directory has of an attempt: what it left unfinished, and with `committed` also its output.
  public func removeAttempt(_ attempt: AttemptID, committed: Bool, in directory: String) -> SpoolRemoval {
    var removal = SpoolRemoval()
    removeFiles(of: attempt.task.stage.query, in: directory, &removal, removingDirectory: false) {
      $0.attempt == attempt && (committed || $0.isTemporary)
    }
    return removal
  }

  /// Deletes committed outputs whose places are known, without listing anything. Gives what failed.
  public func remove(_ locations: [SpoolLocation]) -> [FileSystemFailure] {
    delete(locations.map(\.path)).compactMap { $0 }
  }

  /// Deletes a committed output whose place is known, without listing anything.
  public func remove(_ location: SpoolLocation) throws {
    do {
      try fileSystem.delete(location.path)
    } catch {
      throw error.asWriteError(remedy: "The file is deleted with its query, or by the sweep at the next start.")
    }
  }

  private static func markerMissing(_ directory: String) -> FileSystemFailure {
    FileSystemFailure("find the marker of", directory, FileSystemFailure.missing)
  }

  /// The directories in a base directory that could be queries'.
  private func queries(in directory: String) throws(FileSystemFailure) -> [QueryID] {
    try fileSystem.names(in: directory).filter(SpoolName.isQueryName).map { QueryID($0) }
  }

  /// A query's files in one base directory; none where it has no directory there.
  private func files(of query: QueryID, in directory: String) throws(FileSystemFailure) -> [SpoolFile] {
    do {
      return try fileSystem.names(in: "\(directory)/\(query)").compactMap {
        SpoolName.parse($0, query: query, directory: directory)
      }
    } catch where error.number == FileSystemFailure.missing || error.number == FileSystemFailure.notADirectory {
      return []
    }
  }

  private func deleteUnwanted(
    of query: QueryID, in directory: String, _ wants: some SpoolWants, _ removal: inout SpoolRemoval
  ) throws {
    var rest = try files(of: query, in: directory)[...]
    while !rest.isEmpty {
      delete(try wants.unwanted(among: Array(rest.prefix(parallelism))), &removal)
      rest = rest.dropFirst(parallelism)
    }
  }

  /// Deletes those files of a query that `doomed` names, then its directory if that is wanted and it is empty. What
  /// cannot be deleted keeps nothing else from being deleted.
  private func removeFiles(
    of query: QueryID, in directory: String, _ removal: inout SpoolRemoval, removingDirectory: Bool,
    doomed: (SpoolFile) -> Bool
  ) {
    do throws(FileSystemFailure) {
      let files = try files(of: query, in: directory)
      // A base directory that is gone, for a mount went away, holds nothing now and may hold everything later.
      if files.isEmpty, removingDirectory, try openIfThere("\(directory)/\(SpoolName.marker)") == nil {
        throw Self.markerMissing(directory)
      }
      delete(files.filter(doomed), &removal)
      // An empty directory is ours only if its name can be nothing but a query's.
      guard removingDirectory, !files.isEmpty || SpoolName.isTrinoQueryName(query.text) else { return }
      if try !fileSystem.deleteDirectory("\(directory)/\(query)") {
        removal.leftDirectories.append("\(directory)/\(query)")
      }
    } catch {
      removal.failures.append(error)
    }
  }

  private func delete(_ files: [SpoolFile], _ removal: inout SpoolRemoval) {
    let failures = delete(files.map(\.path))
    removal.deleted += zip(files, failures).compactMap { $1 == nil ? $0 : nil }
    removal.failures += failures.compactMap { $0 }
  }

  /// Deletes files, several at a time where there are many: on a network mount each takes a round trip. Gives what
  /// failed, by place.
  private func delete(_ paths: [String]) -> [FileSystemFailure?] {
    let thread = UInt(pthread_self())
    return ParallelWork.map(
      paths, width: parallelism, around: { [calls] work in calls.help(thread, with: work) }
    ) { [fileSystem] path in
      do throws(FileSystemFailure) {
        try fileSystem.delete(path)
        return nil
      } catch {
        return error
      }
    }
  }

  /// Deletes what a crash during a trial has left, and nothing of trials of this process.
  private func sweepProbes(in directory: String, _ removal: inout SpoolRemoval) throws(FileSystemFailure) {
    for name in try fileSystem.names(in: directory)
    where name.hasPrefix(SpoolName.marker + ".") && name.hasSuffix("." + SpoolName.temporarySuffix)
      && !name.hasPrefix("\(SpoolName.marker).\(unique)-") {
      try fileSystem.delete("\(directory)/\(name)")
    }
  }
}
