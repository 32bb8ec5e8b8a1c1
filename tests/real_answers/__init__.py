"""Real servers' recorded answers: what the simulators and the parsers are measured against.

`data/` holds what real servers answered, one JSON object a line, in the order asked. It is data
only; `load` reads it. Where a checkout has `real-answers` in the folder `shared` beside it, that
is read instead, and a test compares the two.

To test a simulator, bring it to the situation in which the real server was asked, and replay:

    replay = Replay(session, service.url, recordings, differences=DIFFERENCES)
    for recording in recordings:
        await replay.ask(recording, headers=...)
    replay.check()

`ask` sends what was sent to the real server and compares both answers: status, content type,
redirect, keys, types (null is no empty list), and the words of refusals. `check` fails with all
that differs, and with a listed `Difference` that no longer is one. A difference is mended in
the simulator, or listed with its reason.

Secrets are recorded as `<words>`. What the simulator answers in their place is remembered, and sent
in their place afterwards; `replay.secrets` holds them, and can be filled before.

To test a client and its feeds, add recordings to the fixture `recorded`, a server that answers with
them, and compare what comes out with what was written down by hand. `check_readings` gives each
field of a row every type that services have been seen to send: what is read is right or unknown.

`count_replayed` makes the number of recordings part of the summary at the end of a run.
"""

from .comparison import Difference, Reply, assert_same_shape
from .counts import count_replayed
from .readings import check_readings
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
    "check_readings",
    "count_replayed",
    "load",
]
