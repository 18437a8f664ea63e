// Owns what the settings say about a worker: how much it does at a time, and how its attempts use the spool.

import Base
import Exchange
import Settings
import Wiring

/// The settings of a worker itself.
struct WorkerPolicy: Sendable {
  /// `task.max-worker-threads`.
  let slots: Int
  /// `waterbear.worker-memory`, in bytes.
  let memoryBytes: Int64
  /// How often coordinator and supervisor are told that the worker lives.
  let signsOfLife: TimeSpan
  /// An eighth of the memory, for tables that tasks of one stage use one after the other.
  var buildBytes: Int { Int(memoryBytes / 8) }

  init(_ settings: Settings) {
    slots = settings[.taskMaxWorkerThreads]
    memoryBytes = settings[.workerMemory].bytes
    signsOfLife = Wiring.signsOfLife(settings)
  }
}

/// The settings of exchanged data that attempts obey.
struct ExchangePolicy: Sendable {
  /// `exchange.max-page-storage-size`, in bytes.
  var pageBytesMax: Int
  /// `exchange.sink-max-file-size`, in bytes.
  var fileBytesMax = Int.max
  /// `exchange.sink-buffer-pool-min-size`.
  var sinkPoolMinimum = 10
  /// `exchange.sink-buffers-per-partition`.
  var sinkBuffersPerPartition = 2
  /// `exchange.source-concurrent-readers`.
  var readers = 1
  /// `exchange.source-max-files-per-reader`.
  var filesPerReader = 1
  /// `exchange.source-handle-target-data-size`, in bytes.
  var bytesPerReader = 1 << 20
}

extension ExchangePolicy {
  /// Trino has no upper bounds; what is beyond these would only cost memory or threads.
  init(_ settings: Settings) {
    self.init(
      pageBytesMax: Int(settings[.exchangeMaxPageStorageSize].bytes),
      fileBytesMax: Int(settings[.exchangeSinkMaxFileSize].bytes),
      sinkPoolMinimum: min(4096, settings[.exchangeSinkBufferPoolMinSize]),
      sinkBuffersPerPartition: min(64, settings[.exchangeSinkBuffersPerPartition]),
      readers: min(256, settings[.exchangeSourceConcurrentReaders]),
      filesPerReader: min(10_000, settings[.exchangeSourceMaxFilesPerReader]),
      bytesPerReader: max(1, Int(settings[.exchangeSourceHandleTargetDataSize].bytes)))
  }
}

/// What all attempts of a worker use of the spool.
struct SpoolUse: Sendable {
  let policy: ExchangePolicy
  let readAhead: ReadAhead

  init(_ policy: ExchangePolicy) {
    self.policy = policy
    readAhead = ReadAhead(
      readers: policy.readers, filesPerReader: policy.filesPerReader, bytesPerReader: policy.bytesPerReader)
  }

  /// `memory`: the attempt's, in bytes.
  func options(codec: SpoolCodec, partitions: Int, memory: Int64) -> SpoolOptions {
    SpoolOptions(
      codec: codec, maxPageBytes: policy.pageBytesMax,
      bufferBytes: SpoolOptions.bufferBytes(
        partitions: partitions, poolMinimum: policy.sinkPoolMinimum,
        perPartition: policy.sinkBuffersPerPartition, memory: memory),
      maxFileBytes: policy.fileBytesMax)
  }
}
