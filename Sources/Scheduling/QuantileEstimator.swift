// Owns the guess of what a stage's next task needs, in memory or time.

/// Estimates a stage's tasks from its finished ones, in constant space.
///
/// Values are counted in buckets whose widths grow with their size (8 to each doubling), so the quantile is at most
/// an eighth too high and never too low. It is worked out again only after the number of values has grown by a
/// sixteenth: O(1) per task.
struct QuantileEstimator {
  private let minimum: Int64
  private let quantile: Double
  private var counts: [Int32] = []
  /// How many values were added.
  private(set) var total = 0
  private var recalculateAt = 1
  private var quantileValue: Int64 = 0

  /// No estimate is lower than `minimum`.
  init(minimum: Int64, quantile: Double) {
    self.minimum = minimum
    self.quantile = quantile
  }

  /// The quantile of the values added; 0 where there is none.
  var measured: Int64 { quantileValue }

  /// The same, but never less than the minimum.
  var estimate: Int64 { max(minimum, quantileValue) }

  /// Counts what a task needed; nothing, where that is not known.
  mutating func add(_ value: Int64) {
    guard value > 0 else { return }
    if counts.isEmpty { counts = Array(repeating: 0, count: 64 * 8) }
    counts[Self.bucket(value)] &+= 1
    total += 1
    if total >= recalculateAt {
      recalculateAt = total + max(1, total / 16)
      quantileValue = Self.upperBound(bucketAtQuantile())
    }
  }

  private func bucketAtQuantile() -> Int {
    var remaining = max(1, Int((Double(total) * quantile).rounded(.up)))
    for index in counts.indices {
      remaining -= Int(counts[index])
      if remaining <= 0 { return index }
    }
    return counts.count - 1
  }

  private static func bucket(_ value: Int64) -> Int {
    let exponent = 63 - value.leadingZeroBitCount
    let fraction = exponent >= 3 ? (value >> Int64(exponent - 3)) & 7 : (value << Int64(3 - exponent)) & 7
    return exponent * 8 + Int(fraction)
  }

  /// The highest value that falls into the bucket.
  private static func upperBound(_ bucket: Int) -> Int64 {
    let exponent = Int64(bucket / 8)
    let next = Int64(bucket % 8 + 9)
    if exponent < 3 { return max(1, (next << exponent) >> 3) }
    let (bound, overflow) = next.multipliedReportingOverflow(by: Int64(1) << (exponent - 3))
    return overflow ? Int64.max : bound - 1
  }
}
