#define _GNU_SOURCE
#include "CPlatform.h"

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// Mapped descriptors are first copied up here, so that no target number can overwrite a source.
enum { first_free_descriptor = 64, mapped_descriptors_max = 16 };

int wb_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int wb_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int wb_pin_file(const char *path) { return open(path, O_PATH | O_CLOEXEC); }

int wb_file_system_identity(const char *path, uint64_t *identity) {
  struct statfs status;
  if (statfs(path, &status) != 0) return -1;
  const uint64_t in_memory = 0x01021994;
  uint64_t kind = (uint32_t)status.f_type;
  uint32_t number[2] = {0, 0};
  if (kind != in_memory) memcpy(number, &status.f_fsid, sizeof number);
  *identity = (kind << 32 ^ number[0]) ^ (uint64_t)number[1] << 32;
  return 0;
}

int wb_close_on_exec_from(int first) {
  if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return 0;
  // Kernels before 5.11 and sandboxes that do not know the call: one descriptor after the other.
  long limit = sysconf(_SC_OPEN_MAX);
  if (limit < 0 || limit > 65536) limit = 65536;
  for (int descriptor = first; descriptor < limit; descriptor++) {
    int flags = fcntl(descriptor, F_GETFD);
    if (flags >= 0) fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
  }
  return 0;
}

// Fills in what every child gets: default signal actions, an empty mask, its own process group.
static int set_child_attributes(posix_spawnattr_t *attributes) {
  sigset_t every, none;
  sigfillset(&every);
  sigemptyset(&none);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
  int result = posix_spawnattr_setflags(attributes, flags);
  if (result == 0) result = posix_spawnattr_setsigdefault(attributes, &every);
  if (result == 0) result = posix_spawnattr_setsigmask(attributes, &none);
  if (result == 0) result = posix_spawnattr_setpgroup(attributes, 0);
  return result;
}

int wb_spawn(const char *path, char *const arguments[], char *const environment[],
             const struct wb_descriptor_mapping *map, size_t map_count, pid_t *process) {
  if (map_count > mapped_descriptors_max) return EINVAL;
  wb_close_on_exec_from(3);

  posix_spawn_file_actions_t actions;
  int result = posix_spawn_file_actions_init(&actions);
  if (result != 0) return result;
  posix_spawnattr_t attributes;
  result = posix_spawnattr_init(&attributes);
  if (result != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return result;
  }

  int copies[mapped_descriptors_max];
  size_t copied = 0;
  for (; copied < map_count && result == 0; copied++) {
    copies[copied] = fcntl(map[copied].parent, F_DUPFD_CLOEXEC, first_free_descriptor);
    if (copies[copied] < 0) {
      result = errno;
      break;
    }
    result = posix_spawn_file_actions_adddup2(&actions, copies[copied], map[copied].child);
  }
  if (result == 0) result = set_child_attributes(&attributes);
  if (result == 0) result = posix_spawn(process, path, &actions, &attributes, arguments, environment);

  for (size_t i = 0; i < copied; i++) close(copies[i]);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return result;
}

int wb_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0U); }

int wb_signal_descriptor(const int *signals, size_t count) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
  int result = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (result != 0) {
    errno = result;
    return -1;
  }
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int wb_read_signal(int descriptor) {
  struct signalfd_siginfo info;
  ssize_t count = read(descriptor, &info, sizeof info);
  if (count == (ssize_t)sizeof info) return (int)info.ssi_signo;
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  return -1;
}

const char *wb_signal_name(int signal) { return sigabbrev_np(signal); }

int wb_ignore_signal(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0; }

int wb_ignores_signal(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int wb_peer_credentials(int socket, pid_t *process, uid_t *user, gid_t *group) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
  *process = credentials.pid;
  *user = credentials.uid;
  *group = credentials.gid;
  return 0;
}

int wb_try_lock_exclusive(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

int wb_terminal_size(int descriptor, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

void wb_return_free_memory(void) { malloc_trim(0); }

void wb_keep_freed_memory(int trim_bytes) {
  /* The largest threshold that glibc takes: half of an arena's heap. */
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, trim_bytes);
}

long wb_thread_waits(void) {
  struct rusage usage;
  /* Cannot fail for the calling thread. */
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}
