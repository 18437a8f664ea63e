// Proves the random streams against slow arithmetic: draws, skipping, ranges.

import Testing

@testable import TPCHConnector

struct RandomStreamTests {
  private let stream = RandomStream(origin: 1_808_217_256)

  /// The first `count` draws, one after the other, with 64-bit division.
  private func slowDraws(_ count: Int) -> [UInt32] {
    var state = UInt64(stream.origin)
    return (0..<count).map { _ in
      state = state * 16807 % 2_147_483_647
      return UInt32(state)
    }
  }

  @Test
  func productsAreReducedCorrectly() {
    let edges: [UInt32] = [1, 2, 3, 16807, 46_340, 46_341, 1 << 30, 0x7fff_fffd, 0x7fff_fffe]
    for a in edges {
      for b in edges {
        #expect(RandomStream.times(a, b) == UInt32(UInt64(a) * UInt64(b) % 2_147_483_647))
      }
    }
  }

  @Test
  func skippingMeetsDrawing() {
    let draws = slowDraws(1000)
    for index in [1, 2, 3, 64, 999, 1000] { #expect(stream.state(after: Int64(index)) == draws[index - 1]) }
    // The period is 2^31 - 2.
    #expect(stream.state(after: 2_147_483_646) == stream.origin)
  }

  @Test(arguments: [1, 2, 3, 14, 92])
  func fillsTakeEveryNthDraw(_ stride: Int) {
    let draws = slowDraws(3000)
    for count in [0, 1, 7, 8, 9, 30] {
      let buffer = DrawBuffer(capacity: 30)
      stream.fill(buffer.draws, count: count, first: 5, stride: stride)
      let expected = (0..<count).map { draws[4 + $0 * stride] }
      #expect((0..<count).map { buffer.draws[$0] } == expected)
    }
  }

  @Test(arguments: [(1, 1), (2, 1), (2, 2)])
  func linesSkipWhatTheirOrderDoesNotUse(_ drawsPerLine: Int, _ call: Int) {
    let draws = slowDraws(2000)
    let counts: [UInt8] = [1, 7, 3, 2, 7, 7, 1, 4]
    var expected: [UInt32] = []
    for (order, count) in counts.enumerated() {
      for line in 0..<Int(count) {
        expected.append(draws[(order + 2) * 7 * drawsPerLine + line * drawsPerLine + call - 1])
      }
    }
    let buffer = DrawBuffer(capacity: expected.count + 7)
    stream.fillLines(
      buffer.draws, lineCounts: counts, orders: counts.count, firstOrder: 2, drawsPerLine: drawsPerLine, call: call)
    #expect((0..<expected.count).map { buffer.draws[$0] } == expected)
  }

  @Test(arguments: [1, 2, 3, 7, 50, 92, 2406, 9999, 99_901, 150_000, 1_099_999, 1_500_000] as [Int32])
  func wholeNumbersAndDoublesAgreeOnNarrowRanges(_ span: Int32) {
    let range = ValueRange(0, span - 1)
    // The draws at which the value changes are where rounding could matter.
    let steps = stride(from: 0, through: Int(span), by: max(1, Int(span) / 2000))
    for step in steps {
      let edge = step * 2_147_483_647 / Int(span)
      for draw in max(edge - 1, 1)...min(edge + 2, 2_147_483_646) {
        #expect(range.narrow(UInt32(draw)) == range.wide(UInt32(draw)))
      }
    }
    #expect(range.narrow(2_147_483_646) == span - 1)
  }

  @Test
  func theSupplierOfAPartNeedsNoDivision() {
    for factor in [0.001, 0.01, 1, 3.7, 1000, 10_000] {
      let scale = Scale(factor: factor)!
      let bridge = SupplierBridge(scale)
      let suppliers = scale.suppliers
      let parts = scale.parts
      for part in [1, 2, suppliers, suppliers + 1, parts / 2, parts / 3 + 1, parts - 1, parts] {
        for number in Int64(0)..<4 {
          let expected = (part + number * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1
          #expect(bridge.supplier(part: Int32(part), number: Int32(number)) == expected)
        }
      }
    }
  }
}
