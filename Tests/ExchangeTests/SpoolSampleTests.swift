// A file of every released format version stays readable. A change of the format needs a new version and a new sample.
// WATERBEAR_UPDATE=1 writes a sample that is missing.
import Base
import Exchange
import Glibc
import Sealing
import Testing

struct SpoolSampleTests {
  private static let samples = #filePath.dropLast("SpoolSampleTests.swift".count) + "Samples/"

  private let pages: [[[UInt8]]] = [
    [Array(String(repeating: "spool format ", count: 10).utf8), []], [], [], [[1, 2, 3], Array(0..<100)],
  ]

  /// Attempt 0 is encrypted under the key 0, 1, … 31; attempt 1 is not encrypted.
  @Test(arguments: [(0, 495, true), (1, 455, false)])
  func version1(number: Int, fileBytes: Int, encrypted: Bool) throws {
    let key = encrypted ? try SealingKey(bytes: Array(0..<32)) : nil
    let location = SpoolLocation(
      attempt: SpoolFixture.attempt(2, number), directory: Self.samples + "v1", fileBytes: fileBytes)
    try expectPages(SpoolReader(location, key: key))
  }

  /// Attempt 2 is like attempt 0, with a page that is a Zstandard frame.
  @Test func version1WithZstandard() throws {
    let key = try SealingKey(bytes: Array(0..<32))
    let location = SpoolLocation(
      attempt: SpoolFixture.attempt(2, 2), directory: Self.samples + "v1", fileBytes: 501)
    if getenv("WATERBEAR_UPDATE") != nil, !TestFile.exists(location.path) { try makeSample(location, key) }
    // The flag, without which programs would not look for such pages.
    #expect(try TestFile.read(location.path)[6] == 3)
    let reader = try SpoolReader(location, key: key)
    let page = try reader.page(0, of: 0)
    #expect(page.storedBytes < page.rawBytes)
    try expectPages(reader)
  }

  private func makeSample(_ location: SpoolLocation, _ key: SealingKey) throws {
    let fixture = try SpoolFixture()
    let writer = try SpoolWriter(
      in: fixture.directories, attempt: location.attempt, partitionCount: 4, key: key,
      options: SpoolOptions(codec: .zstd))
    for partition in pages.indices {
      for page in pages[partition] {
        try page.withUnsafeBytes { try writer.append(partition: partition, page: $0, rows: partition + 1) }
      }
    }
    try TestFile.write(TestFile.read(writer.commit().location.path), to: location.path)
  }

  private func expectPages(_ reader: SpoolReader) throws {
    #expect(reader.partitionCount == 4)
    for partition in 0..<4 {
      #expect(try reader.pageCount(of: partition) == pages[partition].count)
      for number in pages[partition].indices {
        #expect(try reader.readPage(number, of: partition) == pages[partition][number])
        #expect(try reader.page(number, of: partition).rows == partition + 1)
      }
    }
  }
}
