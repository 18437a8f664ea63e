// Tests the law about log events: on this package, and on a planted violation.
import Testing

@Suite struct EventLawsTests {
  private static let product = SourceTree.swiftFiles.filter(\.isProduct)
  private static let documented = EventLaws.documented(SourceTree.text(of: "docs/events.md"))

  private func realNames() throws -> [String: String] {
    EventLaws.names(try #require(Self.product.first { $0.path == "Sources/Telemetry/LogEvent.swift" }))
  }

  @Test func `events have the fields that are documented`() throws {
    let names = try realNames()
    #expect(names.count > 40 && Self.documented.count == names.count)
    expectNone(
      Self.product.flatMap { EventLaws.violations(in: $0, names: names, documented: Self.documented) })
  }

  @Test func `every event is written somewhere`() throws {
    #expect(EventLaws.unwritten(names: try realNames(), files: Self.product) == [])
  }

  private let names = ["daemonReady": "daemon_ready", "workerLost": "worker_lost"]

  @Test func `the table and the enumeration are understood`() {
    let table = "| event | level | fields | meaning |\n|---|---|---|---|\n| `a_b` | INFO | `c`, `d_e` | What. |\n"
    #expect(EventLaws.documented(table) == ["a_b": ["c", "d_e"]])
    let declaration = SourceFile(path: "A.swift", text: "enum E {\n  case aB = \"a_b\"\n  case c\n}\n")
    #expect(EventLaws.names(declaration) == ["aB": "a_b"])
  }

  @Test func `planted fields that are not documented are found`() {
    let text = """
      log.write(.daemonReady, ["socket": .string(path("x")), "speed": .int(3)])
      log.write(
        .workerLost,
        [
          "worker": .int(1), "wrker": .int(2),
        ])
      log.write(.other, ["x": 1])
      file.write("speed: 3")
      """
    let documented: [String: Set<String>] = ["daemon_ready": ["socket"], "worker_lost": ["worker"]]
    let found = EventLaws.violations(
      in: SourceFile(path: "A.swift", text: text), names: names, documented: documented)
    #expect(found.map(\.line) == [1, 2])
    #expect(found.map(\.message).allSatisfy { $0.contains("speed") || $0.contains("wrker") })
  }

  @Test func `a planted event that nobody writes is found`() {
    let files = [
      SourceFile(path: "Sources/Telemetry/LogEvent.swift", text: "case daemonReady\ncase workerLost"),
      SourceFile(path: "Sources/A.swift", text: "log.write(.daemonReady) // .workerLost"),
    ]
    #expect(EventLaws.unwritten(names: names, files: files) == ["workerLost"])
  }
}
