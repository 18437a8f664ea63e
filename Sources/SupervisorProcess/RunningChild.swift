// Owns one running child process with the pipe it reports through. Decides nothing.
import Base
import Platform

/// A child and the supervisor's end of its link.
final class RunningChild {
  let role: ProcessRole
  let incarnation: UInt64
  private let process: ChildProcess
  /// Nil once the child has closed its end.
  private var link: OwnedDescriptor?
  private var reader = SupervisorMessageReader()

  /// The number under which every child finds its link.
  private static let linkNumber: Int32 = 3

  init(
    _ role: ProcessRole, of program: PinnedExecutable, directories: DaemonDirectories, workerCount: Int,
    incarnation: UInt64, supervisor: Int32, environment: [String: String], predecessor: PredecessorEnd?
  ) throws {
    self.role = role
    self.incarnation = incarnation
    let pipe = try OwnedDescriptor.pipe()
    let context = ProcessContext(
      role: role, directories: directories, workerCount: workerCount, incarnation: incarnation,
      supervisor: supervisor, linkDescriptor: Self.linkNumber, predecessor: predecessor)
    process = try ChildProcess(
      of: program, title: role.processTitle, arguments: context.arguments, environment: environment,
      descriptors: [(pipe.write, Self.linkNumber)])
    link = pipe.read
  }

  var processID: Int32 { process.processID }
  /// Polls readable when the process has ended.
  var endDescriptor: Int32 { process.pollDescriptor }
  /// Polls readable when the child has said something; -1, which poll(2) ignores, once it cannot any more.
  var linkDescriptor: Int32 { link?.number ?? -1 }

  func send(_ signal: Int32) { process.send(signal) }

  func reap() -> ProcessEnd? { process.reap() }

  /// What the child has said since the last call. Reads at most a few kilobytes, the rest next time.
  func messages() -> [SupervisorMessage] {
    guard let link else { return [] }
    do {
      guard let bytes = try link.readAvailable(limit: SupervisorMessage.bytesMax) else { return [] }
      if bytes.isEmpty { self.link = nil }
      return reader.consume(bytes)
    } catch {
      // A pipe does not fail to be read; should it, the child's end is still seen through its process descriptor.
      self.link = nil
      return []
    }
  }
}
