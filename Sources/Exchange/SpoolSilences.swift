// Owns what a process does about base directories that do not answer: who finds out, who is told, and what is done on
// threads of their own so that nobody else waits. It must not know what is stored in them.
import Base
import Dispatch
import Synchronization

extension SpoolDirectories {
  /// Does `job` on the thread that the directory has for this errand, after those given before. False where too many
  /// wait there already: then it is not done.
  ///
  /// `ifStuck` is called by `takeSilences` if a call that `job` makes does not return in time; others go on without it,
  /// though it may still end some day.
  public func run(
    _ errand: SpoolErrand, in directory: String, _ job: @escaping @Sendable () -> Void,
    ifStuck: @escaping @Sendable () -> Void = {}
  ) -> Bool {
    lanes.lane(errand, in: directory).submit(job, ifStuck: ifStuck)
  }

  /// The calls that have become overdue since it was last asked. Their directories are set aside as failed, and asked
  /// nothing more until they answer again. To be called every second or so; cheap, and touches no disk.
  public func takeSilences() -> [SpoolSilence] {
    let silences = calls.takeOverdue()
    for (position, path) in knownPaths.enumerated() {
      let there = silences.filter { $0.directory == path }
      guard let first = there.first(where: \.isRefused) ?? there.first else { continue }
      // The later a call began the more it says against answers that came before it.
      let last = there.filter { $0.isRefused == first.isRefused }.map(\.began).max()
      setAside(position, first.failure, fileBytes: 0, callBegan: last)
    }
    for silence in silences { lanes.giveUp(silence) }
    return silences
  }

  /// Whether a directory did not answer, and has not been found to answer again. Touches no disk.
  public func isSilent(_ directory: String) -> Bool {
    knownPaths.firstIndex(of: directory).map { calls.isRefused($0) } ?? false
  }

  /// A trial has shown that the directory answers.
  func noteAnswer(of directory: String, _ volume: SpoolVolume?) {
    guard let position = knownPaths.firstIndex(of: directory) else { return }
    noteAnswer(position)
    if let volume { noteVolume(position, volume) }
  }

  func noteAnswer(_ position: Int) {
    let unclosed = calls.answers(position)
    guard !unclosed.isEmpty else { return }
    let kept = Kept(unclosed)
    _ = run(.removal, in: knownPaths[position]) { kept.letGo() }
  }

  /// Asks the file systems how much room they have, where that is not known or was said a second ago or longer. The
  /// answers come later, to `volume(of:)`; one that is missing holds up nobody.
  public func refreshVolumes() {
    for position in takeStaleVolumes() {
      let path = allPaths[position]
      let isUnderWay = run(.volume, in: path) { [self] in
        // Why it cannot be asked is found when it is used.
        noteVolume(position, try? fileSystem.volume(of: path))
      } ifStuck: { [self] in
        noteVolume(position, nil)
      }
      if !isUnderWay { noteVolume(position, nil) }
    }
  }
}

/// Holds something whose end may wait for a disk, such as open files, until a thread that may wait lets go of it.
public final class Kept<Value: Sendable>: Sendable {
  private let value: Mutex<Value?>

  public init(_ value: Value) { self.value = Mutex(value) }

  /// The end comes here, and under no lock.
  public func letGo() {
    let last = value.withLock { value in
      defer { value = nil }
      return value
    }
    withExtendedLifetime(last) {}
  }
}

/// Answers that come from several threads, waited for together.
final class GatheredAnswers<Answer: Sendable>: Sendable {
  private let answers: Mutex<[Answer?]>
  private let missing = DispatchGroup()

  init(count: Int) {
    answers = Mutex(Array(repeating: nil, count: count))
    for _ in 0..<count { missing.enter() }
  }

  /// To be called once for each place.
  func put(_ position: Int, _ answer: Answer) {
    answers.withLock { $0[position] = answer }
    missing.leave()
  }

  /// Those there are when all have come, or the time is up.
  func wait(_ patience: TimeSpan) -> [Answer?] {
    _ = missing.wait(timeout: .now() + .nanoseconds(Int(patience.nanoseconds)))
    return answers.withLock { $0 }
  }
}
