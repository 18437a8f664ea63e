// Owns one source file as the laws see it: its path, its lines, and what of them is code and what comment.

/// A Swift file. Line numbers start at 1.
struct SourceFile {
  /// Relative to the repository.
  let path: String
  let text: String
  let lines: [String]
  /// The lines with comments and the contents of strings blanked.
  let code: [String]
  /// The lines with all but comments blanked.
  let comments: [String]

  init(path: String, text: String) {
    self.path = path
    self.text = text
    let mask = CodeMask(text)
    lines = Self.lines(of: text)
    code = Self.lines(of: String(decoding: mask.code, as: UTF8.self))
    comments = Self.lines(of: String(decoding: mask.comments, as: UTF8.self))
  }

  private static func lines(of text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The name without directory and extension.
  var name: String { String(path.split(separator: "/").last?.split(separator: ".").first ?? "") }

  /// Whether it is part of the product, in contrast to tests and the manifest.
  var isProduct: Bool { path.hasPrefix("Sources/") }

  func hasComment(onLine number: Int) -> Bool {
    comments.indices.contains(number - 1) && comments[number - 1].contains { $0 != " " }
  }

  func violation(_ line: Int, _ message: String) -> Violation { Violation(path: path, line: line, message: message) }

  /// The modules it imports, with the lines that do so.
  var imports: [(module: String, line: Int)] {
    code.enumerated().compactMap { index, line in
      let words = line.split(separator: " ")
      guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
        words[..<place].allSatisfy({ $0.hasPrefix("@") || Self.accessLevels.contains(String($0)) })
      else { return nil }
      // `import struct Module.Type` names the module second.
      let named = Self.importKinds.contains(String(words[place + 1])) ? words.last : words[place + 1]
      return named.map { (String($0.split(separator: ".")[0]), index + 1) }
    }
  }

  private static let accessLevels: Set = ["public", "package", "internal", "fileprivate", "private"]
  private static let importKinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
}

extension StringProtocol {
  /// The places where `word` stands with no letter, digit or underscore before and after it.
  func containsWord(_ word: String) -> Bool {
    var rest = self[...]
    while let found = rest.firstRange(of: word) {
      let before = found.lowerBound == startIndex ? nil : self[index(before: found.lowerBound)]
      let after = found.upperBound == endIndex ? nil : self[found.upperBound]
      if !(before?.isPartOfName ?? false), !(after?.isPartOfName ?? false) { return true }
      rest = rest[found.upperBound...]
    }
    return false
  }
}

extension Character {
  var isPartOfName: Bool { isLetter || isNumber || self == "_" }
}
