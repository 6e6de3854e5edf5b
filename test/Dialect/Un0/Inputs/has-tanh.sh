#!/bin/sh
# Interesting to un0-reduce: the module still holds a tosa.tanh. It wants 1 for that.
grep -q tosa.tanh "$1" && exit 1
exit 0
