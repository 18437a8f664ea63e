// Tests the laws about files as text: on this package, and each on a planted violation.
import Testing

@Suite struct TextLawsTests {
  /// Files whose white space is theirs: another program's output, formats of their own.
  private static let foreign = ["/Samples/", "/answers/", "LICENSE"]

  private static let written = SourceTree.paths.filter { path in !foreign.contains { path.contains($0) } }

  @Test func `no file has an empty name`() {
    let found = TextLaws.nameViolations(in: SourceTree.paths)
    expectNone(found)
  }

  @Test func `lines are short and clean`() {
    #expect(Self.written.count > 200)
    let found = Self.written.flatMap { TextLaws.lineViolations(path: $0, text: SourceTree.text(of: $0)) }
    expectNone(found)
  }

  @Test func `files are short`() {
    let found = SourceTree.swiftFiles.flatMap { TextLaws.lengthViolations(in: $0) }
    expectNone(found)
  }

  @Test func `nothing is left undone`() {
    let found = Self.written.flatMap { TextLaws.leftoverViolations(path: $0, text: SourceTree.text(of: $0)) }
    expectNone(found)
  }

  @Test(arguments: ["a/StringUtils.swift", "helpers.sh", "SpoolManager+Files.swift", "x/Common.swift"])
  func `planted empty names are found`(_ path: String) {
    #expect(TextLaws.nameViolations(in: [path]).count == 1)
  }

  @Test(arguments: ["Sources/Utility/Commonwealth.swift", "Manageress.swift", "docs/hacking.md"])
  func `names with a subject are none`(_ path: String) {
    #expect(TextLaws.nameViolations(in: [path]).isEmpty)
  }

  @Test func `planted lines are found`() {
    let long = String(repeating: "é", count: 121)
    let text = "let a = 1\n\(long)\n\tlet b = 2\nlet c = 3 \n"
    #expect(TextLaws.lineViolations(path: "A.swift", text: text).map(\.line) == [2, 3, 4])
    #expect(TextLaws.lineViolations(path: "A.md", text: text).map(\.line) == [3, 4])
    #expect(TextLaws.lineViolations(path: "A.swift", text: "let a = 1").map(\.line) == [1])
    #expect(TextLaws.lineViolations(path: "A.swift", text: "let a = 1\n\n").count == 1)
  }

  @Test func `a planted long file is found`() {
    func file(_ lines: Int) -> SourceFile {
      SourceFile(path: "A.swift", text: String(repeating: "let a = 1\n", count: lines))
    }
    #expect(TextLaws.lengthViolations(in: file(500)).isEmpty)
    #expect(TextLaws.lengthViolations(in: file(501)).count == 1)
  }

  @Test(arguments: TextLaws.leftovers) func `planted leftovers are found`(_ word: String) {
    #expect(TextLaws.leftoverViolations(path: "A.swift", text: "let a = 1\n// \(word): later\n").map(\.line) == [2])
    #expect(TextLaws.leftoverViolations(path: "A.swift", text: "let x\(word)s = 1\n").isEmpty)
  }
}
