// Owns the names of columns inside a plan.

import Base
import Columnar

/// A column somewhere in a plan. `id` is unique within the plan; `name` is for people.
public struct Symbol: Codable, Sendable {
  public let id: Int
  public let name: String
  public let type: DataType

  public init(id: Int, name: String, type: DataType) {
    self.id = id
    self.name = name
    self.type = type
  }
}

extension Symbol: Hashable {
  public static func == (left: Symbol, right: Symbol) -> Bool { left.id == right.id }
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension Symbol: CustomStringConvertible {
  /// Trino's form: the name, with the id behind it so that it is unique in the plan.
  public var description: String { "\(name)_\(id)" }
}

/// Hands out symbols with fresh ids. One per query's planning.
public final class SymbolAllocator {
  private var next: Int

  public init(startingAt first: Int = 0) { next = first }

  /// A new symbol; no other of this source has its number.
  public func symbol(_ name: String, _ type: DataType) -> Symbol {
    defer { next += 1 }
    return Symbol(id: next, name: name, type: type)
  }
}

/// Where in the SQL text an expression came from, for errors at run time. All origins are equal, so that two equal
/// expressions from different places stay equal.
public struct Origin: Hashable, Codable, Sendable {
  public var location: SourceLocation?

  public init(_ location: SourceLocation? = nil) { self.location = location }

  public static func == (left: Origin, right: Origin) -> Bool { true }
  public func hash(into hasher: inout Hasher) {}
}
