// Tests that a summary never denies a key, and rarely grants what is none.

import Base
import Columnar
import Testing

@testable import Execution

@Suite struct KeySummaryTests {
  private func vector(_ values: [Value], _ type: DataType) -> Vector {
    var builder = VectorBuilder(type: type, capacity: values.count)
    for value in values { builder.append(value) }
    return builder.finish()
  }

  private func summary(_ keys: Vector) throws -> KeySummary {
    try KeySummary(keys, account: MemoryContext(limit: .max).account("test"))
  }

  /// How many of `values` are granted.
  private func granted(_ summary: KeySummary, _ values: Vector) -> Int {
    let flags = Buffer(byteCount: values.count)
    summary.test(values, into: flags.pointer(to: UInt8.self))
    return (0..<values.count).reduce(0) { $0 + Int(flags.pointer(to: UInt8.self)[$1]) }
  }

  @Test(arguments: [DataType.tinyint, .smallint, .integer, .bigint, .date, .decimal(precision: 9, scale: 2)])
  func closeIntegersAreAnsweredExactly(_ type: DataType) throws {
    let keys = vector((-20..<20).map { .integer($0 * 3) }, type)
    let summary = try self.summary(keys)
    #expect(summary.bounds == -60...57)
    #expect(granted(summary, keys) == 40)
    #expect(granted(summary, vector((-128..<128).map { .integer($0) }, type)) == 40)
  }

  @Test func theEndsOfTheRangeAreNoTrap() throws {
    let extremes: [Value] = [.integer(.min), .integer(.max), .integer(0)]
    let summary = try self.summary(vector(extremes, .bigint))
    #expect(summary.bounds == Int64.min...Int64.max)
    #expect(granted(summary, vector(extremes, .bigint)) == 3)
    let narrow = try self.summary(vector([.integer(.max), .integer(.max - 1)], .bigint))
    #expect(granted(narrow, vector(extremes + [.integer(.max - 1)], .bigint)) == 2)
  }

  @Test func spreadKeysAreGrantedAndMostOthersDenied() throws {
    let stride: Int64 = 1_000_003
    let keys = vector((0..<5000).map { .integer($0 * stride) }, .bigint)
    let others = vector((0..<5000).map { .integer($0 * stride + 7) }, .bigint)
    let summary = try self.summary(keys)
    #expect(summary.retainedBytes < 32 << 10)
    #expect(granted(summary, keys) == 5000)
    #expect(granted(summary, others) < 250)
  }

  @Test func textAndLongDecimalsAndDoubles() throws {
    let text = (0..<3000).map { Value.text("key number \($0)") }
    let wide = (0..<3000).map { Value.int128(Int128($0) << 70) }
    let doubles = (0..<3000).map { Value.double(Double($0) / 7) }
    for (values, type) in [
      (text, DataType.varcharUnbounded), (wide, .decimal(precision: 38, scale: 0)), (doubles, .double),
    ] {
      let summary = try self.summary(vector(Array(values[..<1000]), type))
      #expect(summary.bounds == nil)
      #expect(granted(summary, vector(Array(values[..<1000]), type)) == 1000)
      #expect(granted(summary, vector(Array(values[1000...]), type)) < 100)
    }
  }

  @Test func noKeyGrantsNothing() throws {
    let summary = try self.summary(vector([], .bigint))
    #expect(summary.isEmpty && summary.bounds == nil)
    #expect(KeyFilter(summary, column: 0).select(Batch(columns: [vector([.integer(1)], .bigint)], count: 1)).count == 0)
  }

  @Test(arguments: [
    (DataType.bigint, (0..<40_000).map { Value.integer($0 * 1_000_003) }),
    (.bigint, (0..<40_000).map { Value.integer($0 * 40) }),
    (.varcharUnbounded, (0..<40_000).map { Value.text("key number \($0)") }),
  ] as [(DataType, [Value])])
  func memoryIsAskedForFirst(_ type: DataType, _ values: [Value]) throws {
    let keys = vector(values, type)
    let memory = MemoryContext(limit: 1 << 30)
    let account = memory.account("test")
    try account.set(1000)
    let summary = try KeySummary(keys, account: account)
    #expect(granted(summary, keys) == values.count)
    #expect(memory.peakBytes == Int64(1000 + summary.retainedBytes))
    let small = MemoryContext(limit: Int64(summary.retainedBytes - 1))
    #expect(throws: WaterbearError.self) { try KeySummary(keys, account: small.account("test")) }
  }
}
