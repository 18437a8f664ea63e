// Owns the words of the language and which of them may serve as names. The lists are Trino's (its grammar's
// `nonReserved` rule and keyword tokens).

/// A word with a meaning in the grammar. Reserved words can be names only in double quotes.
enum Keyword: String, Sendable, CaseIterable {
  // Reserved words.
  case alter = "ALTER", and = "AND", `as` = "AS", between = "BETWEEN", by = "BY", `case` = "CASE",
    cast = "CAST", constraint = "CONSTRAINT", create = "CREATE", cross = "CROSS", cube = "CUBE",
    currentCatalog = "CURRENT_CATALOG", currentDate = "CURRENT_DATE", currentPath = "CURRENT_PATH",
    currentRole = "CURRENT_ROLE", currentSchema = "CURRENT_SCHEMA", currentTime = "CURRENT_TIME",
    currentTimestamp = "CURRENT_TIMESTAMP", currentUser = "CURRENT_USER", deallocate = "DEALLOCATE",
    delete = "DELETE", describe = "DESCRIBE", distinct = "DISTINCT", drop = "DROP", `else` = "ELSE",
    end = "END", escape = "ESCAPE", except = "EXCEPT", execute = "EXECUTE", exists = "EXISTS",
    extract = "EXTRACT", `false` = "FALSE", `for` = "FOR", from = "FROM", full = "FULL", group = "GROUP",
    grouping = "GROUPING", having = "HAVING", `in` = "IN", inner = "INNER", insert = "INSERT",
    intersect = "INTERSECT", into = "INTO", `is` = "IS", join = "JOIN", jsonArray = "JSON_ARRAY",
    jsonExists = "JSON_EXISTS", jsonObject = "JSON_OBJECT", jsonQuery = "JSON_QUERY", jsonTable = "JSON_TABLE",
    jsonValue = "JSON_VALUE", left = "LEFT", like = "LIKE", listagg = "LISTAGG", localtime = "LOCALTIME",
    localtimestamp = "LOCALTIMESTAMP", natural = "NATURAL", normalize = "NORMALIZE", not = "NOT", null = "NULL",
    on = "ON", or = "OR", order = "ORDER", outer = "OUTER", prepare = "PREPARE", recursive = "RECURSIVE",
    right = "RIGHT", rollup = "ROLLUP", select = "SELECT", table = "TABLE", then = "THEN", trim = "TRIM",
    `true` = "TRUE", uescape = "UESCAPE", union = "UNION", unnest = "UNNEST", using = "USING",
    values = "VALUES", when = "WHEN", `where` = "WHERE", with = "WITH"

