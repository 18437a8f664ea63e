// Owns that no call on a base directory goes unnoticed: every one of them is made through here and stands in SpoolCalls
// while it is under way. It must not know the format or the names of spool files.

/// A file system whose calls are all noted, closing included, which on network mounts waits for the server.
struct WatchedFileSystem: SpoolFileSystem {
  let base: any SpoolFileSystem
  let calls: SpoolCalls
  /// What all of its calls are for.
  var kind = SpoolCallKind.use

  private func watch<Value>(
    _ operation: String, _ path: String, _ call: () throws(FileSystemFailure) -> Value
  ) throws(FileSystemFailure) -> Value {
    try calls.perform(operation, path, as: kind, call)
  }

  func makeDirectory(_ path: String) throws(FileSystemFailure) {
    try watch("make directory", path) { () throws(FileSystemFailure) in try base.makeDirectory(path) }
  }

  func create(_ path: String) throws(FileSystemFailure) -> any SpoolFileSink {
    do {
      // Made in the call, so that one which comes too late is closed as all others are.
      return try watch("create", path) { () throws(FileSystemFailure) in
        WatchedSink(try base.create(path), path: path, fileSystem: self)
      }
    } catch where error.number == FileSystemFailure.tooLate || error.number == FileSystemFailure.tooSlow {
      // It was made when nobody waited for it any more; what stays is found by the next sweep.
      try? calls.perform("delete", path, as: .trial) { () throws(FileSystemFailure) in try base.delete(path) }
      throw error
    }
  }

  func rename(_ path: String, to target: String) throws(FileSystemFailure) {
    try watch("rename", path) { () throws(FileSystemFailure) in try base.rename(path, to: target) }
  }

  func syncDirectory(_ directory: String) throws(FileSystemFailure) {
    try watch("sync", directory) { () throws(FileSystemFailure) in try base.syncDirectory(directory) }
  }

  func open(_ path: String) throws(FileSystemFailure) -> any SpoolFileSource {
    try watch("open", path) { () throws(FileSystemFailure) in
      WatchedSource(try base.open(path), path: path, fileSystem: self)
    }
  }

  func names(in directory: String) throws(FileSystemFailure) -> [String] {
    try watch("list", directory) { () throws(FileSystemFailure) in try base.names(in: directory) }
  }

  func delete(_ path: String) throws(FileSystemFailure) {
    try watch("delete", path) { () throws(FileSystemFailure) in try base.delete(path) }
  }

  func volume(of directory: String) throws(FileSystemFailure) -> SpoolVolume {
    try watch("inspect", directory) { () throws(FileSystemFailure) in try base.volume(of: directory) }
  }

  func lineage(of directory: String) throws(FileSystemFailure) -> [FileIdentity] {
    try watch("inspect", directory) { () throws(FileSystemFailure) in try base.lineage(of: directory) }
  }

  func deleteDirectory(_ path: String) throws(FileSystemFailure) -> Bool {
    try watch("delete", path) { () throws(FileSystemFailure) in try base.deleteDirectory(path) }
  }

  /// Lets go of the last reference to a file, which closes it; where the directory is refused that is for later.
  fileprivate func letGo<File>(_ file: inout File?, _ path: String) {
    if let open = file, calls.takeUnclosed(open as AnyObject, path) { return }
    // Nothing is asked of the file any more, so that its closing came late matters to nobody.
    try? calls.perform("close", path, as: kind == .use ? .trial : kind) { file = nil }
  }
}

private final class WatchedSink: SpoolFileSink {
  private var sink: (any SpoolFileSink)?
  private let path: String
  private let fileSystem: WatchedFileSystem

  init(_ sink: any SpoolFileSink, path: String, fileSystem: WatchedFileSystem) {
    self.sink = sink
    self.path = path
    self.fileSystem = fileSystem
  }

  deinit { fileSystem.letGo(&sink, path) }

  private func watch(
    _ operation: String, _ call: (any SpoolFileSink) throws(FileSystemFailure) -> Void
  ) throws(FileSystemFailure) {
    guard let sink else { return }
    try fileSystem.calls.perform(operation, path, as: fileSystem.kind) { () throws(FileSystemFailure) in
      try call(sink)
    }
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(FileSystemFailure) {
    try watch("write") { (sink) throws(FileSystemFailure) in try sink.append(bytes) }
  }

  func sync() throws(FileSystemFailure) {
    try watch("sync") { (sink) throws(FileSystemFailure) in try sink.sync() }
  }

  func close() throws(FileSystemFailure) {
    try watch("close") { (sink) throws(FileSystemFailure) in try sink.close() }
  }
}

private final class WatchedSource: SpoolFileSource {
  private var source: (any SpoolFileSource)?
  private let path: String
  private let fileSystem: WatchedFileSystem

  init(_ source: any SpoolFileSource, path: String, fileSystem: WatchedFileSystem) {
    self.source = source
    self.path = path
    self.fileSystem = fileSystem
  }

  deinit { fileSystem.letGo(&source, path) }

  private func watch<Value>(
    _ operation: String, _ call: (any SpoolFileSource) throws(FileSystemFailure) -> Value
  ) throws(FileSystemFailure) -> Value {
    guard let source else { throw FileSystemFailure(operation, path, FileSystemFailure.missing) }
    return try fileSystem.calls.perform(operation, path, as: fileSystem.kind) {
      () throws(FileSystemFailure) in try call(source)
    }
  }

  func byteCount() throws(FileSystemFailure) -> Int64 {
    try watch("inspect") { (source) throws(FileSystemFailure) in try source.byteCount() }
  }

  func forgetCached() {
    // Advice: what is not forgotten is read all the same.
    try? watch("inspect") { (source) throws(FileSystemFailure) in source.forgetCached() }
  }

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemFailure) -> Int {
    try watch("read") { (source) throws(FileSystemFailure) in try source.read(at: offset, into: buffer) }
  }
}
