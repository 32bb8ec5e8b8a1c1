"""frp: selects the class for the kind of an entry."""

from typing import ClassVar

from .frpc_provider import FrpcProvider
from .frps_provider import FrpsProvider
from .program import FrpProgram


class FrpProvider(FrpProgram):
    """A program of frp. The kind of the entry selects which one."""

    kinds: ClassVar = {FrpsProvider.kind: FrpsProvider, FrpcProvider.kind: FrpcProvider}
