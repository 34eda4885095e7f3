#!/usr/bin/env bats
# A database of an earlier version goes on working.
load helper

# first_version: takes what came later out of the database again
first_version() {
	sqlite3 "$DATA/sm.db" <<-'SQL'
		DROP TABLE spk; DROP TABLE opk; DROP TABLE waiting; DROP TABLE dead; DROP TABLE grp; DROP TABLE roster; DROP TABLE member;
		ALTER TABLE account DROP COLUMN list; ALTER TABLE account DROP COLUMN version; ALTER TABLE account DROP COLUMN next;
		ALTER TABLE device DROP COLUMN opk_highest;
		PRAGMA user_version=1;
	SQL
}

@test "a database of version 1: accounts, sessions and messages are there, and devices can be added" {
	serve
	person alice bob
	envelope e alice 100 bob
	send 201 - alice e
	stop
	first_version
	serve
	call 200 - bob GET /api/v1/messages
	[ "$(json '.messages|length')" = 1 ]
	call 200 - alice GET /api/v1/devices
	[ "$(json -c '[.list,.version,.next,(.devices|map(.id))]')" = '[null,0,2,[1]]' ]
	call 200 - alice GET /api/v1/keys/count
	[ "$(json .highest)" = -1 ]
	second alice
	envelope e2 bob 100 alice alice=alice+2
	send 201 - bob e2
}

@test "a newer database is refused, with a line that says so" {
	serve
	stop
	sqlite3 "$DATA/sm.db" 'PRAGMA user_version=99'
	run -78 "$SERVER" --data "$DATA" --listen 127.0.0.1:0
	[[ $output == *"newer one's (version 99)"* ]]
}
