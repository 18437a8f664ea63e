// Tests CBOR: what is written is read back, and damaged bytes are refused.
import Base
import Testing

private struct Leaf: Codable, Equatable {
  var number: Int
  var text: String?
  var bytes: [UInt8]
}

private indirect enum Tree: Codable, Equatable {
  case leaf(Leaf)
  case pair(Tree, right: Tree)
  case nothing
}

@Suite struct BinaryCodingTests {
  @Test func integersKeepTheirValueAtEveryWidth() throws {
    for value in [0, 1, 23, 24, 255, 256, 65535, 65536, Int.max, -1, -24, -25, -256, -65537, Int.min] {
      #expect(try BinaryDecoder.decode([Int].self, from: BinaryEncoder.encode([value])) == [value])
    }
    let unsigned: [UInt64] = [0, .max, 1 << 63]
    #expect(try BinaryDecoder.decode([UInt64].self, from: BinaryEncoder.encode(unsigned)) == unsigned)
  }

  @Test func nestedEnumsAndOptionalsRoundTrip() throws {
    let leaf = Leaf(number: -7, text: nil, bytes: [0, 255])
    let tree = Tree.pair(.pair(.leaf(leaf), right: .nothing), right: .leaf(Leaf(number: 1, text: "ü", bytes: [])))
    #expect(try BinaryDecoder.decode(Tree.self, from: BinaryEncoder.encode(tree)) == tree)
    let map = ["a": [1.5, -0.0], "b": []]
    #expect(try BinaryDecoder.decode([String: [Double]].self, from: BinaryEncoder.encode(map)) == map)
  }

  @Test func anUnknownFieldIsSkipped() throws {
    struct Wide: Codable { var number = 3, text = "x", bytes: [UInt8] = [1], extra = [["deep": 1]] }
    #expect(
      try BinaryDecoder.decode(Leaf.self, from: BinaryEncoder.encode(Wide())) == Leaf(number: 3, text: "x", bytes: [1]))
  }

  @Test func damageIsAnErrorAndNeverATrap() throws {
    let whole = try BinaryEncoder.encode(
      Tree.pair(.leaf(Leaf(number: 300, text: "text", bytes: [1, 2])), right: .nothing))
    for length in 0..<whole.count {
      #expect(throws: WaterbearError.self) { try BinaryDecoder.decode(Tree.self, from: Array(whole[..<length])) }
    }
    for index in whole.indices {
      for bit in 0..<8 {
        var damaged = whole
        damaged[index] ^= 1 << UInt8(bit)
        // Some flips give another valid value; none may trap or throw anything but the one error type.
        do { _ = try BinaryDecoder.decode(Tree.self, from: damaged) } catch { #expect(error is WaterbearError) }
      }
    }
  }

  @Test func deepNestingIsRefused() {
    #expect(throws: WaterbearError.self) {
      try BinaryDecoder.decode([Int].self, from: [UInt8](repeating: 0x81, count: 100_000))
    }
  }

  /// A map costs its size, not its square: a client may send one of any length.
  @Test(.timeLimit(.minutes(1))) func aMapOfManyKeysIsReadInTime() throws {
    var map: [String: String] = [:]
    for number in 0..<100_000 { map["key \(number)"] = "value \(number)" }
    let read = try BinaryDecoder.decode([String: String].self, from: BinaryEncoder.encode(map))
    #expect(read == map)
  }
}
