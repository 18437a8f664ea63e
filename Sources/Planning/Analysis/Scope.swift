// Owns what names mean at a place in a query: the fields of the relations in reach, and the scopes around them.

import Base
import Columnar
import SQLSyntax

/// A column that expressions can name.
struct Field {
  /// In lower case; nil for a column that was given no name.
  var name: String?
  /// The name as the client sees it.
  var displayName: String?
  /// The relation's name: an alias, or catalog, schema and table; in lower case. Empty for the outputs of a query.
  var qualifier: [String]
  var symbol: Symbol
  /// Whether `*` leaves it out.
  var isHidden = false

  func isNamed(_ parts: ArraySlice<String>, qualifiedBy prefix: ArraySlice<String>) -> Bool {
    name == parts.first && qualifier.suffix(prefix.count) == prefix
  }
}

/// The fields in reach, innermost first.
final class Scope {
  let fields: [Field]
  /// The query around this one, if there is one.
  let outer: Scope?

  init(fields: [Field], outer: Scope?) {
    self.fields = fields
    self.outer = outer
  }

  /// What a dotted name means; nil where nothing has it. Throws AMBIGUOUS_NAME where several fields of one level do.
  func resolve(_ parts: [String], written: String, at location: SourceLocation) throws -> Field? {
    let matches = fields.filter { $0.isNamed(parts.suffix(1), qualifiedBy: parts.dropLast()) }
    if matches.count > 1 {
      throw WaterbearError(.ambiguousName, "Column '\(written)' is ambiguous", at: location)
    }
    return try matches.first ?? outer?.resolve(parts, written: written, at: location)
  }

  /// The fields that `qualifier.*` stands for; empty where no relation here has that name.
  func fields(of qualifier: [String]) -> [Field] {
    fields.filter { !$0.isHidden && !$0.qualifier.isEmpty && $0.qualifier.suffix(qualifier.count) == qualifier[...] }
  }
}

/// A planned relation or query: its plan, and what its columns are called.
struct RelationPlan {
  var node: PlanNode
  var fields: [Field]

  var visibleFields: [Field] { fields.filter { !$0.isHidden } }
}

/// What surrounds a query: the scope of the query it stands in, and the WITH queries in reach.
struct Environment {
  /// A WITH query; planned anew at every use.
  final class NamedQuery {
    let syntax: With.NamedQuery
    let environment: Environment
    /// Whether it may refer to itself.
    let isRecursive: Bool

    init(syntax: With.NamedQuery, environment: Environment, isRecursive: Bool) {
      self.syntax = syntax
      self.environment = environment
      self.isRecursive = isRecursive
    }
  }

  var outer: Scope?
  var named: [String: NamedQuery] = [:]

  func inside(_ scope: Scope) -> Environment { Environment(outer: scope, named: named) }
}
