// Owns the making of test columns: every type, every encoding, NULLs, and the values at the edges of each type.

import Columnar

/// A generator that gives the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

  mutating func next() -> UInt64 {
    // SplitMix64 (Steele, Lea and Flood 2014).
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// A column in one of the forms kernels must cope with.
enum Form: CaseIterable {
  case flat, flatWithNulls, constant, nullConstant, dictionary, dictionaryWithNulls, largeDictionary
}

struct RandomVectors {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func value(_ type: DataType) -> Value {
    let isEdge = Int.random(in: 0..<8, using: &generator) == 0
    switch type {
    case .boolean, .unknown: return .boolean(Bool.random(using: &generator))
    case .tinyint: return integer(Int64(Int8.min), Int64(Int8.max), isEdge)
    case .smallint: return integer(Int64(Int16.min), Int64(Int16.max), isEdge)
    case .integer: return integer(Int64(Int32.min), Int64(Int32.max), isEdge)
    case .bigint: return integer(Int64.min, Int64.max, isEdge)
    case .date: return .integer(Int64.random(in: -30_000...40_000, using: &generator))
    case .timestamp:
      return .integer(Int64.random(in: -2_000_000_000_000_000...4_000_000_000_000_000, using: &generator))
    case .intervalYearToMonth: return .integer(Int64.random(in: -500...500, using: &generator))
    case .intervalDayToSecond: return .integer(Int64.random(in: -400...400, using: &generator) * 86_400_000)
    case .real, .double: return float(isEdge)
    case .decimal(let precision, _): return decimal(precision, isEdge)
    case .varchar, .char, .varbinary: return string(type)
    }
  }

  private mutating func integer(_ low: Int64, _ high: Int64, _ isEdge: Bool) -> Value {
    if isEdge { return .integer([low, low + 1, high, high - 1, 0, -1, 1].randomElement(using: &generator)!) }
    // Small numbers are as likely as large ones, so that operations succeed often and fail sometimes.
    return .integer(Int64.random(in: max(low, -100)...min(high, 100), using: &generator))
  }

  private mutating func float(_ isEdge: Bool) -> Value {
    if isEdge {
      return .double([0, -0.0, .infinity, -.infinity, .nan, 1, -1].randomElement(using: &generator)!)
    }
    return .double(Double(Int.random(in: -2000...2000, using: &generator)) / 8)
  }

  private mutating func decimal(_ precision: Int, _ isEdge: Bool) -> Value {
    var limit: Int128 = 1
    for _ in 0..<precision { limit *= 10 }
    let number: Int128 =
      isEdge
      ? [limit - 1, 1 - limit, 0, 1, -1].randomElement(using: &generator)!
      : Int128.random(in: -min(limit - 1, 100_000)...min(limit - 1, 100_000), using: &generator)
    return precision <= 18 ? .integer(Int64(number)) : .int128(number)
  }

  private mutating func string(_ type: DataType) -> Value {
    let pieces = ["", "a", "b", "ab", "green", "é", "日本", "the quick brown fox", "%", "_", " "]
    var text = ""
    for _ in 0..<Int.random(in: 0..<4, using: &generator) { text += pieces.randomElement(using: &generator)! }
    if case .varchar(let length?) = type { text = String(text.unicodeScalars.prefix(length).map(Character.init)) }
    if case .char(let length) = type {
      text = String(text.unicodeScalars.prefix(length).map(Character.init))
      while text.hasSuffix(" ") { text.removeLast() }
    }
    return .text(text)
  }

  /// `count` rows of `type` in `form`; values come from `source` where it is given.
  mutating func vector(
    _ type: DataType, count: Int, _ form: Form, from source: [Value]? = nil
  ) -> Vector {
    func flat(_ rows: Int, nulls: Bool) -> Vector {
      var builder = VectorBuilder(type: type, capacity: rows)
      for _ in 0..<rows {
        let isNull = nulls && Int.random(in: 0..<4, using: &generator) == 0
        builder.append(isNull ? .null : source?.randomElement(using: &generator) ?? value(type))
      }
      return builder.finish()
    }
    switch form {
    case .flat: return flat(count, nulls: false)
    case .flatWithNulls: return flat(count, nulls: true)
    case .constant: return Vector(constant: flat(1, nulls: false), count: count)
    case .nullConstant: return Vector.repeating(.null, type: type, count: count)
    case .dictionary, .dictionaryWithNulls, .largeDictionary:
      let size = form == .largeDictionary ? count * 3 + 5 : min(7, count + 1)
      let dictionary = flat(size, nulls: form != .dictionary)
      let indices = Buffer(count: count, of: Int32.self)
      for row in 0..<count {
        indices.pointer(to: Int32.self)[row] = Int32.random(in: 0..<Int32(size), using: &generator)
      }
      return Vector(dictionary: dictionary, indices: indices, count: count)
    }
  }
}
