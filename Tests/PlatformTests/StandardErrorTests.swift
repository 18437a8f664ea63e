// Tests of log lines for a reader that does not read.
import Glibc
import Platform
import Testing

@Suite struct StandardErrorTests {
  @Test func linesForAReaderThatIsStoppedAreLeftOut() throws {
    let pipe = try OwnedDescriptor.pipe()
    // 100 kB exceed the 64 kB that a pipe holds; a plain write would wait for ever.
    let line = [UInt8](repeating: UInt8(ascii: "x"), count: 999) + [UInt8(ascii: "\n")]
    for _ in 0..<100 { StandardError.offer(line, to: pipe.write.number) }
    let held = try #require(try pipe.read.readAvailable(limit: 1 << 20))
    #expect(held.count >= 4096 && held.count <= 65536 && held.count % 1000 == 0)
  }

  @Test func aLineBeyondThePipesPromiseIsCutAndStillEnds() throws {
    let pipe = try OwnedDescriptor.pipe()
    StandardError.offer([UInt8](repeating: UInt8(ascii: "x"), count: 10_000), to: pipe.write.number)
    let held = try #require(try pipe.read.readAvailable(limit: 1 << 20))
    #expect(held.count == 4096 && held.last == UInt8(ascii: "\n"))
  }
}
