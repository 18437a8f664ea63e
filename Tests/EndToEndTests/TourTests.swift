// Proves that what the documents show for a first look works as it stands, and how signals end the control program.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct TourTests {
    private static let readme = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../../README.md")
      .standardizedFileURL

    /// The commands of the README's tour, but for the one that builds, in another directory and over fewer rows.
    private func tour(in directory: String) throws -> String {
      let text = try String(contentsOf: Self.readme, encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).drop { $0 != "## A tour" }.dropFirst()
        .prefix { !$0.hasPrefix("## ") }
      let commands = lines.filter { $0.hasPrefix("    ") && !$0.contains("swift build") }
      try #require(commands.count > 10)
      return commands.joined(separator: "\n").replacingOccurrences(of: "/tmp/bear", with: directory)
        .replacingOccurrences(of: "sf10", with: "sf1").replacingOccurrences(of: "sf1.orders", with: "tiny.orders")
    }

    @Test func `the tour of the README works when it is pasted as one`() throws {
      let directory = try TemporaryDirectory()
      let root = Self.readme.deletingLastPathComponent().path
      let script = """
        set -eu -o pipefail
        export PATH='\(Program.directory)':$PATH
        cd '\(root)'
        trap 'status=$?; kill %1 2>/dev/null || true; wait; exit $status' EXIT
        \(try tour(in: directory.path))
        wait
        """
      let result = try Command("/bin/bash", ["-c", script]).finish()
      #expect(result.succeeded, "\(result.error)\n\(result.output)")
      #expect(result.output.contains("6001215"))
      #expect(files(below: directory.path + "/lake/demo/orders").contains { $0.hasSuffix(".parquet") })
    }

    @Test(arguments: [SIGTERM: Int32(143), SIGHUP: 129, SIGINT: 130])
    func `a query ends with the program that waits for it`(signal: Int32, code: Int32) throws {
      let daemon = try Daemon()
      let command = try daemon.startControl(["query", "SELECT count(*) FROM tpch.sf100.lineitem"])
      try daemon.wait(for: "the query to run") { try daemon.control(["list"]).output.contains("RUNNING") }
      command.send(signal)
      let result = try command.finish(within: .seconds(30))
      #expect(result.end == .exited(code))
      #expect(result.error.contains("was canceled"))
      #expect(try daemon.control(["list"]).output.contains("USER_CANCELED"))
    }
  }
}
