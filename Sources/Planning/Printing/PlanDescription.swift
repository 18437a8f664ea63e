// Owns what a printed plan says of a node, apart from how any format lays it out.

/// A node ready to be printed.
struct DescribedNode {
  /// Unique in the plan, counted from the root in the order of printing.
  var id: Int
  /// The operator, under Trino's name.
  var name: String
  /// What stands in brackets behind the name.
  var descriptor: [(key: String, value: String)]
  var outputs: [(name: String, type: String)]
  /// Further lines, such as what each column is computed from.
  var details: [String]
  var estimate: DescribedEstimate?
  /// The fragments that a remote source reads.
  var inputs: [Int] = []
  var children: [DescribedNode]
}

struct DescribedEstimate {
  /// Nil: not known.
  var rows: Double?
  var bytes: Double?
}

/// A fragment ready to be printed.
struct DescribedFragment {
  var number: Int
  /// How it is cut into tasks, such as `HASH`.
  var title: String
  var facts: [(key: String, value: String)]
  var root: DescribedNode
}
