// Owns the tokens of comments: each word of the grammar as one byte, and the tables from which a draw picks them.
// Knows nothing of where in the text a token lies.

/// The tokens and pick tables, made once per process and never freed.
///
/// Unchecked Sendable: written in the initialiser only.
final class Grammar: @unchecked Sendable {
  static let shared = Grammar()

  /// Bytes of a token's slot in `bytes`.
  static let slot = 32
  /// Most draws that one sentence takes: the longest is `N P V P T` with three words in each phrase.
  static let mostDrawsOfSentence = 20

  /// The text of each token, one slot each; a word brings the blank before it, a terminator and a comma do not.
  let bytes: UnsafeMutablePointer<UInt8>
  /// The number of bytes of each token.
  let lengths: UnsafeMutablePointer<UInt8>
  private var tokenCount = 0

  private(set) var sentences = PickTable.none
  private(set) var nounPhrases = PickTable.none
  private(set) var verbPhrases = PickTable.none
  private(set) var nouns = PickTable.none
  private(set) var verbs = PickTable.none
  private(set) var adjectives = PickTable.none
  /// Adjectives with a comma behind them.
  private(set) var listedAdjectives = PickTable.none
  private(set) var adverbs = PickTable.none
  /// Prepositions with their article: the kit always writes "the".
  private(set) var prepositions = PickTable.none
  private(set) var auxiliaries = PickTable.none
  private(set) var terminators = PickTable.none

  private init() {
    bytes = .allocate(capacity: 256 * Self.slot)
    bytes.initialize(repeating: 0, count: 256 * Self.slot)
    lengths = .allocate(capacity: 256)
    lengths.initialize(repeating: 0, count: 256)
    sentences = PickTable(GrammarWords.sentences, firstToken: 0)
    nounPhrases = PickTable(GrammarWords.nounPhrases, firstToken: 0)
    verbPhrases = PickTable(GrammarWords.verbPhrases, firstToken: 0)
    nouns = addTokens(GrammarWords.nouns) { " " + $0 }
    verbs = addTokens(GrammarWords.verbs) { " " + $0 }
    adjectives = addTokens(GrammarWords.adjectives) { " " + $0 }
    listedAdjectives = addTokens(GrammarWords.adjectives) { " " + $0 + "," }
    adverbs = addTokens(GrammarWords.adverbs) { " " + $0 }
    prepositions = addTokens(GrammarWords.prepositions) { " " + $0 + " the" }
    auxiliaries = addTokens(GrammarWords.auxiliaries) { " " + $0 }
    terminators = addTokens(GrammarWords.terminators) { $0 }
  }

  private func addTokens(_ list: [GrammarWords.Weighted], _ spelling: (String) -> String) -> PickTable {
    let table = PickTable(list, firstToken: tokenCount)
    for word in list.flatMap(\.entries) {
      let text = Array(spelling(word).utf8)
      precondition(tokenCount < 256 && text.count <= Self.slot, "a token is one byte and fits its slot")
      for (index, byte) in text.enumerated() { bytes[tokenCount * Self.slot + index] = byte }
      lengths[tokenCount] = UInt8(text.count)
      tokenCount += 1
    }
    return table
  }
}

/// A list with weights, spread out so that a pick is one look-up.
struct PickTable: Sendable {
  private let range: ValueRange
  /// One entry per unit of weight. Never freed: the tables live as long as the process.
  private nonisolated(unsafe) let entries: UnsafeMutablePointer<UInt8>

  static let none = PickTable([(1, [""])], firstToken: 0)

  /// Entry `i` of the list is written as `firstToken + i`.
  init(_ list: [GrammarWords.Weighted], firstToken: Int) {
    var spread: [UInt8] = []
    var token = firstToken
    for (weight, words) in list {
      for _ in words {
        spread += Array(repeating: UInt8(token), count: weight)
        token += 1
      }
    }
    range = ValueRange(0, Int32(spread.count - 1))
    entries = .allocate(capacity: spread.count)
    entries.initialize(from: spread, count: spread.count)
  }

  @inline(__always)
  subscript(draw: UInt32) -> UInt8 { entries[Int(range.narrow(draw))] }
}
