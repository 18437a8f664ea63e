"""Owns the private virtual environment with the peers, and the built programs. Knows nothing of queries."""
import json
import pathlib
import shutil
import subprocess
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# The versions that figures are compared with. Each is installed only where it is needed.
PINS = {"duckdb": "2.0.0", "pyarrow": "26.0.1", "pyspark": "4.3.0", "tpchgen-cli": "4.0.0"}


class Refusal(Exception):
    """What keeps the benchmark from running, in words for its user."""


class Peers:
    """Programs from PyPI below a directory of one's own."""

    def __init__(self, directory):
        self.directory = directory
        self.python = directory / "bin" / "python"

    def program(self, name):
        return self.directory / "bin" / name

    def install(self, names):
        """Brings the packages in the pinned versions; does nothing where they are there."""
        record = self.directory / "benchmark-pins.json"
        found = json.loads(record.read_text()) if record.exists() else {}
        missing = [name for name in names if found.get(name) != PINS[name]]
        if not missing:
            return
        if not self.python.exists():
            venv.create(self.directory, with_pip=True)
        wanted = [f"{name}=={PINS[name]}" for name in missing]
        print(f"installing {' '.join(wanted)} below {self.directory}", flush=True)
        done = subprocess.run([self.python, "-m", "pip", "install", "--quiet", *wanted],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise Refusal(f"pip could not install {' '.join(wanted)}:\n{done.stderr.strip()}")
        found.update({name: PINS[name] for name in missing})
        record.write_text(json.dumps(found))


def need_java():
    """Spark runs on Java, which is not on PyPI."""
    if shutil.which("java") is None:
        raise Refusal("Spark needs Java 17 or later, and there is no java in PATH; install one "
                      "(in Debian: openjdk-17-jre-headless) or leave Spark out: "
                      "--engines waterbear-task,waterbear-none,duckdb")


def build():
    """Builds the release; the directory of its programs."""
    subprocess.run([ROOT / "tools/install-dependencies"], check=True)
    command = ["swift", "build", "--configuration", "release"]
    for program in ["waterbeard", "waterbearctl"]:
        subprocess.run([*command, "--product", program], cwd=ROOT, check=True)
    shown = subprocess.run([*command, "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    return pathlib.Path(shown.stdout.strip())
