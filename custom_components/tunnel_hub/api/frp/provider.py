"""frp: which class an entry of each kind is of."""

from typing import ClassVar

from .frpc_provider import FrpcProvider
from .frps_provider import FrpsProvider
from .program import FrpProgram


class FrpProvider(FrpProgram):
    """A program of frp; which one, the kind of the entry tells."""

    kinds: ClassVar = {FrpsProvider.kind: FrpsProvider, FrpcProvider.kind: FrpcProvider}
