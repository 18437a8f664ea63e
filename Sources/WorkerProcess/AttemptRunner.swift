// Owns one run of a task: from the coordinator's order to a committed spool file or an error. Knows no socket.

import Base
import Columnar
import ConnectorAPI
import Exchange
import Execution
import Planning
import Platform
import Wire

/// Runs attempts on the calling thread. One per slot.
final class AttemptRunner {
  private let catalogs: Catalogs
  private let directories: SpoolDirectories
  private let use: SpoolUse
  private let builds: SharedBuilds

  init(catalogs: Catalogs, directories: SpoolDirectories, use: SpoolUse, builds: SharedBuilds) {
    self.builds = builds
    self.catalogs = catalogs
    self.directories = directories
    self.use = use
  }

  /// Runs the attempt to its end. Never throws: what goes wrong is in the report.
  func run(_ order: StartAttempt, stage: StageDefinition, control: AttemptControl) -> ReportAttempt {
    let memory = control.memory
    let started = ProcessUsage.threadCPUNanoseconds()
    var report = ReportAttempt(attempt: order.attempt)
    do {
      let (output, statistics) = try execute(order, stage: stage, control: control, memory: memory)
      report.output = try BinaryEncoder.encode(output)
      report.inputRows = statistics.inputRows
      report.outputRows = statistics.outputRows
      if !statistics.keySources.isEmpty {
        report.keySources = statistics.keySources.map {
          KeySourceUse(stage: $0.fragment, column: $0.column, keys: $0.keys)
        }
      }
    } catch let lost as LostInput {
      report.error = lost.error
      report.lostInput = lost.producer
    } catch let refused as OutputRefused {
      report.error = refused.error
      report.refusedBy = refused.directory
    } catch is TaskStopped {
      report.error = WaterbearError(.abandonedTask, "The attempt was stopped by the coordinator")
    } catch {
      report.error = WaterbearError.wrapping(error)
    }
    report.peakMemoryBytes = memory.peakBytes
    report.cpuNanoseconds = ProcessUsage.threadCPUNanoseconds() - started
    return report
  }

  private func execute(
    _ order: StartAttempt, stage: StageDefinition, control: AttemptControl, memory: MemoryContext
  ) throws -> (SpoolOutput, TaskStatistics) {
    let fragment = try stage.fragment()
    let partitions = fragment.output.partitionCount
    var options = use.options(codec: stage.codec, partitions: partitions, memory: memory.limit)
    options.avoidedDirectories = order.avoidedDirectories ?? []
    let writer = try SpoolWriter(
      in: directories, attempt: order.attempt, partitionCount: partitions, key: stage.key, options: options)
    do {
      let context = try taskContext(order, stage: stage, fragment: fragment, control: control, memory: memory)
      let executor = try TaskExecutor(fragment: fragment, context: context)
      try CrashPoint.pass("attempt.begun.\(order.attempt.place)")
      let statistics = try executor.run(into: SpoolSink(writer))
      if control.isStopped { throw TaskStopped() }
      try CrashPoint.pass("attempt.written.\(order.attempt.place)")
      let output = try writer.commit()
      CrashPoint.reach("attempt.committed.\(order.attempt.place)")
      return (output, statistics)
    } catch {
      writer.abort()
      // Without a directory, all of them refused it.
      if let error = error as? WaterbearError, error.code == .spoolUnavailable, let directory = writer.directory {
        throw OutputRefused(error: error, directory: directory)
      }
      throw error
    }
  }

  private func taskContext(
    _ order: StartAttempt, stage: StageDefinition, fragment: PlanFragment, control: AttemptControl,
    memory: MemoryContext
  ) throws -> TaskContext {
    var splits: [Int: [Split]] = [:]
    for scan in order.splits {
      splits[scan.scan] = try scan.splits.map { try BinaryDecoder.decode(Split.self, from: $0) }
    }
    var inputs: [Int: AttemptInput] = [:]
    for input in order.inputs { inputs[input.stage] = input }
    var typesByInput = remoteTypes(of: fragment.root)
    for source in fragment.keySources { typesByInput[source.fragment] = source.columns.map(\.type) }
    let access = SpoolAccess(
      key: stage.key, fileSystem: directories.fileSystem, isStopped: { control.isStopped },
      isSilent: { [directories] in directories.isSilent($0) }, noteAway: { [directories] in directories.noteAway($0) })
    var context = TaskContext(
      catalogs: catalogs, splits: splits,
      openRemoteSource: { [use] number in
        guard let input = inputs[number], let types = typesByInput[number] else {
          throw WaterbearError(
            .genericInternalError, "Attempt \(order.attempt) was given no output of stage \(number)")
        }
        let opener = SpoolOpener(
          try input.outputs.map { try BinaryDecoder.decode(SpoolOutput.self, from: $0) },
          partitions: input.partitions, access: access, memory: memory, readAhead: use.readAhead)
        return SpoolSource(opener, types: types)
      },
      memory: memory, shouldStop: { control.isStopped },
      seed: order.attempt.task.randomSeed)
    context.openSortedSources = { [use] number in
      guard let input = inputs[number], let types = typesByInput[number] else {
        throw WaterbearError(.genericInternalError, "Attempt \(order.attempt) was given no output of stage \(number)")
      }
      let opener = SpoolOpener(
        try input.outputs.map { try BinaryDecoder.decode(SpoolOutput.self, from: $0) }, partitions: input.partitions,
        access: access, memory: memory, readAhead: use.readAhead, readAheadBytes: 0)
      return opener.outputs.indices.map { SpoolSource(opener, file: $0, types: types) }
    }
    context.attempt = order.attempt
    context.shares = (order.shares ?? []).map { RowShare(build: $0.build, index: $0.index, count: $0.count) }
    context.taskNumber = order.attempt.task.partition
    context.sharing = BuildSharing(
      builds: builds, scope: stage.stage.description,
      // The outputs are named with their attempts, so one that was made again is another input.
      inputIdentity: { number in inputs[number].map { $0.outputs.flatMap { $0 } } ?? [] })
    return context
  }

  /// The column types of each fragment that a remote source in the plan reads.
  private func remoteTypes(of node: PlanNode) -> [Int: [DataType]] {
    if case .remoteSource(let source) = node {
      let types = source.outputs.map(\.type)
      return Dictionary(uniqueKeysWithValues: source.fragments.map { ($0, types) })
    }
    return node.sources.reduce(into: [:]) { found, child in
      found.merge(remoteTypes(of: child)) { first, _ in first }
    }
  }
}

/// The directory that held a part of the attempt's output took no more of it.
private struct OutputRefused: Error {
  var error: WaterbearError
  var directory: String
}

extension TaskID {
  /// What random() follows from: the same in every attempt of the task, so that they give the same rows, and another in
  /// each task of each query.
  var randomSeed: UInt64 { Array(description.utf8).withUnsafeBytes { XXH64.hash($0) } }
}

extension AttemptID {
  /// `stage.task.attempt`, for the names of steps.
  fileprivate var place: String { "\(task.stage.number).\(task.partition).\(number)" }
}
