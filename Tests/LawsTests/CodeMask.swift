// Owns telling Swift code from comments and the contents of strings, just well enough for the laws: it knows the
// lexical structure of Swift and none of its grammar.

/// The text of a Swift file in two layers of the same length: what is code, and what is comment.
struct CodeMask {
  /// The file with comments and the contents of string literals blanked.
  private(set) var code: [UInt8]
  /// The file with all but comments blanked.
  private(set) var comments: [UInt8]
  private let text: [UInt8]
  private var place = 0

  init(_ source: String) {
    text = Array(source.utf8)
    let blank = text.map { $0 == Self.lineFeed ? $0 : UInt8(ascii: " ") }
    (code, comments) = (blank, blank)
    while place < text.count { scanCode(until: nil) }
  }

  private static let lineFeed = UInt8(ascii: "\n")
  private static let quote = UInt8(ascii: "\"")

  private func at(_ offset: Int) -> UInt8 { place + offset < text.count ? text[place + offset] : 0 }

  private func starts(with string: StaticString) -> Bool {
    string.withUTF8Buffer { wanted in
      place + wanted.count <= text.count && wanted.indices.allSatisfy { text[place + $0] == wanted[$0] }
    }
  }

  /// Code up to the end, or up to the parenthesis that closes an interpolation.
  private mutating func scanCode(until closing: UInt8?) {
    var depth = 0
    while place < text.count {
      let byte = text[place]
      if starts(with: "//") {
        scanLineComment()
      } else if starts(with: "/*") {
        scanBlockComment()
      } else if let hashes = stringStart() {
        scanString(hashes: hashes)
      } else {
        if let closing {
          if byte == UInt8(ascii: "(") { depth += 1 }
          if byte == closing {
            if depth == 0 { return }
            depth -= 1
          }
        }
        code[place] = byte
        place += 1
      }
    }
  }

  private mutating func scanLineComment() {
    while place < text.count, text[place] != Self.lineFeed { keepComment() }
  }

  private mutating func scanBlockComment() {
    var depth = 0
    while place < text.count {
      if starts(with: "/*") {
        depth += 1
        keepComment()
      } else if starts(with: "*/") {
        depth -= 1
        keepComment()
      }
      keepComment()
      if depth == 0 { return }
    }
  }

  private mutating func keepComment() {
    guard place < text.count else { return }
    comments[place] = text[place]
    place += 1
  }

  /// The number of `#` before a quotation mark, nil where no string starts here.
  private func stringStart() -> Int? {
    var hashes = 0
    while at(hashes) == UInt8(ascii: "#") { hashes += 1 }
    return at(hashes) == Self.quote ? hashes : nil
  }

  private mutating func scanString(hashes: Int) {
    place += hashes
    let isLong = starts(with: "\"\"\"")
    let quotes = isLong ? 3 : 1
    keepCode(quotes)
    while place < text.count {
      if at(0) == UInt8(ascii: "\\"), (0..<hashes).allSatisfy({ at(1 + $0) == UInt8(ascii: "#") }) {
        place += 1 + hashes
        if at(0) == UInt8(ascii: "(") {
          place += 1
          scanCode(until: UInt8(ascii: ")"))
        }
        place += 1
      } else if isEnd(quotes: quotes, hashes: hashes) {
        keepCode(quotes)
        place += hashes
        return
      } else if !isLong, at(0) == Self.lineFeed {
        return  // No string after all, such as a quotation mark in a regular expression.
      } else {
        place += 1
      }
    }
  }

  private mutating func keepCode(_ count: Int) {
    for _ in 0..<count where place < text.count {
      code[place] = text[place]
      place += 1
    }
  }

  private func isEnd(quotes: Int, hashes: Int) -> Bool {
    (0..<quotes).allSatisfy { at($0) == Self.quote }
      && (0..<hashes).allSatisfy { at(quotes + $0) == UInt8(ascii: "#") }
  }
}
