"""Prints the extents and the pixel format of a PNG file, from its header."""

import struct
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read(26)
assert data[:8] == b"\x89PNG\r\n\x1a\n"
width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
print(f"{width} x {height} {'RGB' if (depth, colour) == (8, 2) else (depth, colour)}")
