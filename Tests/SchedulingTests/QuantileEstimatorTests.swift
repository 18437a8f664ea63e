// Tests the estimate of a quantile.
import Testing

@testable import Scheduling

@Suite struct QuantileEstimatorTests {
  @Test func neverBelowTheMinimum() {
    var estimator = QuantileEstimator(minimum: 1000, quantile: 0.9)
    #expect(estimator.estimate == 1000)
    estimator.add(10)
    #expect(estimator.estimate == 1000)
  }

  @Test(arguments: [1, 2, 3, 5, 7, 8, 9, 1000, 123_456_789, 1 << 40, Int64.max])
  func oneValueIsKnownWithinAnEighth(value: Int64) {
    var estimator = QuantileEstimator(minimum: 0, quantile: 0.9)
    estimator.add(value)
    #expect(estimator.estimate >= value)
    #expect(Double(estimator.estimate) <= Double(value) * 1.125)
  }

  @Test func quantileOfMany() {
    var estimator = QuantileEstimator(minimum: 0, quantile: 0.9)
    for value in 1...1000 { estimator.add(Int64(value) * 1000) }
    #expect(estimator.estimate >= 840_000)
    #expect(estimator.estimate <= 1_020_000)
  }

  @Test func unknownValuesAreNotCounted() {
    var estimator = QuantileEstimator(minimum: 5, quantile: 0.5)
    estimator.add(0)
    estimator.add(-3)
    #expect(estimator.total == 0)
  }
}
