// Tests what a reader of spool files makes of files that cannot be read: which loss is one, and which is not.
import Base
import Columnar
import Exchange
import Execution
import Glibc
import Platform
import Synchronization
import TemporaryDirectories
import Testing

@testable import WorkerProcess

@Suite struct SpoolSourceTests {
  private let temporary = TemporaryDirectory()
  private let fileSystem = StubbornFileSystem()

  private var spool: String { temporary.path + "/spool" }

  /// Outputs of one row each, numbered from 0.
  private func outputs(_ count: Int) throws -> [SpoolOutput] {
    let directories = try SpoolDirectories(
      paths: [spool], owner: "test", now: { SystemClock.monotonic() }, report: { _ in })
    try directories.prepare()
    let stage = StageID(query: QueryID("20260102_030405_00006_abcde"), number: 1)
    return try (0..<count).map { number in
      let writer = try SpoolWriter(
        in: directories, attempt: AttemptID(task: TaskID(stage: stage, partition: number), number: 0),
        partitionCount: 1, key: nil)
      let batch = Batch(columns: [.repeating(.integer(Int64(number)), type: .bigint, count: 1)], count: 1)
      try SpoolSink(writer).append(partition: 0, batch: batch)
      return try writer.commit()
    }
  }

  private func source(
    _ outputs: [SpoolOutput], readers: Int = 1, filesPerReader: Int = 2, patience: TimeSpan = .seconds(5),
    memory: MemoryContext = MemoryContext(limit: 1 << 30), isStopped: @escaping @Sendable () -> Bool = { false }
  ) -> SpoolSource {
    SpoolSource(
      opener(
        outputs, ReadAhead(readers: readers, filesPerReader: filesPerReader, bytesPerReader: 1 << 20),
        patience: patience, memory: memory, isStopped: isStopped),
      types: [.bigint])
  }

  private func opener(
    _ outputs: [SpoolOutput], _ readAhead: ReadAhead, patience: TimeSpan = .seconds(5), readAheadBytes: Int = 1 << 20,
    memory: MemoryContext = MemoryContext(limit: 1 << 30), isStopped: @escaping @Sendable () -> Bool = { false },
    isSilent: @escaping @Sendable (String) -> Bool = { _ in false }
  ) -> SpoolOpener {
    SpoolOpener(
      outputs, partitions: [0],
      access: SpoolAccess(
        key: nil, fileSystem: fileSystem, patience: patience, isStopped: isStopped, isSilent: isSilent),
      memory: memory, readAhead: readAhead, readAheadBytes: readAheadBytes)
  }

  private func rows(_ source: SpoolSource) throws -> [Int64] {
    var rows: [Int64] = []
    while let batch = try source.next() {
      for row in 0..<batch.count {
        if case .integer(let value) = batch.columns[0].value(at: row) { rows.append(value) }
      }
    }
    return rows
  }

