"""What the black-box tests stand on: the gateway as a process, the scripted upstream, clients.
SPDX-License-Identifier: MIT
"""
