// Owns the syntax tree of whole statements. A statement that parses may still not be supported; the analyser says so.
import Base

/// One SQL statement.
public enum Statement: Hashable, Sendable {
  case query(Query)
  case explain(Explain)
  case show(Show)
  case use(Use)
  case setSession(SetSession)
  case resetSession(name: QualifiedName)
  case createTableAs(CreateTableAs)
  case createTable(CreateTable)
  case insert(Insert)
  case dropTable(DropTable)
  /// A statement of Trino's that is only recognised by its first words, such as `CREATE VIEW`. Its text is not parsed.
  case other(OtherStatement)
}

/// `EXPLAIN [(options)] statement` or `EXPLAIN ANALYZE [VERBOSE] statement`.
public struct Explain: Hashable, Sendable {
  /// `TYPE` among the options.
  public enum PlanType: String, Hashable, Sendable, CaseIterable {
    case logical = "LOGICAL"
    case distributed = "DISTRIBUTED"
    case validate = "VALIDATE"
    case io = "IO"
  }

  /// `FORMAT` among the options.
  public enum Format: String, Hashable, Sendable, CaseIterable {
    case text = "TEXT"
    case graphviz = "GRAPHVIZ"
    case json = "JSON"
  }

  /// DISTRIBUTED unless an option says otherwise.
  public var type: PlanType
  /// TEXT unless an option says otherwise.
  public var format: Format
  /// Whether the statement is run and its real figures are shown.
  public var analyze: Bool
  public var verbose: Bool
  /// In an array because a value type cannot hold itself; always one element.
  let statements: [Statement]
  @Uncompared public var location: SourceLocation

  /// The statement to explain.
  public var statement: Statement { statements[0] }

  init(
    type: PlanType, format: Format, analyze: Bool, verbose: Bool, statement: Statement, at location: SourceLocation
  ) {
    self.type = type
    self.format = format
    self.analyze = analyze
    self.verbose = verbose
    self.statements = [statement]
    self._location = Uncompared(wrappedValue: location)
  }
}

/// A `SHOW` statement; `DESCRIBE t` and `DESC t` are `SHOW COLUMNS FROM t`.
public struct Show: Hashable, Sendable {
  /// What is shown.
  public enum Subject: Hashable, Sendable {
    case catalogs
    case schemas(catalog: Identifier?)
    case tables(schema: QualifiedName?)
    case columns(table: QualifiedName)
    case functions(schema: QualifiedName?)
    case session
    case createTable(QualifiedName)
    case stats(table: QualifiedName)
    case statsForQuery(Query)
  }

  public var subject: Subject
  /// The text of `LIKE 'pattern'`.
  public var like: String?
  public var escape: String?
  @Uncompared public var location: SourceLocation
}

/// `USE [catalog.]schema`.
public struct Use: Hashable, Sendable {
  public var catalog: Identifier?
  public var schema: Identifier
  @Uncompared public var location: SourceLocation
}

/// `SET SESSION name = value`.
public struct SetSession: Hashable, Sendable {
  public var name: QualifiedName
  public var value: Expression
  @Uncompared public var location: SourceLocation
}

/// `name = value` in a table's `WITH` clause.
public struct TableProperty: Hashable, Sendable {
  public var name: Identifier
  /// Nil stands for `DEFAULT`.
  public var value: Expression?
}

/// `CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [(columns)] [WITH (…)] AS query [WITH [NO] DATA]`.
public struct CreateTableAs: Hashable, Sendable {
  public var table: QualifiedName
  public var replaces: Bool
  public var ifNotExists: Bool
  public var columnAliases: [Identifier]
  public var comment: String?
  public var properties: [TableProperty]
  public var query: Query
  public var withData: Bool
  @Uncompared public var location: SourceLocation
}

/// `CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name (column type, …) [COMMENT 'text'] [WITH (…)]`.
public struct CreateTable: Hashable, Sendable {
  /// `name type`.
  public struct Column: Hashable, Sendable {
    public var name: Identifier
    public var type: TypeName
  }

  public var table: QualifiedName
  public var replaces: Bool
  public var ifNotExists: Bool
  public var columns: [Column]
  public var comment: String?
  public var properties: [TableProperty]
  @Uncompared public var location: SourceLocation
}

/// `INSERT INTO table [(columns)] query`.
public struct Insert: Hashable, Sendable {
  public var table: QualifiedName
  public var columns: [Identifier]?
  public var query: Query
  @Uncompared public var location: SourceLocation
}

/// `DROP TABLE [IF EXISTS] table`.
public struct DropTable: Hashable, Sendable {
  public var table: QualifiedName
  public var ifExists: Bool
  @Uncompared public var location: SourceLocation
}

/// A statement known by its first words only.
public struct OtherStatement: Hashable, Sendable {
  /// The words that name it, in upper case: `CREATE VIEW`, `GRANT`.
  public var name: String
  @Uncompared public var location: SourceLocation
}
