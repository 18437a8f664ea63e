// Owns the shape of a row of the settings table: what is known about a setting besides its value.
import Base

/// A file of the `etc` directory that holds settings.
public enum SettingsFile: String, Sendable, CaseIterable {
  case config = "config.properties"
  case exchangeManager = "exchange-manager.properties"
}

/// The values a setting may have, as a test and as words.
public struct SettingRange<Value: SettingValue>: Sendable {
  let text: String?
  /// What is wrong with a value outside, where that can be said better than by the words for all others.
  var objection: @Sendable (Value) -> String? = { _ in nil }
  let contains: @Sendable (Value) -> Bool

  /// Every value of the type.
  static var any: SettingRange { SettingRange(text: nil) { _ in true } }
}

extension SettingRange where Value: Comparable {
  static func atLeast(_ low: Value) -> SettingRange {
    SettingRange(text: "at least \(low.settingText)") { $0 >= low }
  }

  static func within(_ range: ClosedRange<Value>) -> SettingRange {
    SettingRange(text: "\(range.lowerBound.settingText) to \(range.upperBound.settingText)") { range.contains($0) }
  }
}

/// How a default compares with Trino's.
public enum TrinoDefault: Sendable, Equatable {
  /// Trino's default is the same.
  case same
  /// Trino has another default; the reason says why one machine wants a different one. `value` is Trino's as a file
  /// would hold it, where the first text is more than that; empty where it would not do here what it does there.
  case differs(String, because: String, value: String? = nil)
  /// Trino has no such setting; the reason says why it is needed here.
  case absent(because: String)
}

/// A setting with its type: the key to `Settings` and to `SessionProperties`.
///
/// Keys are made in the files named after their topic and listed once, in `Setting.groups`.
public struct SettingKey<Value: SettingValue>: Sendable {
  enum Default: Sendable {
    case fixed(Value)
    /// Computed from the machine and from settings earlier in the table; `text` says how.
    case computed(text: String, @Sendable (SettingsEnvironment, Settings) -> Value)
  }

  public let name: String
  let file: SettingsFile
  let standard: Default
  let range: SettingRange<Value>
  /// Trino's range, where it is wider, and why; no sentence's end.
  let trinoRange: String?
  /// Whether a session may set it; its property then has `_` for `-` and `.`, as in Trino.
  let isSessionProperty: Bool
  let trino: TrinoDefault
  let meaning: String

  init(
    _ name: String, in file: SettingsFile = .config, default standard: Default,
    range: SettingRange<Value> = .any, trinoRange: String? = nil, session: Bool = false,
    trino: TrinoDefault = .same, _ meaning: String
  ) {
    self.name = name
    self.file = file
    self.standard = standard
    self.range = range
    self.trinoRange = trinoRange
    isSessionProperty = session
    self.trino = trino
    self.meaning = meaning
  }

  func parse(_ text: String, as name: String) throws(SettingProblem) -> Value {
    let allowed = range.text.map { ", \($0)" } ?? ""
    guard let value = Value(settingText: text) else {
      if let objection = Value.objection(settingText: text) { throw SettingProblem("\(name): \(objection)") }
      throw SettingProblem("\(name) is '\(text)', but must be \(Value.settingTypeName)\(allowed)\(example)")
    }
    guard range.contains(value) else {
      if let objection = range.objection(value) { throw SettingProblem("\(name): \(objection)") }
      throw SettingProblem("\(name) is '\(text)', but must be \(range.text ?? Value.settingTypeName)")
    }
    return value
  }

  /// A well-formed value for the types whose form is not plain.
  private var example: String {
    switch Value.self {
    case is DataSize.Type: " (such as 512MB)"
    case is TimeSpan.Type: " (such as 10s or 5m)"
    default: ""
    }
  }
}

/// A row of the settings table, without its type.
public struct Setting: Sendable {
  public let name: String
  public let file: SettingsFile
  /// Type in words, such as `data size`.
  public let type: String
  /// The default as text: a value, or in words how it follows from the machine.
  public let defaultText: String
  /// Whether `defaultText` is a value that a file could hold.
  public let hasFixedDefault: Bool
  /// Bounds in words; nil where every value of the type will do.
  public let range: String?
  /// Trino's range, where it is wider, and why.
  public let trinoRange: String?
  /// What it must not exceed, or not be less than, in words.
  public let order: String?
  /// Name of the session property, where a session may set it.
  public let sessionProperty: String?
  public let trinoDefault: TrinoDefault
  public let meaning: String

  /// Trino's default as a file of ours could hold it, where it differs and can be said without knowing the machine.
  public var trinoValue: String? {
    guard case .differs(let text, _, let value) = trinoDefault else { return nil }
    let candidate = value ?? text
    // `try?`: words that are no value are for people only.
    return (try? parse(candidate, name)) == nil ? nil : candidate
  }

  let parse: @Sendable (String, String) throws(SettingProblem) -> any SettingValue
  let fixedDefault: (any SettingValue)?
  let computedDefault: (@Sendable (SettingsEnvironment, Settings) -> any SettingValue)?

  init<Value>(_ key: SettingKey<Value>) {
    name = key.name
    file = key.file
    type = Value.settingTypeName
    range = key.range.text
    trinoRange = key.trinoRange
    order = SettingOrder.all.lazy.compactMap { $0.words(for: key.name) }.first
    sessionProperty =
      key.isSessionProperty ? String(key.name.map { $0 == "-" || $0 == "." ? "_" : $0 }) : nil
    trinoDefault = key.trino
    meaning = key.meaning
    parse = { (text, name) throws(SettingProblem) in try key.parse(text, as: name) }
    switch key.standard {
    case .fixed(let value):
      (defaultText, hasFixedDefault, fixedDefault, computedDefault) = (value.settingText, true, value, nil)
    case .computed(let text, let compute):
      (defaultText, hasFixedDefault, fixedDefault, computedDefault) = (text, false, nil, compute)
    }
  }
}

/// Settings that belong together, in the order in which documentation shows them.
public struct SettingGroup: Sendable {
  public let title: String
  public let settings: [Setting]
}
