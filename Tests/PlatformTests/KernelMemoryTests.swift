// Tests what is read of the kernel's figures about memory.
import Testing

@testable import Platform

@Suite struct KernelMemoryTests {
  @Test func someMemoryIsAvailable() throws {
    let available = try #require(KernelMemory.availableBytes())
    #expect(available > 1 << 20)
    #expect(KernelMemory.kills() >= 0)
  }

  @Test func eachKillExplainsOneEnd() {
    var kills = OutOfMemoryKills()
    let start = KernelMemory.kills()
    let explained = [start, start + 2, start + 2, start + 2].map { kills.explainsAKill(count: $0) }
    #expect(explained == [false, true, true, false])
  }
}
