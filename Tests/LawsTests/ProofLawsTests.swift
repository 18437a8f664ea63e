// Tests the law about what shows a promise: on this package, and on planted violations.
import Testing

@Suite struct ProofLawsTests {
  @Test func `what the failure model names exists`() {
    let laws = ProofLaws()
    #expect(laws.suites.count > 100 && laws.simulated.count > 20 && laws.chaos.count > 30)
    expectNone(laws.violations(path: "docs/failure-model.md", markdown: SourceTree.text(of: "docs/failure-model.md")))
  }

  private let laws = ProofLaws(
    suites: [
      "DiskTests": ["Tests/EndToEndTests/DiskTests.swift"], "SimulationTests": ["Tests/S/SimulationTests.swift"],
      "WriteTests": ["Tests/EndToEndTests/W.swift", "Tests/Other/W.swift"],
      "EndToEndTests": ["Tests/EndToEndTests/E.swift"],
    ],
    targets: ["EndToEndTests", "Other"], simulated: ["poison", "cancel"], chaos: ["disk-full"],
    paths: ["tools/chaos"])

  @Test(arguments: [
    "DiskTests", "EndToEndTests/DiskTests, at each step; `disk-full`", "SimulationTests (`poison`, `cancel`)",
    "Other/WriteTests", "`tools/chaos`",
  ])
  func `proofs that exist are found`(_ proof: String) {
    #expect(laws.violations(path: "m", markdown: table(proof)).isEmpty)
  }

  @Test(arguments: [
    "", "seen once", "EndToEndTests", "WriteTests", "MissingTests", "Other/DiskTests", "`disk-fool`",
    "SimulationTests (`disk-full`)", "SimulationTests; `poison`", "DiskTests; `tools/none`",
  ])
  func `planted proofs that do not exist are found`(_ proof: String) {
    #expect(laws.violations(path: "m", markdown: table(proof)).map(\.line) == [3])
  }

  @Test func `names of chaos are those of its tables`() {
    let text = "FAULTS = {\n  \"a-b\": AB, \"c\": C,\n}\nShape(\"d\", \"SELECT 1\"), {\"e\": 1}\n"
    #expect(ProofLaws.chaosNames(in: text) == ["a-b", "c", "d"])
  }

  private func table(_ proof: String) -> String {
    "| fault | shown by |\n|---|---|\n| it breaks | \(proof) |\n\n| other | table |\n|---|---|\n| x | EndToEndTests |\n"
  }
}
