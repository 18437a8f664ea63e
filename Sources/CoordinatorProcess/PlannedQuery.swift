// Owns what planning hands to the coordinator, and what of it the store keeps.

import Base
import ConnectorAPI
import Planning
import Scheduling
import Wire

/// A split of a stage: which scan it belongs to, and the encoded `Split`.
struct StageSplit: Codable, Sendable {
  var scan: Int
  var split: [UInt8]
  /// What it counts for when tasks are made: see `SplitWeights`.
  var bytes: Int64

  /// What the array's entry, the split's own array and its header take, about.
  static let overheadBytes: Int64 = 72
}

/// A query that is ready to be accepted.
struct PlannedQuery: Sendable {
  var description: QueryDescription
  var columns: [ResultColumn]
  /// Encoded `PlanFragment`s by stage number.
  var fragments: [[UInt8]]
  /// The same fragments, where they may change while the query runs.
  var adaptivePlan: AdaptivePlan?
  /// By stage number; empty for stages without scans.
  var splits: [[StageSplit]]
  var encryption: Bool
  var compressionCodec: String
  /// Nil for a query that only reads.
  var write: PlannedWrite?
}

/// The part of a planned query that a restarted coordinator needs besides fragments, splits and tasks.
struct StoredDescription: Codable, Sendable {
  var description: QueryDescription
  var columns: [ResultColumn]
  var encryption: Bool
  var compressionCodec: String
  var write: PlannedWrite?
  /// Nil in stores of earlier releases.
  var submission: Submission?
  /// Nil where the plan stays as it is.
  var adaptive: AdaptiveOptions?
}
