#!/usr/bin/env python3
"""Checks that the sums of a report in JSON are those of its terms, to the digit, and prints what is in it."""

import json
import sys


def check_account(account):
    total = 0.0
    for component in account["components"]:
        assert component["part"] in ("dynamics", "decoder", "transfer", "control"), component
        assert component["basis"] in ("counted", "modelled", "measured"), component
        picojoules = 0.0
        for term in component["terms"]:
            assert term["what"] and term["constant"] and term["source"], term
            picojoules += term["count"] * term["picojoules_each"]
        assert picojoules == component["picojoules"], (picojoules, component["picojoules"])
        total += picojoules
    assert total == account["total_picojoules"], (total, account["total_picojoules"])
    assert account["seconds_per_image"] > 0, account


def check_report(report):
    check_account(report)
    assert report["batch"] == 1
    assert [account["batch"] for account in report["batches"]] == [1, 64]
    for account in report["batches"]:
        check_account(account)
    assert report["batches"][0]["components"] == report["components"]


def main(path):
    with open(path, encoding="utf-8") as file:
        root = json.load(file)
    if "targets" in root:
        for target in root["targets"]:
            check_report(target["report"])
            ratios = ", ".join(f"batch {ratio['batch']} {ratio['first_over_this']:.6g}" for ratio in target["ratio"])
            print(f"{target['name']}: {ratios}, image rms {target.get('image_rms_to_first', '-')}")
    else:
        check_report(root)
        for account in root["batches"]:
            parts = []
            for component in account["components"]:
                if component["part"] not in parts:
                    parts.append(component["part"])
            print(f"batch {account['batch']}: {', '.join(parts)}")
        measured = root.get("measured", "-")
        print("measured:", measured if isinstance(measured, str) else f"{measured['joules_per_image']} J")
    print("sums agree")


if __name__ == "__main__":
    main(*sys.argv[1:])
