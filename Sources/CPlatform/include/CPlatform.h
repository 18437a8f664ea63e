// Operating system calls that Swift cannot make by itself: variadic functions, macros and Linux extensions.
// Every function says in one line why it is C. No policy lives here.
//
// Unless said otherwise a function returns 0 (or a descriptor) on success and -1 with `errno` set on failure.
#ifndef WATERBEAR_CPLATFORM_H
#define WATERBEAR_CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Asks the kernel to send `signal` to this process when its parent dies; C because prctl(2) is variadic.
int wb_set_parent_death_signal(int signal);

/// Sets the calling thread's short name (`ps -o comm`, 15 bytes at most); C because prctl(2) is variadic.
int wb_set_thread_name(const char *name);

/// A descriptor of the caller and the number under which a spawned process finds it.
struct wb_descriptor_mapping {
  int parent;
  int child;
};

/// Starts `path` with exactly the mapped descriptors, default signal actions, no blocked signal and a process group
/// of its own. Every other descriptor from 3 up is marked close-on-exec first.
/// C because the posix_spawn attribute objects must not move and sigset_t is filled by macros.
/// Returns 0 and stores the process id, or an errno value; `errno` itself is left undefined.
int wb_spawn(const char *path, char *const arguments[], char *const environment[],
             const struct wb_descriptor_mapping *map, size_t map_count, pid_t *process);

/// Pins a file without opening it for reading, close-on-exec; C because O_PATH is a Linux extension.
int wb_pin_file(const char *path);

/// Marks every descriptor from `first` up as close-on-exec; C because CLOSE_RANGE_CLOEXEC is a Linux extension.
int wb_close_on_exec_from(int first);

/// A descriptor that polls readable once `process` has ended; C because pidfd_open is a raw system call.
int wb_pidfd_open(pid_t process);

/// Blocks the given signals in this thread and returns a non-blocking descriptor from which they are read;
/// C because signalfd(2) is Linux only and sigset_t is filled by macros.
int wb_signal_descriptor(const int *signals, size_t count);

/// Reads one pending signal number from a wb_signal_descriptor, 0 where none is pending;
/// C because struct signalfd_siginfo is Linux only.
int wb_read_signal(int descriptor);

/// A signal's name without SIG, such as KILL, NULL where it has none; C because sigabbrev_np is a GNU extension.
const char *wb_signal_name(int signal);

/// Ignores `signal` in this process; C because SIG_IGN is a cast macro.
int wb_ignore_signal(int signal);

/// Whether the process ignores the signal, as its starter may have asked; C because SIG_IGN is a cast.
int wb_ignores_signal(int signal);

/// The process at the other end of a Unix stream socket; C because struct ucred is hidden behind _GNU_SOURCE.
int wb_peer_credentials(int socket, pid_t *process, uid_t *user, gid_t *group);

/// A number for the file system that `path` lies on, which is the same after a restart of the machine where the file
/// system has such a number; of one in memory only its kind. C because statfs(2) is Linux only.
int wb_file_system_identity(const char *path, uint64_t *identity);

/// Takes an exclusive flock(2) without waiting; C because Swift imports the name `flock` as the struct.
int wb_try_lock_exclusive(int descriptor);

/// The size of the terminal behind `descriptor`; C because ioctl(2) is variadic.
int wb_terminal_size(int descriptor, int *columns, int *rows);

/// Gives freed memory back to the kernel; C because <malloc.h> is not in Swift's Glibc module.
void wb_return_free_memory(void);

/// Makes malloc keep up to this many freed bytes at the top of its heap; C for the same reason.
void wb_keep_freed_memory(int trim_bytes);

/// How often the calling thread gave up the processor to wait for something; C because RUSAGE_THREAD is a GNU name.
long wb_thread_waits(void);

#endif
