// Owns what tasks of one process build of broadcast inputs and share: a join's table, the keys for a scan. The waiting
// of one task for another's build is `SharedPlace`'s.

import Planning
import Synchronization

/// Something that is made of broadcast inputs and only read afterwards.
protocol SharedBuild: AnyObject, Sendable {
  var retainedBytes: Int { get }
}

extension JoinTable: SharedBuild {}

/// Tables of broadcast joins and keys for scans, kept for later tasks up to a number of bytes. One for each process;
/// used by any thread.
///
/// A task that uses a table is charged for it in full, so that its grant fits wherever it runs. Tables that no task
/// uses are charged to nobody: `capacityBytes` is to be set aside for them.
public final class SharedBuilds: Sendable {
  /// What a table was made of.
  struct Key: Hashable {
    /// The stage's name.
    var scope: String
    /// The join, by its place in the fragment; below 0 the keys for a scan.
    var node: Int
    /// The contents that it was built from.
    var inputs: [[UInt8]]
  }


  private struct State {
    var entries: [Key: SharedPlace] = [:]
    /// Keys of finished tables with their bytes, the one used longest ago first.
    var kept: [(key: Key, bytes: Int)] = []
  }

  private let capacityBytes: Int
  private let state = Mutex(State())

  /// Keeps tables of up to `capacityBytes` in all; 0 keeps none.
  public init(capacityBytes: Int) { self.capacityBytes = capacityBytes }

  /// Drops the tables of stages whose name starts with `prefix`, such as a query's. Tasks that use one go on.
  public func forget(scopesStartingWith prefix: String) {
    state.withLock { state in
      state.entries = state.entries.filter { !$0.key.scope.hasPrefix(prefix) }
      state.kept.removeAll { $0.key.scope.hasPrefix(prefix) }
    }
  }

  /// The build of `key`, made by `make` if there is none. A second caller waits for the first; if that one fails,
  /// the second makes it. `checkStop` is called every now and then by who waits, and ends that by throwing.
  func build<Build: SharedBuild>(
    _ key: Key, checkStop: @escaping () throws -> Void, make: () throws -> Build
  ) throws -> Build {
    let place = state.withLock { state in
      if let known = state.entries[key] { return known }
      let new = SharedPlace()
      state.entries[key] = new
      return new
    }
    let shared = try place.build(checkStop: checkStop, make: make)
    keep(key, bytes: shared.retainedBytes)
    guard let build = shared as? Build else {
      preconditionFailure("\(key.scope): node \(key.node) is a \(type(of: shared))")
    }
    return build
  }

  /// Notes that a table was used, and drops those used longest ago beyond the capacity.
  private func keep(_ key: Key, bytes: Int) {
    state.withLock { state in
      guard state.entries[key] != nil else { return }
      state.kept.removeAll { $0.key == key }
      state.kept.append((key, bytes))
      var total = state.kept.reduce(0) { $0 + $1.bytes }
      while total > capacityBytes, let oldest = state.kept.first {
        state.kept.removeFirst()
        state.entries[oldest.key] = nil
        total -= oldest.bytes
      }
    }
  }
}

/// How a task takes part in sharing.
public struct BuildSharing {
  public var builds: SharedBuilds
  /// The stage's name: the same for all tasks that run the same fragment of the same query.
  public var scope: String
  /// What tells the contents of a remote source from others, such as the names of the outputs to be read.
  public var inputIdentity: (_ fragment: Int) -> [UInt8]

  public init(builds: SharedBuilds, scope: String, inputIdentity: @escaping (_ fragment: Int) -> [UInt8]) {
    self.builds = builds
    self.scope = scope
    self.inputIdentity = inputIdentity
  }
}

/// What may be shared: a side that every task of the stage reads whole, through nothing that may differ between tasks.
enum SharableSide {
  /// The fragments that the side reads, all of them broadcast; nil where the side must be built by each task.
  static func fragments(of node: PlanNode, inputs: [FragmentInput]) -> [Int]? {
    switch node {
    case .remoteSource(let source):
      let isBroadcast = source.fragments.allSatisfy { fragment in
        inputs.contains { $0.fragment == fragment && $0.mode == .broadcast }
      }
      return isBroadcast ? source.fragments : nil
    case .filter(let filter):
      return filter.predicate.isDeterministic ? fragments(of: filter.source, inputs: inputs) : nil
    case .project(let project):
      let isDeterministic = project.assignments.allSatisfy(\.expression.isDeterministic)
      return isDeterministic ? fragments(of: project.source, inputs: inputs) : nil
    default: return nil
    }
  }
}
