// Owns the settings as one session sees them: the installation's, with what the session set in their place.
import Base

/// Settings of a session. A value; made from the installation's settings and the client's `name=value` pairs.
public struct SessionProperties: Sendable {
  public let settings: Settings
  private var values: [String: any SettingValue] = [:]
  /// What gives way to those, though the session does not set it.
  private var followers: [String: any SettingValue] = [:]

  /// Nothing set: the installation's values.
  public init(_ settings: Settings) { self.settings = settings }

  /// Sets all given properties; the first wrong one, by name, throws INVALID_SESSION_PROPERTY, and so do two of which
  /// one must not exceed the other.
  public init(_ settings: Settings, given: [String: String]) throws {
    self.init(settings)
    for (name, value) in given.sorted(by: { $0.key < $1.key }) { try assign(name, value) }
    try settleOrders()
  }

  /// The value that holds in this session; keys without a session property give the installation's.
  public subscript<Value>(key: SettingKey<Value>) -> Value {
    ((values[key.name] ?? followers[key.name]) as? Value) ?? settings[key]
  }

  /// Sets one property. Unknown names, malformed values and values out of range throw INVALID_SESSION_PROPERTY.
  public mutating func set(_ name: String, _ text: String) throws {
    try assign(name, text)
    try settleOrders()
  }

  private mutating func assign(_ name: String, _ text: String) throws {
    guard let setting = Self.byName[name] else {
      if let reason = AbsentSetting.reason(for: name) {
        throw WaterbearError(
          .invalidSessionProperty, "Session property '\(name)' does not exist: it is Trino's, and not here",
          remedy: "leave it out: \(reason).")
      }
      throw WaterbearError(
        .invalidSessionProperty,
        "Session property '\(name)' does not exist" + EditDistance.hint(for: name, among: Self.names),
        remedy: "SHOW SESSION lists all session properties.")
    }
    do throws(SettingProblem) {
      let value = try setting.parse(text.trimmedBlanks, name)
      if let policy = value as? RetryPolicy { try checkAllowed(policy) }
      values[setting.name] = value
    } catch {
      throw WaterbearError(.invalidSessionProperty, error.text)
    }
  }

  /// As for the files. What an installation sets is a session's default, and gives way as one.
  private mutating func settleOrders() throws {
    var fresh: [String: any SettingValue] = [:]
    let broken = SettingOrder.settle(
      value: { values[$0] ?? settings.value($0) }, isSet: { values[$0] != nil },
      giveWay: { fresh[$0] = $1 })
    followers = fresh
    guard let order = broken.first else { return }
    let (low, high) = (word(order.low), word(order.high))
    throw WaterbearError(
      .invalidSessionProperty,
      "\(high.name) is '\(high.value)', which must not be less than \(low.name), '\(low.value)'")
  }

  /// A setting's name and value as a session sees them.
  private func word(_ name: String) -> (name: String, value: String) {
    let value = values[name] ?? settings.value(name)
    return (Setting.byName[name]?.sessionProperty ?? name, value.map { $0.settingText } ?? "")
  }

  /// Takes a property back to the installation's value, as RESET SESSION does.
  public mutating func reset(_ name: String) throws {
    guard let setting = Self.byName[name] else {
      throw WaterbearError(.invalidSessionProperty, "Session property '\(name)' does not exist")
    }
    values[setting.name] = nil
    try settleOrders()
  }

  /// What is wrong with setting `name` to `value` in a session; nil where nothing is.
  public static func validate(_ name: String, _ value: String, in settings: Settings) -> WaterbearError? {
    var session = SessionProperties(settings)
    do {
      try session.set(name, value)
      return nil
    } catch {
      return WaterbearError.wrapping(error)
    }
  }

  /// All session properties by name, as SHOW SESSION lists them.
  public var rows: [SessionPropertyRow] {
    Self.names.compactMap { name in
      guard let setting = Self.byName[name] else { return nil }
      let standard = settings.text(of: setting.name)
      let value = values[setting.name] ?? followers[setting.name]
      return SessionPropertyRow(
        name: name, value: value.map { $0.settingText } ?? standard, standard: standard, type: setting.type,
        meaning: setting.meaning)
    }
  }

  private func checkAllowed(_ policy: RetryPolicy) throws(SettingProblem) {
    let allowed = settings[.allowedRetryPolicies]
    guard allowed.contains(policy) else {
      throw SettingProblem("retry_policy may only be one of \(allowed.settingText) in this installation")
    }
  }

  private static let byName: [String: Setting] = Dictionary(
    uniqueKeysWithValues: Setting.all.compactMap { setting in setting.sessionProperty.map { ($0, setting) } })

  private static let names: [String] = byName.keys.sorted()
}

/// A session property with its present value.
public struct SessionPropertyRow: Sendable {
  public let name: String
  public let value: String
  /// The value where the session sets nothing.
  public let standard: String
  public let type: String
  public let meaning: String
}
