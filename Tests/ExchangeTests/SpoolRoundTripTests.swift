// What goes in comes out: pages of all sizes, in any order, with and without encryption and compression.
import Base
import Exchange
import Sealing
import Testing

struct SpoolRoundTripTests {
  static let variants: [(Bool, SpoolCodec)] = [
    (true, .lz4), (true, .zstd), (true, .none), (false, .lz4), (false, .zstd), (false, .none),
  ]

  @Test(arguments: variants)
  func pagesComeBack(encrypted: Bool, codec: SpoolCodec) throws {
    let fixture = try SpoolFixture()
    let pages: [(Int, [UInt8])] = [
      (3, pattern(5000)), (0, [7]), (3, noise(3000)), (5, []), (0, pattern(100_000)), (3, noise(1)),
    ]
    let output = try fixture.write(
      pages, partitions: 7, encrypted: encrypted, options: SpoolOptions(codec: codec))
    #expect(output.partitionCount == 7)
    #expect(output.partitions.map(\.partition) == [0, 3, 5])
    #expect(output.partition(3).pages == 3)
    #expect(output.partition(3).rows == 8001)
    #expect(output.partition(3).rawBytes == 8001)
    #expect(output.partition(4) == SpoolPartitionOutput(partition: 4))
    #expect(output.rows == 108_002)
    let found = try fixture.read(output.location, encrypted: encrypted)
    let expected = (0..<7).map { number in pages.filter { $0.0 == number }.map(\.1) }
    #expect(found == expected)
    #expect(output.location.fileBytes == (try TestFile.read(output.location.path)).count)
    if codec == .lz4 { #expect(output.partition(0).storedBytes < 5000) }
    if codec == .zstd { #expect(output.partition(0).storedBytes < 20_000) }
    if codec == .none { #expect(output.partition(0).storedBytes == 100_001 + 2 * (encrypted ? 16 : 8)) }
  }

  @Test(arguments: [0, 1, 8])
  func outputWithoutPages(partitions: Int) throws {
    let fixture = try SpoolFixture()
    let output = try fixture.write([], partitions: partitions)
    #expect(output.rows == 0)
    #expect(try fixture.read(output.location) == Array(repeating: [], count: partitions))
  }

  @Test(arguments: variants)
  func largeFileInManyWrites(encrypted: Bool, codec: SpoolCodec) throws {
    let fixture = try SpoolFixture()
    var pages: [(Int, [UInt8])] = []
    for number in 0..<60 {
      let shrinks = number % 3 != 0
      pages.append(
        (number % 4, shrinks ? pattern(60_000 + number, seed: number) : noise(40_000, seed: UInt64(number))))
    }
    // One partition whose pages are neighbours, so that they are read together.
    for number in 0..<20 { pages.append((4, noise(70_000, seed: UInt64(100 + number)))) }
    pages.append((5, noise(3 << 20)))
    let output = try fixture.write(
      pages, partitions: 6, encrypted: encrypted, options: SpoolOptions(codec: codec, bufferBytes: 100_000))
    let found = try fixture.read(output.location, encrypted: encrypted)
    #expect(found == (0..<6).map { number in pages.filter { $0.0 == number }.map(\.1) })
  }

  @Test func pagesInAnyOrderAndAgain() throws {
    let fixture = try SpoolFixture()
    let pages = (0..<30).map { (0, noise(20_000, seed: UInt64($0))) }
    let output = try fixture.write(pages, partitions: 1)
    let reader = try SpoolReader(output.location, key: fixture.key)
    for number in [29, 0, 15, 15, 16, 3, 28, 0] {
      #expect(try reader.readPage(number, of: 0) == pages[number].1)
    }
  }

  @Test func manyPagesMakeALongIndex() throws {
    let fixture = try SpoolFixture()
    let pages = (0..<20_000).map { ($0 % 5000, [UInt8(truncatingIfNeeded: $0)]) }
    let output = try fixture.write(pages, partitions: 5000)
    #expect(output.partitions.count == 5000)
    let reader = try SpoolReader(output.location, key: fixture.key)
    for partition in [0, 1, 2500, 4999] {
      #expect(try reader.pageCount(of: partition) == 4)
      #expect(try reader.readPage(3, of: partition) == pages[15_000 + partition].1)
    }
  }

  @Test func buffersServeManyReaders() throws {
    let fixture = try SpoolFixture()
    let buffers = SpoolReadBuffers()
    for number in 0..<5 {
      let bytes = noise(100 << number, seed: UInt64(number))
      let output = try fixture.write([(0, bytes)], SpoolFixture.attempt(number), partitions: 1)
      let reader = try SpoolReader(output.location, key: fixture.key, buffers: buffers)
      #expect(try reader.readPage(0, of: 0) == bytes)
      #expect(try reader.page(0, of: 0).rows == bytes.count)
    }
  }

  /// As a join does that reads both of its inputs in turn.
  @Test func readersInTurnMayShareBuffers() throws {
    let fixture = try SpoolFixture()
    let buffers = SpoolReadBuffers()
    let outputs = try (0..<3).map { file in
      try fixture.write(
        (0..<6).map { (0, noise(60_000, seed: UInt64(file * 10 + $0))) }, SpoolFixture.attempt(file), partitions: 1)
    }
    let readers = try outputs.map { try SpoolReader($0.location, key: fixture.key, buffers: buffers) }
    for page in 0..<6 {
      for file in 0..<3 {
        #expect(try readers[file].readPage(page, of: 0) == noise(60_000, seed: UInt64(file * 10 + page)))
      }
    }
  }

  @Test func contentChecksumTellsEqualFromDifferentOutputs() throws {
    let fixture = try SpoolFixture()
    let pages = [(0, pattern(3000)), (1, noise(300))]
    let first = try fixture.write(pages, SpoolFixture.attempt(0, 0), partitions: 2)
    let second = try fixture.write(
      pages.reversed(), SpoolFixture.attempt(0, 1), partitions: 2, encrypted: false,
      options: SpoolOptions(codec: .none))
    let third = try fixture.write(
      [(0, pattern(3000)), (1, noise(300, seed: 9))], SpoolFixture.attempt(0, 2), partitions: 2)
    #expect(first.hasSameContent(as: second))
    #expect(!first.hasSameContent(as: third))
  }

  @Test func outputTravelsAsCodable() throws {
    let fixture = try SpoolFixture()
    let output = try fixture.write([(1, pattern(100))], partitions: 2)
    #expect(output.location.path == fixture.path(0) + "/20260102_030405_00006_abcde/1.2.3.spool")
    #expect(output.attempt == SpoolFixture.attempt())
    #expect(try BinaryDecoder.decode(SpoolOutput.self, from: BinaryEncoder.encode(output)) == output)
  }

  @Test func plainTextIsNotInAnEncryptedFile() throws {
    let fixture = try SpoolFixture()
    let marker = Array("a secret that nobody may find on the disk".utf8)
    // Too short to be compressed away in the second file.
    for options in [SpoolOptions(), SpoolOptions(codec: .none)] {
      let attempt = SpoolFixture.attempt(0, options.codec == .none ? 0 : 1)
      let sealed = try fixture.write([(0, marker)], attempt, partitions: 1, options: options)
      #expect(!contains(try TestFile.read(sealed.location.path), marker))
    }
    let open = try fixture.write(
      [(0, marker)], SpoolFixture.attempt(0, 2), partitions: 1, encrypted: false, options: SpoolOptions(codec: .none))
    #expect(contains(try TestFile.read(open.location.path), marker))
  }

  @Test func pageAboveTheLimitIsRefused() throws {
    let fixture = try SpoolFixture()
    let writer = try fixture.writer(partitions: 1, options: SpoolOptions(maxPageBytes: 1 << 20))
    let error = #expect(throws: WaterbearError.self) {
      try [UInt8](repeating: 1, count: (1 << 20) + 1).withUnsafeBytes {
        try writer.append(partition: 0, page: $0, rows: 1)
      }
    }
    #expect(error?.code == .notSupported)
    #expect(error?.message.hasPrefix("Max row size of 1MB exceeded") == true)
  }

  @Test func writerWithoutCommitLeavesNothing() throws {
    let fixture = try SpoolFixture()
    do {
      let writer = try fixture.writer(partitions: 1, options: SpoolOptions(bufferBytes: 1000))
      for _ in 0..<10 { try noise(900).withUnsafeBytes { try writer.append(partition: 0, page: $0, rows: 1) } }
      #expect(writer.writtenBytes > 0)
      #expect(try fixture.directories.list().map(\.isTemporary) == [true])
    }
    #expect(try fixture.directories.list().isEmpty)
    let writer = try fixture.writer(partitions: 1)
    writer.abort()
    writer.abort()
    #expect(try fixture.directories.list().isEmpty)
  }

  @Test func syncedWriteCommitsToo() throws {
    let fixture = try SpoolFixture()
    let output = try fixture.write([(0, noise(10))], partitions: 1, options: SpoolOptions(sync: .data))
    #expect(try fixture.read(output.location) == [[noise(10)]])
  }

  private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...(bytes.count - part.count)).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
  }
}
