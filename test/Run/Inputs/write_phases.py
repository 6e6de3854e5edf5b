"""Writes a safetensors file of initial phases for two samples of a model with N = 1024 and M = 8, with one thing wrong."""

import argparse
import json
import struct

parser = argparse.ArgumentParser()
parser.add_argument("output")
parser.add_argument("--from", dest="source", help="copy theta0, phi0 (as f32) and labels of this file")
parser.add_argument("--drop", help="leave this tensor out")
parser.add_argument("--columns", type=int, default=1024)
parser.add_argument("--phi-rows", type=int, default=2)
parser.add_argument("--label", type=int, default=0)
parser.add_argument("--phase", type=float, default=0.5)
parser.add_argument("--dtype", default="F32", help="type that theta0 claims to have")
parser.add_argument("--cut", type=int, default=0, help="bytes missing at the end")
args = parser.parse_args()


def read(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    formats = {"F64": "d", "I64": "q"}
    for name in ("theta0", "phi0", "labels"):
        entry = header[name]
        begin, end = entry["data_offsets"]
        code = formats[entry["dtype"]]
        values = struct.unpack(f"<{(end - begin) // 8}{code}", data[begin:end])
        yield name, "I64" if code == "q" else "F32", entry["shape"], values


if args.source:
    tensors = list(read(args.source))
else:
    theta = [0.5] * (2 * args.columns)
    theta[0] = args.phase
    tensors = [
        ("theta0", args.dtype, [2, args.columns], theta),
        ("phi0", "F32", [args.phi_rows, 8], [0.25] * (8 * args.phi_rows)),
        ("labels", "I64", [2], [args.label] * 2),
    ]

header, data = {}, b""
for name, dtype, shape, values in tensors:
    if name == args.drop:
        continue
    piece = struct.pack(f"<{len(values)}{'q' if dtype == 'I64' else 'f'}", *values)
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(piece)]}
    data += piece
text = json.dumps(header).encode()
with open(args.output, "wb") as file:
    content = struct.pack("<Q", len(text)) + text + data
    file.write(content[: len(content) - args.cut])
