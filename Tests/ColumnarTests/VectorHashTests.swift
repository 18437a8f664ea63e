// Proves that hashes depend on values only, never on encoding, and that they do not change between releases.

import Columnar
import Testing

struct VectorHashTests {
  private func hashes(_ columns: [Vector], count: Int) -> [UInt64] {
    var result = [UInt64](repeating: 0, count: count)
    result.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { hashRows(columns, count: count, into: base) }
    }
    return result
  }

  @Test(arguments: VectorGatherTests.types.indices)
  func encodingsHashAlike(_ index: Int) {
    let (type, values) = VectorGatherTests.types[index]
    for (vector, _) in VectorGatherTests.forms(type, values, count: 100) {
      #expect(hashes([vector], count: 100) == hashes([vector.flattened()], count: 100))
      #expect(hashes([vector, vector], count: 100) == hashes([vector.flattened(), vector], count: 100))
    }
  }

  @Test func equalTextHashesAlikeWhereverItLies() {
    let texts = ["", "a", "exactly12byt", "thirteenbytes", "sixteen bytes ab", "twenty-five bytes of text"]
    for text in texts {
      var one = VectorBuilder(type: .varcharUnbounded)
      one.append(.text(text))
      var other = VectorBuilder(type: .varcharUnbounded)
      other.append(.text("something else that comes first"))
      other.append(.text(text))
      #expect(hashes([one.finish()], count: 1)[0] == hashes([other.finish()], count: 2)[1])
    }
  }

  @Test func zerosAndNaNsAreOne() {
    for type in [DataType.real, .double] {
      var builder = VectorBuilder(type: type)
      for value in [0.0, -0.0, Double.nan, -Double.nan, 1, -1] { builder.append(.double(value)) }
      let result = hashes([builder.finish()], count: 6)
      #expect(result[0] == result[1] && result[2] == result[3])
      #expect(Set(result).count == 4)
    }
  }

  @Test func widthsHashAlike() {
    let types: [DataType] = [.tinyint, .smallint, .integer, .bigint, .decimal(precision: 38, scale: 0)]
    for number in [Int64(-5), 0, 1, 100] {
      let all = types.map { hashes([Vector.repeating(.integer(number), type: $0, count: 1)], count: 1)[0] }
      #expect(Set(all).count == 1)
    }
  }

  @Test func columnOrderMatters() {
    let a = Vector.repeating(.integer(1), type: .bigint, count: 1)
    let b = Vector.repeating(.integer(2), type: .bigint, count: 1)
    #expect(hashes([a, b], count: 1) != hashes([b, a], count: 1))
    let null = Vector.repeating(.null, type: .bigint, count: 1)
    #expect(hashes([a, null], count: 1) != hashes([null, a], count: 1))
  }

  @Test func spreadsOverHighAndLowBits() {
    let count = 1 << 14
    let values = Buffer(count: count, of: Int64.self)
    for row in 0..<count { values.pointer(to: Int64.self)[row] = Int64(row) }
    let column = Vector(flat: .bigint, count: count, values: values)
    for columns in [[column], [column, column]] {
      let result = hashes(columns, count: count)
      #expect(Set(result).count == count)
      for shift in [0, 20, 58] as [UInt64] {
        var buckets = [Int](repeating: 0, count: 64)
        for hash in result { buckets[Int((hash >> shift) & 63)] += 1 }
        // 256 expected in each; six standard deviations either way.
        #expect(buckets.allSatisfy { $0 > 160 && $0 < 352 })
      }
    }
  }

  @Test func textsSpreadOverHighAndLowBits() {
    for prefix in ["", "Customer#000", "a prefix of more than twelve bytes "] {
      var builder = VectorBuilder(type: .varcharUnbounded, capacity: 1 << 13)
      for row in 0..<1 << 13 { builder.append(.text("\(prefix)\(row)")) }
      let result = hashes([builder.finish()], count: 1 << 13)
      #expect(Set(result).count == 1 << 13)
      for shift in [0, 20, 58] as [UInt64] {
        var buckets = [Int](repeating: 0, count: 64)
        for hash in result { buckets[Int((hash >> shift) & 63)] += 1 }
        // 128 expected in each; six standard deviations either way.
        #expect(buckets.allSatisfy { $0 > 60 && $0 < 196 }, "\(prefix) \(shift)")
      }
    }
  }

  /// These numbers may never change: data spooled by one release is read by the next.
  @Test func hashesAreFixedForever() {
    let number = Vector.repeating(.integer(42), type: .bigint, count: 1)
    let long = Vector.repeating(.text("a string that is longer than twelve bytes"), type: .varcharUnbounded, count: 1)
    let short = Vector.repeating(.text("BUILDING"), type: .varcharUnbounded, count: 1)
    let null = Vector.repeating(.null, type: .bigint, count: 1)
    let found = [[number], [long], [short], [null], [number, short], []].map { hashes($0, count: 1)[0] }
    #expect(found == Self.fixed)
  }

  private static let fixed: [UInt64] = [
    5_012_973_811_722_837_967, 12_046_349_437_368_055_703, 7_509_734_785_214_025_880, 11_160_318_154_034_397_263,
    6_520_561_790_954_653_338, 11_160_318_154_034_397_263,
  ]
}