  @Test(arguments: [EMFILE, ENFILE, ENOMEM])
  func whatTheReaderLacksIsNoLossOfTheFile(number: Int32) throws {
    let source = source(try outputs(2))
    fileSystem.change { $0.failure = number }
    #expect {
      _ = try source.next()
    } throws: { error in
      !(error is LostInput) && WaterbearError.wrapping(error).code == .genericInsufficientResources
    }
  }

  @Test(arguments: [ENOENT, EIO])
  func aFileThatIsGoneInADirectoryThatIsThereIsLostAtOnce(number: Int32) throws {
    let outputs = try outputs(2)
    let source = source(outputs)
    fileSystem.change { ($0.failure, $0.sparesMarker) = (number, true) }
    let start = SystemClock.monotonic()
    #expect {
      _ = try source.next()
    } throws: { error in
      (error as? LostInput)?.producer == outputs[0].attempt
    }
    #expect(SystemClock.monotonic() - start < .seconds(1))
  }

  @Test(arguments: [1, 4])
  func aDirectoryThatBlinksLosesNothing(readers: Int) throws {
    let outputs = try outputs(6)
    let source = source(outputs, readers: readers)
    if readers > 1 { fileSystem.change { $0.delay = .milliseconds(2) } }
    _ = try source.next()
    fileSystem.change { $0.failure = ENOTCONN }
    try NamedThread.start("mount again", stackBytes: 1 << 20) { [fileSystem] in
      SystemClock.sleep(.milliseconds(300))
      fileSystem.change { $0.failure = nil }
    }
    #expect(try rows(source) == [1, 2, 3, 4, 5])
  }

  @Test func aDirectoryThatStaysAwayIsGivenUp() throws {
    let outputs = try outputs(1)
    let source = source(outputs, patience: .milliseconds(300))
    fileSystem.change { $0.failure = ENOENT }
    let start = SystemClock.monotonic()
    #expect(throws: LostInput.self) { _ = try source.next() }
    #expect(SystemClock.monotonic() - start >= .milliseconds(300))
  }

  @Test func whoWaitsForADirectoryCanBeStopped() throws {
    let source = source(try outputs(1), patience: .seconds(60), isStopped: { true })
    fileSystem.change { $0.failure = ENOENT }
    #expect(throws: TaskStopped.self) { _ = try source.next() }
  }

  @Test func readingAheadGivesTheFilesInTheirOrder() throws {
    let memory = MemoryContext(limit: 1 << 30)
    let source = source(try outputs(40), readers: 3, filesPerReader: 4, memory: memory)
    fileSystem.change { $0.delay = .milliseconds(2) }
    #expect(try rows(source) == (0..<40).map { Int64($0) })
    #expect(fileSystem.threads > 1)
    // What was reserved for the last runs goes with the source, or with the end of the list.
    #expect(memory.peakBytes > 0)
  }

  @Test func readingAheadStopsWhereDescriptorsRunOut() throws {
    let source = source(try outputs(40), readers: 4, filesPerReader: 8)
    fileSystem.change { ($0.delay, $0.openMax) = (.milliseconds(2), 6) }
    #expect(try rows(source) == (0..<40).map { Int64($0) })
    #expect(fileSystem.refused > 0)
  }

  /// The thread that opens files ahead is stuck with one of them; the task gives up waiting, and reads that file itself
  /// when the mount is back. What the thread then brings is another's turn by now.
  @Test func whatWasOpenedAheadIsNeverTakenForAnotherFile() throws {
    let outputs = try outputs(12)
    let files = fileSystem
    let opener = opener(
      outputs, ReadAhead(readers: 2, filesPerReader: 12, bytesPerReader: 1 << 20), isSilent: { _ in files.hangs })
    fileSystem.change { ($0.delay, $0.task) = (.milliseconds(2), UInt(pthread_self())) }
    for file in 0..<2 { _ = try opener.openNext(file, buffers: SpoolReadBuffers()) }
    fileSystem.change { $0.hangs = true }
    // The run that is opened ahead begins with the file after this one.
    _ = try opener.openNext(2, buffers: SpoolReadBuffers())
    #expect(throws: WaterbearError.self) { try opener.openNext(3, buffers: SpoolReadBuffers()) }
    fileSystem.change { ($0.hangs, $0.delay) = (false, .zero) }
    #expect(try opener.open(3, buffers: SpoolReadBuffers()).location == outputs[3].location)
    // Time for the thread to bring all of them.
    SystemClock.sleep(.milliseconds(50))
    for file in 4..<12 {
      #expect(try opener.openNext(file, buffers: SpoolReadBuffers()).location == outputs[file].location)
    }
  }

  @Test func readingAheadKeepsWithinTheMemoryOfItsAttempt() throws {
    let outputs = try outputs(30)
    let limit = Int64(outputs[0].location.fileBytes * 4 * 4)
    let memory = MemoryContext(limit: limit)
    let source = source(outputs, readers: 8, filesPerReader: 2, memory: memory)
    fileSystem.change { $0.delay = .milliseconds(2) }
    #expect(try rows(source) == (0..<30).map { Int64($0) })
    #expect(memory.peakBytes > 0 && memory.peakBytes <= limit / 4)
  }

  /// As in a merge: all files are open at once, each read a little.
  @Test(arguments: [1, 4])
  func manySourcesOpenTheirFilesSideBySideAndCountWhatTheyHold(readers: Int) throws {
    let outputs = try outputs(30)
    let memory = MemoryContext(limit: 1 << 30)
    let readAhead = ReadAhead(readers: readers, filesPerReader: 4, bytesPerReader: 1 << 20)
    fileSystem.change { $0.delay = .milliseconds(2) }
    do {
      let opener = opener(outputs, readAhead, readAheadBytes: 0, memory: memory)
      let sources = outputs.indices.map { SpoolSource(opener, file: $0, types: [.bigint]) }
      for (number, source) in sources.enumerated() {
        let batch = try source.next()
        #expect(batch?.columns[0].value(at: 0) == .integer(Int64(number)))
      }
      withExtendedLifetime(sources) {
        #expect(memory.reservedBytes >= 30 * Int64(outputs[0].location.fileBytes))
        #expect(readers == 1 ? fileSystem.threads == 1 : fileSystem.threads > 1)
      }
      for source in sources { #expect(try source.next() == nil) }
    }
    #expect(memory.reservedBytes == 0)
    // Whoever opened the last one ahead may be on its way out.
    for _ in 0..<5000 where fileSystem.open > 0 { SystemClock.sleep(.milliseconds(1)) }
    #expect(fileSystem.open == 0)
  }

  @Test func aSourceThatEndsClosesWhatWasOpenedAhead() throws {
    let outputs = try outputs(40)
    do {
      let source = source(outputs, readers: 4, filesPerReader: 8)
      fileSystem.change { $0.delay = .milliseconds(2) }
      for _ in 0..<4 { _ = try source.next() }
    }
    // What is being opened at this moment ends, and nothing more is opened.
    SystemClock.sleep(.milliseconds(200))
    #expect(fileSystem.open == 0)
    #expect(fileSystem.opened < 40)
  }

  /// All threads are held up by files that do not open: others must not wait for them.
  @Test func filesThatHangDoNotHoldUpOthers() throws {
    let outputs = try outputs(12)
    let readAhead = ReadAhead(readers: 4, filesPerReader: 2, bytesPerReader: 1 << 20)
    let gate = BlockingQueue<Bool>()
    for _ in 0..<80 { readAhead.submit { _ = gate.next() } }
    let source = SpoolSource(opener(outputs, readAhead), types: [.bigint])
    fileSystem.change { $0.delay = .milliseconds(2) }
    #expect(try rows(source) == (0..<12).map { Int64($0) })
    for _ in 0..<80 { gate.append(true) }
  }
}

