"""Whether JPEG and JPEG 2000 pixels are what the file around them says: decoders that trust it end the process.

Markers are those of JPEG (ITU-T T.81, B.2), JPEG-LS (T.87, C.2) and JPEG 2000 (T.800, A.5.1).
"""

from __future__ import annotations

import struct

_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"
# Codes that start a frame: SOF0 to SOF15 without those between them that define tables, and that of JPEG-LS.
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_CODING_STYLE, _START_OF_TILE = 0xFF52, 0xFF90
_MOST_TILES = 65535
_MOST_LEVELS = 32
_MOST_LAYERS = 1024  # the standard's 65535 would take gigabytes, and a handful is usual


def check_codestream(data: bytes, columns: int, rows: int, bits: int) -> None:
    """Refuse a codestream of another size or with more bits, or without a frame; anything else is let pass.

    Args:
        data: starts with a codestream, or with what is none.
        columns, rows: pixels.
        bits: most that each may have.

    Raises:
        ValueError, struct.error: it does not fit.
    """
    if data.startswith(_JPEG):
        precision, height, width, components = _jpeg_frame(data)
    elif data.startswith(_JPEG_2000):
        precision, height, width, components = _jpeg_2000_frame(data)
    else:
        return
    if (width, height, components) != (columns, rows, 1) or not 0 < precision <= bits:
        raise ValueError("the codestream is of another image")


def _jpeg_frame(data: bytes) -> tuple[int, int, int, int]:
    position = len(_JPEG)
    while True:
        marker, code, length = struct.unpack_from(">BBH", data, position)
        if marker != 0xFF or code == _START_OF_SCAN:
            raise ValueError("no frame before the scan")
        if code in _START_OF_FRAME:
            precision, height, width, components = struct.unpack_from(">BHHB", data, position + 4)
            return precision, height, width, components
        position += 2 + length


def _jpeg_2000_frame(data: bytes) -> tuple[int, int, int, int]:
    x, y, x0, y0, tile_x, tile_y, _, _, components, depth = struct.unpack_from(">8IHB", data, 8)
    if not (tile_x and tile_y) or -(-x // tile_x) * -(-y // tile_y) > _MOST_TILES:
        raise ValueError("tiles that cannot be")
    position = 2
    while True:
        code, length = struct.unpack_from(">HH", data, position)
        if code == _START_OF_TILE:
            return (depth & 0x7F) + 1, y - y0, x - x0, components
        if code == _CODING_STYLE:
            layers, _, levels, width, height = struct.unpack_from(">H4B", data, position + 6)
            # Code blocks of 4 to 1024 pixels a side and up to 4096 in all are written as 0 to 8, and 8 in sum.
            if not 0 < layers <= _MOST_LAYERS or levels > _MOST_LEVELS or width + height > 8:
                raise ValueError("a coding style that cannot be")
        position += 2 + length
