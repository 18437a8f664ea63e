// Tests frames: cut anywhere, too long, malformed.
import Base
import Testing

@testable import Wire

@Suite struct FrameDecoderTests {
  private func sample() throws -> [UInt8] {
    let submit = SubmitQuery(nonce: "n", sql: "SELECT 1", catalog: nil, schema: "tiny", session: ["a": "b"])
    return try Frame(submit, id: 7, attachment: [1, 2, 3]).encoded() + Frame(DrainWorker()).encoded()
  }

  private func check(_ frames: [Frame]) throws {
    #expect(frames.map(\.name) == [SubmitQuery.name, DrainWorker.name])
    #expect(frames[0].id == 7)
    #expect(frames[0].attachment == [1, 2, 3])
    let message = try frames[0].message(SubmitQuery.self)
    #expect(message.sql == "SELECT 1" && message.schema == "tiny" && message.catalog == nil)
  }

  @Test func framesComeOutOfOneLump() throws {
    var decoder = FrameDecoder()
    decoder.append(try sample())
    var frames: [Frame] = []
    while let frame = try decoder.next() { frames.append(frame) }
    try check(frames)
    #expect(decoder.bufferedBytes == 0)
  }

  @Test func framesComeOutByteByByte() throws {
    var decoder = FrameDecoder()
    var frames: [Frame] = []
    for byte in try sample() {
      decoder.append([byte])
      while let frame = try decoder.next() { frames.append(frame) }
    }
    try check(frames)
  }

  @Test func aLengthOverTheLimitIsRefusedBeforeItsBytesCome() {
    var decoder = FrameDecoder(limit: 100)
    decoder.append([101, 0, 0, 0])
    #expect(throws: WaterbearError.self) { try decoder.next() }
  }

  @Test func damagedFramesThrowOrWaitButNeverTrap() throws {
    let whole = try sample()
    for index in whole.indices {
      for bit in 0..<8 {
        var decoder = FrameDecoder(limit: 1000)
        var damaged = whole
        damaged[index] ^= 1 << UInt8(bit)
        decoder.append(damaged)
        do {
          while let frame = try decoder.next() { _ = try? frame.message(SubmitQuery.self) }  // Only a trap would fail.
        } catch {
          #expect((error as? WaterbearError)?.code == .malformedFrame)
        }
      }
    }
  }

  @Test func aMessageOfAnotherNameIsAnError() throws {
    #expect(throws: WaterbearError.self) { try Frame(DrainWorker()).message(SubmitQuery.self) }
  }

  @Test func anotherMajorVersionIsRefusedByName() throws {
    var hello = Hello(role: "client", pid: 1, build: "9.9.9")
    try hello.check(peer: "client")
    hello.major += 1
    #expect { try hello.check(peer: "client") } throws: { "\($0)".contains("9.9.9") }
  }
}