/// A file system that fails, is slow, or has few descriptors, as it is told.
final class StubbornFileSystem: SpoolFileSystem {
  struct State {
    /// Every opening fails with this error number.
    var failure: Int32?
    /// But not that of the marker.
    var sparesMarker = false
    var delay = TimeSpan.zero
    /// So many files may be open at a time.
    var openMax = Int.max
    var open = 0
    var opened = 0
    var refused = 0
    var threads: Set<UInt> = []
    /// Openings by other threads than this one do not return.
    var hangs = false
    var task: UInt = 0
  }

  private let local = LocalFileSystem()
  private let state = Mutex(State())

  func change(_ body: (inout sending State) -> Void) { state.withLock { body(&$0) } }
  var hangs: Bool { state.withLock { $0.hangs } }
  var open: Int { state.withLock { $0.open } }
  var opened: Int { state.withLock { $0.opened } }
  var refused: Int { state.withLock { $0.refused } }
  var threads: Int { state.withLock { $0.threads.count } }

  func open(_ path: String) throws(FileSystemFailure) -> any SpoolFileSource {
    let (number, delay) = state.withLock { state -> (Int32?, TimeSpan) in
      if let failure = state.failure, !(state.sparesMarker && path.hasSuffix("/.waterbear-spool")) {
        return (failure, state.delay)
      }
      guard state.open < state.openMax else {
        state.refused += 1
        return (EMFILE, state.delay)
      }
      state.open += 1
      state.opened += 1
      state.threads.insert(UInt(pthread_self()))
      return (nil, state.delay)
    }
    if delay > .zero { SystemClock.sleep(delay) }
    while state.withLock({ $0.hangs && $0.task != UInt(pthread_self()) }) { SystemClock.sleep(.milliseconds(1)) }
    if let number { throw FileSystemFailure("open", path, number) }
    return CountedSource(source: try local.open(path)) { [self] in state.withLock { $0.open -= 1 } }
  }

  func makeDirectory(_ path: String) throws(FileSystemFailure) { try local.makeDirectory(path) }
  func create(_ path: String) throws(FileSystemFailure) -> any SpoolFileSink { try local.create(path) }
  func rename(_ path: String, to target: String) throws(FileSystemFailure) { try local.rename(path, to: target) }
  func syncDirectory(_ directory: String) throws(FileSystemFailure) { try local.syncDirectory(directory) }
  func names(in directory: String) throws(FileSystemFailure) -> [String] { try local.names(in: directory) }
  func delete(_ path: String) throws(FileSystemFailure) { try local.delete(path) }
  func volume(of directory: String) throws(FileSystemFailure) -> SpoolVolume { try local.volume(of: directory) }
  func deleteDirectory(_ path: String) throws(FileSystemFailure) -> Bool { try local.deleteDirectory(path) }
  func lineage(of directory: String) throws(FileSystemFailure) -> [FileIdentity] { try local.lineage(of: directory) }
}

private final class CountedSource: SpoolFileSource {
  private let source: any SpoolFileSource
  private let closed: () -> Void

  init(source: any SpoolFileSource, closed: @escaping () -> Void) {
    self.source = source
    self.closed = closed
  }

  deinit { closed() }

  func forgetCached() { source.forgetCached() }
  func byteCount() throws(FileSystemFailure) -> Int64 { try source.byteCount() }
  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemFailure) -> Int {
    try source.read(at: offset, into: buffer)
  }
}
