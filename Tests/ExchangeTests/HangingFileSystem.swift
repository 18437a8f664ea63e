// A file system that hangs: calls below a path do not return until that is lifted, as on a hard NFS mount.
import Base
import Exchange
import Glibc
import Platform
import Synchronization

/// Passes everything on to the local file system, sooner or later.
final class HangingFileSystem: SpoolFileSystem {
  private struct State {
    var below: String?
    var operation: String?
    var spared: UInt?
    var delay = TimeSpan.zero
    var stuck = 0
  }

  private let local = LocalFileSystem()
  private let state = Mutex(State())

  /// Calls that hang.
  var stuck: Int { state.withLock { $0.stuck } }

  /// Calls of one kind, or all.
  func hang(below path: String, in operation: String? = nil) {
    state.withLock { ($0.below, $0.operation) = (path, operation) }
  }
  /// Deletions on other threads than this one; on this one they take some time.
  func hangInDeletions(below path: String, sparing thread: UInt, whichTake delay: TimeSpan) {
    state.withLock { ($0.below, $0.operation, $0.spared, $0.delay) = (path, "delete", thread, delay) }
  }

  func lift() { state.withLock { $0.below = nil } }

  fileprivate func pass<Value>(
    _ path: String, _ operation: String = "", _ call: () throws(FileSystemFailure) -> Value
  ) throws(FileSystemFailure) -> Value {
    let hangs = {
      self.state.withLock { state in
        state.below.map { path.hasPrefix($0) } ?? false && (state.operation ?? operation) == operation
          && state.spared != UInt(pthread_self())
      }
    }
    if hangs() {
      state.withLock { $0.stuck += 1 }
      while hangs() { usleep(1000) }
      state.withLock { $0.stuck -= 1 }
    }
    return try call()
  }

  func makeDirectory(_ path: String) throws(FileSystemFailure) {
    try pass(path) { () throws(FileSystemFailure) in try local.makeDirectory(path) }
  }

  func create(_ path: String) throws(FileSystemFailure) -> any SpoolFileSink {
    try pass(path, "create") { () throws(FileSystemFailure) in try local.create(path) }
  }

  func rename(_ path: String, to target: String) throws(FileSystemFailure) {
    try pass(path) { () throws(FileSystemFailure) in try local.rename(path, to: target) }
  }

  func syncDirectory(_ directory: String) throws(FileSystemFailure) {
    try pass(directory) { () throws(FileSystemFailure) in try local.syncDirectory(directory) }
  }

  func open(_ path: String) throws(FileSystemFailure) -> any SpoolFileSource {
    let source = try pass(path, "open") { () throws(FileSystemFailure) in try local.open(path) }
    return HangingSource(source: source, path: path, owner: self)
  }

  func names(in directory: String) throws(FileSystemFailure) -> [String] {
    try pass(directory) { () throws(FileSystemFailure) in try local.names(in: directory) }
  }

  func volume(of directory: String) throws(FileSystemFailure) -> SpoolVolume {
    try pass(directory) { () throws(FileSystemFailure) in try local.volume(of: directory) }
  }

  func delete(_ path: String) throws(FileSystemFailure) {
    let delay = state.withLock { $0.delay }
    if delay > .zero { SystemClock.sleep(delay) }
    return try pass(path, "delete") { () throws(FileSystemFailure) in try local.delete(path) }
  }

  func lineage(of directory: String) throws(FileSystemFailure) -> [FileIdentity] {
    try pass(directory) { () throws(FileSystemFailure) in try local.lineage(of: directory) }
  }

  func deleteDirectory(_ path: String) throws(FileSystemFailure) -> Bool {
    try pass(path) { () throws(FileSystemFailure) in try local.deleteDirectory(path) }
  }
}

/// Reads from memory until that is forgotten; then its reads are the operation `read past the cache`.
private final class HangingSource: SpoolFileSource {
  let source: any SpoolFileSource
  let path: String
  let owner: HangingFileSystem
  var isCached = true

  init(source: any SpoolFileSource, path: String, owner: HangingFileSystem) {
    self.source = source
    self.path = path
    self.owner = owner
  }

  func forgetCached() {
    isCached = false
    source.forgetCached()
  }

  func byteCount() throws(FileSystemFailure) -> Int64 { try source.byteCount() }

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemFailure) -> Int {
    guard !isCached else { return try source.read(at: offset, into: buffer) }
    return try owner.pass(path, "read past the cache") { () throws(FileSystemFailure) in
      try source.read(at: offset, into: buffer)
    }
  }
}
