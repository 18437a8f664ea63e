// Tests of the properties syntax, each case as Java's `Properties.load` and Trino read it.
import Testing

@testable import Settings

@Suite struct PropertiesFileTests {
  private func parse(_ text: String) -> PropertiesFile {
    PropertiesFile(path: "f", text: text, variables: ["NAME": "bear", "TRICK": "${ENV:NAME}"])
  }

  @Test(arguments: [
    ("a=b", "a", "b"), ("  a  =  b c  ", "a", "b c"), ("a:b", "a", "b"), ("a b", "a", "b"), ("a==b", "a", "=b"),
    ("a=b\\\n   c", "a", "bc"), ("a\\=b=c", "a=b", "c"), ("a=\\u0041\\tB", "a", "A\tB"), ("a=b#c", "a", "b#c"),
    ("a=b\\\\", "a", "b\\"), ("a=b\r\n", "a", "b"), ("a=é", "a", "é"),
  ])
  func javaSyntaxIsRead(text: String, key: String, value: String) {
    let file = parse(text)
    #expect(file.problems.isEmpty)
    #expect(file.properties.map(\.key) == [key])
    #expect(file.properties.map(\.value) == [value])
  }

  @Test(arguments: ["", "\n\n", "# a=b", "! a=b", "   # a=b"])
  func commentsAndBlankLinesSetNothing(text: String) {
    let file = parse(text)
    #expect(file.properties.isEmpty && file.problems.isEmpty)
  }

  @Test func linesAreCountedAcrossContinuations() {
    let file = parse("# one\na=1\\\n2\n\nb=3\n")
    #expect(file.properties.map(\.line) == [2, 5])
  }

  @Test(arguments: [
    ("${ENV:NAME}", "bear"), ("a ${env:NAME}-${Env:NAME}", "a bear-bear"), ("${ENV:TRICK}", "${ENV:NAME}"),
    ("${ENV:NAME", "${ENV:NAME"), ("$5 {ENV:NAME}", "$5 {ENV:NAME}"), ("${NAME}", "${NAME}"),
  ])
  func environmentVariablesAreSubstituted(text: String, value: String) {
    #expect(parse("a=\(text)").properties.map(\.value) == [value])
  }

  @Test(arguments: [
    ("a=${ENV:GONE}", "f:1: a needs the environment variable GONE, which is not set"),
    ("a=${VAULT:x}", "f:1: a asks for ${VAULT:x}, but the only provider of secrets here is ENV"),
    ("a=\\u00zz", "f:1: \\u must be followed by four hexadecimal digits"),
  ])
  func badValuesAreReported(text: String, problem: String) {
    #expect(parse(text).problems == [problem])
  }
}
