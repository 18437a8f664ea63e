// Tests the laws about modules: on this package, and each on a planted violation.
import Testing

@Suite struct ImportLawsTests {
  @Test func `files import what Package.swift gives them`() {
    #expect(SourceTree.swiftFiles.count > 200)
    let found = SourceTree.swiftFiles.flatMap { ImportLaws.violations(in: $0, of: SourceTree.manifest) }
    expectNone(found)
  }

  @Test func `imports point down`() {
    #expect(SourceTree.manifest.targets.count > 40)
    let found = ImportLaws.violations(in: SourceTree.manifest)
    expectNone(found)
  }

  @Test func `Package.swift declares nothing that is not used`() {
    let found = ImportLaws.unusedDependencies(in: SourceTree.manifest, files: SourceTree.swiftFiles)
    expectNone(found)
  }

  @Test func `the scheduler is pure`() {
    let files = SourceTree.swiftFiles.filter { $0.path.hasPrefix("Sources/Scheduling/") }
    #expect(files.count > 5)
    let found = files.flatMap { ImportLaws.impurities(in: $0) }
    expectNone(found)
    #expect(SourceTree.manifest["Scheduling"]?.dependencies == ["Base"])
  }

  private let manifest = Manifest(
    """
    let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
    let package = Package(
      name: "x",
      targets: [
        .target(name: "Base"),
        .target(name: "Scheduling", dependencies: ["Base"]),
        .target(name: "Upper", dependencies: ["Lower"]),
        .target(name: "Lower", dependencies: [nio], path: "Sources/Deep/Lower"),
        .target(
          name: "SupervisorProcess", dependencies: ["Base", "Lower"]),
        .testTarget(name: "LowerTests", dependencies: ["Lower"]),
      ])
    """)

  @Test func `the manifest is understood`() {
    #expect(manifest.targets.map(\.name) == ["Base", "Scheduling", "Upper", "Lower", "SupervisorProcess", "LowerTests"])
    #expect(manifest["Lower"]?.outside == ["NIOCore"])
    #expect(manifest["Lower"]?.path == "Sources/Deep/Lower")
    #expect(manifest["LowerTests"]?.path == "Tests/LowerTests")
    #expect(manifest.target(ofFile: "Sources/Deep/Lower/A.swift")?.name == "Lower")
    #expect(manifest.closure(of: "SupervisorProcess") == ["Base", "Lower", "NIOCore"])
  }

  @Test func `planted imports are found`() {
    func check(_ path: String, _ text: String) -> [Violation] {
      ImportLaws.violations(in: SourceFile(path: path, text: text), of: manifest)
    }
    #expect(check("Sources/Scheduling/A.swift", "import Base\n// import Lower\nlet a = \"import Lower\"").isEmpty)
    #expect(check("Sources/Scheduling/A.swift", "@testable import Lower\n").map(\.line) == [1])
    #expect(check("Sources/Scheduling/A.swift", "\nimport struct Foundation.Date\n").map(\.line) == [2])
    #expect(check("Sources/Nowhere/A.swift", "").count == 1)
  }

  @Test func `a planted upward dependency, and one that must not be linked, are found`() {
    let messages = ImportLaws.violations(in: manifest).map(\.message)
    #expect(messages.count == 2)
    #expect(messages.contains { $0.hasPrefix("Upper depends on Lower") })
    #expect(messages.contains { $0.hasPrefix("SupervisorProcess must not link NIOCore") })
  }

  @Test func `a planted unused dependency is found`() {
    let files = [
      SourceFile(path: "Sources/Scheduling/A.swift", text: "import Base\n"),
      SourceFile(path: "Sources/Upper/A.swift", text: "import Base\n"),
    ]
    let found = ImportLaws.unusedDependencies(in: manifest, files: files)
    #expect(found.map(\.message) == ["Upper declares Lower and never imports it"])
  }

  @Test(arguments: ["let x = Int.random(in: 0..<3)", "func f() async {}", "let now = ContinuousClock.now"])
  func `planted impurities are found`(_ line: String) {
    #expect(ImportLaws.impurities(in: SourceFile(path: "A.swift", text: line)).count == 1)
    #expect(ImportLaws.impurities(in: SourceFile(path: "A.swift", text: "// " + line)).isEmpty)
  }

  @Test func `words that merely contain an impure one are none`() {
    let file = SourceFile(path: "A.swift", text: "let taskRetries = randomness + TaskState.printed\n")
    #expect(ImportLaws.impurities(in: file).isEmpty)
  }
}
