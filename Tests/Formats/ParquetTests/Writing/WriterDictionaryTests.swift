// Proves when columns have dictionaries, and that values are right when one is given up.
import Columnar
import Testing

@testable import Parquet

@Suite struct WriterDictionaryTests {
  private func integers(_ count: Int, _ value: (Int) -> Int) -> [Value] {
    (0..<count).map { .integer(Int64(value($0))) }
  }

  @Test func `few values are written as numbers of a dictionary`() throws {
    let values = integers(10_000) { $0 * 7919 % 100 }
    let file = try WrittenFile([("v", .bigint)], [batch(.bigint, values)])
    #expect(try file.pages(0, 0).map(\.encoding) == [.rleDictionary])
    #expect(try file.values(0) == values)
    let chunk = try file.chunk(0, 0)
    #expect(chunk.encodings.contains(.rleDictionary))
    #expect(chunk.totalCompressedSize < 10_000)
    #expect(
      chunk.encodingStatistics == [
        PageEncodingStatistics(pageType: 2, encoding: 0, count: 1),
        PageEncodingStatistics(pageType: 0, encoding: 8, count: 1),
      ])
  }

  @Test func `a dictionary that does not pay leaves nothing behind`() throws {
    let values = integers(10_000) { $0 * 7919 }
    let file = try WrittenFile([("v", .bigint)], [batch(.bigint, values)]) { $0.pageRows = 1000 }
    let chunk = try file.chunk(0, 0)
    #expect(chunk.dictionaryPageOffset == nil)
    #expect(!chunk.encodings.contains(.rleDictionary))
    #expect(try file.pages(0, 0).allSatisfy { $0.encoding == .plain })
    #expect(try file.values(0) == values)
  }

  @Test func `a dictionary that grows too large is kept, and values follow it`() throws {
    let texts = (0..<5000).map { Value.text("text number \($0 < 1000 ? $0 % 10 : $0) that is long") }
    for values in [texts, texts.flatMap { [$0, .null] }] {
      let file = try WrittenFile([("v", .varcharUnbounded)], [batch(.varcharUnbounded, values)]) {
        $0.pageRows = 500
        $0.dictionaryBytes = 20_000
      }
      let encodings = try file.pages(0, 0).map(\.encoding)
      #expect(encodings.first == .rleDictionary)
      #expect(encodings.last == .plain)
      #expect(try file.values(0) == values)
    }
  }

  @Test func `pages of NULLs need no dictionary`() throws {
    let nulls = [Value](repeating: .null, count: 1000)
    let none = try WrittenFile([("v", .integer)], [batch(.integer, nulls)])
    #expect(try none.pages(0, 0).map(\.encoding) == [.plain])
    #expect(try none.chunk(0, 0).dictionaryPageOffset == nil)
    for values in [integers(1000) { $0 % 10 }, integers(1000) { $0 * 7919 }] {
      let all = nulls + values + nulls + values
      let file = try WrittenFile([("v", .integer)], [batch(.integer, all)]) { $0.pageRows = 1000 }
      #expect(try file.values(0) == all)
      #expect(try file.pages(0, 0)[0].encoding == .plain)
    }
  }

  @Test func `each row group has a dictionary of its own`() throws {
    let batches = (0..<3).map { group in batch(.integer, integers(1000) { group * 10 + $0 % 10 }) }
    let file = try WrittenFile([("v", .integer)], batches) { $0.rowGroupRows = 1000 }
    for group in 0..<3 {
      #expect(try file.pages(group, 0).map(\.encoding) == [.rleDictionary])
      #expect(try file.pages(group, 0).flatMap(\.values) == integers(1000) { group * 10 + $0 % 10 })
    }
  }

  @Test func `dictionaries of vectors that change from batch to batch are told apart`() throws {
    let batches = (0..<5).map { number in
      let entries = vector(.varcharUnbounded, (0..<4).map { .text("entry \(number + $0) of a dictionary") })
      return Batch(columns: [dictionaryVector(entries, (0..<100).map { $0 % 4 })], count: 100)
    }
    let file = try WrittenFile([("v", .varcharUnbounded)], batches)
    #expect(try file.pages(0, 0).map(\.encoding) == [.rleDictionary])
    let expected = (0..<5).flatMap { number in
      (0..<100).map { Value.text("entry \(number + $0 % 4) of a dictionary") }
    }
    #expect(try file.values(0) == expected)
  }

  @Test func `numbers are given in the order of first use`() {
    let dictionary = ValueDictionary<Int64>()
    for round in 0..<2 {
      for value in 0..<10_000 { #expect(dictionary.number(of: Int64(value) << 40) == UInt32(value), "round \(round)") }
    }
    #expect(dictionary.count == 10_000)
    #expect(dictionary.byteCount == 80_000)
    dictionary.removeAll()
    #expect(dictionary.number(of: 5) == 0)
  }

  @Test func `zeros and NaNs are kept bit by bit`() {
    let dictionary = ValueDictionary<Double>()
    #expect(dictionary.number(of: 0.0) == 0)
    #expect(dictionary.number(of: -0.0) == 1)
    #expect(dictionary.number(of: .nan) == 2)
    #expect(dictionary.number(of: .nan) == 2)
    #expect(dictionary.number(of: -.nan) == 3)
  }
}
