// Owns the check that the benchmark's queries are planned, with the columns their answers have.

import Foundation
import Testing

@testable import Planning

struct TPCHPlanTests {
  static func text(_ number: Int) throws -> String {
    var directory = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { directory.deleteLastPathComponent() }
    let name = number < 10 ? "q0\(number)" : "q\(number)"
    return try String(contentsOf: directory.appendingPathComponent("sql/tpch/\(name).sql"), encoding: .utf8)
  }

  @Test(arguments: 1...22) func isPlanned(number: Int) throws {
    let plan = try plan(try Self.text(number), schema: "tpch")
    let root = plan.root
    #expect(PlanSoundness.faults(of: root) == [])
    #expect(PlanSoundness.faults(of: optimized(plan)) == [])
    let text = PlanText.lines(root)
    // Every subquery of the benchmark becomes a filtering join, a grouped join or a single row.
    #expect(!text.contains("mark join"), "\(text)")
    #expect(!text.contains("single row"), "\(text)")
  }
}
