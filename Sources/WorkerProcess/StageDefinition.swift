// Owns what a worker keeps of a stage: all that its attempts have in common.

import Base
import Exchange
import Planning
import Sealing
import Synchronization
import Wire

/// A stage that the coordinator has defined. The fragment is decoded once, by the first attempt that needs it: decoding
/// recurses over the plan and belongs on a thread with a deep stack.
final class StageDefinition: Sendable {
  let stage: StageID
  let key: SealingKey?
  let codec: SpoolCodec
  private let encoded: [UInt8]
  private let decoded = Mutex<PlanFragment?>(nil)

  init(_ message: DefineStage) throws {
    stage = message.stage
    encoded = message.fragment
    key = try message.key.map { try SealingKey(bytes: $0) }
    codec = switch message.compressionCodec {
    case "NONE": .none
    case "ZSTD": .zstd
    default: .lz4
    }
  }

  func fragment() throws -> PlanFragment {
    try decoded.withLock { fragment in
      if let fragment { return fragment }
      let made = try BinaryDecoder.decode(PlanFragment.self, from: encoded)
      fragment = made
      return made
    }
  }
}
