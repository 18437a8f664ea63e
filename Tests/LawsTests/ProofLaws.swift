// Owns the law that docs/failure-model.md names proofs that exist: for each fault a suite, a fault of tools/chaos, or
// one of the simulator.

/// The law about what shows a promise.
struct ProofLaws {
  /// Where each suite of the tests is declared, by name: paths.
  let suites: [String: [String]]
  /// The directories below Tests.
  let targets: Set<String>
  /// Fields of the simulator's `FaultPlan`.
  let simulated: Set<String>
  /// Faults and shapes of tools/chaos.
  let chaos: Set<String>
  /// Every file of the repository.
  let paths: Set<String>

  /// In each table with a last column "shown by", what stands there exists. A whole target is no proof: nobody would
  /// find the test, or miss it.
  func violations(path: String, markdown: String) -> [Violation] {
    var found: [Violation] = []
    var isTable = false
    for (index, line) in markdown.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard line.hasPrefix("|") else {
        isTable = false
        continue
      }
      let proof = line.split(separator: "|").last.map(String.init) ?? ""
      if proof.split(separator: " ").joined(separator: " ") == "shown by" {
        isTable = true
      } else if isTable, !proof.hasPrefix("---") {
        for message in problems(in: proof) { found.append(Violation(path: path, line: index + 1, message: message)) }
      }
    }
    return found
  }

  private func problems(in proof: String) -> [String] {
    let parts = proof.split(separator: "`", omittingEmptySubsequences: false)
    var problems: [String] = []
    var count = 0
    var suite = ""
    for (index, part) in parts.enumerated() {
      if index.isMultiple(of: 2) {
        for word in part.split(whereSeparator: { !$0.isLetter && $0 != "/" }) where word.hasSuffix("Tests") {
          count += 1
          suite = String(word)
          if let problem = problem(ofSuite: suite) { problems.append(problem) }
        }
      } else {
        count += 1
        let isInSuite = parts[index - 1].hasSuffix("(") || parts[index - 1] == ", " && suite == "SimulationTests"
        if let problem = problem(ofName: String(part), isSimulated: isInSuite && suite == "SimulationTests") {
          problems.append(problem)
        }
      }
    }
    return count == 0 ? ["nothing shows this"] : problems
  }

  private func problem(ofSuite word: String) -> String? {
    let parts = word.split(separator: "/").map(String.init)
    let name = parts.last ?? ""
    let places = (suites[name] ?? []).filter { parts.count == 1 || $0.contains("/\(parts[0])/") }
    if parts.count == 1, targets.contains(name) { return "\(name) is a whole target; name the suite" }
    if places.isEmpty { return "there is no suite \(word)" }
    return places.count > 1 ? "there are several suites \(name); say whose" : nil
  }

  private func problem(ofName name: String, isSimulated: Bool) -> String? {
    if isSimulated { return simulated.contains(name) ? nil : "the simulator has no fault \(name)" }
    return chaos.contains(name) || paths.contains(name) ? nil : "tools/chaos has no fault or shape \(name)"
  }
}

extension ProofLaws {
  /// What this package has.
  init() {
    var suites: [String: [String]] = [:]
    for file in SourceTree.swiftFiles where file.path.hasPrefix("Tests/") {
      for name in Self.words(after: "struct ", in: file.code) where name.hasSuffix("Tests") {
        suites[name, default: []].append(file.path)
      }
    }
    self.suites = suites
    targets = Set(SourceTree.paths.filter { $0.hasPrefix("Tests/") }.flatMap { $0.split(separator: "/").dropLast() }
      .map(String.init))
    simulated = Set(SourceTree.swiftFiles.filter { $0.path == "Tests/Simulator/FaultPlan.swift" }
      .flatMap { Self.words(after: "public var ", in: $0.code) })
    let scripts = SourceTree.paths.filter { $0.hasPrefix("tools/violence/") && !$0.contains("/test_") }
    chaos = Set(scripts.flatMap { Self.chaosNames(in: SourceTree.text(of: $0)) })
    paths = Set(SourceTree.paths)
  }

  private static func words(after start: String, in lines: [String]) -> [String] {
    lines.flatMap { line in
      line.split(separator: start).dropFirst(line.hasPrefix(start) ? 0 : 1).map { rest in
        String(rest.prefix { $0.isLetter || $0.isNumber })
      }
    }
  }

  /// Faults are entries of dictionaries, `"name": Class`, and shapes are made as `Shape("name", …`.
  static func chaosNames(in text: String) -> [String] {
    text.split(separator: "\n").flatMap { line -> [String] in
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      return parts.indices.filter { index in
        guard !index.isMultiple(of: 2), index + 1 < parts.count else { return false }
        let next = parts[index + 1]
        let isEntry = next.hasPrefix(": ") && next.dropFirst(2).first?.isUppercase == true
        return isEntry || parts[index - 1].hasSuffix("Shape(")
      }.map { String(parts[$0]) }
    }
  }
}
