// Owns the simulated spool: which attempts have committed output, and what is in it.
import Base

/// Committed files, as a set. A file is whole, damaged or gone.
struct ModelSpool {
  private(set) var files: [AttemptID: Bool] = [:]
  /// What each attempt ever committed, for the checkers; outlives the files.
  private(set) var contents: [AttemptID: [UInt64]] = [:]
  private var closed: Set<QueryID> = []

  /// Commits an output; false where the query's directory is gone.
  mutating func commit(_ attempt: AttemptID, _ content: [UInt64]) -> Bool {
    if closed.contains(attempt.task.stage.query) { return false }
    files[attempt] = true
    contents[attempt] = content
    return true
  }

  /// The output, if it can be read.
  func read(_ attempt: AttemptID) -> [UInt64]? { files[attempt] == true ? contents[attempt] : nil }

  mutating func delete(_ attempt: AttemptID) { files[attempt] = nil }

  mutating func delete(_ stage: StageID) {
    for attempt in files.keys where attempt.task.stage == stage { files[attempt] = nil }
  }

  mutating func delete(_ query: QueryID) {
    closed.insert(query)
    for attempt in files.keys where attempt.task.stage.query == query { files[attempt] = nil }
  }

  /// Loses all files of one of so many directories, and says which.
  mutating func loseDirectory(number: Int, of count: Int) -> [AttemptID] {
    let lost = files.keys.filter { ($0.task.stage.number + $0.task.partition + $0.number) % count == number }.sorted()
    for attempt in lost { files[attempt] = nil }
    return lost
  }

  /// The query is live again: it may commit files.
  mutating func reopen(_ query: QueryID) { closed.remove(query) }

  /// Tears each file with this chance, as a loss of power does: none was synced.
  mutating func tear(_ random: inout RandomSource, chance: Double) {
    for attempt in files.keys.sorted() where random.chance(chance) { files[attempt] = random.chance(0.5) ? false : nil }
  }

  /// Loses or damages a random file.
  mutating func harm(_ random: inout RandomSource) {
    if files.isEmpty { return }
    let victim = random.pick(files.keys.sorted())
    if random.chance(0.5) { files[victim] = nil } else { files[victim] = false }
  }
}
