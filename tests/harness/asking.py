"""A client that asks on a connection of its own while the test goes on. SPDX-License-Identifier: MIT"""

import socket
import threading


class Asker(threading.Thread):
    def __init__(self, gateway, path, fields, body):
        super().__init__(daemon=True)
        self.reply = self.error = None
        self.connection = gateway.connect()
        self.connection.request("POST", path, fields, body)
        self.start()

    def run(self):
        try:
            self.reply = self.connection.read()
        except Exception as error:  # told by the test that asks for it
            self.error = error

    def leave(self, how="abort"):
        self.connection.sock.shutdown(socket.SHUT_RD)  # a close waits for whoever reads
        self.join(5)
        getattr(self.connection, how)()

    def heard(self):
        self.join(10)
        assert self.reply is not None, self.error
        return self.reply
