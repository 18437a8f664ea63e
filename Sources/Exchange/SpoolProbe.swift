// Owns the question whether a base directory works, or works again.
// It must not know when to ask it, nor what follows from the answer.
import Base
import Glibc

/// What a trial of a base directory has shown.
public enum SpoolProbe: Hashable, Sendable {
  case works(SpoolVolume)
  /// Why it is of no use yet.
  case fails(String)
}

/// Whether what lies in a base directory can be reached.
public enum SpoolReach: Hashable, Sendable {
  case there
  /// The directory answers, and is not what it was: its marker cannot be opened, as where a mount has gone.
  case away
  /// It does not answer, or this process lacks descriptors or memory to find out: nothing is known.
  case silent
}

/// What a failure to read a committed output says of the output.
public enum SpoolMiss: Hashable, Sendable {
  /// It is gone or damaged.
  case lost
  /// Nothing yet: its whole base directory is away, as a mount that has gone.
  case away
  /// Nothing: what reads it lacks descriptors or memory.
  case shortage
}

extension SpoolFileSystem {
  /// What an error met while reading `location` says of the output there. May block on the disk.
  public func miss(_ error: WaterbearError, reading location: SpoolLocation) -> SpoolMiss {
    guard error.code == .exchangeDataUnrecoverable else { return .shortage }
    return isSpoolAway(location.directory) ? .away : .lost
  }

  /// Whether a base directory is away as a whole, as a mount that has gone: its marker cannot be opened. A file that is
  /// missing then may be there again when the directory is. False where this process lacks descriptors or memory to
  /// find out. Cost: one file is opened.
  public func isSpoolAway(_ directory: String) -> Bool {
    markerFailure(in: directory).map { !$0.isOwnShortage } ?? false
  }

  /// Whether a base directory can be reached. Cost: one file is opened.
  public func reach(_ directory: String) -> SpoolReach {
    guard let failure = markerFailure(in: directory) else { return .there }
    return failure.isSilence || failure.isOwnShortage ? .silent : .away
  }

  /// Why a base directory's marker cannot be opened; nil where it can.
  private func markerFailure(in directory: String) -> FileSystemFailure? {
    do throws(FileSystemFailure) {
      _ = try open("\(directory)/\(SpoolName.marker)")
      return nil
    } catch {
      return error
    }
  }
}

extension SpoolDirectories {
  /// Written to find out whether writing works.
  private static let probeBytes = 256 << 10

  /// Tries whether a base directory takes files: it must have its marker, `neededBytes` of free space (or half of the
  /// file system, where that is less), take a file of some size, and give it back. Blocks on the disk, for ever on a
  /// dead mount.
  ///
  /// A directory that was emptied or made anew on the same file system is marked again. Where another file system
  /// appears in its place, a mount has gone, and writing there would fill the wrong disk. One that is not configured is
  /// not touched: whatever it could do, it is to take no files.
  public func probe(_ path: String, neededBytes: Int64) -> SpoolProbe {
    guard takesFiles(path) else { return .fails(Self.whyOnlyRead(path)) }
    do {
      if isNew(path) { try prepare(path) }
      // One that did not answer at the start has not been compared with the others.
      try checkPlace(path)
      let volume = try trialFileSystem.volume(of: path)
      if try !checkMarker(in: path, with: trialFileSystem) {
        if let device = device(of: path), device != volume.device {
          return .fails("\(path) has no marker and lies on another file system than before: its mount is gone")
        }
        try prepare(path)
      }
      // It answers, and what lies in it can be read, whether or not it takes anything.
      noteAnswer(of: path, volume)
      let needed = min(neededBytes, volume.totalBytes / 2)
      guard volume.totalBytes == 0 || volume.freeBytes >= needed else {
        return .fails(
          "\(path) has \(DataSize(bytes: volume.freeBytes)) of free space and needs \(DataSize(bytes: needed))")
      }
      try writeProbe(in: path)
      noteDevice(of: path, volume.device)
      return .works(volume)
    } catch let failure as FileSystemFailure {
      return .fails(failure.description)
    } catch {
      return .fails(WaterbearError.wrapping(error).message)
    }
  }

