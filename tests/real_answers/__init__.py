"""Recorded answers of real servers, to test simulators and parsers.

`data/` contains the answers in the order of the requests, one JSON object a line. It is data only;
`load` reads it. If `shared/real-answers` exists beside the checkout, it is used instead, and a test
compares both.

To test a simulator, set up the state of the real server, and replay:

    replay = Replay(session, service.url, recordings, differences=DIFFERENCES)
    for recording in recordings:
        await replay.ask(recording, headers=...)
    replay.check()

`ask` sends the recorded request and compares both answers: status, content type, redirect, keys,
types (null is not an empty list), and the messages of errors. `check` fails for unexpected
differences, and for a listed `Difference` that no longer exists. Correct a difference in the
simulator, or list it with its reason.

Secrets are recorded as `<words>`. The values that the simulator returns in their place are sent in
later requests; `replay.secrets` contains them and can be filled before.

To test a client and its feeds, add recordings to the fixture `recorded`, a server that answers with
them, and compare the results with values written by hand. `check_field_types` gives each field of a
row every type that services have sent: the result must be correct or unknown.

`count_replayed` adds the number of recordings to the summary at the end of a run.
"""

from .comparison import Difference, Reply, assert_same_shape
from .counts import count_replayed
from .field_types import check_field_types
from .recordings import Recording, load
from .replay import Replay
from .server import RecordedServer

__all__ = [
    "Difference",
    "RecordedServer",
    "Recording",
    "Replay",
    "Reply",
    "assert_same_shape",
    "check_field_types",
    "count_replayed",
    "load",
]
