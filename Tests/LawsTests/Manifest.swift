// Owns reading targets and their dependencies out of Package.swift, as far as the laws need them.

/// The targets of the package in the order in which they are declared.
struct Manifest {
  struct Target {
    let name: String
    let kind: String
    /// Targets of this package.
    var dependencies: [String] = []
    /// Modules from outside.
    var outside: [String] = []
    /// Where its sources lie, relative to the repository.
    var path: String
    let line: Int
  }

  private(set) var targets: [Target] = []
  /// The module behind each constant that stands for a product from outside.
  private var products: [String: String] = [:]

  init(_ text: String) {
    let file = SourceFile(path: "Package.swift", text: text)
    for line in file.lines where line.hasPrefix("let ") && line.contains(".product(") {
      let constant = line.dropFirst(4).prefix { $0.isPartOfName }
      if let module = Self.strings(in: line[...]).first { products[String(constant)] = module }
    }
    let kinds = ["target", "executableTarget", "testTarget", "systemLibrary"]
    for (index, line) in file.code.enumerated() {
      let start = line.drop { $0 == " " }
      guard let kind = kinds.first(where: { start.hasPrefix(".\($0)(") }) else { continue }
      let call = Self.call(from: index, code: file.code, lines: file.lines)
      if let target = target(kind, call, line: index + 1) { targets.append(target) }
    }
  }

  subscript(name: String) -> Target? { targets.first { $0.name == name } }

  /// The target that a file belongs to.
  func target(ofFile path: String) -> Target? {
    targets.filter { path.hasPrefix($0.path + "/") }.max { $0.path.count < $1.path.count }
  }

  /// Everything a target links: its dependencies, theirs, and so on.
  func closure(of name: String) -> Set<String> {
    var reached: Set<String> = []
    var open = [name]
    while let next = open.popLast() {
      guard let target = self[next] else { continue }
      reached.formUnion(target.outside)
      for dependency in target.dependencies where reached.insert(dependency).inserted { open.append(dependency) }
    }
    return reached
  }

  private func target(_ kind: String, _ call: String, line: Int) -> Target? {
    guard let name = Self.argument("name", in: call).flatMap({ Self.strings(in: $0).first }) else { return nil }
    let folder = kind == "testTarget" ? "Tests" : "Sources"
    let path = Self.argument("path", in: call).flatMap { Self.strings(in: $0).first }
    var target = Target(name: name, kind: kind, path: path ?? "\(folder)/\(name)", line: line)
    guard let list = Self.argument("dependencies", in: call) else { return target }
    target.dependencies = Self.strings(in: list)
    target.outside = list.split { !$0.isPartOfName && $0 != "\"" }.compactMap { products[String($0)] }
    return target
  }

  /// The text of a call from its line to its closing parenthesis.
  private static func call(from start: Int, code: [String], lines: [String]) -> String {
    var depth = 0
    var text = ""
    for index in start..<code.count {
      text += lines[index] + "\n"
      for character in code[index] {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
      }
      if depth <= 0 { break }
    }
    return text
  }

  /// What follows `label:` up to the end of the list or string.
  private static func argument(_ label: String, in call: String) -> Substring? {
    guard let found = call.firstRange(of: label + ":") else { return nil }
    let rest = call[found.upperBound...].drop { $0 == " " || $0 == "\n" }
    if rest.first == "[" { return rest.prefix { $0 != "]" } }
    return rest.prefix { $0 != "," && $0 != ")" }
  }

  private static func strings(in text: Substring) -> [String] {
    text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
  }
}
