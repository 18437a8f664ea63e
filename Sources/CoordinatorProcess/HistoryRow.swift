// Owns a name: the store's and the wire's summaries of a query are both called QuerySummary, and a module cannot be
// named where it holds a type of its own name.

import TaskStore

/// A query's row in the store's history.
typealias HistoryRow = QuerySummary
