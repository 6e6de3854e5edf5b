#!/usr/bin/env python3
"""Checks that a sweep's errors rise with what is wrong with the hardware, and that a batch never costs more per picture."""

import csv
import sys


def main(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first, last = rows[0], rows[-1]
    assert all(row["failure"] == "" for row in rows), rows
    for row in rows:
        assert float(row["picojoules-batch-1"]) >= float(row["picojoules-batch-64"]) > 0, row
        assert 0 < float(row["feature-rms"]) < 2, row
    if "mismatch" in first:
        by = {(row["coupling-bits"], row["mismatch"]): float(row["feature-rms"]) for row in rows}
        assert by["6", "0"] < by["3", "0"], by
        assert by["6", "0"] < by["6", "0.1"], by
    else:
        assert float(first["feature-rms"]) < float(last["feature-rms"]), rows


if __name__ == "__main__":
    main(*sys.argv[1:])
