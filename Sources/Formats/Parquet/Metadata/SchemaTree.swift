// Owns turning the flat list of schema nodes into the columns that a reader sees. Knows nothing of values.

/// A leaf of the schema, or a nested part of it that cannot be read, as a column.
struct SchemaColumn: Sendable {
  /// Names from the top down, without the root's.
  var path: [String]
  /// The leaves below it in the schema's order; one for a column that can be read.
  var leaves: Range<Int>
  var element: SchemaElement
  /// The definition level of a value that is there.
  var definitionLevelMax: Int
  /// Why it is no column of single values; nil where it is one.
  var nesting: String?
}

/// Walks the nodes of a schema.
struct SchemaTree {
  private let elements: [SchemaElement]
  private let limits: ParquetLimits
  private var next = 1
  private(set) var columns: [SchemaColumn] = []
  private(set) var leafCount = 0

  /// The columns below the root. Damage where child counts and nodes do not agree.
  init(_ elements: [SchemaElement], limits: ParquetLimits) throws(Damage) {
    self.elements = elements
    self.limits = limits
    guard let root = elements.first else { throw Damage("a schema without a root") }
    for _ in 0..<(try children(of: root)) { try walk(path: [], definitionLevel: 0, depth: 1) }
    guard next == elements.count else { throw Damage("\(elements.count - next) schema nodes outside of the tree") }
  }

  private func children(of element: SchemaElement) throws(Damage) -> Int {
    let count = element.childCount ?? 0
    guard count >= 0, Int(count) <= elements.count else { throw Damage("a schema node with \(count) children") }
    return Int(count)
  }

  private mutating func take(depth: Int) throws(Damage) -> SchemaElement {
    guard depth <= limits.schemaDepth else { throw Damage("a schema more than \(limits.schemaDepth) deep") }
    guard next < elements.count else { throw Damage("a schema with fewer nodes than it counts") }
    defer { next += 1 }
    return elements[next]
  }

  private mutating func walk(path: [String], definitionLevel: Int, depth: Int) throws(Damage) {
    let element = try take(depth: depth)
    let path = path + [element.name]
    let level = definitionLevel + (element.repetition == .optional ? 1 : 0)
    if let nesting = Self.nesting(element) {
      let first = leafCount
      try passLeaves(of: element, depth: depth)
      guard leafCount > first else { throw Damage("\(nesting) '\(path.joined(separator: "."))' without values") }
      columns.append(
        SchemaColumn(
          path: path, leaves: first..<leafCount, element: element, definitionLevelMax: level, nesting: nesting))
    } else if element.type != nil {
      columns.append(
        SchemaColumn(
          path: path, leaves: leafCount..<leafCount + 1, element: element, definitionLevelMax: level, nesting: nil))
      leafCount += 1
    } else {
      for _ in 0..<(try children(of: element)) { try walk(path: path, definitionLevel: level, depth: depth + 1) }
    }
  }

  /// Counts the leaves of a part that is not looked into.
  private mutating func passLeaves(of element: SchemaElement, depth: Int) throws(Damage) {
    if element.type != nil {
      leafCount += 1
      return
    }
    for _ in 0..<(try children(of: element)) {
      let child = try take(depth: depth + 1)
      try passLeaves(of: child, depth: depth + 1)
    }
  }

  /// What a node is if it is not one value per row.
  private static func nesting(_ element: SchemaElement) -> String? {
    if element.type == nil {
      switch element.logicalType {
      case .list: return "a list"
      case .map: return "a map"
      case .variant: return "a variant"
      default: break
      }
      switch element.convertedType {
      case .list: return "a list"
      case .map, .mapKeyValue: return "a map"
      default: break
      }
    }
    return element.repetition == .repeated ? "a list" : nil
  }
}
