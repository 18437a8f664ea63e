// Tests that files which are cut off or altered give an error that names them, and nothing worse.

import Base
import Columnar
import ConnectorAPI
import Foundation
import Parquet
import Testing

@Suite struct DamageTests {
  /// A file that a test alters, removed afterwards.
  final class Scratch {
    /// In memory where there is a place for that: thousands of files are written.
    static let directory =
      access("/dev/shm", W_OK) == 0 ? URL(filePath: "/dev/shm") : FileManager.default.temporaryDirectory

    let path = directory.appending(path: "parquet-\(UUID().uuidString)").path

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }

    deinit { unlink(path) }
  }

  /// Reads all that can be read; the rows found.
  private func readAll(_ path: String) throws -> Int {
    let file = try ParquetFile(path: path)
    let source = try file.reader(rowGroups: 0..<file.rowGroupCount, columns: file.reading(file.readableColumns))
    var rows = 0
    while let batch = try source.next() {
      rows += batch.count
      // Looks at each value, so that a view to nowhere is found.
      for column in batch.columns { for row in 0..<batch.count { _ = column.value(at: row) } }
    }
    return rows
  }

  @Test(arguments: ["pyarrow-codec-snappy-v1", "pyarrow-codec-none-v2"])
  func `a file that is cut off anywhere is refused`(_ name: String) throws {
    let bytes = try Sample(name).bytes()
    let scratch = Scratch()
    for count in 0..<bytes.count {
      try scratch.write(Array(bytes[..<count]))
      #expect {
        try readAll(scratch.path)
      } throws: { error in
        let error = WaterbearError.wrapping(error)
        return error.code == .filesBadData && error.message.contains(scratch.path) && error.message.contains("offset")
      }
    }
  }

  @Test(arguments: Sample.all) func `altered bytes give an error or rows, and nothing worse`(_ sample: Sample) throws {
    let bytes = try sample.bytes()
    let scratch = Scratch()
    var chance = SplitMix(seed: UInt64(sample.name.utf8.reduce(7) { ($0 &* 31) &+ UInt32($1) }))
    let length = bytes.suffix(8).withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    let footer = bytes.count - 8 - Int(length)
    for round in 0..<150 {
      var damaged = bytes
      // Half of the rounds alter the footer, the others what lies in front of it.
      let range = round % 2 == 0 || footer <= 4 ? max(footer, 0)..<bytes.count : 4..<footer
      for _ in 0...Int(chance.next() % 3) {
        let position = range.lowerBound + Int(chance.next() % UInt64(range.count))
        damaged[position] = chance.next() % 2 == 0 ? UInt8(truncatingIfNeeded: chance.next()) : damaged[position] ^ 1
      }
      try scratch.write(damaged)
      do {
        _ = try readAll(scratch.path)
      } catch {
        let error = WaterbearError.wrapping(error)
        #expect([.filesBadData, .notSupported].contains(error.code), "\(error)")
        #expect(error.message.contains(scratch.path))
      }
    }
  }

  @Test func `a checksum that is wrong is found`() throws {
    var bytes = try Sample("pyarrow-plain-required").bytes()
    // In the values of the second column.
    bytes[300] ^= 1
    let scratch = Scratch()
    try scratch.write(bytes)
    #expect {
      try readAll(scratch.path)
    } throws: { error in
      WaterbearError.wrapping(error).message.contains("a page whose checksum is not that of its bytes")
    }
  }

  @Test func `files of other kinds are told apart`() throws {
    let scratch = Scratch()
    for (bytes, code) in [
      ([UInt8](), ErrorCode.filesBadData), (Array("PAR1".utf8), .filesBadData),
      (Array("a text that is no Parquet file at all".utf8), .filesBadData),
      (Array("PAR1____________PARE".utf8), .notSupported),
    ] {
      try scratch.write(bytes)
      #expect { try ParquetFile(path: scratch.path) } throws: { WaterbearError.wrapping($0).code == code }
    }
    #expect { try ParquetFile(path: "/nowhere/at/all") } throws: {
      WaterbearError.wrapping($0).code == .filesFilesystemError
    }
    #expect { try ParquetFile(path: "/tmp") } throws: { WaterbearError.wrapping($0).code == .filesFilesystemError }
  }
}

/// Numbers that depend on a seed alone.
struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
