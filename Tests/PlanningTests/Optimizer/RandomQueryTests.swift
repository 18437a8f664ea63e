// Owns the test of random queries: what the optimiser makes of a plan gives the same rows. A failing seed is printed
// with its query.

import Base
import Columnar
import LocalRunner
import Testing

@testable import Planning

struct RandomQueryTests {
  @Test func optimisedPlansGiveTheSameRows() throws {
    var planned = 0
    for seed in UInt64(1)...400 {
      var random = RandomQuery(seed: seed)
      let sql = random.query()
      let logical: LogicalPlan
      do {
        logical = try plan(sql)
      } catch let error as WaterbearError where error.code == .notSupported || error.code == .typeMismatch {
        continue
      }
      planned += 1
      let title = "seed \(seed): \(sql)"
      #expect(PlanSoundness.faults(of: logical.root) == [], "\(title)")
      let lines = try ReferenceExecutor.sample.lines(of: logical.root, isOrdered: false)
      try expectSameMeaning(logical, title, rows: lines, isOrdered: false)
    }
    // Nearly every query is one that Waterbear has; otherwise the test has lost its point.
    #expect(planned > 350)
  }
}
