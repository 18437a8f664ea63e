// Owns the values of all settings: reading them from the `etc` directory, checking them, and handing them out typed.
import Base

/// What an installation is set to. A value; reading again makes a new one.
public struct Settings: Sendable {
  private var values: [String: any SettingValue] = [:]
  /// Where each value that is not a default came from, as `path:line`.
  private var origins: [String: String] = [:]
  /// Catalogs by name, sorted.
  public private(set) var catalogs: [CatalogProperties] = []

  /// All defaults, for this environment.
  public init(environment: SettingsEnvironment) {
    resolveDefaults(environment)
  }

  /// The typed value of a setting; a dictionary look-up, so not for inner loops.
  public subscript<Value>(key: SettingKey<Value>) -> Value {
    guard let value = values[key.name] as? Value else {
      preconditionFailure("\(key.name) is not listed in Setting.groups before its first use")
    }
    return value
  }

  /// Reads `config.properties`, `exchange-manager.properties` and `catalog/*.properties` of a directory.
  ///
  /// A missing file leaves the defaults. `overrides`, text by name, come from the command line and win over files.
  /// Every problem of every file is reported in one CONFIGURATION_INVALID error.
  public static func load(
    directory: String, environment: SettingsEnvironment, overrides: [String: String] = [:]
  ) throws -> Settings {
    var settings = Settings()
    var problems: [String] = []
    for file in SettingsFile.allCases {
      let path = "\(directory)/\(file.rawValue)"
      guard let text = try FileText.read(path) else { continue }
      problems += settings.read(PropertiesFile(path: path, text: text, variables: environment.variables), as: file)
    }
    problems += settings.override(overrides)
    settings.resolveDefaults(environment)
    // Every process is told how many workers there are, whoever decided it.
    for name in overrides.keys where settings.isDefault(name, environment) { settings.origins[name] = nil }
    problems += settings.contradictions()
    for name in try FileText.list("\(directory)/catalog") where name.hasSuffix(".properties") {
      let path = "\(directory)/catalog/\(name)"
      guard let text = try FileText.read(path) else { continue }
      let file = PropertiesFile(path: path, text: text, variables: environment.variables)
      problems += file.problems
      do throws(SettingProblem) {
        settings.catalogs.append(try CatalogProperties(name: String(name.dropLast(11)), file: file))
      } catch {
        problems.append(error.text)
      }
    }
    guard problems.isEmpty else { throw invalid(problems) }
    return settings
  }

  /// All settings with their values, for `waterbearctl config`.
  public var rows: [SettingRow] {
    Setting.all.map { setting in
      SettingRow(setting: setting, value: text(of: setting.name), origin: origins[setting.name])
    }
  }

  /// The text form of a setting's value.
  func text(of name: String) -> String { values[name].map { $0.settingText } ?? "" }

  func value(_ name: String) -> (any SettingValue)? { values[name] }

  private init() {}

  private mutating func read(_ file: PropertiesFile, as kind: SettingsFile) -> [String] {
    var problems = file.problems
    for property in file.properties {
      do throws(SettingProblem) {
        let setting = try Self.known(property.key, in: kind)
        values[setting.name] = try setting.parse(property.value, setting.name)
        origins[setting.name] = "\(file.path):\(property.line)"
      } catch {
        problems.append(file.place(property.line, error))
      }
    }
    return problems
  }

  private mutating func override(_ texts: [String: String]) -> [String] {
    var problems: [String] = []
    for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
      guard let setting = Setting.byName[name] else {
        preconditionFailure("an option overrides \(name), which is unknown")
      }
      do throws(SettingProblem) {
        values[name] = try setting.parse(text, name)
        origins[name] = "command line"
      } catch {
        problems.append("command line: \(error.text)")
      }
    }
    return problems
  }

  private static func known(_ name: String, in file: SettingsFile) throws(SettingProblem) -> Setting {
    guard let setting = Setting.byName[name] else {
      if let reason = AbsentSetting.reason(for: name) {
        throw SettingProblem("\(name) is a setting of Trino's that is not here: \(reason)")
      }
      throw SettingProblem(
        "\(name) is not a setting" + EditDistance.hint(for: name, among: Setting.all.map(\.name)))
    }
    guard setting.file == file else {
      throw SettingProblem("\(name) belongs into \(setting.file.rawValue)")
    }
    return setting
  }

  private mutating func resolveDefaults(_ environment: SettingsEnvironment) {
    for setting in Setting.all where values[setting.name] == nil {
      values[setting.name] = setting.fixedDefault ?? setting.computedDefault?(environment, self)
    }
  }

  /// Defaults give way to settings that must not exceed them, or not be less.
  private mutating func settleOrders() -> [SettingOrder] {
    var fresh: [String: any SettingValue] = [:]
    let broken = SettingOrder.settle(
      value: { values[$0] }, isSet: { isSet($0) }, giveWay: { fresh[$0] = $1 })
    values.merge(fresh) { $1 }
    return broken
  }

  private func isDefault(_ name: String, _ environment: SettingsEnvironment) -> Bool {
    guard let setting = Setting.byName[name] else { return false }
    let standard = setting.fixedDefault ?? setting.computedDefault?(environment, self)
    return standard?.settingText == text(of: name)
  }

  /// Whether a file or the command line sets it.
  func isSet(_ name: String) -> Bool { origins[name] != nil }

  /// Settings that are fine alone but not together.
  private mutating func contradictions() -> [String] {
    var problems: [String] = []
    func check(_ holds: Bool, _ name: String, _ text: String) {
      if !holds { problems.append("\(origins[name] ?? SettingsFile.config.rawValue): \(name) \(text)") }
    }
    check(
      self[.allowedRetryPolicies].contains(self[.retryPolicy]), "retry-policy.allowed",
      "must contain retry-policy, which is \(self[.retryPolicy].rawValue)")
    for order in settleOrders() {
      check(false, order.high, "must not be less than \(order.low), which is \(text(of: order.low))")
    }
    if let memory = DirectoryAddress(settingText: self[.spoolMemoryDirectory]),
      let objection = DirectoryAddress.objection(to: self[.exchangeBaseDirectories] + [memory])
    {
      let name = SettingKey<String>.spoolMemoryDirectory.name
      check(false, name, "must lie apart from exchange.base-directories: \(objection)")
    }
    return problems
  }

  private static func invalid(_ problems: [String]) -> WaterbearError {
    let remedy = "Correct the file and start again. docs/settings.md lists all settings."
    if problems.count == 1 {
      return WaterbearError(.configurationInvalid, problems[0], remedy: remedy)
    }
    return WaterbearError(
      .configurationInvalid, "\(problems.count) settings are wrong:\n" + problems.joined(separator: "\n"),
      remedy: remedy)
  }
}

/// A setting with its present value.
public struct SettingRow: Sendable {
  public let setting: Setting
  public let value: String
  /// `path:line` or `command line`; nil for a default.
  public let origin: String?
}
