// Owns the fuzz test: whatever the text, the parser returns or throws a WaterbearError. A failing seed is printed.
import Base
import Testing

@testable import SQLSyntax

/// A small generator with a seed, so that every run sees the same texts (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

struct FuzzTests {
  private static let pieces = [
    "SELECT", "FROM", "WHERE", "(", ")", "((", "))", ",", "*", "a", "t.b", "'x'", "1", "1.5", "1e3", "NULL", "CASE",
    "WHEN", "THEN", "END", "CAST(a AS ", "decimal(3,1)", "row(", "OVER (", "PARTITION BY", "ORDER BY", "GROUP BY",
    "UNION", "EXCEPT", "JOIN", "ON", "USING (", "VALUES", "WITH", "AS", "IN (", "EXISTS (", "NOT", "->", "||", "[", "]",
    "INTERVAL '1' DAY", "LIMIT", "FETCH FIRST", "ROWS BETWEEN", "TRIM(", "SUBSTRING(", "FOR", "?", ";", "U&'\\00",
    "X'0", "\"q\"", "`", "--", "/*", "*/", "\u{0}", "🐻",
    "IS DISTINCT", "AT TIME ZONE", "LISTAGG(", "GROUPING SETS (",
    "EXPLAIN (TYPE", "SHOW", "TABLE", "LATERAL (", "UNNEST (", "double precision", "timestamp(3) with",
    "filter (where",
  ]

  private func check(_ sql: String, seed: UInt64) {
    do {
      let statement = try SQLParser.parseStatement(sql)
      if case .query(let query) = statement { checkRoundTrip(query, sql) }
    } catch let error as WaterbearError {
      #expect(!error.message.isEmpty, "seed \(seed): \(sql)")
    } catch {
      Issue.record("seed \(seed) threw \(error): \(sql)")
    }
  }

  /// What was parsed can be written and parsed again.
  private func checkRoundTrip(_ query: Query, _ sql: String) {
    let text = QueryFormatter.format(query)
    do {
      let again = try parsedQuery(text)
      #expect(QueryFormatter.format(again) == text, "\(sql)")
    } catch {
      Issue.record("\(error)\n from \(sql)\n written as \(text)")
    }
  }

  @Test func mutatedQueries() throws {
    let texts = try (1...22).map { try TPCHTests.text($0) }
    for seed in UInt64(1)...600 {
      var generator = SeededGenerator(seed: seed)
      var bytes = Array(texts[Int.random(in: 0..<texts.count, using: &generator)].utf8)
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 2: bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator)!.utf8, at: place)
        default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &generator)))
        }
        if bytes.isEmpty { bytes = [0x20] }
      }
      check(String(decoding: bytes, as: UTF8.self), seed: seed)
    }
  }

  @Test func randomPieces() {
    for seed in UInt64(1)...2000 {
      var generator = SeededGenerator(seed: seed)
      var sql = "SELECT"
      for _ in 0..<Int.random(in: 1...30, using: &generator) {
        // The list of pieces is not empty.
        sql += " " + Self.pieces.randomElement(using: &generator)!
      }
      check(sql, seed: seed)
    }
  }
}
