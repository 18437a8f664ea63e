// Owns the tables of the task store and their migrations. `docs/task-store.md` explains them column by column.
import GRDB

enum StoreSchema {
  /// `WBTS`, by which a file says that it is a task store.
  static let applicationID: Int32 = 0x5742_5453
  /// The newest format this code knows: the number of the last migration.
  static let version: Int32 = 4

  /// Migrations are never changed once released; a new one is added and `version` raised.
  static var migrator: DatabaseMigrator {
    // No foreign keys are declared, so there is nothing to check.
    var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
    migrator.registerMigration("1") { db in
      try db.execute(sql: first)
      try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = 1")
    }
    migrator.registerMigration("2") { db in
      try db.execute(sql: second)
      try db.execute(sql: "PRAGMA user_version = 2")
    }
    migrator.registerMigration("3") { db in
      try db.execute(sql: "ALTER TABLE query ADD COLUMN stages BLOB; PRAGMA user_version = 3")
    }
    migrator.registerMigration("4") { db in
      try db.execute(sql: fourth)
      try db.execute(sql: "PRAGMA user_version = 4")
    }
    return migrator
  }

  /// Whether the database is a task store, or one whose making was interrupted.
  static func isOurs(_ db: Database) throws -> Bool {
    if try Int32.fetchOne(db, sql: "PRAGMA application_id") == applicationID { return true }
    let sql = "SELECT count(*) FROM sqlite_master WHERE tbl_name <> 'grdb_migrations'"
    return try Int.fetchOne(db, sql: sql) == 0
  }

  /// What was decided about the plans of running queries.
  private static let fourth = """
    ALTER TABLE stage ADD COLUMN is_skipped INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE decision (
      query INTEGER NOT NULL,
      number INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      kind TEXT NOT NULL,
      reason TEXT NOT NULL,
      made_us INTEGER NOT NULL,
      PRIMARY KEY (query, number)
    ) STRICT, WITHOUT ROWID;
    """

  /// Writes have names of their own: one may have to be cleaned up when its query is history, or was never noted.
  private static let second = """
    CREATE TABLE write (
      id TEXT PRIMARY KEY,
      act BLOB NOT NULL,
      state TEXT NOT NULL,
      outputs BLOB
    ) STRICT;
    ALTER TABLE query ADD COLUMN update_count INTEGER;
    """

  /// Big tables are WITHOUT ROWID: one tree instead of a table and an index, and rows of a task lie together.
  private static let first = """
    CREATE TABLE counter (
      name TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE query (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      nonce TEXT NOT NULL UNIQUE,
      sql TEXT NOT NULL,
      user TEXT NOT NULL,
      catalog TEXT,
      schema TEXT,
      session TEXT NOT NULL,
      retry_policy TEXT NOT NULL,
      state TEXT NOT NULL,
      created_us INTEGER NOT NULL,
      ended_us INTEGER,
      error_code TEXT,
      error TEXT,
      failures INTEGER NOT NULL DEFAULT 0,
      has_ended INTEGER NOT NULL DEFAULT 0,
      is_released INTEGER NOT NULL DEFAULT 0,
      task_count INTEGER NOT NULL DEFAULT 0,
      attempt_count INTEGER NOT NULL DEFAULT 0,
      failed_attempt_count INTEGER NOT NULL DEFAULT 0,
      description BLOB
    ) STRICT;
    CREATE INDEX query_live ON query(number) WHERE is_released = 0;

    CREATE TABLE query_key (
      query INTEGER PRIMARY KEY,
      sealed_key BLOB NOT NULL
    ) STRICT;

    CREATE TABLE stage (
      query INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      fragment BLOB NOT NULL,
      splits_complete INTEGER NOT NULL DEFAULT 0,
      tasks_complete INTEGER NOT NULL DEFAULT 0,
      is_released INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (query, stage)
    ) STRICT;

    CREATE TABLE split (
      query INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      split INTEGER NOT NULL,
      weight INTEGER NOT NULL,
      payload BLOB NOT NULL,
      PRIMARY KEY (query, stage, split)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE task (
      query INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      partition INTEGER NOT NULL,
      selected INTEGER,
      failures INTEGER NOT NULL DEFAULT 0,
      worker_losses INTEGER NOT NULL DEFAULT 0,
      output_losses INTEGER NOT NULL DEFAULT 0,
      memory INTEGER NOT NULL DEFAULT 0,
      first_valid_attempt INTEGER NOT NULL DEFAULT 0,
      input BLOB NOT NULL,
      PRIMARY KEY (query, stage, partition)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE attempt (
      query INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      partition INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      worker INTEGER NOT NULL,
      incarnation INTEGER NOT NULL,
      memory INTEGER NOT NULL,
      state TEXT NOT NULL,
      started_us INTEGER NOT NULL,
      ended_us INTEGER,
      error_code TEXT,
      error TEXT,
      PRIMARY KEY (query, stage, partition, attempt)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE output (
      query INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      partition INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      output BLOB NOT NULL,
      PRIMARY KEY (query, stage, partition)
    ) STRICT, WITHOUT ROWID;
    """
}
