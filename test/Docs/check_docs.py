#!/usr/bin/env python3
"""Checks README.md and docs/**/*.md against the tree.

usage: check_docs.py [--update] ROOT

A fenced block that follows `<!-- quote: path#region -->` must equal that region of the file, which stands there between
a line that holds `[doc:region]` and the next that holds `[doc:end]`; without `#region` it must equal the whole file.
Common indentation is taken off. `--update` rewrites the blocks instead. Relative links must lead to a file.
"""

import os
import re
import sys
import textwrap

QUOTE = re.compile(r"<!-- quote: (?P<source>\S+?)(?:#(?P<region>\S+))? -->\n```(?P<language>\w*)\n(?P<text>.*?)^```$",
                   re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def region_of(root, source, region):
    """The quoted text, or None with the reason."""
    try:
        with open(os.path.join(root, source), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        return None, str(error.strerror).lower()
    if region:
        starts = [i for i, line in enumerate(lines) if f"[doc:{region}]" in line]
        if len(starts) != 1:
            return None, f"region '{region}' is marked {len(starts)} times"
        ends = [i for i, line in enumerate(lines) if i > starts[0] and "[doc:end]" in line]
        if not ends:
            return None, f"region '{region}' has no end"
        lines = lines[starts[0] + 1 : ends[0]]
    return textwrap.dedent("\n".join(lines)).strip("\n") + "\n", None


def check(root, page, update):
    """Returns the complaints about one page and the number of quotes and links that were checked."""
    path = os.path.join(root, page)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    complaints = []
    quotes = list(QUOTE.finditer(text))
    if len(quotes) != len(re.findall(r"^<!-- quote:", text, re.MULTILINE)):
        complaints.append(f"{page}: a quote is not followed by a fenced block")
    updated = text
    for quote in reversed(quotes):
        name = quote["source"] + (f"#{quote['region']}" if quote["region"] else "")
        wanted, reason = region_of(root, quote["source"], quote["region"])
        if wanted is None:
            complaints.append(f"{page}: cannot quote {name}: {reason}")
        elif quote["text"] != wanted:
            updated = updated[: quote.start("text")] + wanted + updated[quote.end("text") :]
            if not update:
                complaints.append(f"{page}: the quote of {name} differs from it")
    links = [link for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)) if ":" not in link]
    for link in links:
        if not os.path.exists(os.path.join(os.path.dirname(path), link)):
            complaints.append(f"{page}: link to {link} leads nowhere")
    if update and updated != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(updated)
    return complaints, len(quotes) + len(links)


def main(arguments):
    update = "--update" in arguments
    (root,) = [argument for argument in arguments if argument != "--update"]
    pages = ["README.md"]
    for folder, _, files in os.walk(os.path.join(root, "docs")):
        pages += [os.path.relpath(os.path.join(folder, name), root) for name in files if name.endswith(".md")]
    complaints, checked = [], 0
    for page in sorted(pages):
        found, number = check(root, page, update)
        complaints += found
        checked += number
    for complaint in complaints:
        print(f"error: {complaint}")
    print(f"{checked} quotes and links in {len(pages)} pages")
    return 1 if complaints or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
