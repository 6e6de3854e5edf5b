"""Times the Un-0 model in other frameworks beside modules of un0c. The entry is tools/bench-peers."""
