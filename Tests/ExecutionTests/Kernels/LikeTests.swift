// Proves LIKE against a plain matcher, and its errors.

import Base
import Columnar
import Planning
import Testing

@testable import Execution

struct LikeTests {
  static let cases: [(String, String, String?, Bool)] = [
    ("", "", nil, true), ("", "%", nil, true), ("", "_", nil, false), ("a", "", nil, false),
    ("abc", "abc", nil, true), ("abc", "abcd", nil, false), ("abc", "a%", nil, true), ("abc", "%c", nil, true),
    ("abc", "%b%", nil, true), ("abc", "%d%", nil, false), ("abc", "a_c", nil, true), ("abc", "__", nil, false),
    ("abc", "___", nil, true), ("abc", "_%_", nil, true), ("a", "_%_", nil, false), ("ab", "a%b", nil, true),
    ("aab", "a%ab", nil, true), ("ab", "ab%ab", nil, false), ("abab", "ab%ab", nil, true),
    ("aXbYc", "a%b%c", nil, true), ("abcabc", "%abc", nil, true), ("mississippi", "%iss%ip%", nil, true),
    ("mississippi", "%iss%iss%iss%", nil, false), ("special packages requests", "%special%requests%", nil, true),
    ("requests special", "%special%requests%", nil, false), ("日本語", "___", nil, true), ("日本語", "日_語", nil, true),
    ("日本語", "%語", nil, true), ("日本語", "%_語", nil, true), ("日本語", "%__語", nil, true), ("日本語", "%___語", nil, false),
    ("été", "_t_", nil, true), ("été", "%é", nil, true), ("a%b", "a\\%b", "\\", true), ("axb", "a\\%b", "\\", false),
    ("a_b", "a#_b", "#", true), ("axb", "a#_b", "#", false), ("a#b", "a##b", "#", true), ("50%", "%é%", "é", true),
    ("a\\b", "a\\b", nil, true), ("green", "%green%", nil, true), ("forest green metallic", "%green%", nil, true),
    ("forest gree", "%green%", nil, false), ("a long line of text that ends in greenn", "%greenn", nil, true),
    ("x", "%%%x%%", nil, true), ("line\nbreak", "line_break", nil, true), ("ABC", "abc", nil, false),
    ("aaaaaaaaab", "%aab", nil, true), ("aaaaaaaaab", "%a_b", nil, true), ("aaaaaaaaab", "_%a_%b", nil, true),
  ]

  @Test(arguments: cases.indices)
  func matches(_ index: Int) throws {
    let (value, pattern, escape, expected) = Self.cases[index]
    let expression = Expression.like(text(value), pattern: text(pattern), escape: escape.map { text($0) }, Origin())
    #expect(try ConstantFolder().evaluate(expression) == .boolean(expected), "'\(value)' LIKE '\(pattern)'")
  }

  @Test func badEscapesFail() {
    func like(_ pattern: String, _ escape: String) -> String {
      outcome(.like(text("x"), pattern: text(pattern), escape: text(escape), Origin()))
    }
    let bad = "INVALID_FUNCTION_ARGUMENT: Escape character must be followed by '%', '_' or the escape character itself"
    #expect(like("a#b", "#") == bad)
    #expect(like("a#", "#") == bad)
    let long = "INVALID_FUNCTION_ARGUMENT: Escape string must be a single character"
    #expect(like("a", "##") == long)
    #expect(like("a", "") == long)
  }

  @Test func aBadPatternIsAnErrorOnlyForRowsThatReachIt() throws {
    let name = Symbol(id: 1, name: "name", type: .varcharUnbounded)
    let bad = Expression.like(.symbol(name), pattern: text("#x"), escape: text("#"), Origin())
    let none = Batch(columns: [Vector.repeating(.text("a"), type: name.type, count: 0)], count: 0)
    #expect(try FilterProgram(bad, layout: [name]).select(none).count == 0)
    let one = Batch(columns: [Vector.repeating(.text("a"), type: name.type, count: 1)], count: 1)
    #expect(throws: WaterbearError.self) { try FilterProgram(bad, layout: [name]).select(one) }
  }

