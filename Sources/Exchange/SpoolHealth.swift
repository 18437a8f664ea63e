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
  /// Like `device`, but the same after the machine has been started again. File systems of one kind that cannot be told
  /// apart have the same.
  public var fileSystem: UInt64

  public init(totalBytes: Int64, freeBytes: Int64, device: UInt64, fileSystem: UInt64 = 0) {
    self.fileSystem = fileSystem
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
    /// Bytes given to it, fading.
    var chargedBytes = 0.0
    /// Bytes and seconds of measured writes, fading.
    var measuredBytes = 0.0
    var measuredSeconds = 0.0
    var volume: SpoolVolume?
    /// Bytes given to it since.
    var bytesSince: Int64 = 0
    /// When it said so.
    var saidAt: MonotonicTime?
    /// When it was last asked.
    var volumeTime: MonotonicTime?
    var isBeingAsked = false
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

  /// Those that take files. Others, with higher numbers, are only read.
  private var directories: [Directory]
  /// Those that are set aside for all processes, until the coordinator says otherwise.
  private(set) var held: Set<Int> = []
  /// Those that do not answer, as the coordinator says for all processes.
  var silent: Set<Int> = []

  init(count: Int) { directories = Array(repeating: Directory(), count: count) }

  mutating func setAside(_ position: Int, until: MonotonicTime) {
    if directories.indices.contains(position) { directories[position].setAsideUntil = until }
  }

  /// Takes over which directories are set aside for all processes. One that no longer is may be used at once.
  mutating func hold(_ held: Set<Int>) {
    for position in directories.indices where isHeld(position) && !held.contains(position) {
      directories[position].setAsideUntil = nil
    }
    self.held = held
  }

  /// It took a file. Whether it had been set aside.
  mutating func noteSuccess(_ position: Int) -> Bool {
    defer { directories[position].setAsideUntil = nil }
    return directories[position].setAsideUntil != nil
  }

  func isHeld(_ position: Int) -> Bool { held.contains(position) }

  func isSetAside(_ position: Int, at time: MonotonicTime) -> Bool {
    isHeld(position) || directories[position].setAsideUntil.map { $0 > time } ?? false
  }

  /// The time from which a directory may be tried: `time` where it works, a moment later where it is slow.
  private func wait(_ position: Int, _ time: MonotonicTime, _ slow: Set<Int>) -> MonotonicTime {
    let soonest = slow.contains(position) ? MonotonicTime(nanoseconds: time.nanoseconds + 1) : time
    return max(directories[position].setAsideUntil ?? soonest, soonest)
  }

  /// A file that begins with so many bytes is to be made there.
  mutating func chargeFile(_ position: Int, bytes: Int) {
    charge(position, Self.fileCharge + Double(bytes))
    directories[position].bytesSince += Int64(bytes)
  }

  /// The file was not made.
  mutating func refundFile(_ position: Int, bytes: Int) {
    let rest = directories[position].chargedBytes - Self.fileCharge - Double(bytes)
    directories[position].chargedBytes = max(0, rest)
    directories[position].bytesSince = max(0, directories[position].bytesSince - Int64(bytes))
  }

  /// `bytes`, which were charged, have been written within `time`.
  mutating func noteWrite(_ position: Int, bytes: Int, time: TimeSpan) {
    directories[position].measuredBytes += Double(bytes)
    directories[position].measuredSeconds += time.seconds
    guard directories[position].measuredBytes > Self.measuredMax else { return }
    directories[position].measuredBytes /= 2
    directories[position].measuredSeconds /= 2
  }

  /// So many bytes are about to be written there.
  mutating func charge(_ position: Int, _ bytes: Double) {
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

  /// The directories whose figures are to be asked for now: they are too old, and nobody asks already. Those held are
  /// not asked. `noteVolume` ends the asking.
  mutating func takeStale(at time: MonotonicTime) -> [Int] {
    let stale = directories.indices.filter { position in
      let directory = directories[position]
      let isOld = directory.volumeTime.map { time - $0 >= Self.volumeAge } ?? true
      return isOld && !isHeld(position) && !directory.isBeingAsked
    }
    for position in stale { directories[position].isBeingAsked = true }
    return stale
  }

  mutating func noteVolume(_ position: Int, _ volume: SpoolVolume?, at time: MonotonicTime) {
    guard directories.indices.contains(position) else { return }
    directories[position].isBeingAsked = false
    directories[position].volumeTime = time
    // What it cannot say now does not make wrong what it said before.
    guard let volume else { return }
    directories[position].volume = volume
    directories[position].saidAt = time
    directories[position].bytesSince = 0
  }

  /// What the file system said of itself last, and when.
  func volume(_ position: Int) -> (volume: SpoolVolume, at: MonotonicTime)? {
    guard let volume = directories[position].volume, let time = directories[position].saidAt else { return nil }
    return (volume, time)
  }

  /// The bytes that its file system held when it was last asked, whoever put them there, and what began there since.
  func heldBytes(_ position: Int) -> Int64 {
    let directory = directories[position]
    return directory.bytesSince + (directory.volume.map { max(0, $0.totalBytes - $0.freeBytes) } ?? 0)
  }

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
  /// ones being that at `turn`), then those that are slow to answer, then those that failed here, the longest ago
  /// first; then those that are avoided, as they are given. Those held are left out.
  func order(
    _ count: Int, turn: Int, at time: MonotonicTime, slow: Set<Int> = [], avoided: [Int] = []
  ) -> [Int] {
    if count == 1 { return isHeld(0) ? [] : [0] }
    let weights = weights(count)
    let turns = (0..<count).map { (turn &+ $0) % count }.filter { !isHeld($0) }
    let loads = (0..<count).map { directories[$0].chargedBytes / weights[$0] }
    let waits = (0..<count).map { wait($0, time, slow) }
    let ranks = (0..<count).map { position in avoided.firstIndex(of: position).map { $0 + 1 } ?? 0 }
    return turns.enumerated().sorted { left, right in
      (ranks[left.element], waits[left.element].nanoseconds, loads[left.element], left.offset)
        < (ranks[right.element], waits[right.element].nanoseconds, loads[right.element], right.offset)
    }.map(\.element)
  }
}
