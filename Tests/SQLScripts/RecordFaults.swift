// Owns what is wrong with the outcome of a script's record. Knows nothing of who ran it.
import Base

extension LogicTestScript.Record {
  /// What is wrong with the outcome; nil where nothing is. `ignoringLengths`: the tables do not keep the lengths of
  /// varchar, so neither errors nor names of types need to tell them.
  public func fault(in outcome: Result<ResultTable, any Error>, ignoringLengths: Bool = false) -> String? {
    let plain: (String) -> String = { ignoringLengths ? Self.withoutLengths($0) : $0 }
    switch (kind, outcome) {
    case (.fails(let expected), .failure(let failure)):
      let text = Self.words(of: failure)
      return plain(text) == plain(expected) ? nil : "fails with\n  \(text)\ninstead of\n  \(expected)"
    case (.fails(let expected), .success): return "succeeds instead of failing with \(expected)"
    case (_, .failure(let failure)): return "fails with \(Self.words(of: failure))"
    case (.query(let columns, let sorted, let rows), .success(let result)):
      if result.letters != columns { return "columns are \(result.letters) (\(result.types)) instead of \(columns)" }
      var (found, expected) = (result.lines.map(plain), rows.map(plain))
      if sorted {
        found.sort()
        expected.sort()
      }
      return found == expected
        ? nil : "gives\n\(found.joined(separator: "\n"))\ninstead of\n\(expected.joined(separator: "\n"))"
    case (_, .success): return nil
    }
  }

  /// An error as scripts write it.
  static func words(of failure: any Error) -> String {
    let error = WaterbearError.wrapping(failure)
    return "\(error.code.rawValue): \(error)"
  }

  /// The text with `varchar` for every `varchar(n)`.
  static func withoutLengths(_ text: String) -> String {
    let pieces = text.split(separator: "varchar(", omittingEmptySubsequences: false)
    return pieces.dropFirst().reduce(String(pieces[0])) { done, piece in
      let rest = piece.drop { $0.isNumber }
      return done + (rest.count < piece.count && rest.first == ")" ? "varchar" + rest.dropFirst() : "varchar(" + piece)
    }
  }
}
