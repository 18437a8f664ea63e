// Tests the laws about Swift code: on this package, and each on a planted violation.
import Testing

@Suite struct CodeLawsTests {
  private func file(_ text: String) -> SourceFile { SourceFile(path: "A.swift", text: text) }

  @Test func `files begin with what they own`() {
    let found = SourceTree.swiftFiles.flatMap { CodeLaws.headerViolations(in: $0) }
    expectNone(found)
  }

  @Test func `exceptions to the compiler's checks have their reasons`() {
    let found = SourceTree.swiftFiles.flatMap { CodeLaws.reasonViolations(in: $0) }
    expectNone(found)
  }

  @Test func `functions are short`() {
    #expect(SourceTree.swiftFiles.reduce(0) { $0 + CodeLaws.functions(in: $1).count } > 1000)
    let found = SourceTree.swiftFiles.flatMap { CodeLaws.functionViolations(in: $0) }
    expectNone(found)
  }

  @Test func `what is public is documented`() {
    let product = SourceTree.swiftFiles.filter(\.isProduct)
    let requirements = DocumentationLaws.requirements(in: product)
    let found = product.flatMap { DocumentationLaws.violations(in: $0, requirements: requirements) }
    expectNone(found)
  }

  @Test func `comments and strings are told from code`() {
    let mask = CodeMask(
      ##"""
      let a = "x // \("b" + c(1)) y" // d /* e
      /* f /* g */ "h */ let i = #""j"# + 1
      """##)
    let code = String(decoding: mask.code, as: UTF8.self)
    #expect(code.contains("let a ="))
    #expect(code.contains("+ c(1)"))
    #expect(!code.contains("x") && !code.contains("y") && !code.contains("d") && !code.contains("g"))
    #expect(code.contains("let i ="))
    #expect(!code.contains("j"))
    #expect(String(decoding: mask.comments, as: UTF8.self).contains("// d /* e"))
  }

  @Test func `a planted missing header is found`() {
    #expect(CodeLaws.headerViolations(in: file("import Base\n")).map(\.line) == [1])
    #expect(CodeLaws.headerViolations(in: file("//\n// Owns\n")).map(\.line) == [1])
    #expect(CodeLaws.headerViolations(in: file("// Owns the laws.\nimport Base\n")).isEmpty)
  }

  @Test(arguments: CodeLaws.explained) func `planted exceptions without reasons are found`(_ word: String) {
    let far = String(repeating: "let a = 1\n", count: CodeLaws.reasonLinesMax)
    #expect(CodeLaws.reasonViolations(in: file("// Why.\n\(far)let b = \(word) c\n")).count == 1)
    #expect(CodeLaws.reasonViolations(in: file("// Why.\nlet a = 1\nlet b = \(word) c\n")).isEmpty)
    #expect(CodeLaws.reasonViolations(in: file("let b = \(word) c  // Why.\n")).isEmpty)
    #expect(CodeLaws.reasonViolations(in: file("let b = \"\(word)\"\n")).isEmpty)
  }

  @Test func `functions are measured`() {
    let text = """
      protocol P {
        func required(_ a: Int) -> Int
        init?(b: Int)
      }
      public struct S {
        init(a: @escaping () -> Void = {}) { self.a = a }
        @inlinable public mutating func f<T>(
          _ closure: (T) -> [T]
        ) throws -> T
        where T: P {
          if true { return "}" }
          // }
        }
        static func == (a: S, b: S) -> Bool {
          true
        }
        var x: Int { .init(3) }
      }
      """
    let found = CodeLaws.functions(in: file(text)).map { "\($0.name) \($0.line) \($0.length)" }
    #expect(found == ["init 6 1", "f 7 7", "a 14 3"])
  }

  @Test func `a planted long function is found`() {
    func function(_ lines: Int) -> SourceFile {
      file("func f() {\n" + String(repeating: "  g()\n", count: lines - 2) + "}\n")
    }
    #expect(CodeLaws.functionViolations(in: function(70)).isEmpty)
    #expect(CodeLaws.functionViolations(in: function(71)).map(\.line) == [1])
  }

  @Test(
    arguments: [
      "public func f() {}", "  public static let a = 1", "@inlinable public var b: Int { 1 }",
      "public final class C {}", "@frozen\npublic struct S {}", "public static var d = 1", "public protocol P {}",
      "/// About e.\n\npublic var e: Int {\n  1\n}", "public class func g() {}",
    ])
  func `planted public declarations without documentation are found`(_ text: String) {
    #expect(DocumentationLaws.violations(in: file(text), requirements: []).count == 1)
  }

  @Test(
    arguments: [
      "func f() {}", "/// What.\npublic func f() {}", "/// What.\n@inlinable\npublic func f() {}",
      "public init(a: Int) {}", "public static func == (a: S, b: S) -> Bool { true }",
      "public var description: String { \"\" }", "public func required() {}", "// public func f() {}",
      "public private(set) var width: Int", "public let height: Int",
    ])
  func `documented ones, and what needs no documentation, are none`(_ text: String) {
    #expect(DocumentationLaws.violations(in: file(text), requirements: ["required"]).isEmpty)
  }

  @Test func `requirements of protocols are known`() {
    let protocols = """
      public protocol P: Sendable {
        /// What.
        func open(_ a: Int) throws
        var size: Int { get }
      }
      func outside() {}
      """
    #expect(DocumentationLaws.requirements(in: [file(protocols)]) == ["open", "size"])
  }
}
