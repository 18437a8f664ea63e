// Owns the contract of aggregate functions at work and the choice of the one for a function and its types.

import Base
import Columnar
import Planning

/// The rows of a batch on their way into groups.
struct GroupedRows {
  /// The group of each row; below `groups`.
  let ids: UnsafePointer<Int32>
  let count: Int
  /// How many groups there are by now.
  let groups: Int
  /// Whether these are all rows of a batch, so that each group made by it has a row among them.
  let isWholeBatch: Bool
}

/// The state of one aggregate for all groups. Vectors may have any encoding.
protocol Accumulator: AnyObject {
  var retainedBytes: Int { get }
  /// Bytes that states for `groups` groups would newly allocate.
  func growth(to groups: Int) -> Int
  /// Adds rows: one vector for each argument.
  func add(_ arguments: [Vector], _ rows: GroupedRows) throws
  /// Adds partial results: one vector for each of `AggregateFunction.intermediateTypes`.
  func merge(_ intermediates: [Vector], _ rows: GroupedRows) throws
  /// Adds `count` rows to group 0, the only one. `zeros` are `count` group ids of 0.
  func addAll(_ arguments: [Vector], count: Int, zeros: UnsafePointer<Int32>) throws
  /// The results of some groups. `groups` groups exist, some perhaps without any row.
  func results(from start: Int, count: Int) throws -> Vector
  /// The partial results of some groups.
  func intermediates(from start: Int, count: Int) throws -> [Vector]
  /// Has states for at least `groups` groups.
  func grow(to groups: Int)
  /// Forgets all groups.
  func reset()
}

extension Accumulator {
  func addAll(_ arguments: [Vector], count: Int, zeros: UnsafePointer<Int32>) throws {
    try add(arguments, GroupedRows(ids: zeros, count: count, groups: 1, isWholeBatch: true))
  }
}

/// Makes the accumulator of `function` for arguments of these types.
func makeAccumulator(_ function: AggregateFunction, _ types: [DataType]) -> any Accumulator {
  switch function {
  case .countAll: return CountAccumulator(.rows)
  case .count: return CountAccumulator(.values)
  case .countIf: return CountAccumulator(.trueValues)
  case .sum: return makeSum(types[0], result: function.resultType(types), partial: function.intermediateTypes(types)[0])
  case .avg: return makeAverage(types[0], partial: function.intermediateTypes(types)[0])
  case .min, .boolAnd: return makeExtreme(types[0], isMinimum: true)
  case .max, .boolOr: return makeExtreme(types[0], isMinimum: false)
  case .anyValue: return AnyValueAccumulator(types[0])
  case .minBy: return makeExtremeBy(value: types[0], key: types[1], isMinimum: true)
  case .maxBy: return makeExtremeBy(value: types[0], key: types[1], isMinimum: false)
  case .stddev: return VarianceAccumulator(types[0], .sampleDeviation)
  case .stddevPop: return VarianceAccumulator(types[0], .populationDeviation)
  case .variance: return VarianceAccumulator(types[0], .sampleVariance)
  case .varPop: return VarianceAccumulator(types[0], .populationVariance)
  }
}
