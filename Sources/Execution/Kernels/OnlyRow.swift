// Owns the check that a scalar subquery has one row for an outer row.

import Base
import Columnar
import Planning

/// TRUE for counts up to 1; SUBQUERY_MULTIPLE_ROWS for more.
func onlyRowKernel(_ origin: Origin) -> Kernel { unaryKernel(OnlyRow(origin: origin), .boolean) }

private struct OnlyRow: UnaryOperation {
  let origin: Origin
  var hasFailed = false

  @inline(__always)
  mutating func apply(_ count: Int64) -> UInt8 {
    if count > 1 { hasFailed = true }
    return 1
  }

  func failure(_ count: Int64) -> WaterbearError {
    WaterbearError(.subqueryMultipleRows, "Scalar sub-query has returned multiple rows", at: origin.location)
  }
}
