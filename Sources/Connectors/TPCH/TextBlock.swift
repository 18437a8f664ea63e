// Owns one stretch of the pool of comment text: making its sentences and copying a part of them out.
// The text is kept as tokens, one byte per word, which take a seventh of the memory.

#if canImport(Glibc)
import Glibc
#endif

/// Where a block's first sentence begins.
struct TextCheckpoint: Hashable, Sendable {
  /// Draws made from the start of the pool to that sentence.
  var draws: Int64
  /// Bytes of the sentence that lie before the block.
  var overhang: Int

  static let start = TextCheckpoint(draws: 0, overhang: 0)
}

/// `TextBlock.span` bytes of text and as many more as the longest comment that starts in them: a pointer to memory that
/// holds the marks, then the tokens. Whoever makes a block frees it.
struct TextBlock {
  /// Bytes of text from one block's start to the next one's.
  static let span = 1 << 16
  /// Text behind the span, so that a comment never needs two blocks; longer than any comment.
  static let margin = 256
  /// Bytes of text between two marks.
  private static let markDistance = 128
  private static let markCount = span / markDistance
  /// The stream all sentences come from.
  static let stream = RandomStream(origin: 933_588_178)

  let base: UnsafeMutableRawPointer

  init(base: UnsafeMutableRawPointer) { self.base = base }

  /// For every `markDistance` bytes of text: the token that covers the place (upper 24 bits) and how many of its bytes
  /// lie before it (lower 8 bits).
  @inline(__always)
  private var marks: UnsafeMutablePointer<UInt32> { base.assumingMemoryBound(to: UInt32.self) }

  @inline(__always)
  private var tokens: UnsafeMutablePointer<UInt8> {
    (base + Self.markCount * 4).assumingMemoryBound(to: UInt8.self)
  }

  /// Makes the block's sentences, and says where the one begins that covers the start of the next block.
  /// Cost: about 13,000 draws.
  static func make(from checkpoint: TextCheckpoint) -> (block: TextBlock, next: TextCheckpoint) {
    // Words have three bytes at least, terminators one; two bytes a token leave room enough.
    let capacity = (span + margin + 512) / 2
    let written = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    defer { written.deallocate() }
    var writer = SentenceWriter(tokens: written, checkpoint: checkpoint)
    var next = checkpoint
    while writer.position < span + margin {
      if writer.position <= span {
        next = TextCheckpoint(draws: writer.draws, overhang: span - writer.position)
      }
      writer.writeSentence()
    }
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: markCount * 4 + writer.count + Place.lookAhead, alignment: 64)
    let block = TextBlock(base: memory)
    memcpy(block.tokens, written, writer.count)
    memset(block.tokens + writer.count, 0, Place.lookAhead)
    block.setMarks(start: -checkpoint.overhang)
    return (block, next)
  }

  func free() { base.deallocate() }

  private func setMarks(start: Int) {
    let lengths = Grammar.shared.lengths
    var token = 0
    var position = start
    for mark in 0..<Self.markCount {
      let place = mark * Self.markDistance
      while position + Int(lengths[Int(tokens[token])]) <= place {
        position += Int(lengths[Int(tokens[token])])
        token += 1
      }
      marks[mark] = UInt32(token << 8 | (place - position))
    }
  }

  /// A token at or before a place in the text.
  struct Place {
    var token: UnsafePointer<UInt8>
    /// Bytes from the token's start to the place; may be more than the token has.
    var skip: Int32
    /// What `fetch` read; of no further use.
    var fetched: UInt32 = 0

    /// Tokens that a comment and the way to it mostly take.
    static let lookAhead = 32

    /// Reads where the tokens lie, so that they are in the cache when they are copied.
    @inline(__always)
    mutating func fetch() { fetched = UInt32(token[0]) &+ UInt32(token[Self.lookAhead &- 1]) }
  }

  /// Where to start reading at `offset` bytes behind the block's start.
  @inline(__always)
  func place(_ offset: Int) -> Place {
    let mark = marks[offset / Self.markDistance]
    let skip = offset % Self.markDistance &+ Int(mark & 0xff)
    return Place(token: UnsafePointer(tokens + Int(mark &>> 8)), skip: Int32(truncatingIfNeeded: skip))
  }

  /// Copies `count` bytes of text from `place` on to `target`.
  ///
  /// Whole slots are copied: `target` needs room for `Grammar.slot` more bytes.
  @inline(__always)
  static func copy(_ target: UnsafeMutablePointer<UInt8>, from place: Place, count: Int, grammar: Grammar) {
    let lengths = grammar.lengths
    let bytes = UnsafeRawPointer(grammar.bytes)
    var token = place.token
    var skip = Int(place.skip)
    while skip >= Int(lengths[Int(token[0])]) {
      skip &-= Int(lengths[Int(token[0])])
      token += 1
    }
    var cursor = UnsafeMutableRawPointer(target)
    let end = cursor + count
    // The first token loses the bytes before the place. What is copied of the next slot is overwritten at once.
    let first = Int(token[0])
    memcpy(cursor, bytes + (first &* Grammar.slot &+ skip), Grammar.slot)
    cursor += Int(lengths[first]) &- skip
    token += 1
    while cursor < end {
      let next = Int(token[0])
      memcpy(cursor, bytes + next &* Grammar.slot, Grammar.slot)
      cursor += Int(lengths[next])
      token += 1
    }
  }
}

