// Owns showing the place of an error in SQL text: the line and a caret under it.
import Base

/// A line of SQL and a line with a caret. Empty where the location is outside of the text.
struct SourceExcerpt {
  let lines: [String]

  /// - Parameter columns: the width to stay within; a longer line shows only the part around the place.
  init(_ sql: String, at location: SourceLocation, columns: Int) {
    // By scalars: as a Character, a carriage return and a line feed are one.
    let all = sql.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    guard location.line >= 1, location.line <= all.count, location.column >= 1, columns >= 20 else {
      lines = []
      return
    }
    // Control characters, tabs among them, take one column each, as they do in the count of the error's column.
    var line = all[location.line - 1].map { scalar in
      scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) ? " " : scalar
    }
    var caret = location.column - 1
    guard caret <= line.count else {
      lines = []
      return
    }
    // Wide characters may still go beyond; that only breaks a line on the screen.
    if line.count > columns {
      let start = min(max(0, caret - columns / 2), line.count - columns)
      line = Array(line[start..<start + columns])
      caret -= start
    }
    let blanks = line[..<caret].reduce(0) { $0 + DisplayWidth.of($1) }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: line)
    lines = [String(text), String(repeating: " ", count: blanks) + "^"]
  }
}
