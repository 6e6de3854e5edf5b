"""Copies a safetensors checkpoint with the couplings of its dynamics made positive."""

import json
import struct
import sys

data = bytearray(open(sys.argv[1], "rb").read())
(length,) = struct.unpack_from("<Q", data)
header = json.loads(data[8 : 8 + length])
tensor = header["dynamics.K"]
assert tensor["dtype"] == "F32"
begin, end = (8 + length + offset for offset in tensor["data_offsets"])
values = struct.unpack_from(f"<{(end - begin) // 4}f", data, begin)
struct.pack_into(f"<{len(values)}f", data, begin, *map(abs, values))
open(sys.argv[2], "wb").write(data)
