// A file of every released format version stays readable. A change of the format needs a new version and a new sample.
import Base
import Exchange
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
    let reader = try SpoolReader(location, key: key)
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
