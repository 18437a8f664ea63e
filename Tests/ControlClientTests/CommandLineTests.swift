// Proves how the command line is understood, and what a wrong one gives.
import Base
import Testing

@testable import ControlClient

struct CommandLineTests {
  @Test(arguments: [
    ["query"], ["query", "SELECT 1", "--file", "x"], ["query", "SELECT 1", "SELECT 2"], ["query", " \n"],
    ["query", "SELECT 1", "--session", "novalue"], ["query", "SELECT 1", "--session", "=x"],
    ["query", "SELECT 1", "--timeout", "soon"], ["query", "SELECT 1", "--timeout", "0s"],
    ["query", "SELECT 1", "--format", "xml"], ["query", "SELECT 1", "--socket", ""], ["list", "--limit", "0"],
    ["logs", "-n", "-1"], ["logs", "--level", "loud"], ["explain", "--type", "io", "SELECT 1"], ["cancel"], ["wait"],
    ["fetch"], ["nonsense"], ["status", "extra"], [],
  ])
  func aWrongCallIsUsage(arguments: [String]) throws {
    let run = try ControlRun.of(arguments)
    #expect(run.code == .usage)
    #expect(run.output == "")
    #expect(run.error != "")
  }

  @Test func usageNamesTheVerbsHelp() throws {
    #expect(
      try ControlRun.of(["query"]).error
        == "waterbearctl: Give the SQL, --file FILE, or - to read standard input.\n  try: waterbearctl query --help\n")
  }

  @Test(arguments: [["--help"], ["query", "--help"], ["help", "logs"], ["--version"]])
  func helpIsAnAnswer(arguments: [String]) throws {
    let run = try ControlRun.of(arguments)
    #expect(run.code == .done)
    #expect(run.error == "")
    #expect(run.output != "")
  }

  @Test func helpIsAboutTheVerb() throws {
    #expect(try ControlRun.of(["query", "--help"]).output.contains("USAGE: waterbearctl query"))
    #expect(try ControlRun.of(["--version"]).output == Release.version + "\n")
  }

  @Test func theSocketIsFound() throws {
    var console = Console(input: 0, output: 1, error: 2)
    #expect(try ConnectionOptions.parse([]).socketPath(console) == "/run/waterbear/waterbear.sock")
    console.environment["WATERBEAR_SOCKET"] = "/env.sock"
    #expect(try ConnectionOptions.parse([]).socketPath(console) == "/env.sock")
    #expect(try ConnectionOptions.parse(["--socket", "/opt.sock"]).socketPath(console) == "/opt.sock")
  }

  @Test(arguments: [("30s", 30_000), ("500ms", 500), ("5m", 300_000), ("2", 2000), ("1.5s", 1500)])
  func readsTimes(text: String, milliseconds: Int) throws {
    #expect(try ConnectionOptions.parse(["--timeout", text]).timeout == .milliseconds(Int64(milliseconds)))
  }

  @Test func sessionPropertiesKeepTheLast() throws {
    let options = try StatementOptions.parse(["x", "--session", "a=1", "--session", "b=", "--session", "a=2=3"])
    #expect(try options.properties() == ["a": "2=3", "b": ""])
  }

  @Test func everyCodeIsTheDocumentedNumber() {
    #expect(ControlExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 129, 130, 141, 143])
  }

  @Test(arguments: [
    ("SELECT x", 1, 8, ["SELECT x", "       ^"]),
    ("a\nSELECT x", 2, 8, ["SELECT x", "       ^"]),
    ("a\r\nb x\r\n", 2, 3, ["b x ", "  ^"]),
    ("'日本' x", 1, 6, ["'日本' x", "       ^"]),
    ("\tx", 1, 2, [" x", " ^"]),
    ("SELECT", 1, 7, ["SELECT", "      ^"]),
    ("SELECT", 1, 9, []), ("SELECT", 2, 1, []), ("SELECT", 0, 1, []),
  ])
  func pointsAtThePlace(sql: String, line: Int, column: Int, expected: [String]) {
    #expect(SourceExcerpt(sql, at: SourceLocation(line: line, column: column), columns: 80).lines == expected)
  }

  @Test func pointsIntoALongLine() throws {
    let sql = String(repeating: "a", count: 500) + "X" + String(repeating: "b", count: 500)
    let lines = SourceExcerpt(sql, at: SourceLocation(line: 1, column: 501), columns: 40).lines
    #expect(lines.count == 2)
    #expect(lines[0].count == 40)
    let caret = lines[1].count - 1
    #expect(Array(lines[0])[caret] == "X")
  }
}
