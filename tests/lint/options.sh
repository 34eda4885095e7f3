#!/usr/bin/env bash
# One set of options for each tool: what `TOOL -h` (and `TOOL VERB -h`) shows, what the man page documents, and what the bash, zsh and
# fish completions offer are the same, letters and long forms alike.
set -u
status=0
tools="$(sed -n 's/^O[A-Z]*LINE = //p' Makefile | tr '\n' ' ')smserver"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

page_of() { if [[ $1 == smserver ]]; then echo man/smserver.8; else echo "man/$1.1"; fi; }
# `-h` shows options as "  -o, --output FILE  text" and verbs as "  verb ...  text" in a block before them.
help_text() { "$SM_BIN/$1" "${@:2}" -h 2>/dev/null </dev/null; }
verbs_of() { help_text "$1" | sed -n 's/^  \([a-z][a-z]*\)\( .*\)\{0,1\}$/\1/p' | sort -u; }
from_help() {
	local v
	{
		help_text "$1"
		for v in $(verbs_of "$1"); do help_text "$1" "$v"; done
	} | sed -n 's/^ *\(-[A-Za-z0-9]\), \(--[a-z0-9-]*\).*/\1\n\2/p; s/^ *\(--[a-z0-9-]*\).*/\1/p'
}
# Every .Fl outside SYNOPSIS: an item of the list, or in the text on a verb.
from_man() {
	awk '
		/^\.Sh / { on = ($2 != "SYNOPSIS") }
		!on || !/^\.(It |Pq |Po )?(Fl|Nm Fl) / { next }
		{
			for (i = fl = 1; i <= NF; i++)
				if ($i == "Fl" || $i == ".Fl") fl = 2
				else if ($i ~ /^(Ar|Ns|Ic|Op|Oo|Oc|Pq|Nm|Cm)$/) fl = 1
				else if (fl == 2 && $i ~ /^-?[A-Za-z]/) print "-" $i
		}' "$(page_of "$1")"
}
# What a person sees after typing `TOOL -<TAB>`, also behind each verb.
from_bash() {
	local file=completions/bash/$1
	local -a verbs
	[[ -f $file ]] || return
	mapfile -t verbs < <(verbs_of "$1")
	# shellcheck disable=SC2016
	bash --norc -c '
		[[ ! -f /usr/share/bash-completion/bash_completion ]] || . /usr/share/bash-completion/bash_completion
		. "$1"; tool=$2; shift 2
		f=$(complete -p "$tool" | sed "s/.*-F \([^ ]*\).*/\1/")
		try() { local dash; for dash in - --; do COMP_WORDS=("$@" $dash); COMP_CWORD=$#; COMP_LINE="$* $dash"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
			"$f" "$tool" "$dash" "${@: -1}"; printf "%s\n" "${COMPREPLY[@]}"; done; }
		try "$tool"; for v; do try "$tool" "$v"; done' _ "$file" "$1" "${verbs[@]}" 2>/dev/null
}
# The specs of _arguments: quoted words that begin with an option, or with the options they exclude in parentheses.
from_zsh() {
	[[ -f completions/zsh/_$1 ]] || return
	grep -vE '^#|^[[:space:]]*(local|typeset|compadd|_describe|_values|_wanted) ' "completions/zsh/_$1" | sed -E 's/_arguments( +-[A-Za-z]+)*//; s/\[[^]]*\]//g' | grep -oE "(^|[^A-Za-z0-9_-])--?[A-Za-z][A-Za-z0-9-]*" | sed -E 's/^[^-]*//'
}
from_fish() {
	[[ -f completions/fish/$1.fish ]] || return
	grep -E '^[[:space:]]*complete ' "completions/fish/$1.fish" | sed -E "s/ -(d|a|n|-description) ('[^']*'|\"[^\"]*\")//g" |
		grep -oE ' -(s|l|-short-option|-long-option)[ =][A-Za-z0-9-]+' | sed -E 's/^ -(s|-short-option)[ =]/-/; s/^ -(l|-long-option)[ =]/--/'
}

options() {
	case $1 in
	man) from_man "$2" ;;
	bash) from_bash "$2" ;;
	zsh) from_zsh "$2" ;;
	fish) from_fish "$2" ;;
	esac
}

for tool in $tools; do
	if [[ ! -x $SM_BIN/$tool ]]; then
		echo "$SM_BIN/$tool: not built"
		status=1
		continue
	fi
	from_help "$tool" | sort -u >"$work/help"
	[[ -s $work/help ]] || { echo "$tool -h: shows no options"; status=1; }
	for source in man bash zsh fish; do
		options "$source" "$tool" 2>/dev/null | grep -E '^--?[A-Za-z0-9]' | sed 's/=$//' | sort -u >"$work/$source"
		missing=$(comm -23 "$work/help" "$work/$source" | tr '\n' ' ')
		extra=$(comm -13 "$work/help" "$work/$source" | tr '\n' ' ')
		[[ -z $missing ]] || echo "$tool: $source does not know $missing"
		[[ -z $extra ]] || echo "$tool: -h does not show, but $source has $extra"
		cmp -s "$work/help" "$work/$source" || status=1
	done
done
exit $status
