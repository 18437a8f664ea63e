// Every operation fails once, the Nth with N = 1, 2, … until nothing is left to fail: what is on the disk afterwards
// is either nothing or the whole output.
import Base
import Exchange
import Glibc
import Testing

struct SpoolFaultTests {
  private let fileSystem = FaultyFileSystem()
  private let options = SpoolOptions(codec: .none, bufferBytes: 2000, sync: .data)
  private let pages = (0..<6).map { ($0 % 2, noise(900, seed: UInt64($0))) }

  @Test(arguments: [EIO, ENOSPC, EROFS, EDQUOT, EMFILE])
  func writeSucceedsWholeOrLeavesNothing(number: Int32) throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    var step = 0
    var failed = 0
    repeat {
      step += 1
      fileSystem.arm(.init(at: step, number: number))
      do {
        let output = try fixture.write(pages, SpoolFixture.attempt(0, step), partitions: 2, options: options)
        let struck = fileSystem.struck
        fileSystem.arm(nil)
        #expect(try fixture.read(output.location) == [0, 1].map { part in pages.filter { $0.0 == part }.map(\.1) })
        #expect(try fixture.directories.list().map(\.attempt) == [output.attempt])
        try fixture.directories.remove(output.location)
        if struck == 0 { break }
      } catch let error as WaterbearError {
        fileSystem.arm(nil)
        failed += 1
        #expect(error.code == (number == EMFILE ? .genericInsufficientResources : .spoolUnavailable))
        #expect(([error.message] + error.causes).contains { $0.contains(fixture.path(0)) })
        #expect(try fixture.directories.list().isEmpty)
      }
    } while step < 100
    #expect(step < 100)
    // Make the directory, create, at least three writes, two syncs, close and rename.
    #expect(failed >= 8)
  }

  /// A file larger than the file system or the process may make one: other files may do.
  @Test(arguments: [("write", EFBIG), ("create", ENAMETOOLONG), ("write", EINVAL)])
  func aFaultOfTheFileIsNoneOfItsDirectory(operation: String, number: Int32) throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    fileSystem.arm(.init(operation: operation, at: 0, number: number))
    let error = #expect(throws: WaterbearError.self) { _ = try fixture.write(pages, partitions: 2, options: options) }
    #expect(error?.code == .genericInsufficientResources)
    #expect(error?.remedy?.isEmpty == false)
    fileSystem.arm(nil)
    #expect(fixture.events.isEmpty)
    #expect(try fixture.directories.list().isEmpty)
    // Where it comes in the middle.
    fileSystem.arm(.init(operation: "write", at: 2, number: number))
    #expect(throws: WaterbearError.self) { _ = try fixture.write(pages, partitions: 2, options: options) }
    #expect(fixture.events.isEmpty)
  }

  /// `exchange.sink-max-file-size`: nothing is left of the output, and no directory is to blame.
  @Test func anOutputBeyondTheLimitOfAFileIsRefusedByName() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let size = try fixture.write(pages, partitions: 2, options: options).location.fileBytes
    var limited = options
    limited.maxFileBytes = size
    _ = try fixture.write(pages, SpoolFixture.attempt(0, 1), partitions: 2, options: limited)
    let whole = try fixture.directories.list().count
    limited.maxFileBytes = size - 1
    let error = #expect(throws: WaterbearError.self) {
      _ = try fixture.write(pages, SpoolFixture.attempt(0, 2), partitions: 2, options: limited)
    }
    #expect(error?.code == .notSupported)
    #expect(error?.message.contains("exchange.sink-max-file-size") == true)
    #expect(error?.remedy?.contains("Raise exchange.sink-max-file-size") == true)
    #expect(try fixture.directories.list().count == whole)
    #expect(fixture.events.isEmpty)
  }

  @Test(arguments: [EIO, ENOSPC, EROFS])
  func secondDirectoryTakesWhatTheFirstRefuses(number: Int32) throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    fileSystem.arm(.init(at: 0, number: number, below: fixture.path(0)))
    // A small output is placed at commit only and survives without a retry, whichever directory's turn it is.
    for partition in 0..<4 {
      let output = try fixture.write([(0, noise(100))], SpoolFixture.attempt(partition), partitions: 1)
      #expect(output.location.directory == fixture.path(1))
    }
    #expect(fixture.events.count == 1)
    fileSystem.arm(nil)
    #expect(try fixture.directories.list().count == 4)
  }

  @Test func failureInTheMiddleEndsTheAttemptAndTheNextGoesElsewhere() throws {
    let fixture = try SpoolFixture(directories: 2, fileSystem: fileSystem)
    let first = SpoolFixture.attempt(stage: 0, 0, 0)
    fileSystem.arm(.init(operation: "write", at: 2, number: ENOSPC))
    let error = #expect(throws: WaterbearError.self) {
      try fixture.write(pages, first, partitions: 2, options: options)
    }
    #expect(error?.code == .spoolUnavailable)
    #expect(error?.message.contains("No space left on device") == true)
    fileSystem.arm(nil)
    #expect(try fixture.directories.list().isEmpty)
    // The next attempt's turn would be the second directory, so take one whose turn is the first.
    let output = try fixture.write(pages, SpoolFixture.attempt(stage: 0, 0, 2), partitions: 2, options: options)
    #expect(output.location.directory == fixture.path(1))
  }

  @Test(arguments: [EIO, ESTALE, EACCES, ENOENT])
  func everyFailedReadIsUnrecoverable(number: Int32) throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let large = (0..<12).map { ($0 % 2, noise(50_000, seed: UInt64($0))) }
    let output = try fixture.write(large, partitions: 2)
    var step = 0
    repeat {
      step += 1
      fileSystem.arm(.init(at: step, number: number))
      do {
        let found = try fixture.read(output.location)
        #expect(fileSystem.struck == 0)
        #expect(found[1].count == 6)
        break
      } catch let error as WaterbearError {
        #expect(error.code == .exchangeDataUnrecoverable)
        #expect(error.message.contains(output.location.path))
      }
    } while step < 100
    #expect(step > 5 && step < 100)
  }

  @Test func shortageOfDescriptorsBlamesNoFile() throws {
    let fixture = try SpoolFixture(fileSystem: fileSystem)
    let output = try fixture.write(pages, partitions: 2)
    fileSystem.arm(.init(operation: "open", at: 1, number: EMFILE))
    let error = #expect(throws: WaterbearError.self) { try fixture.read(output.location) }
    #expect(error?.code == .genericInsufficientResources)
    fileSystem.arm(.init(operation: "create", at: 1, number: EMFILE))
    #expect(throws: WaterbearError.self) { try fixture.write(pages, SpoolFixture.attempt(9), partitions: 2) }
    #expect(fixture.events.isEmpty)
  }
}
