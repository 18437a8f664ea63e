// Owns what the coordinator knows of one worker process.

import Base
import NIOCore
import Platform
import Transport
import Wire

/// A registered worker. Used on the coordinator's event loop only.
final class WorkerSession {
  let id: WorkerID
  let processID: Int32
  let slots: Int
  let memoryBytes: Int64
  let since = SystemClock.monotonic()
  /// Nil while it is disconnected.
  var connection: FrameConnection?
  /// Stages that this connection has been told about.
  var definedStages: Set<StageID> = []
  var running: Set<AttemptID> = []
  var residentBytes: Int64 = 0
  /// Bytes per second that each base directory took from it lately.
  var spoolRates: [String: Double] = [:]
  /// What its attempts hold, as of its last heartbeat.
  var held: [AttemptID: Int64] = [:]
  /// What attempts hold that were given up in a call that does not return, as of its last heartbeat.
  var stuckBytes: Int64 = 0
  var isDraining = false
  var isDrained = false

  init(id: WorkerID, processID: Int32, slots: Int, memoryBytes: Int64, connection: FrameConnection) {
    self.id = id
    self.processID = processID
    self.slots = slots
    self.memoryBytes = memoryBytes
    self.connection = connection
  }

  var detail: WorkerDetail {
    WorkerDetail(
      number: id.number, pid: processID,
      state: connection == nil ? "SILENT" : isDraining ? "DRAINING" : "ACTIVE", slots: slots,
      running: running.sorted().map(\.description), memoryBytes: memoryBytes, residentBytes: residentBytes,
      uptimeMicroseconds: (SystemClock.monotonic() - since).nanoseconds / 1000)
  }
}
