// Owns how each type of setting is read from and written as text. Knows nothing of single settings.
import Base

/// A type that a setting may have.
public protocol SettingValue: Sendable, Equatable {
  /// The type as documentation names it, such as `data size` or `NONE | QUERY | TASK`.
  static var settingTypeName: String { get }
  /// Reads a trimmed value; nil where it is malformed.
  init?(settingText: String)
  /// What is wrong with a malformed value and what to write instead, where that can be said better than by naming the
  /// type.
  static func objection(settingText: String) -> String?
  /// The value as a properties file writes it.
  var settingText: String { get }
}

extension SettingValue {
  public static func objection(settingText: String) -> String? { nil }
}

extension Int: SettingValue {
  public static var settingTypeName: String { "integer" }
  public init?(settingText: String) { self.init(settingText) }
  public var settingText: String { String(self) }
}

extension Double: SettingValue {
  public static var settingTypeName: String { "double" }
  public init?(settingText: String) {
    guard let value = Double(settingText), value.isFinite else { return nil }
    self = value
  }
  public var settingText: String { String(self) }
}

extension Bool: SettingValue {
  public static var settingTypeName: String { "boolean" }
  public init?(settingText: String) {
    switch settingText.lowercased() {
    case "true": self = true
    case "false": self = false
    default: return nil
    }
  }
  public var settingText: String { self ? "true" : "false" }
}

extension String: SettingValue {
  public static var settingTypeName: String { "string" }
  public init?(settingText: String) {
    guard !settingText.isEmpty else { return nil }
    self = settingText
  }
  public var settingText: String { self }
}

extension DataSize: SettingValue {
  public static var settingTypeName: String { "data size" }
  public init?(settingText: String) { self.init(parsing: settingText) }
  public var settingText: String { description }
}

extension TimeSpan: SettingValue {
  public static var settingTypeName: String { "duration" }
  public init?(settingText: String) { self.init(parsing: settingText) }
  public var settingText: String { description }
}

/// An enumeration whose raw values are the words of the setting; read in either case, as Trino does.
public protocol SettingWord: SettingValue, CaseIterable, RawRepresentable where RawValue == String {}

extension SettingWord {
  public static var settingTypeName: String { allCases.map(\.rawValue).joined(separator: " | ") }
  public init?(settingText: String) {
    let lower = settingText.lowercased()
    guard let word = Self.allCases.first(where: { $0.rawValue.lowercased() == lower }) else { return nil }
    self = word
  }
  public var settingText: String { rawValue }
}

extension RetryPolicy: SettingWord {}
extension LogLevel: SettingWord {}

/// How pages of exchanged data are compressed.
public enum ExchangeCompressionCodec: String, SettingWord, Codable {
  case none = "NONE"
  case lz4 = "LZ4"
  case zstd = "ZSTD"
}

/// How the sides of a join meet.
public enum JoinDistributionType: String, SettingWord, Codable {
  /// Chosen by the sizes of the sides.
  case automatic = "AUTOMATIC"
  /// The build side is copied to every task.
  case broadcast = "BROADCAST"
  /// Both sides are split by the hash of the join keys.
  case partitioned = "PARTITIONED"
}

/// Which task is ended when the machine runs short of memory.
public enum LowMemoryKillerPolicy: String, SettingWord {
  case none
  /// The one that holds most.
  case totalReservationOnBlockedNodes = "total-reservation-on-blocked-nodes"
  /// The one that holds most for the time that it has run.
  case leastWaste = "least-waste"
}

/// A kind of exchange storage.
public enum ExchangeManagerName: String, SettingWord {
  /// Directories of a local or mounted file system.
  case filesystem
  /// No storage that a failure may be answered from.
  case none

  public static func objection(settingText: String) -> String? {
    guard settingText.lowercased() == "hdfs" else { return nil }
    return "HDFS is used through a mount: write filesystem, and see docs/hdfs.md"
  }
}

/// A list is written with commas; spaces around elements and empty elements are dropped.
extension Array: SettingValue where Element: SettingValue {
  public static var settingTypeName: String { "list of \(Element.settingTypeName)" }
  public init?(settingText: String) {
    self = []
    for part in settingText.split(separator: ",") {
      let text = part.trimmedBlanks
      if text.isEmpty { continue }
      guard let element = Element(settingText: text) else { return nil }
      append(element)
    }
    if isEmpty { return nil }
  }
  public static func objection(settingText: String) -> String? {
    let parts = settingText.split(separator: ",").map(\.trimmedBlanks).filter { !$0.isEmpty }
    return parts.first { Element(settingText: $0) == nil }.flatMap { Element.objection(settingText: $0) }
  }
  public var settingText: String { map(\.settingText).joined(separator: ",") }
}

extension StringProtocol {
  /// This text without blanks, tabs and line ends around it.
  var trimmedBlanks: String {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    let head = drop(while: blank)
    guard let last = head.lastIndex(where: { !blank($0) }) else { return "" }
    return String(head[...last])
  }
}
