"""A minimal Uptime Kuma, for the comparison with its integration.

``python -m bench.uptime_kuma ROWS`` prints its address as the simulator does. Response times can be
changed as in the simulator.
"""

import json
import sys

from aiohttp import web

_LABELS = (
    'monitor_id="{id}",monitor_name="Monitor {id}",monitor_type="http",'
    'monitor_url="https://{id}.example.com",monitor_hostname="null",monitor_port="null"'
)
_METRICS = (
    "monitor_cert_days_remaining{{{labels}}} 60",
    "monitor_cert_is_valid{{{labels}}} 1",
    'monitor_uptime_ratio{{{labels},window="1d"}} 0.99',
    'monitor_uptime_ratio{{{labels},window="30d"}} 0.98',
    'monitor_uptime_ratio{{{labels},window="365d"}} 0.97',
    'monitor_response_time_seconds{{{labels},window="1d"}} 0.12',
    'monitor_response_time_seconds{{{labels},window="30d"}} 0.13',
    'monitor_response_time_seconds{{{labels},window="365d"}} 0.14',
    "monitor_response_time{{{labels}}} {response_time}",
    "monitor_status{{{labels}}} 1",
)
"""As Uptime Kuma 2 writes them."""


async def serve(monitors: dict[str, int]) -> web.Application:
    """Returns the server. monitors: response times by id."""

    async def _metrics(_: web.Request) -> web.Response:
        lines = ['app_version{version="2.0.0",major="2",minor="0",patch="0"} 2']
        lines += [
            metric.format(labels=_LABELS.format(id=id_), response_time=response_time)
            for metric in _METRICS
            for id_, response_time in monitors.items()
        ]
        return web.Response(text="\n".join([*lines, ""]))

    async def _read(_: web.Request) -> web.Response:
        return web.json_response({"monitors": monitors})

    async def _change(request: web.Request) -> web.Response:
        for place, value in (await request.json()).items():
            monitors[place.removeprefix("monitors.")] = value
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/_control/state", _read)
    app.router.add_patch("/_control/state", _change)
    return app


def _announce(words: str) -> None:
    """Prints the line that the benchmark waits for, from aiohttp's own message."""
    url = next(word for word in words.split() if word.startswith("http://"))
    print(json.dumps({"uptime_kuma": {"url": url}}), flush=True)


if __name__ == "__main__":
    rows = {f"{number}": 100 for number in range(1, int(sys.argv[1]) + 1)}
    web.run_app(serve(rows), host="127.0.0.1", port=0, print=_announce)
