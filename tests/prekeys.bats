# Prekeys at the server: kept full by whatever tool runs, and new ones by age. What the server hands out is tests/server/keys.bats' matter, what it
# means for a sender smsend_sessions.bats'.
load helper

db() { sqlite3 "$SERVER_DATA/sm.db" "$@"; }
# left NAME: one-time prekeys that the server has for its first device
left() { db "SELECT count(*) FROM opk JOIN device ON device.id = opk.device JOIN account ON account.id = device.account WHERE name = '$1'"; }
signed_id() { db "SELECT spk.id FROM spk JOIN device ON device.id = spk.device JOIN account ON account.id = device.account WHERE name = '$1'"; }
# drain NAME N: all but N are gone, as if handed out, and NAME's tools have not asked for long
drain() {
	db "DELETE FROM opk WHERE device = (SELECT device.id FROM device JOIN account ON account.id = device.account WHERE name = '$1')
		AND id NOT IN (SELECT id FROM opk WHERE device = (SELECT device.id FROM device JOIN account ON account.id = device.account WHERE name = '$1')
		ORDER BY id DESC LIMIT $2)"
	sqlite3 "$(home_of "$1")/data/sm.db" "UPDATE counter SET value = value - 86400 WHERE name = 'prekeys asked'"
}

@test "below twenty-five they are filled up to a hundred: by smsend, sminbox, smaccount status" {
	start_server
	sm_user alice
	sm_user bob
	[ "$(left bob)" -eq 100 ]
	drain bob 25
	as bob smaccount status >/dev/null
	[ "$(left bob)" -eq 25 ]
	drain bob 24
	as bob smaccount status >/dev/null
	[ "$(left bob)" -eq 100 ]
	drain bob 0
	as bob smsend alice <<<'x'
	[ "$(left bob)" -eq 100 ]
	drain bob 3
	as bob sminbox || [ $? -eq 1 ]
	[ "$(left bob)" -eq 100 ]
	# Not asked at every run: for six hours the server's word counts.
	db 'DELETE FROM opk'
	as bob smsend alice <<<'y'
	[ "$(left bob)" -eq 0 ]
	# Ids are never used again, and the new ones work.
	drain bob 0
	as bob smsend alice <<<'z'
	[ "$(db "SELECT min(id) FROM opk")" -ge 300 ]
	as alice smsend bob <<<'still'
	[ "$(as bob sminbox --json | jq -r .text)" = still ]
}

@test "a signed prekey of eight days gives way to a new one; what was begun with the old one still opens" {
	need faketime
	unsanitized
	local shim who
	shim=$(faketime -f +0 printenv LD_PRELOAD)
	smserver() { LD_PRELOAD=$shim FAKETIME=-8d exec "$SM_BIN/smserver" "$@"; }
	start_server
	for who in alice bob; do
		sm_home "$who"
		(umask 077 && sm_password "$who" >"$who.pw")
		as "$who" env LD_PRELOAD="$shim" FAKETIME=-8d smaccount register "$who@$SERVER_HOST" --password-file "$who.pw"
	done
	old=$(signed_id bob)
	as alice env LD_PRELOAD="$shim" FAKETIME=-8d smsend bob <<<'from before'
	unset -f smserver
	stop_server
	start_server '[messages]' 'retention = 30d'
	as bob smaccount status >/dev/null
	[ "$(signed_id bob)" -gt "$old" ]
	[ "$(as bob sminbox --json | jq -r .text)" = 'from before' ]
	# Once is enough.
	now=$(signed_id bob)
	as bob smaccount status >/dev/null
	[ "$(signed_id bob)" -eq "$now" ]
	# Somebody new begins with the new one.
	sm_user carol
	as carol smsend bob <<<'from now'
	[ "$(as bob sminbox --json | jq -rs '.[-1].text')" = 'from now' ]
}
