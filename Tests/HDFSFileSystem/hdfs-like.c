// A file system for tests that allows only what HDFS allows, on top of an ordinary directory.
//
//   hdfs-like ROOT MOUNTPOINT CONFIG      runs in the foreground; ended by unmounting or SIGTERM
//   tools/hdfs-spool-test                 builds it and runs the end-to-end tests on it
//
// Its rules: a file is written once, from its start to its end, and can be opened for writing only when it is made. No
// truncation, no overwriting, no write elsewhere than at the end, no renaming onto something that is there, no hard or
// symbolic links, no locks, no preallocation, no shared writable memory maps. A file has length 0 until it was closed
// and for `visible_ms` more; listings show for `stale_ms` what was deleted and not yet what was made. Whoever breaks a
// rule gets an error and a line in CONFIG.violations.
//
// CONFIG has lines `name value`, read at the start and at SIGUSR1:
//   latency_ms, stale_ms, visible_ms    milliseconds
//   fail_write, fail_read, fail_close, fail_open, fail_create, fail_rename, fail_delete
//                                       every Nth such operation fails; 0: none
//   error                               the error number of those failures; 5 (EIO) if not given
//   hang                                1: no call returns until this is 0 again, as on a hard NFS mount whose server is
//                                       gone; like there, a process that is killed is let go
//
// It must not know Waterbear's formats or names.
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OP_WRITE, OP_READ, OP_CLOSE, OP_OPEN, OP_CREATE, OP_RENAME, OP_DELETE, OP_COUNT };
static const char *const op_names[OP_COUNT] = {"fail_write",  "fail_read",   "fail_close", "fail_open",
                                               "fail_create", "fail_rename", "fail_delete"};
static const char *root_path;
static const char *config_path;
static atomic_int latency_ms, stale_ms, visible_ms, hang, error_number = EIO;
static atomic_int fail_every[OP_COUNT];
static atomic_long op_count[OP_COUNT];

