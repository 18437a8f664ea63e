// Owns the law that what other modules may use is documented.

/// The law about `///` comments.
enum DocumentationLaws {
  /// Witnesses of the standard library's protocols, which are documented there.
  static let standardWitnesses: Set = [
    "description", "debugDescription", "hash", "encode", "id", "rawValue", "allCases", "errorDescription", "next",
    "makeIterator", "startIndex", "endIndex", "index", "count", "hashValue", "run", "validate", "configuration",
    "codingPath", "userInfo",
  ]

  private static let introducers: Set = [
    "func", "var", "let", "struct", "class", "enum", "protocol", "actor", "typealias", "subscript", "macro",
  ]

  private static let modifiers: Set = [
    "static", "class", "final", "mutating", "nonmutating", "override", "indirect", "nonisolated", "consuming",
    "borrowing", "convenience", "required", "prefix", "postfix", "infix", "weak", "unowned", "lazy",
  ]

  /// Names that protocols of this package require: their documentation stands with the protocol.
  static func requirements(in files: [SourceFile]) -> Set<String> {
    var names: Set<String> = []
    for file in files {
      var indentation: Int?
      for line in file.code {
        let words = line.split(separator: " ")
        let depth = line.prefix { $0 == " " }.count
        if let start = indentation {
          if depth == start, line.drop(while: { $0 == " " }).hasPrefix("}") { indentation = nil }
          if let name = declaration(in: line, mustBePublic: false)?.name { names.insert(name) }
        } else if words.contains("protocol"), line.contains("{"), !line.contains("}") {
          indentation = depth
        }
      }
    }
    return names
  }

  /// A declaration that a line begins: how it is introduced, and its name. Nil for initialisers and operators.
  static func declaration(in line: String, mustBePublic: Bool = true) -> (kind: String, name: String)? {
    var words = line.split { !$0.isPartOfName && $0 != "@" }[...]
    while let first = words.first, first.hasPrefix("@") || first == "always" || first == "__always" {
      words = words.dropFirst()
    }
    if mustBePublic {
      guard let first = words.first, first == "public" || first == "open" else { return nil }
      words = words.dropFirst()
      // `public private(set) var`.
      while let first = words.first, ["private", "internal", "fileprivate", "set"].contains(first) {
        words = words.dropFirst()
      }
    }
    while let word = words.first {
      // `class func` and `class Name` begin alike.
      let second = words.dropFirst().first.map(String.init) ?? ""
      if introducers.contains(String(word)), word != "class" || !introducers.contains(second) {
        guard !second.isEmpty || word == "subscript" else { return nil }
        return (String(word), word == "subscript" ? "subscript" : second)
      }
      guard modifiers.contains(String(word)) else { return nil }
      words = words.dropFirst()
    }
    return nil
  }

  /// Public declarations say what they are, except witnesses, whose protocol says it, and stored properties, which may
  /// speak for themselves.
  static func violations(in file: SourceFile, requirements: Set<String>) -> [Violation] {
    file.code.enumerated().compactMap { index, line in
      guard let (kind, name) = declaration(in: line) else { return nil }
      // An operator has no letters, so its parameter would be taken for its name.
      if kind == "func", !line.contains("func \(name)") { return nil }
      // A setting carries its meaning in its declaration, from which its documentation is made.
      if isField(line) || isSetting(index, in: file) { return nil }
      if kind != "struct", kind != "enum", kind != "class", kind != "protocol",
        standardWitnesses.contains(name) || requirements.contains(name)
      {
        return nil
      }
      return isDocumented(index, in: file) ? nil : file.violation(index + 1, "public \(kind) \(name) says nothing")
    }
  }

  /// Whether a `///` comment stands above, with nothing but attributes between.
  private static func isDocumented(_ index: Int, in file: SourceFile) -> Bool {
    for above in stride(from: index - 1, through: 0, by: -1) {
      let line = file.lines[above].drop { $0 == " " }
      if line.hasPrefix("///") { return true }
      guard line.hasPrefix("@"), declaration(in: String(line)) == nil else { return false }
    }
    return false
  }

  private static func isSetting(_ index: Int, in file: SourceFile) -> Bool {
    let above = file.code[..<index].last { $0.hasPrefix("extension ") } ?? ""
    return above.hasPrefix("extension SettingKey ") && file.code[index].contains("static var ")
  }

  /// A stored property of a value: part of its type, whose comment says what the value is.
  private static func isField(_ line: String) -> Bool {
    guard let (kind, _) = declaration(in: line), kind == "let" || kind == "var" else { return false }
    return !line.containsWord("static") && (kind == "let" || !line.hasSuffix("{") && !line.hasSuffix("}"))
  }
}
