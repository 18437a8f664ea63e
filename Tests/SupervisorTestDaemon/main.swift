// A daemon for tests of the supervisor: the real supervisor with children that do no work and behave as a file says.
//
//   supervisor-test-daemon serve DIR
//
// DIR/etc/policy holds `drain MS`, `hang MS`, `workers N`. DIR/etc/coordinator, DIR/etc/worker-1, … hold one word:
//   refuse    say that the configuration is wrong and exit with its code
//   fail      exit with code 1 before being ready
//   crash     become ready, then exit with code 1
//   stubborn  ignore SIGTERM
//   mute      say once that it lives, then never again
// Without a file a child becomes ready and ends at SIGTERM. What children do is appended to DIR/record, the
// supervisor's log to DIR/events, its last error to DIR/error.
import Base
import Glibc
import Platform
import SupervisorProcess
import Telemetry

/// Appends a line to a file in one write, so that lines of several processes do not mix.
@Sendable func append(_ line: String, to path: String) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
  // The test is over and its directory gone. To trap would leave a swift-backtrace behind, which waits for ever where
  // the process it asks is killed meanwhile, and holds the pipe of the whole test run.
  guard descriptor >= 0 else { exit(1) }
  _ = write(descriptor, line + "\n", line.utf8.count + 1)
  close(descriptor)
}

/// The words of a file, none where it is missing.
func words(_ path: String) throws -> [String] {
  let bytes = try AtomicFile.read(path, limit: 4096) ?? []
  return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
}

func serve(_ root: String) throws -> Int32 {
  let options = try words(root + "/etc/policy")
  func option(_ name: String, _ standard: Int) -> Int {
    options.firstIndex(of: name).flatMap { Int(options[$0 + 1]) } ?? standard
  }
  let policy = SupervisionPolicy(
    workerCount: option("workers", 2), drainTime: .milliseconds(Int64(option("drain", 30_000))),
    hangTime: .milliseconds(Int64(option("hang", 10_000))))
  let configuration = SupervisorConfiguration(
    directories: DaemonDirectories(etc: root + "/etc", data: root + "/data"), policy: policy,
    log: Log(LogSink(file: try LogFile(path: root + "/events")), role: "supervisor"),
    reload: { append("supervisor reload", to: root + "/record") })
  do {
    return try Supervisor.run(configuration).rawValue
  } catch {
    let error = WaterbearError.wrapping(error)
    append("\(error) | \(error.remedy ?? "")", to: root + "/error")
    return (error.code == .configurationInvalid ? ExitCode.configuration : .failed).rawValue
  }
}

func runChild(_ context: ProcessContext) throws -> Int32 {
  let record = context.directories.etc + "/../record"
  let name = context.role.description.replacing(" ", with: "-")
  let signals = try SignalDescriptor([SIGTERM, SIGHUP])
  let link = try context.enter()
  append("\(name) started \(getpid()) \(context.incarnation)", to: record)
  let behaviour = try words(context.directories.etc + "/" + name).first ?? ""
  if behaviour == "fail" { return 1 }
  if behaviour == "refuse" {
    link.reportFailure(WaterbearError(.configurationInvalid, "config.properties:3: wrong", remedy: "mend it"))
    return ExitCode.configuration.rawValue
  }
  link.reportReady()
  if behaviour == "crash" { return 1 }
  if behaviour == "mute" { link.reportAlive() }
  while true {
    var entry = pollfd(fd: signals.pollDescriptor, events: Int16(POLLIN), revents: 0)
    _ = poll(&entry, 1, -1)
    while let signal = signals.next() {
      append("\(name) \(signal == SIGHUP ? "reload" : "drain")", to: record)
      if signal == SIGTERM && behaviour != "stubborn" { return 0 }
    }
  }
}

if let context = ProcessContext(arguments: Array(CommandLine.arguments.dropFirst())) {
  do {
    exit(try runChild(context))
  } catch {
    // Its supervisor is gone, which is how some tests end.
    exit(1)
  }
} else {
  precondition(CommandLine.arguments.count == 3 && CommandLine.arguments[1] == "serve", "usage: serve DIR")
  exit(try serve(CommandLine.arguments[2]))
}
