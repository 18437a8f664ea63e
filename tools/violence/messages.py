"""Owns what can happen to messages: somebody stands between a socket's two sides who delays, cuts and swallows."""
import os
import select
import socket
import threading


class Meddler:
    """Takes the place of a listening Unix socket and passes on what is said, badly, until `stop`.

    Each connection has a fate: it is cut off after some bytes, mostly in the middle of a frame; it is delayed again
    and again; or nothing that comes is passed on for a while, and then it is cut off.
    """

    def __init__(self, path, random, budgets):
        self.path, self.behind, self.random = str(path), str(path) + ".away", random
        # After how many bytes a connection's fate comes; one of these for each.
        self.budgets = budgets
        self.over = threading.Event()
        # Connections that have been harmed.
        self.harmed = 0
        os.rename(self.path, self.behind)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.inode = os.stat(self.path).st_ino
        os.chmod(self.path, 0o600)
        self.listener.listen(64)
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        while not self.over.is_set():
            if not select.select([self.listener], [], [], 0.05)[0]:
                continue
            near = self.listener.accept()[0]
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                far.connect(self.behind)
            except OSError:
                near.close()
                continue
            fate = self.random.choice(["cut", "cut", "delay", "hang"])
            budget = self.random.choice(self.budgets)
            thread = threading.Thread(target=self.relay, args=(near, far, fate, budget), daemon=True)
            self.threads.append(thread)
            thread.start()

    def relay(self, near, far, fate, budget):
        other = {near: far, far: near}
        try:
            while not self.over.is_set():
                for side in select.select([near, far], [], [], 0.05)[0]:
                    data = side.recv(65536)
                    if not data:
                        return
                    budget -= len(data)
                    if budget < 0 and fate == "cut":
                        self.harmed += 1
                        other[side].sendall(data[:len(data) // 2])
                        return
                    if budget < 0 and fate == "hang":
                        self.harmed += 1
                        self.over.wait(1)
                        return
                    if fate == "delay":
                        self.harmed += 1
                        self.over.wait(self.random.uniform(0, 0.1))
                    other[side].sendall(data)
        except OSError:
            pass  # One side has ended.
        finally:
            near.close()
            far.close()

    def stop(self):
        """Gives the socket back, unless its owner has made another, and ends all that was passed on."""
        if os.stat(self.path).st_ino == self.inode:
            os.rename(self.behind, self.path)
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()
