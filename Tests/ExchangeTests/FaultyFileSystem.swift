// A file system whose Nth operation fails: the fault points of the spool.
import Base
import Exchange
import Glibc
import Synchronization

/// Passes everything on to the local file system, except that chosen operations fail.
final class FaultyFileSystem: SpoolFileSystem {
  /// Which operation fails, how, and where.
  struct Fault: Sendable {
    /// Nil: any operation.
    var operation: String?
    /// Operations that match are counted from 1; 0 means all of them fail.
    var at: Int
    var number: Int32
    /// Only below this path.
    var below = ""
  }

  private struct State {
    var fault: Fault?
    var volume: SpoolVolume?
    var matched = 0
    var struck = 0
  }

  private let local = LocalFileSystem()
  private let state = Mutex(State())

  /// How often an operation was made to fail since `arm`.
  var struck: Int { state.withLock { $0.struck } }

  func arm(_ fault: Fault?) { state.withLock { $0 = State(fault: fault, volume: $0.volume) } }

  /// What every file system says of itself from now on.
  func say(_ volume: SpoolVolume) { state.withLock { $0.volume = volume } }

  func check(_ operation: String, _ path: String) throws(FileSystemFailure) {
    let number = state.withLock { state -> Int32? in
      guard let fault = state.fault, fault.operation ?? operation == operation, path.hasPrefix(fault.below) else {
        return nil
      }
      state.matched += 1
      guard fault.at == 0 || state.matched == fault.at else { return nil }
      state.struck += 1
      return fault.number
    }
    if let number { throw FileSystemFailure(operation, path, number) }
  }

  func makeDirectory(_ path: String) throws(FileSystemFailure) {
    try check("make directory", path)
    try local.makeDirectory(path)
  }

  func create(_ path: String) throws(FileSystemFailure) -> any SpoolFileSink {
    try check("create", path)
    return FaultySink(sink: try local.create(path), path: path, owner: self)
  }

  func rename(_ path: String, to target: String) throws(FileSystemFailure) {
    try check("rename", path)
    try local.rename(path, to: target)
  }

  func syncDirectory(_ directory: String) throws(FileSystemFailure) {
    try check("sync", directory)
    try local.syncDirectory(directory)
  }

  func open(_ path: String) throws(FileSystemFailure) -> any SpoolFileSource {
    try check("open", path)
    return FaultySource(source: try local.open(path), path: path, owner: self)
  }

  func names(in directory: String) throws(FileSystemFailure) -> [String] {
    try check("list", directory)
    return try local.names(in: directory)
  }

  func volume(of directory: String) throws(FileSystemFailure) -> SpoolVolume {
    try check("inspect", directory)
    if let said = state.withLock({ $0.volume }) { return said }
    return try local.volume(of: directory)
  }

  func delete(_ path: String) throws(FileSystemFailure) {
    try check("delete", path)
    try local.delete(path)
  }

  func lineage(of directory: String) throws(FileSystemFailure) -> [FileIdentity] {
    try check("inspect", directory)
    return try local.lineage(of: directory)
  }

  func deleteDirectory(_ path: String) throws(FileSystemFailure) -> Bool {
    try check("delete", path)
    return try local.deleteDirectory(path)
  }
}

/// Writes half of what it should before it fails, as a full disk does.
private final class FaultySink: SpoolFileSink {
  let sink: any SpoolFileSink
  let path: String
  let owner: FaultyFileSystem

  init(sink: any SpoolFileSink, path: String, owner: FaultyFileSystem) {
    self.sink = sink
    self.path = path
    self.owner = owner
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(FileSystemFailure) {
    do {
      try owner.check("write", path)
    } catch {
      try sink.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2)))
      throw error
    }
    try sink.append(bytes)
  }

  func sync() throws(FileSystemFailure) {
    try owner.check("sync", path)
    try sink.sync()
  }

  func close() throws(FileSystemFailure) {
    try owner.check("close", path)
    try sink.close()
  }
}

private final class FaultySource: SpoolFileSource {
  let source: any SpoolFileSource
  let path: String
  let owner: FaultyFileSystem

  init(source: any SpoolFileSource, path: String, owner: FaultyFileSystem) {
    self.source = source
    self.path = path
    self.owner = owner
  }

  func forgetCached() { source.forgetCached() }

  func byteCount() throws(FileSystemFailure) -> Int64 {
    try owner.check("inspect", path)
    return try source.byteCount()
  }

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemFailure) -> Int {
    try owner.check("read", path)
    return try source.read(at: offset, into: buffer)
  }
}
