# Any number of shells and cron jobs on one profile: smsend and sminbox at once, both ways, beginning with sessions that both sides start
# at the same moment. Nothing is lost, nothing comes twice, nothing cannot be opened.
load helper

SENDERS=16
EACH=3
READERS=4

# NAME's sender number I to WHOM.
sender() {
	local k
	for ((k = 1; k <= EACH; k++)); do
		as "$1" smsend "$2" <<<"$1 $3.$k" 2>>"err.$1" || echo "$1 $3.$k: exit $?" >>failed
	done
}
reader() {
	local status
	until [[ -e sent.all ]]; do
		status=0
		as "$1" sminbox >/dev/null 2>>"err.$1" || status=$?
		[[ $status -le 1 ]] || echo "sminbox of $1: exit $status" >>failed
	done
}
expected() {
	local i k
	for ((i = 1; i <= SENDERS; i++)); do for ((k = 1; k <= EACH; k++)); do echo "$1 $i.$k"; done; done | sort
}
exactly_once() {
	as "$1" sminbox -a --json >got
	jq -e 'select(.text == null)' got && { echo "$1 has what cannot be opened"; return 1; }
	jq -j .text got | sort | diff - <(expected "$2")
}

@test "sixteen smsend and four sminbox on each of two profiles" {
	local i p senders=() readers=()
	start_server
	sm_user alice
	sm_user bob
	for ((i = 1; i <= SENDERS; i++)); do
		sender alice bob "$i" 3>&- &
		senders+=($!)
		sender bob alice "$i" 3>&- &
		senders+=($!)
	done
	for ((i = 1; i <= READERS; i++)); do
		reader alice 3>&- &
		readers+=($!)
		reader bob 3>&- &
		readers+=($!)
	done
	for p in "${senders[@]}"; do wait "$p"; done
	touch sent.all
	for p in "${readers[@]}"; do wait "$p"; done
	[ ! -e failed ] || { cat failed err.*; false; }
	exactly_once bob alice
	exactly_once alice bob
	# and the sessions are still good
	as alice smsend bob <<<last
	as bob smsend alice <<<last
	[ "$(as bob sminbox --json | tail -n 1 | jq -r .text)" = last ]
	[ "$(as alice sminbox --json | tail -n 1 | jq -r .text)" = last ]
}
