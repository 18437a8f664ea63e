// Owns how a worker's attempts use the spool, as the settings want it.

import Exchange
import Settings

/// The settings of exchanged data that attempts obey.
struct SpoolUse: Sendable {
  let pageBytesMax: Int
  let fileBytesMax: Int
  let sinkPoolMinimum: Int
  let sinkBuffersPerPartition: Int
  let readAhead: ReadAhead

  init(_ settings: Settings) {
    pageBytesMax = Int(settings[.exchangeMaxPageStorageSize].bytes)
    fileBytesMax = Int(settings[.exchangeSinkMaxFileSize].bytes)
    sinkPoolMinimum = settings[.exchangeSinkBufferPoolMinSize]
    sinkBuffersPerPartition = settings[.exchangeSinkBuffersPerPartition]
    readAhead = ReadAhead(
      readers: settings[.exchangeSourceConcurrentReaders],
      filesPerReader: settings[.exchangeSourceMaxFilesPerReader],
      bytesPerReader: Int(settings[.exchangeSourceHandleTargetDataSize].bytes))
  }

  /// For tests, without settings.
  init(pageBytesMax: Int, readAhead: ReadAhead) {
    self.pageBytesMax = pageBytesMax
    fileBytesMax = .max
    sinkPoolMinimum = 10
    sinkBuffersPerPartition = 2
    self.readAhead = readAhead
  }

  /// `memory`: the attempt's, in bytes.
  func options(codec: SpoolCodec, partitions: Int, memory: Int64) -> SpoolOptions {
    SpoolOptions(
      codec: codec, maxPageBytes: pageBytesMax,
      bufferBytes: SpoolOptions.bufferBytes(
        partitions: partitions, poolMinimum: sinkPoolMinimum, perPartition: sinkBuffersPerPartition,
        memory: memory),
      maxFileBytes: fileBytesMax)
  }
}
