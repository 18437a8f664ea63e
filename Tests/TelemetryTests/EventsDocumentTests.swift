// Tests that every event is described and that docs/events.md is made from the descriptions.
// `WATERBEAR_UPDATE=1 swift test` writes it anew.
import Foundation
import Testing

@testable import Telemetry

@Suite struct EventsDocumentTests {
  @Test func thePageIsTheTables() throws {
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent("docs/events.md")
    if ProcessInfo.processInfo.environment["WATERBEAR_UPDATE"] == "1" {
      try EventsDocument.markdown.write(to: file, atomically: true, encoding: .utf8)
    }
    let actual = try String(contentsOf: file, encoding: .utf8)
    #expect(actual == EventsDocument.markdown, "run the tests with WATERBEAR_UPDATE=1 to write docs/events.md anew")
  }

  @Test(arguments: LogEvent.allCases)
  func everyEventIsDescribed(event: LogEvent) {
    let description = event.description
    #expect(description.meaning.hasSuffix("."))
    #expect(Set(description.fields).count == description.fields.count)
    #expect(Set(description.fields).isDisjoint(with: ["time", "level", "event", "role", "pid", "query", "stage"]))
    #expect(event.rawValue.allSatisfy { $0.isLowercase || $0 == "_" })
  }
}
