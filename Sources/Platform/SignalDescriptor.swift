// Owns receiving signals as something to read instead of as an interruption. Knows nothing of what a signal asks for.
import Base
import CPlatform
import Glibc

/// Signals that arrive through a descriptor.
///
/// Make it on the main thread before any other thread starts: the signals are blocked in the calling thread, threads
/// inherit that, and a thread that has them unblocked would be interrupted by them.
public final class SignalDescriptor: Sendable {
  private let descriptor: OwnedDescriptor

  public init(_ signals: [Int32]) throws {
    let number = wb_signal_descriptor(signals, signals.count)
    guard number >= 0 else { throw SystemCall.failure("cannot receive signals", errno) }
    descriptor = OwnedDescriptor(adopting: number)
  }

  /// A descriptor that polls readable while a signal is pending.
  public var pollDescriptor: Int32 { descriptor.number }

  /// The next pending signal, nil where none is. Does not wait.
  public func next() -> Int32? {
    let number = wb_read_signal(descriptor.number)
    return number > 0 ? number : nil
  }
}