  // Words that may also be names.
  case absent = "ABSENT", add = "ADD", admin = "ADMIN", after = "AFTER", all = "ALL", analyze = "ANALYZE",
    `any` = "ANY", array = "ARRAY", asc = "ASC", at = "AT", authorization = "AUTHORIZATION", begin = "BEGIN",
    bernoulli = "BERNOULLI", both = "BOTH", call = "CALL", called = "CALLED", cascade = "CASCADE",
    catalog = "CATALOG", catalogs = "CATALOGS", column = "COLUMN", columns = "COLUMNS", comment = "COMMENT",
    commit = "COMMIT", committed = "COMMITTED", conditional = "CONDITIONAL", copartition = "COPARTITION",
    count = "COUNT", current = "CURRENT", data = "DATA", date = "DATE", day = "DAY", declare = "DECLARE",
    `default` = "DEFAULT", define = "DEFINE", definer = "DEFINER", deny = "DENY", desc = "DESC",
    descriptor = "DESCRIPTOR", deterministic = "DETERMINISTIC", distributed = "DISTRIBUTED", `do` = "DO",
    double = "DOUBLE", elseif = "ELSEIF", empty = "EMPTY", encoding = "ENCODING", error = "ERROR",
    excluding = "EXCLUDING", explain = "EXPLAIN", fetch = "FETCH", filter = "FILTER", final = "FINAL",
    first = "FIRST", following = "FOLLOWING", format = "FORMAT", function = "FUNCTION", functions = "FUNCTIONS",
    grace = "GRACE", grant = "GRANT", granted = "GRANTED", grants = "GRANTS", graphviz = "GRAPHVIZ",
    groups = "GROUPS", hour = "HOUR", `if` = "IF", ignore = "IGNORE", immediate = "IMMEDIATE",
    including = "INCLUDING", initial = "INITIAL", input = "INPUT", interval = "INTERVAL", invoker = "INVOKER",
    io = "IO", isolation = "ISOLATION", iterate = "ITERATE", json = "JSON", keep = "KEEP", key = "KEY",
    keys = "KEYS", language = "LANGUAGE", last = "LAST", lateral = "LATERAL", leading = "LEADING",
    leave = "LEAVE", level = "LEVEL", limit = "LIMIT", local = "LOCAL", logical = "LOGICAL", loop = "LOOP",
    map = "MAP", match = "MATCH", matched = "MATCHED", matches = "MATCHES", matchRecognize = "MATCH_RECOGNIZE",
    materialized = "MATERIALIZED", measures = "MEASURES", merge = "MERGE", minute = "MINUTE", month = "MONTH",
    nested = "NESTED", next = "NEXT", nfc = "NFC", nfd = "NFD", nfkc = "NFKC", nfkd = "NFKD", no = "NO",
    none = "NONE", nullif = "NULLIF", nulls = "NULLS", object = "OBJECT", of = "OF", offset = "OFFSET",
    omit = "OMIT", one = "ONE", only = "ONLY", option = "OPTION", ordinality = "ORDINALITY", output = "OUTPUT",
    over = "OVER", overflow = "OVERFLOW", partition = "PARTITION", partitions = "PARTITIONS",
    passing = "PASSING", past = "PAST", path = "PATH", pattern = "PATTERN", per = "PER", period = "PERIOD",
    permute = "PERMUTE", plan = "PLAN", position = "POSITION", preceding = "PRECEDING", precision = "PRECISION",
    privileges = "PRIVILEGES", properties = "PROPERTIES", prune = "PRUNE", quotes = "QUOTES", range = "RANGE",
    read = "READ", refresh = "REFRESH", rename = "RENAME", `repeat` = "REPEAT", repeatable = "REPEATABLE",
    replace = "REPLACE", reset = "RESET", respect = "RESPECT", restrict = "RESTRICT", `return` = "RETURN",
    returning = "RETURNING", returns = "RETURNS", revoke = "REVOKE", role = "ROLE", roles = "ROLES",
    rollback = "ROLLBACK", row = "ROW", rows = "ROWS", running = "RUNNING", scalar = "SCALAR",
    schema = "SCHEMA", schemas = "SCHEMAS", second = "SECOND", security = "SECURITY", seek = "SEEK",
    serializable = "SERIALIZABLE", session = "SESSION", set = "SET", sets = "SETS", show = "SHOW",
    some = "SOME", start = "START", stats = "STATS", subset = "SUBSET", substring = "SUBSTRING",
    system = "SYSTEM", tables = "TABLES", tablesample = "TABLESAMPLE", text = "TEXT", textString = "STRING",
    ties = "TIES", time = "TIME", timestamp = "TIMESTAMP", to = "TO", trailing = "TRAILING",
    transaction = "TRANSACTION", truncate = "TRUNCATE", tryCast = "TRY_CAST", type = "TYPE",
    unbounded = "UNBOUNDED", uncommitted = "UNCOMMITTED", unconditional = "UNCONDITIONAL", unique = "UNIQUE",
    unknown = "UNKNOWN", unmatched = "UNMATCHED", until = "UNTIL", update = "UPDATE", use = "USE",
    user = "USER", utf16 = "UTF16", utf32 = "UTF32", utf8 = "UTF8", validate = "VALIDATE", value = "VALUE",
    verbose = "VERBOSE", version = "VERSION", view = "VIEW", `while` = "WHILE", window = "WINDOW",
    within = "WITHIN", without = "WITHOUT", work = "WORK", wrapper = "WRAPPER", write = "WRITE", year = "YEAR",
    zone = "ZONE"

  /// Whether the word can be a name only in quotes.
  var isReserved: Bool { Keyword.reserved.contains(self) }

  /// Every word up to the first one that may be a name; the order of the cases above is what decides.
  private static let reserved = Set(allCases.prefix { $0 != .absent })

  /// The word that `text` (upper case) spells.
  static func named(_ text: String) -> Keyword? { byName[text] }

  private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}
