// Owns threads with a name and a stack of a chosen size. Plans nest as deep as their SQL, and the default stack of a
// secondary thread is sized for shallower work.
import Base
import CPlatform
import Glibc

/// Threads with a name, which `ps -L` shows.
public enum NamedThread {
  /// Bytes of address space for a stack that recurses over plans; pages are used only as they are touched.
  public static let deepStackBytes = 256 << 20

  private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }

  /// Starts a detached thread. `name` is what `top -H` shows, of which the kernel keeps 15 bytes.
  public static func start(
    _ name: String, stackBytes: Int = deepStackBytes, body: @escaping @Sendable () -> Void
  ) throws {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // The new thread takes over this reference.
    let box = Unmanaged.passRetained(Body(name: name, run: body))
    var thread = pthread_t()
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        // pthread_create hands over the pointer it was given, which is never nil.
        let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
        wb_set_thread_name(body.name)
        body.run()
        return nil
      }, box.toOpaque())
    guard result == 0 else {
      box.release()
      throw SystemCall.failure("cannot start the thread \(name)", result)
    }
  }
}
