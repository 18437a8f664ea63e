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

  let sentences = PickTable(GrammarWords.sentences, firstToken: 0)
  let nounPhrases = PickTable(GrammarWords.nounPhrases, firstToken: 0)
  let verbPhrases = PickTable(GrammarWords.verbPhrases, firstToken: 0)
  let nouns: PickTable
  let verbs: PickTable
  let adjectives: PickTable
  /// Adjectives with a comma behind them.
  let listedAdjectives: PickTable
  let adverbs: PickTable
  /// Prepositions with their article: the kit always writes "the".
  let prepositions: PickTable
  let auxiliaries: PickTable
  let terminators: PickTable

  private init() {
    var spelling = TokenSpelling()
    nouns = spelling.add(GrammarWords.nouns) { " " + $0 }
    verbs = spelling.add(GrammarWords.verbs) { " " + $0 }
    adjectives = spelling.add(GrammarWords.adjectives) { " " + $0 }
    listedAdjectives = spelling.add(GrammarWords.adjectives) { " " + $0 + "," }
    adverbs = spelling.add(GrammarWords.adverbs) { " " + $0 }
    prepositions = spelling.add(GrammarWords.prepositions) { " " + $0 + " the" }
    auxiliaries = spelling.add(GrammarWords.auxiliaries) { " " + $0 }
    terminators = spelling.add(GrammarWords.terminators) { $0 }
    bytes = spelling.bytes
    lengths = spelling.lengths
  }
}

/// The tables of token texts while they are filled.
private struct TokenSpelling {
  let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256 * Grammar.slot)
  let lengths = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
  private var count = 0

  init() {
    bytes.initialize(repeating: 0, count: 256 * Grammar.slot)
    lengths.initialize(repeating: 0, count: 256)
  }

  /// Makes a token of each word of the list, spelt as `spelling` says.
  mutating func add(_ list: [GrammarWords.Weighted], _ spelling: (String) -> String) -> PickTable {
    let table = PickTable(list, firstToken: count)
    for word in list.flatMap(\.entries) {
      let text = Array(spelling(word).utf8)
      precondition(count < 256 && text.count <= Grammar.slot, "a token is one byte and fits its slot")
      for (index, byte) in text.enumerated() { bytes[count * Grammar.slot + index] = byte }
      lengths[count] = UInt8(text.count)
      count += 1
    }
    return table
  }
}

/// A list with weights, spread out so that a pick is one look-up.
struct PickTable: Sendable {
  private let range: ValueRange
  /// One entry per unit of weight. Never freed: the tables live as long as the process.
  private nonisolated(unsafe) let entries: UnsafeMutablePointer<UInt8>

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