// Files whose length is not to be seen: open for writing, or closed a moment ago.
struct hidden {
  ino_t inode;
  int open;
  double visible_at;
  struct hidden *next;
};
// What listings do not show rightly yet.
struct change {
  char path[4096];
  int deleted;
  double until;
  struct change *next;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hidden *hidden_files;
static struct change *changes;

// A file open for writing; readers have none.
struct writer {
  int fd;
  ino_t inode;
  off_t end;
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void read_config(int signal) {
  (void)signal;
  FILE *file = fopen(config_path, "r");
  if (!file) return;
  atomic_store(&latency_ms, 0);
  atomic_store(&stale_ms, 0);
  atomic_store(&visible_ms, 0);
  atomic_store(&error_number, EIO);
  int hangs = 0;
  for (int op = 0; op < OP_COUNT; op++) atomic_store(&fail_every[op], 0);
  char name[64];
  int value;
  while (fscanf(file, "%63s %d", name, &value) == 2) {
    if (!strcmp(name, "latency_ms")) atomic_store(&latency_ms, value);
    if (!strcmp(name, "stale_ms")) atomic_store(&stale_ms, value);
    if (!strcmp(name, "visible_ms")) atomic_store(&visible_ms, value);
    if (!strcmp(name, "error")) atomic_store(&error_number, value);
    if (!strcmp(name, "hang")) hangs = value;
    for (int op = 0; op < OP_COUNT; op++)
      if (!strcmp(name, op_names[op])) atomic_store(&fail_every[op], value);
  }
  fclose(file);
  atomic_store(&hang, hangs);
}

static int violation(const char *rule, const char *path, int number) {
  char name[4200];
  snprintf(name, sizeof name, "%s.violations", config_path);
  FILE *file = fopen(name, "a");
  if (file) {
    fprintf(file, "%s: %s\n", rule, path);
    fclose(file);
  }
  return -number;
}

// Whether the thread that made the call is ending: it closes its files and cannot be interrupted any more.
static int is_exiting(pid_t thread) {
  char name[64], text[1024];
  snprintf(name, sizeof name, "/proc/%d/stat", thread);
  FILE *file = fopen(name, "r");
  if (!file) return 1;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  char *rest = strrchr(text, ')');
  unsigned flags = 0;
  // State, five numbers, flags; 4 is the kernel's PF_EXITING.
  return rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && flags & 4;
}

// The pause before every operation, and its failure if its turn has come.
static int begin(int op) {
  while (atomic_load(&hang)) {
    if (fuse_interrupted() || is_exiting(fuse_get_context()->pid)) return -EINTR;
    usleep(10000);
  }
  int pause = atomic_load(&latency_ms);
  if (pause > 0) usleep(pause * 1000);
  if (op < 0) return 0;
  int every = atomic_load(&fail_every[op]);
  if (every <= 0) return 0;
  return (atomic_fetch_add(&op_count[op], 1) + 1) % every == 0 ? -atomic_load(&error_number) : 0;
}

static void below_root(char *out, size_t size, const char *path) { snprintf(out, size, "%s%s", root_path, path); }
#define REAL(name, path)  \
  char name[4352];        \
  below_root(name, sizeof name, path)

static void note_change(const char *path, int deleted) {
  int pause = atomic_load(&stale_ms);
  if (pause <= 0) return;
  struct change *change = calloc(1, sizeof *change);
  snprintf(change->path, sizeof change->path, "%s", path);
  change->deleted = deleted;
  change->until = now() + pause / 1000.0;
  pthread_mutex_lock(&lock);
  change->next = changes;
  changes = change;
  pthread_mutex_unlock(&lock);
}

// Whether the file's length is still a secret. Forgets those whose time has come.
static int is_hidden(ino_t inode) {
  int found = 0;
  double time = now();
  pthread_mutex_lock(&lock);
  for (struct hidden **link = &hidden_files; *link;) {
    struct hidden *file = *link;
    if (!file->open && file->visible_at <= time) {
      *link = file->next;
      free(file);
      continue;
    }
    if (file->inode == inode) found = 1;
    link = &file->next;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static int fs_getattr(const char *path, struct stat *status, struct fuse_file_info *info) {
  (void)info;
  if (begin(-1)) return -EINTR;
  REAL(real, path);
  if (lstat(real, status) != 0) return -errno;
  if (S_ISREG(status->st_mode) && is_hidden(status->st_ino)) status->st_size = 0;
  return 0;
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *info, enum fuse_readdir_flags flags) {
  (void)offset, (void)info, (void)flags;
  if (begin(-1)) return -EINTR;
  REAL(real, path);
  DIR *directory = opendir(real);
  if (!directory) return -errno;
  const char *base = strcmp(path, "/") ? path : "";
  double time = now();
  pthread_mutex_lock(&lock);
  for (struct change **link = &changes; *link;) {
    struct change *change = *link;
    if (change->until > time) {
      link = &change->next;
      continue;
    }
    *link = change->next;
    free(change);
  }
  struct dirent *entry;
  while ((entry = readdir(directory))) {
    char full[4352];
    snprintf(full, sizeof full, "%s/%s", base, entry->d_name);
    int shown = 1;
    for (struct change *change = changes; change; change = change->next)
      if (!strcmp(change->path, full)) {
        shown = change->deleted;
        break;
      }
    if (shown) fill(buffer, entry->d_name, NULL, 0, 0);
  }
  closedir(directory);
  size_t length = strlen(base);
  for (struct change *change = changes; change; change = change->next) {
    char gone[4352];
    below_root(gone, sizeof gone, change->path);
    if (change->deleted && !strncmp(change->path, base, length) && change->path[length] == '/' &&
        !strchr(change->path + length + 1, '/') && access(gone, F_OK) != 0)
      fill(buffer, change->path + length + 1, NULL, 0, 0);
  }
  pthread_mutex_unlock(&lock);
  return 0;
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *info) {
  int failure = begin(OP_CREATE);
  if (failure) return failure;
  REAL(real, path);
  int fd = open(real, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (fd < 0) return errno == EEXIST ? violation("made again", path, EEXIST) : -errno;
  struct stat status;
  fstat(fd, &status);
  struct writer *writer = calloc(1, sizeof *writer);
  writer->fd = fd;
  writer->inode = status.st_ino;
  struct hidden *file = calloc(1, sizeof *file);
  file->inode = status.st_ino;
  file->open = 1;
  pthread_mutex_lock(&lock);
  file->next = hidden_files;
  hidden_files = file;
  pthread_mutex_unlock(&lock);
  note_change(path, 0);
  info->fh = (uint64_t)(uintptr_t)writer;
  // Keeps shared writable memory maps out.
  info->direct_io = 1;
  return 0;
}

static int fs_open(const char *path, struct fuse_file_info *info) {
  int failure = begin(OP_OPEN);
  if (failure) return failure;
  if ((info->flags & O_ACCMODE) != O_RDONLY || info->flags & O_TRUNC)
    return violation("opened for writing again", path, EPERM);
  REAL(real, path);
  int fd = open(real, O_RDONLY);
  if (fd < 0) return -errno;
  struct writer *reader = calloc(1, sizeof *reader);
  reader->fd = fd;
  reader->end = -1;
  info->fh = (uint64_t)(uintptr_t)reader;
  info->direct_io = 1;
  return 0;
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *info) {
  (void)path;
  int failure = begin(OP_READ);
  if (failure) return failure;
  int fd = ((struct writer *)(uintptr_t)info->fh)->fd;
  struct stat status;
  if (fstat(fd, &status) == 0 && is_hidden(status.st_ino)) return 0;
  ssize_t count = pread(fd, buffer, size, offset);
  return count < 0 ? -errno : (int)count;
}

static int fs_write(const char *path, const char *buffer, size_t size, off_t offset, struct fuse_file_info *info) {
  int failure = begin(OP_WRITE);
  if (failure) return failure;
  struct writer *writer = (struct writer *)(uintptr_t)info->fh;
  if (offset != writer->end) return violation("written elsewhere than at the end", path, EINVAL);
  ssize_t count = write(writer->fd, buffer, size);
  if (count < 0) return -errno;
  writer->end += count;
  return (int)count;
}

// Called by close(2), and waited for.
static int fs_flush(const char *path, struct fuse_file_info *info) {
  (void)path;
  if (((struct writer *)(uintptr_t)info->fh)->end < 0) return 0;
  return begin(OP_CLOSE);
}

// Called some time after close(2).
static int fs_release(const char *path, struct fuse_file_info *info) {
  (void)path;
  struct writer *writer = (struct writer *)(uintptr_t)info->fh;
  pthread_mutex_lock(&lock);
  for (struct hidden *file = hidden_files; file && writer->end >= 0; file = file->next)
    if (file->inode == writer->inode && file->open) {
      file->open = 0;
      file->visible_at = now() + atomic_load(&visible_ms) / 1000.0;
    }
  pthread_mutex_unlock(&lock);
  close(writer->fd);
  free(writer);
  return 0;
}

static int fs_rename(const char *from, const char *to, unsigned flags) {
  int failure = begin(OP_RENAME);
  if (failure) return failure;
  (void)flags;
  REAL(source, from);
  REAL(target, to);
  if (access(target, F_OK) == 0) return violation("renamed onto something", to, EEXIST);
  if (rename(source, target) != 0) return -errno;
  note_change(from, 1);
  note_change(to, 0);
  return 0;
}

static int fs_unlink(const char *path) {
  int failure = begin(OP_DELETE);
  if (failure) return failure;
  REAL(real, path);
  if (unlink(real) != 0) return -errno;
  note_change(path, 1);
  return 0;
}

static int fs_mkdir(const char *path, mode_t mode) {
  if (begin(-1)) return -EINTR;
  REAL(real, path);
  return mkdir(real, mode) == 0 ? 0 : -errno;
}

static int fs_rmdir(const char *path) {
  if (begin(-1)) return -EINTR;
  REAL(real, path);
  return rmdir(real) == 0 ? 0 : -errno;
}

static int fs_statfs(const char *path, struct statvfs *status) {
  if (begin(-1)) return -EINTR;
  REAL(real, path);
  return statvfs(real, status) == 0 ? 0 : -errno;
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *info) {
  (void)size, (void)info;
  return violation("truncated", path, EPERM);
}
static int fs_link(const char *from, const char *to) {
  (void)from;
  return violation("linked", to, EPERM);
}
static int fs_symlink(const char *from, const char *to) {
  (void)from;
  return violation("linked symbolically", to, EPERM);
}
static int fs_lock(const char *path, struct fuse_file_info *info, int command, struct flock *range) {
  (void)info, (void)command;
  // Every close takes back locks, whether there are any or not.
  if (range->l_type == F_UNLCK) return 0;
  return violation("locked", path, ENOTSUP);
}
static int fs_flock(const char *path, struct fuse_file_info *info, int operation) {
  (void)info, (void)operation;
  return violation("locked", path, ENOTSUP);
}
static int fs_fallocate(const char *path, int mode, off_t offset, off_t length, struct fuse_file_info *info) {
  (void)mode, (void)offset, (void)length, (void)info;
  return violation("preallocated", path, EOPNOTSUPP);
}
static int fs_chmod(const char *path, mode_t mode, struct fuse_file_info *info) {
  (void)info;
  REAL(real, path);
  return chmod(real, mode) == 0 ? 0 : -errno;
}

static void *fs_init(struct fuse_conn_info *connection, struct fuse_config *config) {
  (void)connection;
  // Nothing is remembered, so that every look is a look at the rules; inode numbers are those below.
  config->attr_timeout = 0;
  config->entry_timeout = 0;
  config->negative_timeout = 0;
  config->hard_remove = 1;
  struct sigaction action = {.sa_handler = read_config, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  return NULL;
}

static const struct fuse_operations operations = {
    .init = fs_init,         .getattr = fs_getattr, .readdir = fs_readdir,   .create = fs_create,
    .open = fs_open,         .read = fs_read,       .write = fs_write,       .flush = fs_flush,
    .release = fs_release,   .rename = fs_rename,   .unlink = fs_unlink,     .mkdir = fs_mkdir,
    .rmdir = fs_rmdir,       .statfs = fs_statfs,   .truncate = fs_truncate, .link = fs_link,
    .symlink = fs_symlink,   .lock = fs_lock,       .flock = fs_flock,       .fallocate = fs_fallocate,
    .chmod = fs_chmod,
};

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: %s ROOT MOUNTPOINT CONFIG\n", arguments[0]);
    return 2;
  }
  root_path = realpath(arguments[1], NULL);
  config_path = realpath(arguments[3], NULL);
  if (!root_path || !config_path) {
    perror("hdfs-like");
    return 1;
  }
  read_config(0);
  umask(0);
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 12)
  // Each call that hangs has a thread, and the word that it was interrupted needs one more.
  char *own[] = {arguments[0], "-f", "-o", "max_threads=1000", arguments[2], NULL};
#else
  char *own[] = {arguments[0], "-f", arguments[2], NULL};
#endif
  return fuse_main(sizeof own / sizeof *own - 1, own, &operations, NULL);
}
