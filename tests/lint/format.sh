#!/usr/bin/env bash
# The C sources are as clang-format 14 writes them (.clang-format). Other versions of it differ in small things.
set -u
for tool in clang-format-14 clang-format; do
	version=$("$tool" --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
	[[ $version != 14 ]] || break
done
if [[ $version != 14 ]]; then
	echo "no clang-format 14 (found: ${version:-none})"
	exit 77
fi
find lib tools tests -name '*.[ch]' -print0 | sort -z | xargs -0 "$tool" --dry-run -Werror 2>&1 | grep -E 'error:' | sed 's/error: .*/not as clang-format writes it/' | sort -u -t: -k1,1 | { ! grep .; }
