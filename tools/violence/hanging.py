"""Owns a mounted file system that can be made to hang: the tests' own, of Tests/HDFSFileSystem."""
import os
import pathlib
import shlex
import signal
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "Tests/HDFSFileSystem/hdfs-like.c"


def obstacle():
    """Why it cannot be mounted here; None where it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse, or not for this account"
    if subprocess.run("pkg-config --exists fuse3 && cc --version", shell=True, capture_output=True).returncode:
        return "a C compiler, pkg-config and libfuse3-dev are needed"
    return None


class HangingMount:
    """A mount at `path`, with what it needs beside it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.root, self.config = self.path.with_name(self.path.name + "-root"), self.path.with_name("hdfs-like.config")
        program = self.path.with_name("hdfs-like")
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "fuse3"], check=True, capture_output=True, text=True)
        subprocess.run(["cc", "-O2", "-o", program, SOURCE, *shlex.split(flags.stdout)], check=True)
        self.root.mkdir()
        self.config.write_text("")
        self.server = subprocess.Popen([program, self.root, self.path, self.config])
        deadline = time.monotonic() + 10
        while not os.path.ismount(self.path):
            if self.server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{program} could not be mounted")
            time.sleep(0.01)

    def configure(self, lines):
        self.config.write_text(lines)
        self.server.send_signal(signal.SIGUSR1)
        time.sleep(0.05)

    def hang(self):
        self.configure("hang 1\n")

    def lift(self):
        self.configure("")

    def remove(self):
        self.lift()
        subprocess.run(["umount", "-l", self.path], check=False)
        self.server.terminate()
        self.server.wait()
