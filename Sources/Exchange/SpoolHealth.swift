// Owns the choice between base directories: which are set aside, and how much each of the others takes.
// Pure arithmetic: it must not touch a disk or read a clock.
import Base

/// What a file system says of itself.
public struct SpoolVolume: Hashable, Sendable {
  /// Both in bytes; 0 and 0 where the file system does not know.
  public var totalBytes: Int64
  /// Those that this process may use.
  public var freeBytes: Int64
  /// Another number means another file system, as where a mount has gone.
  public var device: UInt64

  public init(totalBytes: Int64, freeBytes: Int64, device: UInt64) {
    self.totalBytes = totalBytes
    self.freeBytes = freeBytes
    self.device = device
  }
}

/// How the base directories fare in one process, and where the next file goes.
///
/// Each directory has a weight: the bytes per second that it took lately, less where it is nearly full. The next file
/// goes where the bytes written so far are the fewest for the weight, so that each directory gets its share by bytes.
/// What was written is forgotten little by little, and so is how fast that was.
struct SpoolHealth {
  private struct Directory {
    /// Until when it is avoided, after a failure seen here.
    var setAsideUntil: MonotonicTime?
    /// Set aside for all processes, until the coordinator says otherwise.
    var isHeld = false
    /// Bytes given to it, fading.
    var chargedBytes = 0.0
    /// Bytes and seconds of measured writes, fading.
    var measuredBytes = 0.0
    var measuredSeconds = 0.0
    var volume: SpoolVolume?
    var volumeTime = MonotonicTime(nanoseconds: 0)
  }

  /// What a file costs beside its bytes, so that empty ones take turns, too.
  static let fileCharge = 64.0 * 1024
  /// Measurements over more bytes than this fade.
  private static let measuredMax = 256.0 * 1024 * 1024
  /// Measurements over fewer bytes say nothing.
  private static let measuredLeast = 1024.0 * 1024
  /// Charges beyond this fade, so that a directory that was set aside does not get everything when it is back. Large
  /// enough for many files, as shares are no finer than one file of so much.
  private static let chargedMax = 256.0 * 1024 * 1024
  /// No directory's weight is below this part of the best one's: it must be measured again some time.
  private static let leastShare = 0.02
  /// Free space below this counts as little, or below a tenth of the whole where that is less.
  private static let littleSpace = Int64(4) << 30
  private static let volumeAge = TimeSpan.seconds(1)

  private var directories: [Directory]

  init(count: Int) { directories = Array(repeating: Directory(), count: count) }

  mutating func setAside(_ position: Int, until: MonotonicTime) { directories[position].setAsideUntil = until }

  /// Takes over which directories are set aside for all processes. One that no longer is may be used at once.
  mutating func hold(_ held: Set<Int>) {
    for position in directories.indices {
      if directories[position].isHeld, !held.contains(position) { directories[position].setAsideUntil = nil }
      directories[position].isHeld = held.contains(position)
    }
  }

  /// It took a file. Whether it had been set aside.
  mutating func noteSuccess(_ position: Int) -> Bool {
    defer { directories[position].setAsideUntil = nil }
    return directories[position].setAsideUntil != nil
  }

  func isHeld(_ position: Int) -> Bool { directories[position].isHeld }

  func isSetAside(_ position: Int, at time: MonotonicTime) -> Bool {
    directories[position].isHeld || directories[position].setAsideUntil.map { $0 > time } ?? false
  }

  /// The time from which a directory may be tried: `time` where it works; those held come last.
  private func wait(_ position: Int, _ time: MonotonicTime) -> MonotonicTime {
    if directories[position].isHeld { return MonotonicTime(nanoseconds: .max) }
    return max(directories[position].setAsideUntil ?? time, time)
  }

  mutating func noteFile(_ position: Int) { charge(position, Self.fileCharge) }

  /// `bytes` were written within `time`.
  mutating func noteWrite(_ position: Int, bytes: Int, time: TimeSpan) {
    charge(position, Double(bytes))
    directories[position].measuredBytes += Double(bytes)
    directories[position].measuredSeconds += time.seconds
    guard directories[position].measuredBytes > Self.measuredMax else { return }
    directories[position].measuredBytes /= 2
    directories[position].measuredSeconds /= 2
  }

  private mutating func charge(_ position: Int, _ bytes: Double) {
    directories[position].chargedBytes += bytes
    guard directories[position].chargedBytes > Self.chargedMax else { return }
    for index in directories.indices { directories[index].chargedBytes /= 2 }
  }

  /// Bytes per second that the directory took lately; nil where too little was written to say.
  func rate(_ position: Int) -> Double? {
    let directory = directories[position]
    guard directory.measuredBytes >= Self.measuredLeast, directory.measuredSeconds > 0 else { return nil }
    return directory.measuredBytes / directory.measuredSeconds
  }

  /// Whether the file system's figures are too old.
  func needsVolume(_ position: Int, at time: MonotonicTime) -> Bool {
    directories[position].volume == nil && directories[position].volumeTime.nanoseconds == 0
      || time - directories[position].volumeTime >= Self.volumeAge
  }

  mutating func noteVolume(_ position: Int, _ volume: SpoolVolume?, at time: MonotonicTime) {
    directories[position].volume = volume
    directories[position].volumeTime = time
  }

  func volume(_ position: Int) -> SpoolVolume? { directories[position].volume }

  /// The shares of the first `count` directories, each above 0.
  func weights(_ count: Int) -> [Double] {
    let rates = (0..<count).map { rate($0) }
    let known = rates.compactMap { $0 }
    let mean = known.isEmpty ? 1 : known.reduce(0, +) / Double(known.count)
    var weights = (0..<count).map { (rates[$0] ?? mean) * spaceFactor($0) }
    let least = (weights.max() ?? 1) * Self.leastShare
    for index in weights.indices { weights[index] = max(weights[index], least, .leastNormalMagnitude) }
    return weights
  }

  /// 1 where there is room enough, less where there is not.
  private func spaceFactor(_ position: Int) -> Double {
    guard let volume = directories[position].volume, volume.totalBytes > 0 else { return 1 }
    let little = max(1, min(Self.littleSpace, volume.totalBytes / 10))
    return min(1, Double(max(0, volume.freeBytes)) / Double(little))
  }

  /// The first `count` directories, best first: those that work, by what they got for their weight (the first of equal
  /// ones being that at `turn`), then those set aside, the longest ago first.
  func order(_ count: Int, turn: Int, at time: MonotonicTime) -> [Int] {
    if count == 1 { return [0] }
    let weights = weights(count)
    let turns = (0..<count).map { (turn &+ $0) % count }
    let loads = (0..<count).map { directories[$0].chargedBytes / weights[$0] }
    let waits = (0..<count).map { wait($0, time) }
    return turns.enumerated().sorted { left, right in
      (waits[left.element].nanoseconds, loads[left.element], left.offset)
        < (waits[right.element].nanoseconds, loads[right.element], right.offset)
    }.map(\.element)
  }
}
