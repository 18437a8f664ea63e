// Tests that another stage's keys are read for a scan as long as they fit, and given up where they do not.

import Base
import Columnar
import ConnectorAPI
import Planning
import Testing

@testable import Execution

@Suite struct KeySourceReadingTests {
  private let key = Symbol(id: 1, name: "k", type: .varcharUnbounded)

  /// What is known of `batches` of keys with `bytesMax` bytes to read them into, and what was held at most.
  private func read(_ batches: [Batch], bytesMax: Int, limit: Int64) throws -> (summary: KeySummary?, peak: Int64) {
    let memory = MemoryContext(limit: limit)
    let context = TaskContext(catalogs: Catalogs([:]), openRemoteSource: { _ in BatchList(batches) }, memory: memory)
    let source = KeySource(fragment: 3, columns: [key], key: key, scan: 1, restricted: key)
    let reading = KeySourceReading(
      source, number: 0, context: context, input: TaskInput(shouldStop: { false }), bytesMax: bytesMax)
    return (try reading.load(), memory.peakBytes)
  }

  private func batches(_ count: Int) -> [Batch] {
    (0..<count).map { number in
      var keys = VectorBuilder(type: .varcharUnbounded, capacity: 1000)
      for row in 0..<1000 { keys.append(row % 10 == 0 ? .null : .text("the key of row \(number * 1000 + row)")) }
      return Batch(columns: [keys.finish()], count: 1000)
    }
  }

  @Test func allKeysAreReadWhereTheyFit() throws {
    let (summary, peak) = try read(batches(5), bytesMax: 1 << 20, limit: 1 << 30)
    #expect(summary?.isEmpty == false)
    #expect(peak < 1 << 20)
  }

  @Test func tooManyKeysAreGivenUp() throws {
    let (summary, peak) = try read(batches(50), bytesMax: 1 << 20, limit: 1 << 30)
    #expect(summary == nil)
    #expect(peak <= 1 << 20)
  }

  @Test func theGrantDoesNotDecideWhatIsFiltered() throws {
    let error = #expect(throws: WaterbearError.self) {
      try read(batches(5), bytesMax: 1 << 20, limit: 1 << 16)
    }
    #expect(error?.code == .exceededLocalMemoryLimit)
  }
}
