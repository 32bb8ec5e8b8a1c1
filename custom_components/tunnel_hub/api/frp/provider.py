"""frp: selects the class for the kind of an entry."""

from typing import ClassVar

from .base_provider import FrpProgram
from .frpc_provider import FrpcProvider
from .frps_provider import FrpsProvider


class FrpProvider(FrpProgram):
    """A program of frp. The kind of the entry selects which one."""

    kinds: ClassVar = {FrpsProvider.kind: FrpsProvider, FrpcProvider.kind: FrpcProvider}
