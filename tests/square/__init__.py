"""The square: every official SDK as client of the gateway, in front of every vendor's dialect. What is asked and heard is
said once (talk.py), each SDK spells it (clients/), each vendor is a row (vendors.py), a cell is a function (cells.py), and
what the run found is the page (page.py). SPDX-License-Identifier: MIT
"""
