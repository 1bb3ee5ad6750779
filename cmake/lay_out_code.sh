#!/bin/sh
# lay_out_code.sh BOLT PROGRAM PROFILE: replaces the program by one whose code is laid out by the profile; what the linker
# made stays beside it as PROGRAM.linked, from which tools/profile counts anew. SPDX-License-Identifier: MIT
set -eu
bolt=$1 program=$2 profile=$3
log=$program.layout.log
mv "$program" "$program.linked"
if "$bolt" "$program.linked" -o "$program" -data="$profile" -infer-stale-profile \
    -reorder-blocks=ext-tsp -reorder-functions=cdsort -split-functions -split-all-cold -split-eh -icf=1 -plt=hot \
    -update-debug-sections >"$log" 2>&1; then
    exit 0
fi
echo "lay_out_code: llvm-bolt failed, so the program stays as the linker made it (see $log):" >&2
tail -n 1 "$log" >&2
cp "$program.linked" "$program"
