#!/usr/bin/env bash
# Every shell script, bats file and completion passes the checker of its language.
set -u
shopt -s nullglob
status=0
if ! command -v shellcheck >/dev/null; then
	echo "shellcheck is not installed"
	exit 77
fi
scripts=()
while IFS= read -r f; do
	[[ $(head -c 40 "$f" | head -n 1) =~ ^#!.*(bash|/sh) ]] && scripts+=("$f")
done < <(find . -path ./.git -prune -o -path './build*' -prune -o -type f -perm -u+x -print | sort)
shellcheck -f gcc -e SC1091 "${scripts[@]}" || status=1
# What is sourced sets variables for others.
mapfile -t sourced < <(find tests -name '*.bash' | sort)
shellcheck -f gcc -e SC1091,SC2034 "${sourced[@]}" || status=1
# bats files: what its own preprocessor makes valid shell. Tests run in subshells on purpose, `run` sets $status, $output, $lines; a file may be
# called env.
mapfile -t bats < <(find tests -name '*.bats' | sort)
[[ ${#bats[@]} -eq 0 ]] || shellcheck -f gcc -S warning -e SC1090,SC1091,SC2030,SC2031,SC2034,SC2154,SC2164,SC2238 "${bats[@]}" || status=1
for f in completions/bash/*; do shellcheck -f gcc -s bash -S warning -e SC2207,SC2034,SC2154 "$f" || status=1; done
if command -v zsh >/dev/null; then for f in completions/zsh/*; do zsh -n "$f" || status=1; done; fi
if command -v fish >/dev/null; then for f in completions/fish/*; do fish --no-execute "$f" || status=1; done; fi
exit $status
