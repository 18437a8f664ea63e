// Owns what this process and its threads have used so far, as the kernel counts it.
import Base
import CPlatform
import Glibc

/// What this process has used so far.
public enum ProcessUsage {
  /// Nanoseconds of CPU time of the calling thread.
  public static func threadCPUNanoseconds() -> Int64 {
    var time = timespec()
    // Cannot fail for this clock.
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// How often the calling thread has waited for something, such as a disk or a network. Being made to wait for a
  /// processor does not count. Cost: one system call.
  public static func threadWaitCount() -> Int { wb_thread_waits() }

  /// Bytes of memory in use; 0 where /proc does not tell.
  public static func residentBytes() -> Int64 {
    guard let bytes = try? AtomicFile.read("/proc/self/statm", limit: 4096) else { return 0 }  // A figure for display.
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int64(fields[1]) else { return 0 }
    return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Gives memory that was freed back to the kernel, which malloc by itself does only at the top of its heap. Cost: a
  /// walk over the heap; for moments when there is nothing else to do.
  public static func returnFreeMemory() { wb_return_free_memory() }

  /// Makes malloc keep freed memory of up to half a gigabyte for what comes next, instead of asking the kernel for each
  /// large block anew, which zeroes every page of it. For processes that work in bursts and call `returnFreeMemory`
  /// between them; before the first large allocation.
  public static func keepFreedMemory() { wb_keep_freed_memory(512 << 20) }
}
