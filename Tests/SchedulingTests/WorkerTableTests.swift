// Tests the placing of tasks on workers.
import Base
import Testing

@testable import Scheduling

@Suite struct WorkerTableTests {
  private func worker(_ number: Int, slots: Int = 2, memory: Int64 = 100) -> WorkerState {
    let worker = WorkerState(id: WorkerID(number: number, incarnation: 0), lastHeard: MonotonicTime(nanoseconds: 0))
    worker.slots = slots
    worker.memory = memory
    return worker
  }

  private func attempt(_ number: Int) -> AttemptID {
    AttemptID(task: TaskID(stage: StageID(query: QueryID("q"), number: 0), partition: number), number: 0)
  }

  @Test func mostFreeMemoryFirst() {
    var table = WorkerTable()
    let workers = [worker(0, memory: 100), worker(1, memory: 300), worker(2, memory: 200)]
    for worker in workers {
      table.insert(worker)
      table.change(worker) { $0.isConnected = true }
    }
    #expect(table.best { _ in true } === workers[1])
    #expect(table.best { $0 !== workers[1] } === workers[2])
    table.change(workers[1]) { $0.take(attempt(0), memory: 250) }
    #expect(table.best { _ in true } === workers[2])
    #expect(table.biggestMemory() == 300)
    #expect(table.slots == 6)
  }

  @Test func fullDrainingAndBrokenWorkersGetNothing() {
    var table = WorkerTable()
    let only = worker(0, slots: 1)
    table.insert(only)
    #expect(!table.hasFreeSlot)
    table.change(only) { $0.isConnected = true }
    #expect(table.hasFreeSlot)
    table.change(only) { $0.take(attempt(0), memory: 1) }
    #expect(!table.hasFreeSlot)
    table.change(only) { $0.release(attempt(0)) }
    #expect(table.hasFreeSlot)
    table.change(only) { $0.takeForeign(attempt(9)) }
    #expect(!table.hasFreeSlot)
    table.change(only) { $0.release(attempt(9)) }
    table.change(only) { $0.isDraining = true }
    #expect(!table.hasFreeSlot && table.slots == 0 && table.biggestMemory() == 0)
  }

  @Test func theDeadStayDead() {
    var table = WorkerTable()
    let first = worker(3)
    table.insert(first)
    table.change(first) { $0.isConnected = true }
    table.bury(first)
    #expect(table.isBuried(WorkerID(number: 3, incarnation: 0)))
    #expect(!table.isBuried(WorkerID(number: 3, incarnation: 1)))
    #expect(!table.hasFreeSlot && table.byID.isEmpty && table.slots == 0)
  }

  @Test func orderHoldsThroughManyChanges() {
    var table = WorkerTable()
    let workers = (0..<50).map { worker($0, slots: 3, memory: Int64(1000 + $0 * 7)) }
    for worker in workers {
      table.insert(worker)
      table.change(worker) { $0.isConnected = true }
    }
    var state: UInt64 = 1
    var next = 0
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let worker = workers[Int(state >> 33) % 50]
      if let held = worker.running.keys.sorted().first, state & 1 == 0 {
        table.change(worker) { $0.release(held) }
      } else if worker.running.count < 3 {
        next += 1
        table.change(worker) { $0.take(attempt(next), memory: Int64(state >> 40) % 300) }
      }
      let expected = workers.filter(\.acceptsAttempts).map(\.freeMemory).max()
      #expect(table.best { _ in true }?.freeMemory == expected)
    }
  }
}
