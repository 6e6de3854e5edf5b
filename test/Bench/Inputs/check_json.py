"""Checks the fields of un0-bench's JSON, and what must agree among them."""

import json
import sys

with open(sys.argv[1]) as file:
    root = json.load(file)
assert root["machine"]["cpu"] and root["machine"]["cpus"] >= 1
results = root["results"]
assert [(r["threads"], r["batch"]) for r in results] == [(1, 1), (1, 5), (2, 1), (2, 5)]
for r in results:
    assert r["model"] == "fashion_n1024" and r["precision"] == "f32"
    latency = r["latency_ms"]
    assert 0 < latency["min"] <= latency["median"] <= latency["max"]
    assert abs(r["images_per_second"] * latency["median"] / 1000 / r["batch"] - 1) < 1e-6
    assert r["oscillators"]["ms"] + r["decoder"]["ms"] <= latency["max"] * 1.01
    for part in ("oscillators", "decoder"):
        assert r[part]["gops"] > 0 and r[part]["roofline_fraction"] > 0
    assert r["oscillators"]["k_gb_per_s"] > 0
