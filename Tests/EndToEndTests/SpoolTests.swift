// Tests what lies on the disk while a result waits: sealed bytes, and nothing afterwards.
import Base
import Foundation
import Glibc
import Platform
import Testing

extension EndToEndTests {
  @Suite(.serialized) struct SpoolTests {
    /// A text that neither compression nor chance would make, in every row of the result.
    private static let marker = "Zb7kQx2VmPp0"
    private static let sql = "SELECT '\(marker)' || cast(o_orderkey AS varchar) AS marked FROM orders LIMIT 2000"

    /// Files of the spool that contain the marker, and how many there are in all.
    private func search(_ daemon: Daemon) throws -> (marked: [String], all: Int) {
      let names = daemon.spoolFiles
      let marked = try names.filter { name in
        try Data(contentsOf: URL(filePath: daemon.spool + "/" + name)).range(of: Data(Self.marker.utf8)) != nil
      }
      return (marked, names.count)
    }

    @Test func `spool files contain none of the plain text, and go when the result was fetched`() throws {
      let daemon = try Daemon()
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", "tiny"])
      let waited = try daemon.control(["wait", id])
      #expect(waited.succeeded, "\(waited.error)")
      let found = try search(daemon)
      #expect(found.all > 0)
      #expect(found.marked == [])
      let fetched = try daemon.control(["fetch", id, "--format", "tsv"])
      #expect(fetched.succeeded, "\(fetched.error)")
      #expect(fetched.output.split(separator: "\n").count { $0.contains(Self.marker) } == 2000)
      try daemon.expectEmptySpool()
    }

    @Test func `a result is kept for its time from the end of the query on`() throws {
      let daemon = try Daemon(config: "query.min-expire-age=3s\n")
      try daemon.wait(for: "all workers, as one that came later would not be stopped") {
        try daemon.workerList().count == 2
      }
      let workers = try daemon.workerList().map(\.pid)
      for worker in workers { kill(worker, SIGSTOP) }
      defer { for worker in workers { kill(worker, SIGCONT) } }
      let id = try daemon.submit(["SELECT 7 AS n"])
      SystemClock.sleep(.seconds(4))
      for worker in workers { kill(worker, SIGCONT) }
      #expect(try daemon.control(["wait", id]).succeeded)
      let fetched = try daemon.control(["fetch", id, "--keep", "--format", "tsv"])
      #expect(fetched.output == "n\n7\n", "\(fetched.error)")
      try daemon.expectEmptySpool()
    }

    @Test func `without sealing the same search finds the text`() throws {
      let daemon = try Daemon(
        config: "fault-tolerant-execution.exchange-encryption-enabled=false\nexchange.compression-codec=NONE\n")
      let id = try daemon.submit([Self.sql, "--catalog", "tpch", "--schema", "tiny"])
      #expect(try daemon.control(["wait", id]).succeeded)
      #expect(try search(daemon).marked != [])
      let cancelled = try daemon.control(["cancel", id])
      #expect(cancelled.succeeded, "\(cancelled.error)")
    }

    @Test func `a lost and a damaged result are made again`() throws {
      let daemon = try Daemon()
      let id = try daemon.submit(["--file", Benchmark.file(3), "--catalog", "tpch", "--schema", "sf0.1"])
      #expect(try daemon.control(["wait", id]).succeeded)
      let before = try daemon.control(["fetch", id, "--keep", "--format", "tsv"])
      #expect(before.succeeded, "\(before.error)")
      // A running daemon may still hold open what it has just read.
      #expect(try daemon.stop() == .exited(0))
      let names = daemon.spoolFiles
      #expect(!names.isEmpty)
      for (index, name) in names.enumerated() {
        let url = URL(filePath: daemon.spool + "/" + name)
        if index.isMultiple(of: 2) {
          try FileManager.default.removeItem(at: url)
        } else {
          var bytes = try Data(contentsOf: url)
          bytes[bytes.count / 2] ^= 0x40
          // A new file, as some file systems refuse to have one written again.
          try FileManager.default.removeItem(at: url)
          try bytes.write(to: url)
        }
      }
      try daemon.start()
      let after = try daemon.control(["fetch", id, "--format", "tsv"])
      #expect(after.succeeded, "\(after.error)")
      #expect(after.output == before.output)
      #expect(try !daemon.events("output_lost").isEmpty)
      try daemon.expectEmptySpool()
    }

    /// What can happen to files while nobody looks.
    enum Damage: String, CaseIterable {
      case missing, empty, truncated, longer, flipped, swapped, ofAnotherQuery, aDirectory

      /// Does it to all of the files, given by path; `other` is a spool file of another query.
      func strike(_ paths: [String], other: Data) throws {
        let contents = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
        for (index, path) in paths.enumerated() {
          var bytes = contents[index]
          switch self {
          case .missing, .aDirectory: bytes = Data()
          case .empty: bytes = Data()
          case .truncated: bytes = bytes.prefix(bytes.count * 2 / 3)
          case .longer: bytes += Data([0])
          case .flipped: bytes[bytes.count / 2] ^= 0x40
          case .swapped: bytes = contents[(index + 1) % contents.count]
          case .ofAnotherQuery: bytes = other
          }
          try FileManager.default.removeItem(atPath: path)
          if self == .aDirectory {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
          } else if self != .missing {
            try bytes.write(to: URL(filePath: path))
          }
        }
      }
    }

    @Test(arguments: Damage.allCases)
    func `whatever happens to all outputs, they are made again with the outputs that they were made of`(
      damage: Damage
    ) throws {
      let daemon = try Daemon(config: "join-distribution-type=PARTITIONED\n")
      let options = ["--catalog", "tpch", "--schema", "tiny"]
      let other = try daemon.submit(["SELECT max(o_comment) FROM orders"] + options)
      #expect(try daemon.control(["wait", other]).succeeded)
      let otherName = try #require(daemon.spoolFiles.first { $0.hasPrefix(other) })
      let otherFile = try Data(contentsOf: URL(filePath: daemon.spool + "/" + otherName))
      let id = try daemon.submit(["--file", Benchmark.file(9)] + options)
      #expect(try daemon.control(["wait", id]).succeeded)
      let before = try daemon.control(["fetch", id, "--keep", "--format", "tsv"])
      #expect(before.succeeded && before.output.contains("\n"), "\(before.error)")
      // A running daemon may still hold open what it has just read.
      #expect(try daemon.stop() == .exited(0))
      // The result, and what it was made of: both are gone at once.
      let paths = daemon.spoolFiles.filter { $0.hasPrefix(id) }.map { daemon.spool + "/" + $0 }
      #expect(paths.count >= 2)
      try damage.strike(paths, other: otherFile)
      try daemon.start()
      let after = try daemon.control(["fetch", id, "--format", "tsv"])
      #expect(after.succeeded, "\(after.error)")
      #expect(after.output == before.output)
      #expect(try daemon.show(id).attempts.count { $0.selected } > 0)
      #expect(try daemon.control(["cancel", other]).succeeded)
    }
  }
}
