// Owns one run of supervisor-test-daemon in a directory of its own, ended and removed with the test.
import Base
import Foundation
import Glibc
import Platform
import Testing

/// A running daemon and what it has written so far.
final class TestDaemon {
  let root: String
  private(set) var process: ChildProcess
  private let notifySocket: OwnedDescriptor
  private let ownsRoot: Bool

  /// Starts a daemon; `behaviours` are the files of its `etc` directory. With `sharing` it uses that daemon's place,
  /// with `fromCopy` a copy of the program at `root`/program.
  init(_ behaviours: [String: String] = [:], sharing other: TestDaemon? = nil, fromCopy: Bool = false) throws {
    ownsRoot = other == nil
    if let other {
      root = other.root
    } else {
      var template = Array("/tmp/waterbear-test-XXXXXX".utf8CString)
      try #require(mkdtemp(&template) != nil)
      root = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      mkdir(root + "/etc", 0o755)
    }
    let name = "@waterbear-test-\(getpid())-\(SystemClock.monotonic().nanoseconds)"
    notifySocket = try Self.listen(name)
    var program = try Self.programPath()
    if fromCopy {
      let bytes = try #require(try AtomicFile.read(program, limit: 1 << 30))
      program = root + "/program"
      try AtomicFile.write(bytes, to: program, mode: 0o755)
    }
    process = try Self.start(program, root, notify: name, behaviours)
  }

  private static func start(
    _ program: String, _ root: String, notify: String, _ behaviours: [String: String]
  ) throws -> ChildProcess {
    for (name, text) in behaviours { try AtomicFile.write(text.utf8, to: "\(root)/etc/\(name)", mode: 0o644) }
    var environment = ProcessEnvironment.current
    environment["NOTIFY_SOCKET"] = notify
    environment["WATCHDOG_USEC"] = "100000"
    return try ChildProcess(
      of: try PinnedExecutable(program), title: "supervisor-test-daemon", arguments: ["serve", root],
      environment: environment, descriptors: [])
  }

  /// The program lies beside the test bundle that this process runs.
  private static func programPath() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    try #require(count > 0)
    let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own[..<own.lastIndex(of: "/")!] + "/supervisor-test-daemon"
  }

  deinit {
    // Children die with their supervisor.
    process.send(SIGKILL)
    let deadline = SystemClock.monotonic() + .seconds(5)
    while process.reap() == nil && SystemClock.monotonic() < deadline { SystemClock.sleep(.milliseconds(1)) }
    if ownsRoot { removeTree(root) }
  }

  private static func listen(_ name: String) throws -> OwnedDescriptor {
    let descriptor = OwnedDescriptor(
      adopting: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    bytes[0] = 0
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor.number, $0, length) }
    }
    try #require(result == 0)
    return descriptor
  }

  // MARK: What it has written

  private func lines(_ file: String) throws -> [String] {
    let bytes = try AtomicFile.read("\(root)/\(file)", limit: 1 << 20) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// What the children did, in order.
  var record: [String] { get throws { try lines("record") } }
  /// The supervisor's log: of each line the event and its fields as text.
  var events: [[String: String]] {
    get throws {
      try lines("events").map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object).mapValues { "\($0)" }
      }
    }
  }

  /// The events of a name, where wanted about one child only.
  func events(_ name: String, _ child: String? = nil) throws -> [[String: String]] {
    try events.filter { $0["event"] == name && (child == nil || $0["child"] == child) }
  }

  /// The supervisor's last words.
  var error: String { get throws { try lines("error").last ?? "" } }

  /// Process ids of all that ever ran in a place, oldest first.
  func processes(_ name: String) throws -> [pid_t] {
    try record.filter { $0.hasPrefix("\(name) started ") }.compactMap { pid_t($0.split(separator: " ")[2]) }
  }

  func incarnations() throws -> [UInt64] {
    try record.filter { $0.contains(" started ") }.compactMap { UInt64($0.split(separator: " ")[3]) }
  }

  /// What the service manager was told since the last call.
  func notices() throws -> [String] {
    var notices: [String] = []
    while let bytes = try notifySocket.readAvailable(limit: 4096), !bytes.isEmpty {
      notices.append(String(decoding: bytes, as: UTF8.self))
    }
    return notices
  }

  // MARK: Waiting, always with a deadline

  /// Looks every few milliseconds until the condition holds; records an issue after ten seconds.
  func wait(for what: String, _ condition: () throws -> Bool) throws {
    let deadline = SystemClock.monotonic() + .seconds(10)
    while SystemClock.monotonic() < deadline {
      if try condition() { return }
      SystemClock.sleep(.milliseconds(3))
    }
    Issue.record("not within ten seconds: \(what); events: \(try lines("events")), record: \(try record)")
    throw WaterbearError(.exceededTimeLimit, what)
  }

  func waitUntilReady() throws {
    try wait(for: "daemon_ready") { try !events("daemon_ready").isEmpty }
    try wait(for: "all ready") { try events("child_ready").count >= 3 }
  }

  func waitForEnd() throws -> ProcessEnd {
    var end: ProcessEnd?
    try wait(for: "the daemon's end") {
      end = process.reap()
      return end != nil
    }
    return end!
  }
}

/// Whether a process has ended; one that nobody has waited for yet counts as ended.
func isGone(_ process: pid_t) throws -> Bool {
  guard let bytes = try AtomicFile.read("/proc/\(process)/stat", limit: 4096) else { return true }
  // The state follows the name in parentheses, proc(5).
  let text = String(decoding: bytes, as: UTF8.self)
  guard let end = text.lastIndex(of: ")") else { return true }
  return text[end...].dropFirst(2).first == "Z"
}

/// Removes a directory with everything in it.
func removeTree(_ path: String) {
  guard let directory = opendir(path) else { return }
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name == "." || name == ".." { continue }
    if entry.pointee.d_type == UInt8(DT_DIR) { removeTree(path + "/" + name) } else { unlink(path + "/" + name) }
  }
  closedir(directory)
  rmdir(path)
}
