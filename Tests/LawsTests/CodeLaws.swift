// Owns the laws about Swift code: comments where they are owed, functions that fit on a page.

/// Laws about Swift files.
enum CodeLaws {
  static let functionLinesMax = 70

  /// Functions that may be longer, as `path function`, with the reason.
  static let longFunctions: [String: String] = [
    "Tests/Simulator/ModelQuery.swift init": "draws that depend on each other, in the one order that a seed stands for"
  ]

  /// What switches a check of the compiler or an error off, and so needs a reason beside it.
  static let explained = [
    "try!", "try?", "as!", "@unchecked Sendable", "nonisolated(unsafe)", "fatalError(", ".unsafelyUnwrapped",
    "unsafeBitCast(",
  ]

  /// How far above its line a reason may stand.
  static let reasonLinesMax = 4

  /// A file begins with what it owns.
  static func headerViolations(in file: SourceFile) -> [Violation] {
    let first = file.lines.first ?? ""
    guard first.hasPrefix("// "), first.count > 10 else {
      return [file.violation(1, "does not begin with a comment that says what the file owns")]
    }
    return []
  }

  /// Each exception to the compiler's checks has its reason on the same line or just above.
  static func reasonViolations(in file: SourceFile) -> [Violation] {
    file.code.enumerated().flatMap { index, line -> [Violation] in
      let used = explained.filter { line.contains($0) }
      guard !used.isEmpty else { return [] }
      let number = index + 1
      if (max(1, number - reasonLinesMax)...number).contains(where: { file.hasComment(onLine: $0) }) { return [] }
      return used.map { file.violation(number, "\($0) without a reason beside it") }
    }
  }

  /// Functions, with their names, first lines and lengths.
  static func functions(in file: SourceFile) -> [(name: String, line: Int, length: Int)] {
    var found: [(name: String, line: Int, length: Int)] = []
    for (index, line) in file.code.enumerated() {
      guard let name = functionName(in: line), let end = endOfBody(from: index, in: file.code) else { continue }
      found.append((name, index + 1, end - index + 1))
    }
    return found
  }

  static func functionViolations(in file: SourceFile) -> [Violation] {
    functions(in: file).filter { $0.length > functionLinesMax && longFunctions["\(file.path) \($0.name)"] == nil }.map {
      file.violation($0.line, "\($0.name) has \($0.length) lines; \(functionLinesMax) are allowed")
    }
  }

  /// The name of a function that a line declares.
  private static func functionName(in line: String) -> String? {
    let words = line.split { !$0.isPartOfName && $0 != "@" && $0 != "?" }
    for (index, word) in words.enumerated() {
      if word == "func" { return index + 1 < words.count ? String(words[index + 1]) : "operator" }
      if word == "init" || word == "init?" || word == "deinit" || word == "subscript" {
        return line.contains(".\(word)") ? nil : String(word)
      }
      if !modifiers.contains(String(word)), !word.hasPrefix("@") { return nil }
    }
    return nil
  }

  private static let modifiers: Set = [
    "public", "package", "internal", "fileprivate", "private", "static", "class", "final", "override", "mutating",
    "nonmutating", "borrowing", "consuming", "convenience", "required", "isolated", "nonisolated", "prefix", "postfix",
    "infix", "always", "__always", "never", "indirect", "open",
  ]

  /// The line of the brace that closes the body which follows, nil where there is none, as in a protocol.
  private static func endOfBody(from start: Int, in code: [String]) -> Int? {
    var parentheses = 0
    var braces = 0
    for index in start..<code.count {
      if index > start, braces == 0, parentheses == 0 {
        let rest = code[index].drop { $0 == " " }
        if rest.first != "{", !["where", "throws", "async", "->", ")"].contains(where: { rest.hasPrefix($0) }) {
          return nil
        }
      }
      for character in code[index] {
        switch character {
        case "(", "[": parentheses += 1
        case ")", "]": parentheses -= 1
        // Braces within the parentheses of the declaration are those of a default argument.
        case "{" where parentheses == 0 || braces > 0: braces += 1
        case "}" where parentheses == 0 || braces > 0:
          if braces == 0 { return nil }
          braces -= 1
          if braces == 0, parentheses <= 0 { return index }
        default: break
        }
      }
    }
    return nil
  }
}
