// The command line of the built program: exit codes and words that scripts and people rely on.
import Foundation
import Testing

@Suite struct CommandLineTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
    "wb-\(UUID().uuidString)")

  private struct Result {
    let code: Int32
    let output: String
    let error: String
  }

  /// Runs the program, which lies beside the test bundle, to its end.
  private func run(_ arguments: [String]) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("waterbeard")
    process.arguments = arguments
    let (output, error) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, error)
    try process.run()
    // The answers are far smaller than a pipe, so reading one after the other cannot block the program.
    let words = output.fileHandleForReading.readDataToEndOfFile()
    let complaints = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus, output: String(decoding: words, as: UTF8.self),
      error: String(decoding: complaints, as: UTF8.self))
  }

  /// Makes an `etc` directory with a config.properties.
  private func etc(_ text: String) throws -> String {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try text.write(to: directory.appendingPathComponent("config.properties"), atomically: true, encoding: .utf8)
    return directory.path
  }

  @Test func theVersionIsPrinted() throws {
    let result = try run(["version"])
    #expect(result.code == 0 && result.error.isEmpty)
    #expect(result.output.hasPrefix("waterbeard "))
  }

  @Test func helpNamesWhatAPersonMayCallAndNothingElse() throws {
    let result = try run(["--help"])
    #expect(result.code == 0)
    #expect(result.output.contains("  serve ") && result.output.contains("  version "))
    #expect(!result.output.contains("coordinator") && !result.output.contains("  worker "))
  }

  @Test(arguments: [
    ["serve"], ["serve", "--etc-dir", "/e"], ["frobnicate"], ["serve", "--data-dir", "/d", "--etc-dir", ""],
    ["serve", "--etc-dir", "/e", "--data-dir", "/d", "--workers", "0"],
    ["serve", "--etc-dir", "/e", "--data-dir", "/d", "--workers", "many"], ["worker"], ["coordinator", "--link", "3"],
  ])
  func aWrongCallIsTwoWithOneLineAndAHint(arguments: [String]) throws {
    let result = try run(arguments)
    #expect(result.code == 2)
    #expect(result.output.isEmpty)
    #expect(result.error.hasPrefix("waterbeard: ") && result.error.hasSuffix("  try: waterbeard --help\n"))
    #expect(result.error.split(separator: "\n").count == 2, "\(result.error)")
  }

  @Test func aWrongSettingIsNamedWithItsLineBeforeAnythingIsMade() throws {
    defer { try? FileManager.default.removeItem(at: directory) }  // A scratch directory; the system clears /tmp.
    let etc = try etc("# first line\nretry-polcy=TASK\n")
    let result = try run(["serve", "--etc-dir", etc, "--data-dir", directory.path + "/data"])
    #expect(result.code == 78)
    #expect(result.error.contains("config.properties:2: retry-polcy is not a setting"))
    #expect(result.error.contains("retry-policy"))
    #expect(!FileManager.default.fileExists(atPath: directory.path + "/data"))
  }

  @Test func aDirectoryThatCannotBeUsedIsNamedWithARemedy() throws {
    defer { try? FileManager.default.removeItem(at: directory) }  // As above.
    let result = try run(["serve", "--etc-dir", try etc(""), "--data-dir", "/proc/waterbear"])
    #expect(result.code == 78)
    #expect(result.error.contains("/proc/waterbear") && result.error.contains("--data-dir"))
  }

  @Test func aMissingConfigurationDirectoryIsNamed() throws {
    let result = try run(["serve", "--etc-dir", directory.path + "/ect", "--data-dir", directory.path + "/data"])
    #expect(result.code == 78)
    #expect(result.error.contains(directory.path + "/ect"))
  }
}