/// Writes sentences as tokens, taking draws from the stream in the kit's order.
private struct SentenceWriter {
  private let grammar = Grammar.shared
  private let start: UnsafeMutablePointer<UInt8>
  private var cursor: UnsafeMutablePointer<UInt8>
  /// Bytes of text from the block's start to here; negative before it.
  private(set) var position: Int

  /// Draws made ahead, many at a time: then no draw waits for the one before it.
  private let ahead: DrawBuffer
  private var used = 0
  private var base: Int64

  private static let chunk = 2048

  init(tokens: UnsafeMutablePointer<UInt8>, checkpoint: TextCheckpoint) {
    start = tokens
    cursor = tokens
    position = -checkpoint.overhang
    base = checkpoint.draws
    ahead = DrawBuffer(capacity: Self.chunk)
    refill()
  }

  /// Tokens written.
  var count: Int { cursor - start }
  /// Draws made from the pool's start.
  var draws: Int64 { base + Int64(used) }

  private mutating func refill() {
    base += Int64(used)
    used = 0
    TextBlock.stream.fill(ahead.draws, count: Self.chunk, first: base + 1)
  }

  @inline(__always)
  private mutating func pick(_ table: PickTable) -> UInt8 {
    let draw = ahead.draws[used]
    used &+= 1
    return table[draw]
  }

  @inline(__always)
  private mutating func write(_ table: PickTable) {
    let token = pick(table)
    cursor[0] = token
    cursor += 1
    position &+= Int(grammar.lengths[Int(token)])
  }

  mutating func writeSentence() {
    if used + Grammar.mostDrawsOfSentence > Self.chunk { refill() }
    let form = pick(grammar.sentences)
    writeNounPhrase()
    // The forms, in the list's order: NVT, NVPT, NVNT, NPVNT, NPVPT.
    if form >= 3 { writePrepositionalPhrase() }
    writeVerbPhrase()
    switch form {
    case 1, 4: writePrepositionalPhrase()
    case 2, 3: writeNounPhrase()
    default: break
    }
    write(grammar.terminators)
  }

  @inline(__always)
  private mutating func writePrepositionalPhrase() {
    write(grammar.prepositions)
    writeNounPhrase()
  }

  private mutating func writeNounPhrase() {
    // In the list's order: N; J N; J, J N; D J N.
    switch pick(grammar.nounPhrases) {
    case 0: break
    case 1: write(grammar.adjectives)
    case 2:
      write(grammar.listedAdjectives)
      write(grammar.adjectives)
    default:
      write(grammar.adverbs)
      write(grammar.adjectives)
    }
    write(grammar.nouns)
  }

  private mutating func writeVerbPhrase() {
    // In the list's order: V; X V; V D; X V D.
    let form = pick(grammar.verbPhrases)
    if form & 1 != 0 { write(grammar.auxiliaries) }
    write(grammar.verbs)
    if form >= 2 { write(grammar.adverbs) }
  }
}
