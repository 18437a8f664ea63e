// Whatever happens to a committed file, a reader says EXCHANGE_DATA_UNRECOVERABLE and never gives wrong bytes.
import Base
import Exchange
import Glibc
import Sealing
import Testing

struct SpoolDamageTests {
  private let fixture: SpoolFixture
  private let pages: [(Int, [UInt8])] = [(0, pattern(99)), (2, noise(9)), (0, [1])]

  init() throws { fixture = try SpoolFixture() }

  @Test(arguments: SpoolRoundTripTests.variants)
  func everyFlippedBitIsFound(encrypted: Bool, codec: SpoolCodec) throws {
    let output = try fixture.write(pages, partitions: 3, encrypted: encrypted, options: SpoolOptions(codec: codec))
    let path = output.location.path
    let intact = try TestFile.read(path)
    for position in intact.indices {
      for bit in 0..<8 {
        try TestFile.overwrite(intact[position] ^ 1 << UInt8(bit), at: position, of: path)
        expectDamage("bit \(bit) of byte \(position)") { try fixture.read(output.location, encrypted: encrypted) }
      }
      try TestFile.overwrite(intact[position], at: position, of: path)
    }
    #expect(try fixture.read(output.location, encrypted: encrypted).count == 3)
  }

  @Test(arguments: [true, false])
  func everyTruncationIsFound(encrypted: Bool) throws {
    let output = try fixture.write(pages, partitions: 3, encrypted: encrypted)
    let intact = try TestFile.read(output.location.path)
    for count in intact.indices.reversed() {
      try #require(truncate(output.location.path, count) == 0)
      expectDamage("\(count) bytes") { try fixture.read(output.location, encrypted: encrypted) }
      // Also where the length that was reported is wrong by as much.
      var location = output.location
      location.fileBytes = count
      expectDamage("\(count) bytes as reported") { try fixture.read(location, encrypted: encrypted) }
    }
    try TestFile.write(intact + [0], to: output.location.path)
    expectDamage("a byte more") { try fixture.read(output.location, encrypted: encrypted) }
  }

  @Test(arguments: [true, false])
  func swappedPagesAreFound(encrypted: Bool) throws {
    // Two pages of equal length, which lie one behind the other.
    let options = SpoolOptions(codec: .none)
    let output = try fixture.write(
      [(0, noise(64)), (0, noise(64, seed: 2))], partitions: 1, encrypted: encrypted, options: options)
    let path = output.location.path
    var bytes = try TestFile.read(path)
    let stored = output.partition(0).storedBytes / 2
    let start = 50 + SpoolFixture.query.text.utf8.count
    let first = Array(bytes[start..<(start + stored)])
    bytes.replaceSubrange(start..<(start + stored), with: bytes[(start + stored)..<(start + 2 * stored)])
    bytes.replaceSubrange((start + stored)..<(start + 2 * stored), with: first)
    try TestFile.write(bytes, to: path)
    expectDamage("swapped pages") { try fixture.read(output.location, encrypted: encrypted) }
  }

  @Test(arguments: [true, false])
  func otherAttemptsFileIsFound(encrypted: Bool) throws {
    let query = QueryID("20260102_030405_00007_abcde")
    let mine = SpoolFixture.attempt()
    let others = [
      SpoolFixture.attempt(stage: 9), SpoolFixture.attempt(9), SpoolFixture.attempt(2, 9),
      SpoolFixture.attempt(query: query),
    ]
    let output = try fixture.write(pages, mine, partitions: 3, encrypted: encrypted)
    for other in others {
      let foreign = try fixture.write(pages, other, partitions: 3, encrypted: encrypted)
      #expect(foreign.location.fileBytes == output.location.fileBytes)
      try TestFile.write(TestFile.read(foreign.location.path), to: output.location.path)
      expectDamage("the file of \(other)") { try fixture.read(output.location, encrypted: encrypted) }
    }
  }

  /// Pages of two files of the same attempt number under one query key cannot be mixed: the salt differs.
  @Test func pagesOfATwinFileAreRefused() throws {
    let options = SpoolOptions(codec: .none)
    let first = try fixture.write([(0, noise(64))], partitions: 1, options: options)
    let bytes = try TestFile.read(first.location.path)
    let second = try fixture.write([(0, noise(64))], partitions: 1, options: options)
    var mixed = try TestFile.read(second.location.path)
    #expect(mixed != bytes)
    let start = 50 + SpoolFixture.query.text.utf8.count
    mixed.replaceSubrange(start..<(start + 80), with: bytes[start..<(start + 80)])
    try TestFile.write(mixed, to: second.location.path)
    expectDamage("a page of the twin") { try fixture.read(second.location) }
  }

  @Test func wrongKeyIsFound() throws {
    let output = try fixture.write(pages, partitions: 3)
    let other = try SealingKey.random()
    expectDamage("another key") { _ = try SpoolReader(output.location, key: other) }
    expectDamage("no key") { _ = try SpoolReader(output.location, key: nil) }
    let open = try fixture.write(pages, SpoolFixture.attempt(8), partitions: 3, encrypted: false)
    expectDamage("a key for an open file") { _ = try SpoolReader(open.location, key: other) }
  }

  @Test func missingEmptyAndUnreadableFilesAreFound() throws {
    let output = try fixture.write(pages, partitions: 3)
    let path = output.location.path
    try TestFile.write([], to: path)
    expectDamage("empty") { try fixture.read(output.location) }
    unlink(path)
    let error = expectDamage("missing") { try fixture.read(output.location) }
    #expect(error?.message == "Spool file \(path) is missing")
    mkdir(path, 0o700)
    expectDamage("a directory") { try fixture.read(output.location) }
  }

  @Test func damageInALargeFileNamesFileAndPage() throws {
    let output = try fixture.write((0..<20).map { (0, noise(50_000, seed: UInt64($0))) }, partitions: 1)
    var bytes = try TestFile.read(output.location.path)
    bytes[77 + 2 * 50_016 + 100] ^= 1
    try TestFile.write(bytes, to: output.location.path)
    let reader = try SpoolReader(output.location, key: fixture.key)
    #expect(try reader.readPage(1, of: 0) == noise(50_000, seed: 1))
    let error = expectDamage("page 2") { try reader.readPage(2, of: 0) }
    #expect(error?.message.contains(output.location.path) == true)
    #expect(error?.message.contains("page 2 of partition 0") == true)
    #expect(try reader.readPage(3, of: 0) == noise(50_000, seed: 3))
  }

  @Test func filesShrinkingUnderTheReaderAreFound() throws {
    let output = try fixture.write((0..<20).map { (0, noise(50_000, seed: UInt64($0))) }, partitions: 1)
    let reader = try SpoolReader(output.location, key: fixture.key)
    truncate(output.location.path, 100_000)
    expectDamage("cut while open") { try reader.readPage(10, of: 0) }
  }

  @discardableResult
  private func expectDamage<Result>(_ what: String, _ body: () throws -> Result) -> WaterbearError? {
    let error = #expect(throws: WaterbearError.self, "\(what)") { _ = try body() }
    #expect(error?.code == .exchangeDataUnrecoverable, "\(what): \(String(describing: error))")
    return error
  }
}
