// Proves the pool of comment text: its start, its checkpoints and copying from any place.

import Columnar
import Glibc
import Testing

@testable import TPCHConnector

struct TextTests {
  /// `count` bytes of `block` from `offset` on.
  private func text(_ block: TextBlock, _ offset: Int, _ count: Int) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count + Grammar.slot) { buffer in
      TextBlock.copy(buffer.baseAddress!, from: block.place(offset), count: count, grammar: .shared)
      return String(decoding: buffer.prefix(count), as: UTF8.self)
    }
  }

  @Test
  func anyPartOfABlockIsCutFromTheSameText() {
    let block = TextBlock.make(from: TextCheckpoints.all[1]).block
    defer { block.free() }
    let whole = Array(text(block, 0, TextBlock.span).utf8)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let offset = Int.random(in: 0..<TextBlock.span - 200, using: &random)
      let count = Int.random(in: 0...200, using: &random)
      #expect(text(block, offset, count) == String(decoding: whole[offset..<offset + count], as: UTF8.self))
    }
  }

  @Test
  func neighboursOverlap() {
    let (first, next) = TextBlock.make(from: TextCheckpoints.all[0])
    let second = TextBlock.make(from: next).block
    defer {
      first.free()
      second.free()
    }
    #expect(text(first, TextBlock.span - 1, 200).dropFirst() == text(second, 0, 199)[...])
  }

  @Test
  func everyWordIsInTheGrammar() {
    let block = TextBlock.make(from: .start).block
    defer { block.free() }
    let known = Set(
      [
        GrammarWords.nouns, GrammarWords.verbs, GrammarWords.adjectives, GrammarWords.adverbs,
        GrammarWords.prepositions, GrammarWords.auxiliaries,
      ].flatMap { $0.flatMap(\.entries) }.flatMap { $0.split(separator: " ") } + ["the"])
    let words = text(block, 0, 5000).split { " ,.;:?!".contains($0) }.dropLast()
    for word in words {
      let bare = word.hasSuffix("--") ? word.dropLast(2) : word
      #expect(known.contains(bare), "\(word)")
    }
  }

  /// Makes checkpoints anew: a few of them without optimisation, all with it.
  @Test
  func checkpointsFollowFromTheGrammar() {
    #if DEBUG
    let places = Array(0..<10) + Array(4780..<4799)
    #else
    let places = Array(0..<4799)
    #endif
    let table = TextCheckpoints.all
    #expect(table.count == TextPool.size / TextBlock.span)
    for place in places { #expect(checkpoint(after: table[place]) == table[place + 1]) }
    #expect(TextCheckpoints.decode(TextCheckpoints.encode(table)) == table)
  }

  /// Prints the table for TextCheckpoints.swift.
  @Test(.enabled(if: getenv("WATERBEAR_RECORD") != nil))
  func recordCheckpoints() {
    var checkpoints = [TextCheckpoint.start]
    while checkpoints.count < TextPool.size / TextBlock.span {
      checkpoints.append(checkpoint(after: checkpoints[checkpoints.count - 1]))
    }
    #expect(TextCheckpoints.decode(TextCheckpoints.encode(checkpoints)) == checkpoints)
    print(TextCheckpoints.encode(checkpoints))
  }

  @Test
  func threadsShareOnePool() async {
    let expected = comments(TextPool())
    let pool = TextPool()
    await withTaskGroup(of: [String].self) { group in
      for _ in 0..<4 { group.addTask { comments(pool) } }
      for await result in group { #expect(result == expected) }
    }
  }

  @Test
  func aReleasedPoolLivesAsLongAsItIsUsed() {
    let pool = TextPool.shared
    let before = comments(pool)
    TextPool.release()
    #expect(comments(pool) == before)
    #expect(comments(TextPool.shared) == before)
  }
}

private func checkpoint(after checkpoint: TextCheckpoint) -> TextCheckpoint {
  let (block, next) = TextBlock.make(from: checkpoint)
  block.free()
  return next
}

private func comments(_ pool: TextPool) -> [String] {
  let column = CommentColumn(origin: 1_341_315_363, averageLength: 63)
  let vector = column.vector(
    of: .varchar(length: 101), row: 0, count: 20, pool: pool, scratch: Scratch(lanes: 2, capacity: 20))
  return (0..<20).map { "\(vector.value(at: $0))" }
}