  @Test func charsMatchWithTheirBlanks() throws {
    let value = Expression.constant(.text("ab"), .char(length: 4))
    func like(_ pattern: String) -> String { outcome(.like(value, pattern: text(pattern), escape: nil, Origin())) }
    #expect(like("ab") == "false")
    #expect(like("ab  ") == "true")
    #expect(like("____") == "true")
    #expect(like("%b__") == "true")
  }

  /// A matcher that tries everything.
  private func naive(_ value: [Unicode.Scalar], _ pattern: [Unicode.Scalar]) -> Bool {
    guard let first = pattern.first else { return value.isEmpty }
    if first == "%" {
      return (0...value.count).contains { naive(Array(value[$0...]), Array(pattern.dropFirst())) }
    }
    guard let head = value.first, first == "_" || first == head else { return false }
    return naive(Array(value.dropFirst()), Array(pattern.dropFirst()))
  }

  @Test func agreesWithANaiveMatcherOnRandomText() throws {
    var random = SeededGenerator(seed: 11)
    let letters = Array("aabbéc".unicodeScalars)
    let signs = Array("aabé%%_c".unicodeScalars)
    for _ in 0..<3000 {
      let value = (0..<Int.random(in: 0..<14, using: &random)).map { _ in letters.randomElement(using: &random)! }
      let pattern = (0..<Int.random(in: 0..<6, using: &random)).map { _ in signs.randomElement(using: &random)! }
      let valueText = String(String.UnicodeScalarView(value))
      let patternText = String(String.UnicodeScalarView(pattern))
      let compiled = LikeMatcher(try LikePattern(Array(patternText.utf8), escape: nil, origin: Origin()))
      let found = Array(valueText.utf8 + [0]).withUnsafeBufferPointer {
        compiled.matches($0.baseAddress!, count: $0.count - 1)
      }
      #expect(found == naive(value, pattern), "'\(valueText)' LIKE '\(patternText)'")
    }
  }

  @Test(arguments: Form.allCases)
  func columnsMatchRowByRow(_ form: Form) throws {
    let value = Symbol(id: 1, name: "value", type: .varcharUnbounded)
    let pattern = Symbol(id: 2, name: "pattern", type: .varcharUnbounded)
    var random = RandomVectors(seed: 5)
    let patterns = ["%", "a%", "%b", "%green%", "a_", "%a%b%", "", "the quick%", "%fox", "%quick brown%"]
    for count in [0, 1, 100] {
      let batch = Batch(
        columns: [
          random.vector(value.type, count: count, form),
          random.vector(pattern.type, count: count, .dictionaryWithNulls, from: patterns.map { .text($0) }),
        ], count: count)
      for fixed in patterns {
        try expectRowByRow(
          .like(.symbol(value), pattern: text(fixed), escape: nil, Origin()), layout: [value, pattern], batch)
      }
      try expectRowByRow(
        .like(.symbol(value), pattern: .symbol(pattern), escape: nil, Origin()), layout: [value, pattern], batch)
    }
  }
}

struct ByteSearchTests {
  @Test func findsWhatANaiveSearchFinds() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8.random(in: 97...98, using: &random) }
      let needle = (0..<Int.random(in: 0..<6, using: &random)).map { _ in UInt8.random(in: 97...98, using: &random) }
      let start = Int.random(in: 0...text.count, using: &random)
      var expected = -1
      for position in start...(max(start, text.count)) where position + needle.count <= text.count {
        if Array(text[position..<position + needle.count]) == needle {
          expected = position
          break
        }
      }
      let found = (text + [0]).withUnsafeBufferPointer { haystack in
        (needle + [0]).withUnsafeBufferPointer { pattern in
          ByteSearch.find(
            pattern.baseAddress!, count: needle.count, in: haystack.baseAddress!, count: text.count, from: start)
        }
      }
      #expect(found == expected)
    }
  }
}
