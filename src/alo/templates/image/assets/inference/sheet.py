"""Draw pictures side by side as a PNG file, which needs no library.

In your own solution you would rather use Pillow or Matplotlib.
"""

import struct
import zlib

COLUMNS, ZOOM, GAP = 6, 5, 4  # ZOOM and GAP in pixels of the sheet
PAPER, MARK = 255, 128


def contact_sheet(pictures, is_marked):
    """The bytes of a grey PNG; a marked picture has a grey frame."""
    wide = max(picture["width"] for picture in pictures) * ZOOM + 2 * GAP
    high = max(picture["height"] for picture in pictures) * ZOOM + 2 * GAP
    rows = -(-len(pictures) // COLUMNS)
    sheet = [bytearray([PAPER]) * (COLUMNS * wide) for _ in range(rows * high)]
    for place, (picture, marked) in enumerate(zip(pictures, is_marked, strict=True)):
        row, column = divmod(place, COLUMNS)
        left = column * wide
        for y, line in enumerate(framed(picture, MARK if marked else PAPER)):
            sheet[row * high + y][left : left + len(line)] = line
    return png(sheet)


def framed(picture, shade):
    """The lines of a picture, enlarged, with a frame of one shade around it."""
    width = picture["width"]
    frame = bytes([shade]) * GAP
    edge = bytes([shade]) * (width * ZOOM + 2 * GAP)
    lines = []
    for start in range(0, len(picture["pixels"]), width):
        pixels = picture["pixels"][start : start + width]
        line = b"".join(bytes([round(pixel * 255)]) * ZOOM for pixel in pixels)
        lines += [frame + line + frame] * ZOOM
    return [edge] * GAP + lines + [edge] * GAP


def png(lines):
    """A grey picture of 8 bits a pixel, as the PNG specification has it."""
    head = struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines))
    parts = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )
