// Batches through a spool file: encoded, compressed, sealed, and back.
import Base
import Columnar
import Exchange
import Testing

struct SpooledBatchTests {
  @Test func batchesComeBack() throws {
    let fixture = try SpoolFixture()
    let types: [DataType] = [.bigint, .varcharUnbounded]
    var encoder = BatchEncoder()
    let writer = try fixture.writer(partitions: 2)
    for number in 0..<4 {
      let batch = batch(number)
      try encoder.encode(batch) { try writer.append(partition: number % 2, page: $0, rows: batch.count) }
    }
    let output = try writer.commit()
    #expect(output.rows == 4000)
    let reader = try SpoolReader(output.location, key: fixture.key)
    for number in 0..<4 {
      let found = try BatchCodec.decode(reader.readBuffer(number / 2, of: number % 2), types: types)
      let expected = batch(number)
      #expect(found.count == expected.count)
      for row in 0..<1000 {
        #expect(found.columns.map { $0.value(at: row) } == expected.columns.map { $0.value(at: row) })
      }
    }
  }

  private func batch(_ number: Int) -> Batch {
    var numbers = VectorBuilder(type: .bigint)
    var texts = VectorBuilder(type: .varcharUnbounded)
    for row in 0..<1000 {
      numbers.append(row % 10 == 0 ? .null : .integer(Int64(row * number)))
      texts.append(.text("row \(row) of batch number \(number)"))
    }
    return Batch(columns: [numbers.finish(), texts.finish()], count: 1000)
  }
}
