// Owns the Parquet files that this process has open: each is opened and its footer decoded once, as long as it does not
// change and there is room. Knows nothing of tables.

import Base
import Glibc
import Parquet
import Platform
import Synchronization

/// A file by name and content.
private struct ParquetFileKey: Hashable {
  var path: ExactText
  var version: FileVersion
}

/// Open files, those used last. Called from several threads at once.
final class ParquetFiles: Sendable {
  private struct Slot {
    var file: ParquetFile
    var cost: Int
    var lastUse: UInt64
  }

  private struct State {
    var slots: [ParquetFileKey: Slot] = [:]
    var cost = 0
    var clock: UInt64 = 0
  }

  private let base: BaseDirectory
  private let state = Mutex(State())
  /// Open files at most: each holds a descriptor.
  private static let mostFiles = 96
  /// Column chunks at most whose descriptions are kept, of some 500 bytes each.
  private static let mostChunks = 200_000

  init(base: BaseDirectory) { self.base = base }

  /// The file, with the content that was meant. FILES_BAD_DATA where it changed or is damaged.
  func open(_ file: DataFile) throws -> ParquetFile { try openPinned(file).file }

  /// The same, with a descriptor by which a reader can tell at its end whether the file is still what it was.
  func openPinned(_ file: DataFile) throws -> (file: ParquetFile, descriptor: OwnedDescriptor) {
    // Always asks the directory: the name may mean another file by now.
    let descriptor = try file.open(in: base)
    let key = ParquetFileKey(path: ExactText(file.path), version: file.version)
    if let known = state.withLock({ Self.use(key, &$0) }) { return (known, descriptor) }
    let number = dup(descriptor.number)
    guard number >= 0 else { throw base.failure("cannot open", file.path, errno) }
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    let opened = try ParquetFile(adopting: number, name: file.path)
    state.withLock { Self.store(opened, key, &$0) }
    return (opened, descriptor)
  }

  /// Closes all files that nobody reads.
  func removeAll() { state.withLock { $0 = State() } }

  private static func use(_ key: ParquetFileKey, _ state: inout State) -> ParquetFile? {
    state.clock += 1
    state.slots[key]?.lastUse = state.clock
    return state.slots[key]?.file
  }

  private static func store(_ file: ParquetFile, _ key: ParquetFileKey, _ state: inout State) {
    let cost = max(file.rowGroupCount * file.columns.count, 1)
    if let before = state.slots.removeValue(forKey: key) { state.cost -= before.cost }
    while state.slots.count >= mostFiles || (state.cost + cost > mostChunks && !state.slots.isEmpty) {
      guard let oldest = state.slots.min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
      state.slots.removeValue(forKey: oldest.key)
      state.cost -= oldest.value.cost
    }
    state.clock += 1
    state.cost += cost
    state.slots[key] = Slot(file: file, cost: cost, lastUse: state.clock)
  }
}
