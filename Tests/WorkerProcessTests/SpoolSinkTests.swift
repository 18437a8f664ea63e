// Tests that rows get into a spool file in pages of the allowed size, whatever size batches have.
import Base
import Columnar
import Exchange
import Platform
import TemporaryDirectories
import Testing

@testable import WorkerProcess

@Suite struct SpoolSinkTests {
  private static let limit = 4096
  private let temporary = TemporaryDirectory()

  private func writer() throws -> SpoolWriter {
    let directories = try SpoolDirectories(
      paths: [temporary.path + "/spool"], owner: "test", now: { SystemClock.monotonic() }, report: { _ in })
    try directories.prepare()
    let query = StageID(query: QueryID("20260102_030405_00006_abcde"), number: 1)
    return try SpoolWriter(
      in: directories, attempt: AttemptID(task: TaskID(stage: query, partition: 0), number: 0), partitionCount: 1,
      key: nil, options: SpoolOptions(maxPageBytes: Self.limit))
  }

  private func batch(_ texts: [String]) -> Batch {
    var numbers = VectorBuilder(type: .bigint)
    var column = VectorBuilder(type: .varcharUnbounded)
    for (row, text) in texts.enumerated() {
      numbers.append(row % 10 == 0 ? .null : .integer(Int64(row)))
      column.append(.text(text))
    }
    return Batch(columns: [numbers.finish(), column.finish()], count: texts.count)
  }

  @Test func rowsTooLargeForOnePageBecomeSeveral() throws {
    let expected = batch((0..<1000).map { "row \($0) " + String(repeating: "x", count: $0 % 50) })
    let writer = try writer()
    try SpoolSink(writer).append(partition: 0, batch: expected)
    let output = try writer.commit()
    #expect(output.rows == 1000)
    let reader = try SpoolReader(output.location, key: nil)
    let pages = try reader.pageCount(of: 0)
    #expect(pages > 5)
    var row = 0
    for page in 0..<pages {
      let bytes = try reader.readPage(page, of: 0)
      #expect(bytes.count <= Self.limit)
      let found = try BatchCodec.decode(bytes, types: [.bigint, .varcharUnbounded])
      for index in 0..<found.count {
        #expect(found.columns.map { $0.value(at: index) } == expected.columns.map { $0.value(at: row) })
        row += 1
      }
    }
    #expect(row == 1000)
  }

  @Test func aRowTooLargeForAPageIsRefused() throws {
    let sink = SpoolSink(try writer())
    #expect {
      try sink.append(partition: 0, batch: batch(["small", String(repeating: "x", count: 5000), "small"]))
    } throws: { error in
      let error = WaterbearError.wrapping(error)
      return error.code == .notSupported && error.message.hasPrefix("Max row size of 4kB exceeded")
    }
  }
}
