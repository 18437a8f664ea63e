// Tests of files replaced as a whole, and of small facts about peers and errors.
import Base
import Glibc
import Platform
import TemporaryDirectories
import Testing

@Suite struct AtomicFileTests {
  private let directory = TemporaryDirectory()

  @Test func whatIsWrittenIsRead() throws {
    let path = directory.path + "/key"
    #expect(try AtomicFile.read(path, limit: 10) == nil)
    try AtomicFile.write([1, 2, 3], to: path, mode: 0o600)
    try AtomicFile.write([4, 5], to: path, mode: 0o600)
    #expect(try AtomicFile.read(path, limit: 10) == [4, 5])
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func aFileBeyondTheLimitIsNotRead() throws {
    let path = directory.path + "/big"
    try AtomicFile.write([UInt8](repeating: 0, count: 100), to: path, mode: 0o600)
    #expect(throws: WaterbearError.self) { try AtomicFile.read(path, limit: 99) }
  }

  @Test func aFailedWriteLeavesTheOldContentAndNoTemporaryFile() throws {
    // A directory cannot be replaced by a file, so the rename fails after the temporary file was written.
    let path = directory.path + "/taken"
    mkdir(path, 0o700)
    #expect(throws: WaterbearError.self) { try AtomicFile.write([1], to: path, mode: 0o600) }
    #expect(access("\(path).\(getpid()).new", F_OK) != 0)
  }

  @Test func peersOfASocketPairAreOurselves() throws {
    var ends: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    let peer = try PeerCredentials(ofSocket: ends[0])
    #expect(peer.processID == getpid() && peer.userID == geteuid() && peer.groupID == getegid())
    #expect(peer.userName == SystemUser.current)
    #expect(throws: WaterbearError.self) { try PeerCredentials(ofSocket: -1) }
  }

  @Test func scarcityIsToldFromOtherFailures() {
    #expect(SystemCall.failure("write", ENOSPC).code == .genericInsufficientResources)
    #expect(SystemCall.failure("write", EIO).code == .genericInternalError)
    #expect(SystemCall.failure("write", EIO).message == "write: Input/output error")
  }
}
