// Tests of what supervisor and child tell each other: the pipe's words and the child's arguments.
import Base
import Glibc
import Platform
import Testing

@Suite struct SupervisorLinkTests {
  @Test(arguments: [1, 2, 3, 1000])
  func messagesSurviveAnyCut(size: Int) {
    let bytes = Array("ready\nalive\nnonsense\nfailed no disk\n".utf8)
    var reader = SupervisorMessageReader()
    var messages: [SupervisorMessage] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      messages += reader.consume(bytes[start..<min(start + size, bytes.count)])
    }
    #expect(messages == [.ready, .alive, .failed("no disk")])
  }

  @Test func aLineWithoutEndIsBounded() {
    var reader = SupervisorMessageReader()
    #expect(reader.consume([UInt8](repeating: 65, count: 1 << 20)).isEmpty)
    #expect(reader.consume("\nready\n".utf8) == [.ready])
  }

  @Test func aContextReadsBackFromItsArguments() {
    let ends: [PredecessorEnd?] = [
      nil, PredecessorEnd(incarnation: 98, end: .exited(7)), PredecessorEnd(incarnation: 9, end: .killed(signal: 4)),
      PredecessorEnd(incarnation: 9, end: .killed(signal: 9), lackedMemory: true),
    ]
    for role in [ProcessRole.coordinator, .worker(12)] {
      for end in ends {
        let context = ProcessContext(
          role: role, directories: DaemonDirectories(etc: "/e t c", data: "/d", run: "/r", log: "/l"), workerCount: 4,
          incarnation: 99, supervisor: 42, linkDescriptor: 3, predecessor: end)
        #expect(ProcessContext(arguments: context.arguments) == context)
      }
    }
  }

  @Test(arguments: [
    [], ["worker"], ["coordinator", "--etc-dir"], ["serve", "--etc-dir", "/e"],
    ["worker", "--number", "0", "--etc-dir", "/e", "--data-dir", "/d"],
  ])
  func otherArgumentsAreRefused(arguments: [String]) {
    #expect(ProcessContext(arguments: arguments) == nil)
  }

  @Test func onlyWorkersHaveAWorkerID() {
    let places = DaemonDirectories(etc: "/e", data: "/d")
    func context(_ role: ProcessRole) -> ProcessContext {
      ProcessContext(
        role: role, directories: places, workerCount: 2, incarnation: 7, supervisor: 1, linkDescriptor: 3)
    }
    #expect(context(.worker(2)).workerID == WorkerID(number: 2, incarnation: 7))
    #expect(context(.coordinator).workerID == nil)
  }
}
