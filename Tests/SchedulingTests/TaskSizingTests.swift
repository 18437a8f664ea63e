// Tests how input is cut into tasks.
import Testing

@testable import Scheduling

@Suite struct TaskSizingTests {
  private func packer(
    minimum: Int64 = 100, maximum: Int64 = 1000, period: Int = 64, factor: Double = 1.26, splits: Int = 2048
  ) -> SplitPacker {
    SplitPacker(
      TaskSizing(
        compute: .init(minimum: minimum, maximum: maximum, growthPeriod: period, growthFactor: factor),
        maxSplitsPerTask: splits, taskMinimumSize: 1), isWriter: false)
  }

  @Test func packsUpToTheTarget() {
    var packer = packer()
    #expect(packer.add([60, 40, 1, 99, 100, 250, 10], last: true, slots: 0) == [0..<2, 2..<4, 4..<5, 5..<6, 6..<7])
  }

  @Test func keepsATaskOpenUntilItIsFullOrTheListEnds() {
    var packer = packer()
    #expect(packer.add([30], last: false, slots: 0).isEmpty)
    #expect(packer.add([30, 30], last: false, slots: 0).isEmpty)
    #expect(packer.add([30], last: false, slots: 0) == [0..<3])
    #expect(packer.add([], last: true, slots: 0) == [3..<4])
    #expect(packer.splitCount == 4)
  }

  @Test func noSplitsGiveNoTasks() {
    var packer = packer()
    #expect(packer.add([], last: true, slots: 4).isEmpty)
  }

  @Test func growsAfterEachPeriodUpToTheMaximum() {
    var packer = packer(minimum: 100, maximum: 300, period: 2, factor: 2)
    let tasks = packer.add(Array(repeating: 100, count: 16), last: true, slots: 0)
    #expect(tasks.map(\.count) == [1, 1, 2, 2, 3, 3, 3, 1])
  }

  @Test func splitsOfNoWeightAreCounted() {
    var packer = packer(splits: 3)
    #expect(packer.add(Array(repeating: 0, count: 7), last: true, slots: 0) == [0..<3, 3..<6, 6..<7])
  }

  @Test func aKnownListFillsEverySlotTwice() {
    var packer = packer(minimum: 1_000_000, maximum: 1_000_000)
    #expect(packer.add(Array(repeating: 10, count: 80), last: true, slots: 4).count == 8)
  }

  @Test func resumesWhereItWas() {
    var first = packer(period: 1, factor: 2)
    #expect(first.add([100, 200, 50], last: false, slots: 0).count == 2)
    var second = packer(period: 1, factor: 2)
    second.resume(packed: first.openStart, taskCount: 2)
    _ = second.add([200, 50].suffix(3 - first.openStart), last: false, slots: 0)
    let more: [Int64] = [300, 100, 400]
    #expect(first.add(more, last: true, slots: 0) == second.add(more, last: true, slots: 0))
  }

  private let sizing = TaskSizing(hashTaskTargetSize: 100, hashTasksPerSlot: 2, taskMinimumSize: 10)

  private func covers(_ tasks: [[Int]], _ count: Int) -> Bool {
    tasks.flatMap { $0 }.sorted() == Array(0..<count) && tasks.allSatisfy { !$0.isEmpty && $0 == $0.sorted() }
  }

  @Test func mergesPartitionsUpToTheTarget() {
    let tasks = PartitionPacking.pack([50, 60, 40, 50], sizing: sizing, isWriter: false, slots: 0)
    #expect(tasks.count == 2)
    #expect(covers(tasks, 4))
  }

  @Test func fillsTheSlots() {
    let sizes = [Int64](repeating: 10, count: 50)
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: false, slots: 0).count == 5)
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: false, slots: 8).count == 16)
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: false, slots: 1000).count == 50)
  }

  @Test func tinyInputIsOneTask() {
    let tasks = PartitionPacking.pack([1, 1, 1, 1], sizing: sizing, isWriter: false, slots: 8)
    #expect(tasks == [[0, 1, 2, 3]])
  }

  @Test func emptyPartitionsAreCoveredToo() {
    for slots in [0, 3, 100] {
      let empty = PartitionPacking.pack([0, 0, 0, 0, 0], sizing: sizing, isWriter: false, slots: slots)
      #expect(empty.count == 1 && covers(empty, 5))
      let mixed = PartitionPacking.pack([0, 900, 0, 0, 300], sizing: sizing, isWriter: false, slots: slots)
      #expect(mixed.count == 5 && covers(mixed, 5))
    }
  }

  @Test func aGiantPartitionStaysAlone() {
    let tasks = PartitionPacking.pack([10, 1000, 10, 10], sizing: sizing, isWriter: false, slots: 1)
    #expect(tasks.contains([1]))
  }

  @Test func manyPartitionsAreSpreadEvenly() {
    let sizes = (0..<100_000).map { Int64($0 % 7) }
    let tasks = PartitionPacking.pack(sizes, sizing: sizing, isWriter: false, slots: 0)
    let loads = tasks.map { $0.reduce(0) { $0 + sizes[$1] } }
    #expect(covers(tasks, 100_000))
    #expect(loads.max()! <= 110)
  }

  @Test func takesTasksOneByOneAsAllAtOnce() {
    let weights: [Int64] = [60, 40, 1, 99, 100, 250, 10, 0, 0, 30]
    for chunk in 1...4 {
      var whole = packer(period: 2, factor: 2)
      var paced = packer(period: 2, factor: 2)
      let expected = whole.add(weights, last: true, slots: 3)
      paced.give(weights, last: true, slots: 3)
      var tasks: [Range<Int>] = []
      while paced.hasMore { tasks += paced.take(chunk) }
      #expect(tasks == expected)
      #expect(paced.isDone && paced.splitCount == 10)
    }
  }

  @Test func writersOfPartitionsHaveLimitsOfTheirOwn() {
    var sizing = TaskSizing(
      hashTaskTargetSize: 10, hashWriteTaskTargetSize: 10, hashTasksPerSlot: 2, taskMinimumSize: 1)
    let sizes = [Int64](repeating: 10, count: 20)
    sizing.hashWriteTaskMaxCount = 6
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: true, slots: 1).count == 6)
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: false, slots: 1).count == 20)
    sizing.hashWriteTaskTargetSize = 1000
    sizing.hashTaskTargetSize = 1000
    sizing.hashWriteTasksPerSlot = 1
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: true, slots: 4).count == 4)
    #expect(PartitionPacking.pack(sizes, sizing: sizing, isWriter: false, slots: 4).count == 8)
  }
}
