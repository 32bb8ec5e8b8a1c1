"""Runs one EasyTier node until its input ends; writes "ready" when it has a route to the other one.

usage: PYTHON mesh_node.py CONFIGURATION

It needs another Python than the tests: easytier-pyo3 has wheels for CPython 3.11 to 3.13 only.
"""

import json
import sys
import time

from easytier_pyo3 import Node  # type: ignore[import-not-found]  # Only that Python has it.

node = Node(json.loads(sys.argv[1]))
node.start()
if json.loads(sys.argv[1]).get("peer"):
    while not node.routes():
        time.sleep(0.05)
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.read()
node.stop()
