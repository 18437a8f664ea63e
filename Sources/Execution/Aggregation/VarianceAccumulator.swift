// Owns variance, var_pop, stddev and stddev_pop: Welford's update by row, Chan's merge of partial results.

#if canImport(Glibc)
import Glibc
#endif
import Columnar

/// Count, mean and sum of squared differences by group.
final class VarianceAccumulator: Accumulator {
  enum Measure {
    case sampleVariance
    case populationVariance
    case sampleDeviation
    case populationDeviation
  }

  private struct State: BitwiseCopyable {
    var count: Int64 = 0
    var mean = 0.0
    var squares = 0.0

    @inline(__always)
    mutating func add(_ value: Double) {
      count &+= 1
      let delta = value - mean
      mean += delta / Double(count)
      squares += delta * (value - mean)
    }

    @inline(__always)
    mutating func merge(_ other: State) {
      guard other.count > 0 else { return }
      let total = count &+ other.count
      let delta = other.mean - mean
      let newMean = (Double(count) * mean + Double(other.count) * other.mean) / Double(total)
      squares += other.squares + delta * delta * Double(count) * Double(other.count) / Double(total)
      mean = newMean
      count = total
    }
  }

  private let input: DataType
  private let measure: Measure
  private let states = StateArray<State>(initial: State())

  init(_ input: DataType, _ measure: Measure) {
    self.input = input
    self.measure = measure
  }

  var retainedBytes: Int { states.retainedBytes }
  func growth(to groups: Int) -> Int { states.growth(to: groups) }
  func grow(to groups: Int) { states.grow(to: groups) }
  func reset() { states.reset() }

  func add(_ arguments: [Vector], _ rows: GroupedRows) {
    states.grow(to: rows.groups)
    let states = states.base
    let ids = rows.ids
    let argument = arguments[0].flattened()
    switch input.layout {
    case .float64:
      forEachValue(of: argument, as: Double.self, count: rows.count) { states[Int(ids[$0])].add($1) }
    case .float32:
      forEachValue(of: argument, as: Float.self, count: rows.count) { states[Int(ids[$0])].add(Double($1)) }
    case .int64:
      let unit = unit
      forEachValue(of: argument, as: Int64.self, count: rows.count) { states[Int(ids[$0])].add(Double($1) / unit) }
    case .int128:
      let unit = unit
      forEachValue(of: argument, as: Int128.self, count: rows.count) { states[Int(ids[$0])].add(Double($1) / unit) }
    default: preconditionFailure("variance of \(input) is not coerced")
    }
  }

  /// What an unscaled value is divided by.
  private var unit: Double {
    guard case .decimal(_, let scale) = input else { return 1 }
    return pow(10, Double(scale))
  }

  func merge(_ intermediates: [Vector], _ rows: GroupedRows) {
    states.grow(to: rows.groups)
    let states = states.base
    let columns = intermediates.map { $0.flattened() }
    let means = columns[1].values.pointer(to: Double.self)
    let squares = columns[2].values.pointer(to: Double.self)
    let ids = rows.ids
    forEachValue(of: columns[0], as: Int64.self, count: rows.count) { row, count in
      states[Int(ids[row])].merge(State(count: count, mean: means[row], squares: squares[row]))
    }
  }

  func results(from start: Int, count: Int) -> Vector {
    let values = Buffer(zeroed: count * 8)
    var bits: Bitmap?
    let needed: Int64 = measure == .sampleVariance || measure == .sampleDeviation ? 2 : 1
    for row in 0..<count {
      let state = states.base[start + row]
      guard state.count >= needed else {
        let target = bits ?? Bitmap(repeating: true, count: count)
        target.clear(row)
        bits = target
        continue
      }
      let variance = state.squares / Double(state.count - needed + 1)
      let isDeviation = measure == .sampleDeviation || measure == .populationDeviation
      values.pointer(to: Double.self)[row] = isDeviation ? variance.squareRoot() : variance
    }
    return Vector(flat: .double, count: count, values: values, validity: bits)
  }

  func intermediates(from start: Int, count: Int) -> [Vector] {
    let counts = Buffer(count: count, of: Int64.self)
    let means = Buffer(count: count, of: Double.self)
    let squares = Buffer(count: count, of: Double.self)
    for row in 0..<count {
      let state = states.base[start + row]
      counts.pointer(to: Int64.self)[row] = state.count
      means.pointer(to: Double.self)[row] = state.mean
      squares.pointer(to: Double.self)[row] = state.squares
    }
    return [
      Vector(flat: .bigint, count: count, values: counts),
      Vector(flat: .double, count: count, values: means),
      Vector(flat: .double, count: count, values: squares),
    ]
  }
}
