// Owns SQL type names as written. Which types exist is the analyser's affair.
import Base

/// A type in SQL text, such as `decimal(12, 2)`, `timestamp(3) with time zone` or `row(x bigint)`.
public struct TypeName: Hashable, Sendable, CustomStringConvertible {
  /// What stands in a type's parentheses.
  public indirect enum Parameter: Hashable, Sendable {
    case number(Int64)
    case type(TypeName)
    /// A field of a row type.
    case field(Identifier?, TypeName)
  }

  /// In lower case and one word per type: `timestamp with time zone`, `double`, `interval day to second`, `array`.
  public var base: String
  public var parameters: [Parameter]
  @Uncompared public var location: SourceLocation

  public init(base: String, parameters: [Parameter] = [], at location: SourceLocation) {
    self.base = base
    self.parameters = parameters
    self._location = Uncompared(wrappedValue: location)
  }

  /// Trino's spelling: `timestamp(3) with time zone`, `row(x bigint, varchar)`.
  public var description: String {
    if parameters.isEmpty { return base }
    let list = parameters.map { parameter in
      switch parameter {
      case .number(let number): "\(number)"
      case .type(let type): type.description
      case .field(let name, let type): name.map { "\($0) \(type)" } ?? type.description
      }
    }.joined(separator: ", ")
    let suffix = " with time zone"
    guard base.hasSuffix(suffix) else { return "\(base)(\(list))" }
    return "\(base.dropLast(suffix.count))(\(list))\(suffix)"
  }
}
