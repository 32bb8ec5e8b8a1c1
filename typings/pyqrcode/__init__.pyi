# What the simulator uses of PyQRCode, which has no annotations.

class QRCode:
    code: list[list[int]]

def create(content: str, *, error: str, encoding: str) -> QRCode: ...
