// Owns names as they stand in SQL text. Knows nothing of what they resolve to.
import Base

/// A stored property that takes no part in `==` and hashing: where a node stands does not change what it says.
@propertyWrapper
public struct Uncompared<Value: Sendable>: Hashable, Sendable {
  public var wrappedValue: Value

  public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

  public static func == (left: Uncompared, right: Uncompared) -> Bool { true }
  public func hash(into hasher: inout Hasher) {}
}

/// One name. Trino resolves names without regard to case, quoted ones too, so equality ignores case.
public struct Identifier: Hashable, Sendable, CustomStringConvertible {
  /// The name as written, without quotes.
  public let value: String
  /// Whether it was written in double quotes.
  public let isDelimited: Bool
  /// The name in lower case, by which it is found and compared.
  public let canonical: String
  @Uncompared public var location: SourceLocation

  public init(_ value: String, isDelimited: Bool = false, at location: SourceLocation) {
    self.value = value
    self.isDelimited = isDelimited
    self.canonical = value.lowercased()
    self._location = Uncompared(wrappedValue: location)
  }

  public static func == (left: Identifier, right: Identifier) -> Bool { left.canonical == right.canonical }
  public func hash(into hasher: inout Hasher) { hasher.combine(canonical) }

  /// The name as it can be written in SQL again.
  public var description: String { isDelimited ? Identifier.quoted(value) : value }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
      if character == "\"" { result += "\"" }
      result.unicodeScalars.append(character)
    }
    return result + "\""
  }
}

/// A dotted name such as `catalog.schema.table`; never empty.
public struct QualifiedName: Hashable, Sendable, CustomStringConvertible {
  public let parts: [Identifier]

  public init(_ parts: [Identifier]) {
    precondition(!parts.isEmpty, "a qualified name has at least one part")
    self.parts = parts
  }

  /// Where the first part stands.
  public var location: SourceLocation { parts[0].location }
  /// The last part in lower case.
  public var suffix: String { parts[parts.count - 1].canonical }
  /// All parts in lower case, joined by dots, as Trino prints names in messages.
  public var canonical: String { parts.map(\.canonical).joined(separator: ".") }
  public var description: String { parts.map(\.description).joined(separator: ".") }
}
