#!/usr/bin/env bash
# A source file over 600 lines is two files.
set -u
find lib tools -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 600 { print $2 ":601: " $1 " lines"; bad = 1 } END { exit bad }'
