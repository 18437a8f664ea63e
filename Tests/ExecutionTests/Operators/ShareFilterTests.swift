// Tests that shares hold each row once, and divide each other.

import Columnar
import Testing

@testable import Execution

struct ShareFilterTests {
  private func rows(_ batches: [Batch], _ index: Int, of count: Int, keepsNulls: Bool = false) -> [Row] {
    let filter = ShareFilter(RowShare(index: index, count: count), keys: [0], keepsNulls: keepsNulls)
    return batches.flatMap { filter.apply($0).rows }
  }

  private func batches() -> [Batch] {
    var random = RandomBatches(seed: 11)
    random.distinctValues = 500
    return random.batches([.bigint, .varcharUnbounded], counts: [1000, 1, 0, 3000])
  }

  @Test func eachRowIsInOneShare() {
    let batches = batches()
    let all = batches.flatMap(\.rows).map(sortKey).sorted()
    for count in [1, 3, 4, 16] {
      let parts = (0..<count).map { rows(batches, $0, of: count) }
      #expect(parts.flatMap { $0 }.map(sortKey).sorted() == all)
      if count == 4 { #expect(parts.allSatisfy { $0.count > 100 }, "\(parts.map(\.count))") }
    }
  }

  @Test func sharesNest() {
    let batches = batches()
    for index in 0..<4 {
      let whole = rows(batches, index, of: 4).map(sortKey).sorted()
      let parts = (index * 4..<index * 4 + 4).flatMap { rows(batches, $0, of: 16) }.map(sortKey).sorted()
      #expect(parts == whole)
    }
  }

  @Test func rowsOfOnePartitionAreSpreadOverShares() {
    let hashes = (0..<20_000).map { UInt64($0) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64($0) << 32 }
    let mixed = hashes.map { ($0 ^ $0 >> 31) &* 0xd6e8_feb8_6659_fd93 }
    let ofOne = mixed.filter { partition(ofHash: $0, count: 50) == 7 }
    var counts = [0, 0, 0, 0]
    for hash in ofOne { counts[share(ofHash: hash, count: 4)] += 1 }
    #expect(counts.allSatisfy { $0 > ofOne.count / 8 }, "\(counts)")
  }

  @Test func nullKeysAndTheFirstRowMayBeInEveryShare() {
    let batches = batches()
    let nulls = batches.flatMap(\.rows).filter { $0[0] == .null }.count
    #expect(nulls > 10)
    for index in 0..<4 {
      let kept = rows(batches, index, of: 4, keepsNulls: true)
      #expect(kept.filter { $0[0] == .null }.count == nulls)
      #expect(kept.first.map(sortKey) == batches[0].rows.first.map(sortKey))
    }
  }
}
