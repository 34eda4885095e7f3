# Takes the EXAMPLES out of a man page, or the blocks of shell out of README.md, and runs them. Each literal display (.Bd -literal ... .Ed, or
# .Dl) is one script for bash, run with -e, -u and pipefail. A comment line before it says where:
#   .\" example: new     a home of its own, one for all such displays of a page (the default)
#   .\" example: alice   at home at a server with alice, bob, carol and ops; where the text names people or online tools, this is the default
#   .\" example: bob     the same, as bob
#   .\" example: verify  as alice, with bob's safety number in place of the one that is printed
#   .\" example: serve   as new, but it is a server: it only has to get ready (on a free port in place of 8600), and is then ended
#   .\" example: not     not run: what it shows needs a machine of its own
# In README.md a block is run only if <!-- example: KIND --> stands before it; there is also
#   opening              as alice, with a group admins, src, plan.txt and team.txt; lines that follow the inbox for ever are left out

# Writes N.KIND for each display of the page $1 into the folder $2.
examples_extract() {
	awk -v dir="$2" '
		/^\.Sh / { on = ($2 == "EXAMPLES"); next }
		!on { next }
		/^\.\\" example: / { kind = $3; next }
		/^\.Bd / { literal = 1; text = ""; next }
		/^\.Ed/ { literal = 0; emit(); next }
		literal { text = text plain($0) "\n"; next }
		/^\.Dl / { sub(/^\.Dl /, ""); text = plain($0) "\n"; emit() }
		function plain(s) {
			gsub(/\\\(aq|\\[(]aq/, "\047", s); gsub(/\\\(dq|\\[(]dq/, "\"", s); gsub(/\\&/, "", s); gsub(/\\-/, "-", s); gsub(/\\e/, "\\", s)
			gsub(/\\\(ti/, "~", s); gsub(/\\\(ha/, "^", s); gsub(/\\\(ga/, "`", s)
			return s
		}
		function emit(    file) {
			if (kind == "")
				kind = text ~ /(^|[^a-z])(alice|bob|carol|ops|smsend|sminbox|smaccount|smcontact|smgroup)([^a-z]|$)/ ? "alice" : "new"
			file = sprintf("%s/%02d.%s", dir, ++n, kind)
			printf "%s", text >file
			close(file)
			kind = ""
		}' "$1"
}

examples_extract_markdown() {
	awk -v dir="$2" '
		/^<!-- example: / { kind = $3; next }
		/^```sh$/ { on = 1; text = ""; next }
		/^```$/ && on {
			file = sprintf("%s/%02d.%s", dir, ++n, kind == "" ? "not" : kind)
			printf "%s", text >file
			close(file)
			on = 0
			kind = ""
		}
		on && !(kind == "opening" && /^sminbox -f/) { text = text $0 "\n" }' "$1"
}

# Runs them in order; the first that fails is shown.
examples_run() {
	local page=$1 dir=$BATS_TEST_TMPDIR/examples file kind home
	mkdir "$dir"
	case $page in
	*.md) examples_extract_markdown "$SM_TOP/$page" "$dir" ;;
	*) examples_extract "$SM_TOP/man/$page" "$dir" ;;
	esac
	[[ -n $(ls "$dir") ]] || { echo "no examples in $page"; return 1; }
	for file in "$dir"/*; do
		kind=${file##*.}
		case $kind in
		not) continue ;;
		serve)
			examples_serve "$file" || return
			continue
			;;
		new)
			home=$BATS_TEST_TMPDIR/new
			private_dir "$home"
			;;
		*)
			examples_people
			home=$(home_of alice)
			case $kind in
			opening) examples_opening "$home" ;;
			verify) examples_digits "$file" ;;
			*) home=$(home_of "$kind") ;;
			esac
			;;
		esac
		mkdir -p "$home/work"
		if ! (cd "$home/work" && SM_HOME=$home timeout 120 bash -euo pipefail "$file" </dev/null 3>&-) >"$dir.out" 2>&1; then
			echo "$page, example $(basename "$file"):"
			sed 's/^/    /' "$file"
			cat "$dir.out"
			return 1
		fi
	done
}

examples_serve() {
	local line='' fifo=$BATS_TEST_TMPDIR/serve.ready
	mkfifo "$fifo"
	sed -i 's/:8600/:0/' "$1"
	(cd "$TMPDIR" && exec setsid bash -euo pipefail "$1" </dev/null >"$fifo" 3>&-) &
	SERVER_PID=$!
	read -r -t 30 line <"$fifo" || true
	kill -TERM -- "-$SERVER_PID"
	wait "$SERVER_PID" || true
	SERVER_PID=
	[[ $line == "smserver ready on "* ]]
}

examples_people() {
	[[ -z ${SERVER_PID:-} ]] || return 0
	start_server
	sm_user alice
	sm_user bob
	sm_user carol
	sm_user ops
	echo hello | as alice smsend -s greeting bob
	echo hello | as bob smsend -s greeting alice
}

examples_opening() {
	mkdir -p "$1/work/src"
	echo 1 >"$1/work/src/a"
	echo "the plan" >"$1/work/plan.txt"
	as bob smkeygen -y >"$1/work/team.txt"
	as alice smgroup create admins bob
}

# Twelve groups of five digits in $1, which a backslash may part, become the ones that bob sees.
examples_digits() {
	local digits
	digits=$(as bob smcontact verify alice)
	sed -i -zE "s/([0-9]{5}[[:space:]\\\\]+){11}[0-9]{5}/$digits/" "$1"
	grep -qF "$digits" "$1"
}
