// Owns the pairs of settings of which one must not exceed the other, and what follows where it does.

/// Two settings of one type: the first must not exceed the second. Where only one of them is set, the other's default
/// gives way; where both are, that is a mistake.
struct SettingOrder: Sendable {
  let low: String
  let high: String
  /// Whether the first value exceeds the second.
  let isBroken: @Sendable (any SettingValue, any SettingValue) -> Bool

  init<Value: Comparable>(_ low: SettingKey<Value>, _ high: SettingKey<Value>) {
    self.low = low.name
    self.high = high.name
    isBroken = { low, high in
      guard let low = low as? Value, let high = high as? Value else { return false }
      return low > high
    }
  }

  static let all: [SettingOrder] = [
    SettingOrder(.retryInitialDelay, .retryMaxDelay),
    SettingOrder(.arbitraryTaskTargetSizeMin, .arbitraryTaskTargetSizeMax),
    SettingOrder(.writeTaskTargetSizeMin, .writeTaskTargetSizeMax),
    SettingOrder(.minPartitionCount, .maxPartitionCount),
    SettingOrder(.exchangeMaxPageStorageSize, .exchangeSinkMaxFileSize),
  ]

  /// The pair as words behind one of its settings' names, for documentation; nil for other settings.
  func words(for name: String) -> String? {
    switch name {
    case low: "not more than \(high)"
    case high: "not less than \(low)"
    default: nil
    }
  }

  /// Settles all pairs. `value` and `isSet` tell of a setting by its name; `giveWay` takes the new value of one that is
  /// not set. Returns the pairs of which both are set, and wrongly.
  static func settle(
    value: (String) -> (any SettingValue)?, isSet: (String) -> Bool,
    giveWay: (String, any SettingValue) -> Void
  ) -> [SettingOrder] {
    all.filter { order in
      guard let low = value(order.low), let high = value(order.high), order.isBroken(low, high) else { return false }
      if !isSet(order.high) {
        giveWay(order.high, low)
      } else if !isSet(order.low) {
        giveWay(order.low, high)
      } else {
        return true
      }
      return false
    }
  }
}
