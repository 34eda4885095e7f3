# Takes the EXAMPLES out of a man page and runs them. Each literal display (.Bd -literal ... .Ed, or .Dl) is one script for bash, run with
# -e, -u and pipefail. A comment line before it says where:
#   .\" example: new     a home of its own, one for all such displays of a page (the default)
#   .\" example: alice   at home at a server with alice, bob and ops; where the text names people or online tools, this is the default
#   .\" example: bob     the same, as bob
#   .\" example: serve   as new, but it is a server: it only has to get ready (on a free port in place of 8600), and is then ended
#   .\" example: not     not run: what it shows needs a machine of its own

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
				kind = text ~ /(^|[^a-z])(alice|bob|ops|smsend|sminbox|smaccount|smcontact)([^a-z]|$)/ ? "alice" : "new"
			file = sprintf("%s/%02d.%s", dir, ++n, kind)
			printf "%s", text >file
			close(file)
			kind = ""
		}' "$1"
}

# Runs them in order; the first that fails is shown.
examples_run() {
	local page=$1 dir=$BATS_TEST_TMPDIR/examples file kind home
	mkdir "$dir"
	examples_extract "$SM_TOP/man/$page" "$dir"
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
			home=$(home_of "$kind")
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
	sm_user ops
	echo hello | as alice smsend -s greeting bob
	echo hello | as bob smsend -s greeting alice
}
