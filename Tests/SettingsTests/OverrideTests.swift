// Tests of values from the command line.
import Base
import Settings
import Testing

@Suite struct OverrideTests {
  private let machine = SettingsEnvironment(cores: 8, memory: .gigabytes(16), dataDirectory: "/d")

  @Test func theCommandLineWinsAndComputedDefaultsFollowIt() throws {
    let settings = try Settings.load(
      directory: "/nowhere", environment: machine, overrides: ["waterbear.workers": "4"])
    #expect(settings[SettingKey<Int>.workers] == 4)
    #expect(settings[SettingKey<Int>.taskMaxWorkerThreads] == 2)
    #expect(settings.rows.first { $0.setting.name == "waterbear.workers" }?.origin == "command line")
  }

  /// Every process is told how many workers there are, though nobody may have asked for it.
  @Test func theDefaultOnTheCommandLineIsTheDefault() throws {
    let standard = try Settings.load(directory: "/nowhere", environment: machine)[SettingKey<Int>.workers]
    let settings = try Settings.load(
      directory: "/nowhere", environment: machine, overrides: ["waterbear.workers": "\(standard)"])
    #expect(settings.rows.allSatisfy { $0.origin == nil })
  }

  @Test func aWrongValueNamesTheCommandLine() {
    let error = #expect(throws: WaterbearError.self) {
      try Settings.load(directory: "/nowhere", environment: machine, overrides: ["waterbear.workers": "0"])
    }
    #expect(error?.code == .configurationInvalid)
    #expect(error?.message.hasPrefix("command line: waterbear.workers is '0'") == true)
  }
}