  /// Asks a directory that fell silent whether it answers, whatever the answer is; if so, it may be read from now on.
  /// Whether it takes files is another question. Blocks on the disk, for ever on a dead mount.
  public func askAgain(_ path: String) -> SpoolReach {
    do {
      let volume = try trialFileSystem.volume(of: path)
      // Past the page cache, which answers for a disk that is dead.
      let isMarked = try checkMarker(in: path, with: trialFileSystem, isUncached: true)
      noteAnswer(of: path, volume)
      return isMarked ? .there : .away
    } catch {
      if let failure = error as? FileSystemFailure, failure.isSilence || failure.isOwnShortage { return .silent }
      // A disk that is broken, or another's, answers.
      noteAnswer(of: path, nil)
      return .away
    }
  }

  /// Whether a committed file is where it should be, with its length, and its last bytes can be read. The rest is not
  /// looked at. True where this process lacks descriptors or memory to find out.
  public func isThere(_ location: SpoolLocation) -> Bool {
    do throws(FileSystemFailure) {
      let source = try fileSystem.open(location.path)
      guard try source.byteCount() == Int64(location.fileBytes) else { return false }
      let end = UnsafeMutableRawBufferPointer.allocate(byteCount: min(4, location.fileBytes), alignment: 4)
      defer { end.deallocate() }
      return try source.read(at: Int64(location.fileBytes - end.count), into: end) == end.count
    } catch {
      return error.isOwnShortage
    }
  }

  /// Looks which of these outputs of a base directory are gone; none of them where the directory itself cannot be
  /// reached, which says nothing of them. Cost: opens each file.
  public func search(for locations: [SpoolLocation], in directory: String) -> (lost: [AttemptID], reach: SpoolReach) {
    let reach = fileSystem.reach(directory)
    guard reach == .there else { return ([], reach) }
    let lost = locations.filter { !isThere($0) }.map(\.attempt)
    if lost.isEmpty { return ([], .there) }
    // It may have gone while its files were looked for.
    let reachNow = fileSystem.reach(directory)
    return reachNow == .there ? (lost, .there) : ([], reachNow)
  }

  /// Reports a base directory that was found to be away by who reads in it.
  public func noteAway(_ directory: String) {
    guard let position = knownPaths.firstIndex(of: directory) else { return }
    let number = calls.isRefused(position) ? FileSystemFailure.noAnswer : FileSystemFailure.missing
    setAside(position, FileSystemFailure("find the marker of", directory, number), fileBytes: 0)
  }

  private func writeProbe(in path: String) throws {
    let fileSystem = writeTrialFileSystem
    let probe = "\(path)/\(SpoolName.marker).\(nextUnique()).\(SpoolName.temporarySuffix)"
    let sink = try fileSystem.create(probe)
    do {
      let bytes = [UInt8](repeating: 0x57, count: Self.probeBytes)
      try bytes.withUnsafeBytes { try sink.append($0) }
      // What stays in memory says nothing of the disk below.
      try sink.sync()
      try sink.close()
      try readProbe(probe, bytes)
    } catch {
      // The first failure is the one to report; the sweep finds what stays.
      try? fileSystem.delete(probe)
      throw error
    }
    try fileSystem.delete(probe)
  }

  private func readProbe(_ path: String, _ bytes: [UInt8]) throws(FileSystemFailure) {
    try writeTrialFileSystem.waitUntilVisible(path, fileBytes: bytes.count)
    let source = try writeTrialFileSystem.open(path)
    source.forgetCached()
    let found = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    defer { found.deallocate() }
    guard try source.read(at: 0, into: found) == bytes.count, found.elementsEqual(bytes) else {
      throw FileSystemFailure("read back what was written to", path, EIO)
    }
  }
}
