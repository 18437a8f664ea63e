// Tests that the settings table is whole and that the texts made from it are the ones in the repository.
// `WATERBEAR_UPDATE=1 swift test` writes them anew.
import Foundation
import Testing

@testable import Settings

@Suite struct SettingsDocumentTests {
  /// The repository, seen from this file.
  static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let documents = [
    "docs/settings.md": SettingsDocument.markdown,
    "etc/config.properties": SettingsDocument.properties(for: .config),
    "etc/exchange-manager.properties": SettingsDocument.properties(for: .exchangeManager),
    "etc/profiles/trino-defaults/config.properties": SettingsDocument.trinoProfile(for: .config),
    "etc/profiles/trino-defaults/exchange-manager.properties": SettingsDocument.trinoProfile(for: .exchangeManager),
  ]

  @Test(arguments: documents.keys.sorted())
  func theFileIsTheTables(path: String) throws {
    let expected = try #require(Self.documents[path])
    let file = Self.root.appendingPathComponent(path)
    if ProcessInfo.processInfo.environment["WATERBEAR_UPDATE"] == "1" {
      try expected.write(to: file, atomically: true, encoding: .utf8)
    }
    let actual = try String(contentsOf: file, encoding: .utf8)
    #expect(actual == expected, "run the tests with WATERBEAR_UPDATE=1 to write \(path) anew")
  }

  @Test func theShippedFilesLoad() throws {
    let etc = Self.root.appendingPathComponent("etc").path
    let settings = try Settings.load(directory: etc, environment: machine)
    #expect(settings.rows.allSatisfy { $0.origin == nil })
    #expect(settings.catalogs.map(\.connectorName) == ["tpch"])
  }

  @Test func theProfileOfTrinoHasTrinosDefaults() throws {
    let profile = Self.root.appendingPathComponent("etc/profiles/trino-defaults").path
    let settings = try Settings.load(directory: profile, environment: machine)
    #expect(settings[.retryPolicy] == .none)
    #expect(settings[.retryInitialDelay] == .seconds(10))
    #expect(settings[.maxTasksWaitingForNode] == 50)
    #expect(settings[.exchangeManagerName] == .none)
    // What would fail queries that Trino answers, or hold under TASK what holds there under NONE, stays out.
    #expect(settings[.exchangeSinkMaxFileSize] > .gigabytes(1000))
    #expect(settings[.exchangeCompressionCodec] == .lz4)
    for row in settings.rows {
      #expect((row.origin != nil) == (row.setting.trinoValue != nil), "\(row.setting.name)")
      if let value = row.setting.trinoValue { #expect(row.value == value, "\(row.setting.name)") }
    }
    // What cannot be said in a file: it follows from the machine, or Trino has none.
    let unsaid = Setting.all.filter { if case .differs = $0.trinoDefault { $0.trinoValue == nil } else { false } }
    let words = Set(unsaid.map(\.name))
    #expect(
      words.isSubset(of: [
        "task.max-worker-threads", "exchange.base-directories", "exchange.compression-codec",
        "exchange.sink-max-file-size",
        "fault-tolerant-execution-task-descriptor-storage-max-memory",
      ]))
  }

  @Test func everyFixedDefaultReadsBackAndIsInRange() throws {
    for setting in Setting.all where setting.hasFixedDefault {
      let value = try setting.parse(setting.defaultText, setting.name)
      #expect(value.settingText == setting.defaultText, "\(setting.name)")
    }
  }

  @Test func everyComputedDefaultIsInRangeOnSmallAndLargeMachines() throws {
    for (cores, memory) in [(1, 256), (2, 4096), (96, 1_000_000)] {
      let settings = Settings(
        environment: SettingsEnvironment(cores: cores, memory: .megabytes(Int64(memory)), dataDirectory: "/d"))
      for row in settings.rows where !row.setting.hasFixedDefault {
        #expect(throws: Never.self, "\(row.setting.name)") { try row.setting.parse(row.value, row.setting.name) }
      }
    }
  }

  /// A key that is defined but not listed would trap at its first use.
  @Test func everyKeyIsListed() throws {
    let sources = Self.root.appendingPathComponent("Sources/Settings")
    var defined = 0
    let names = try FileManager.default.contentsOfDirectory(atPath: sources.path)
    for name in names where name.hasSuffix("Settings.swift") {
      let text = try String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
      defined += text.components(separatedBy: "public static var ").dropFirst()
        .count { $0.prefix { $0 != "\n" }.hasSuffix(": Self {") }
    }
    #expect(defined == Setting.all.count)
    #expect(Setting.byName.count == defined)
  }

  @Test func meaningsAreSentences() {
    for setting in Setting.all {
      #expect(setting.meaning.hasSuffix("."), "\(setting.name)")
      #expect(setting.range?.hasSuffix(".") != true, "\(setting.name)")
    }
  }
}
