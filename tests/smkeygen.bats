# smkeygen(1): making, showing, protecting and unlocking identities, and every way in which that fails.
load helper

secret_file() { (umask 077 && printf '%s\n' "$2" >"$1"); }
# A protected identity k under the passphrase "old", in a file pass.
protected() {
	secret_file pass old
	smkeygen -o k -C kay --passphrase-file pass >k.line
}
mode() { stat -c %a "$1"; }

@test "makes the profile's identity and prints its public line" {
	run --separate-stderr smkeygen -N -C 'alice of ops'
	[ "$status" -eq 0 ]
	[[ $output =~ ^sm1[02-9ac-hj-np-z]{58}' alice of ops'$ ]]
	[ "$stderr" = '' ]
	[ "$(mode "$SM_HOME/config/identity")" = 600 ]
	[ "$(mode "$SM_HOME/config")" = 700 ]
	[ "$(cat "$SM_HOME/config/identity.pub")" = "$output" ]
	[ "$(smkeygen -y)" = "$output" ]
	grep -q '^SM-SECRET-KEY-1' "$SM_HOME/config/identity"
}

@test "two identities differ, and profiles have their own" {
	smkeygen -N
	smkeygen -N --profile work
	[ "$(smkeygen -y)" != "$(smkeygen -y --profile work)" ]
	[ -f "$SM_HOME/config/profiles/work/identity" ]
	run ! smkeygen -y --profile other
	[[ $output == *"profiles/other/identity': make one with smkeygen" ]]
}

@test "the default comment is user@host, and none can be had" {
	[[ $(smkeygen -N) =~ ^sm1[a-z0-9]+' '[!-~]+@[!-~]+$ ]]
	[[ $(smkeygen -N -o k -C '') =~ ^sm1[a-z0-9]+$ ]]
	[[ $(smkeygen -l k) =~ ^SHA256:[A-Za-z0-9+/]{43}$ ]]
}

@test "an existing file is never overwritten: 73" {
	smkeygen -N
	before=$(cat "$SM_HOME/config/identity")
	run --separate-stderr smkeygen -N
	[ "$status" -eq 73 ]
	[ "$stderr" = "smkeygen: '$SM_HOME/config/identity' exists: not overwriting it" ]
	[ "$(cat "$SM_HOME/config/identity")" = "$before" ]
	echo mine >k.pub
	run smkeygen -N -o k
	[ "$status" -eq 73 ]
	[ ! -e k ]
	[ "$(cat k.pub)" = mine ]
}

@test "of many at once exactly one makes the identity" {
	for i in 1 2 3 4 5 6 7 8; do smkeygen -N >"out$i" 2>"err$i" && echo "$i" >>winners & done
	wait
	[ "$(wc -l <winners)" -eq 1 ]
	[ "$(cat "out$(cat winners)")" = "$(smkeygen -y)" ]
}

@test "a passphrase protects the file, and opens it again" {
	protected
	[ "$(head -n 1 k)" = '-----BEGIN SM ENVELOPE-----' ]
	run ! grep -q SECRET k
	[ "$(mode k)" = 600 ]
	[ "$(smkeygen -y k)" = "$(cat k.line)" ]
	rm k.pub
	[ "$(smkeygen -y k --passphrase-file pass)" = "$(cat k.line)" ]
	[ "$(smkeygen -y k --passphrase-fd 3 3<pass)" = "$(cat k.line)" ]
	[ "$(SM_PASSPHRASE_FILE=pass smkeygen -y k)" = "$(cat k.line)" ]
	mkdir cred && cp pass cred/sm-passphrase
	[ "$(CREDENTIALS_DIRECTORY=$PWD/cred smkeygen -y k)" = "$(cat k.line)" ]
	[ "$(smkeygen -y k --passphrase-file <(cat pass))" = "$(cat k.line)" ]
}

@test "a wrong passphrase: 77" {
	protected
	rm k.pub
	secret_file wrong new
	run smkeygen -l k --passphrase-file wrong
	[ "$status" -eq 77 ]
	[ "$output" = "smkeygen: wrong passphrase for 'k'" ]
}

@test "no terminal and no passphrase: 77, and what to do" {
	run notty smkeygen
	[ "$status" -eq 77 ]
	[ "$output" = 'smkeygen: no passphrase: there is no terminal to ask on; use -N or --passphrase-file' ]
	[ ! -e "$SM_HOME/config/identity" ]
	protected
	run notty smkeygen -p k
	[ "$status" -eq 77 ]
	run notty smkeygen -p k --passphrase-file pass
	[ "$status" -eq 77 ]
	[[ $output == *'use --new-passphrase-file, or -N for none' ]]
}

@test "an empty new passphrase is refused: 77" {
	secret_file empty ''
	run smkeygen --passphrase-file empty
	[ "$status" -eq 77 ]
	[ ! -e "$SM_HOME/config/identity" ]
}

@test "a passphrase file that others may read: 77" {
	protected
	chmod 640 pass
	run smkeygen -p -N k --passphrase-file pass
	[ "$status" -eq 77 ]
	[[ $output == *"'pass' may be read by others (mode 0640): chmod 600 it" ]]
}

@test "a passphrase file that is not there: 66" {
	run smkeygen --passphrase-file nowhere
	[ "$status" -eq 66 ]
	[[ $output == *"'nowhere': No such file or directory" ]]
}

@test "-l prints fingerprints, of secret and public files and of standard input" {
	smkeygen -N -C one -o a >a.line
	smkeygen -N -C two -o b >b.line
	fp=$(smkeygen -l a)
	[[ $fp =~ ^SHA256:[A-Za-z0-9+/]{43}' one'$ ]]
	[ "$(smkeygen -l a.pub)" = "$fp" ]
	[ "$(smkeygen -l -i a)" = "$fp" ]
	[ "$(smkeygen -l - <a.line)" = "$fp" ]
	{ echo '# team'; cat a.pub; echo; printf %s "$(cat b.pub)"; } >team
	[ "$(smkeygen -l team | wc -l)" -eq 2 ]
	[ "$(smkeygen -y team)" = "$(cat a.line b.line)" ]
}

@test "--json" {
	need jq
	smkeygen -N -C 'a "quoted" \ cömment'
	[ "$(smkeygen -y --json | jq -r .comment)" = 'a "quoted" \ cömment' ]
	[ "$(smkeygen -l --json | jq -r '"\(.v) \(.public) \(.fingerprint)"')" = \
		"1 $(smkeygen -y | cut -d' ' -f1) $(smkeygen -l | cut -d' ' -f1)" ]
}

@test "a public line is enough where the secret file is elsewhere" {
	smkeygen -N -o a >a.line
	rm a
	[ "$(smkeygen -y a)" = "$(cat a.line)" ]
}

@test "no such identity: 66" {
	run smkeygen -l
	[ "$status" -eq 66 ]
	[ "$output" = "smkeygen: no identity in '$SM_HOME/config/identity': make one with smkeygen" ]
	run smkeygen -l nowhere
	[ "$status" -eq 66 ]
	[ "$output" = "smkeygen: cannot open identity 'nowhere': No such file or directory" ]
}

@test "an identity or a directory that others may read: 77" {
	smkeygen -N
	chmod 644 "$SM_HOME/config/identity"
	run smkeygen -l
	[ "$status" -eq 77 ]
	[[ $output == *"may be read by others (mode 0644): chmod 600 it" ]]
	chmod 600 "$SM_HOME/config/identity"
	chmod 750 "$SM_HOME/config"
	run smkeygen -l
	[ "$status" -eq 77 ]
	[[ $output == *"chmod 700 it" ]]
}

@test "what is no key file: 65" {
	protected
	echo hello >junk
	run smkeygen -l junk
	[ "$status" -eq 65 ]
	[ "$output" = "smkeygen: 'junk' line 1: malformed input" ]
	secret_file empty2 '# nothing'
	run smkeygen -l empty2
	[ "$status" -eq 65 ]
	secret_file bad 'SM-SECRET-KEY-1QQQQ'
	run smkeygen -l bad
	[ "$status" -eq 65 ]
	[ "$output" = "smkeygen: 'bad' is not a secret key file" ]
	rm k.pub
	(umask 077 && head -n 5 k >short)
	run smkeygen -l short --passphrase-file pass
	[ "$status" -eq 65 ]
	smkeygen -N -o plain
	(umask 077 && tr Q P <plain >changed)
	if ! cmp -s plain changed; then
		run smkeygen -l changed
		[ "$status" -eq 65 ]
	fi
	echo 'sm1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq' >zero
	run smkeygen -l zero
	[ "$status" -eq 65 ]
}

@test "a damaged secret key file of the RSA suite, and kinds of identity" {
	secret_file rsa '-----BEGIN PRIVATE KEY-----'
	run smkeygen -l rsa
	[ "$status" -eq 65 ]
	run smkeygen -N -t dsa
	[ "$status" -eq 64 ]
	smkeygen -N -t x25519
}

@test "-p changes the passphrase, and -N takes it away" {
	protected
	secret_file new2 new
	smkeygen -p k --passphrase-file pass --new-passphrase-file new2
	rm k.pub
	[ "$(smkeygen -y k --passphrase-file new2)" = "$(cat k.line)" ]
	run smkeygen -y k --passphrase-file pass
	[ "$status" -eq 77 ]
	before=$(cat k)
	run smkeygen -p -N k --passphrase-file pass
	[ "$status" -eq 77 ]
	[ "$(cat k)" = "$before" ]
	smkeygen -p -N -i k --passphrase-file new2
	[ "$(smkeygen -y k)" = "$(cat k.line)" ]
	[ "$(mode k)" = 600 ]
	created=$(grep created k)
	smkeygen -p k --new-passphrase-file pass
	smkeygen -p -N k --passphrase-file pass
	[ "$(grep created k)" = "$created" ]
}

@test "the passphrase of the environment is never the new one" {
	protected
	run env SM_PASSPHRASE_FILE=pass setsid -w smkeygen -p k
	[ "$status" -eq 77 ]
	[[ $output == *'there is no terminal to ask on'* ]]
}

@test "-o - writes the secret key alone, but to no terminal" {
	smkeygen -N -C x -o - >key 2>err
	[ ! -s err ] || grep -q 'file that everybody may read' err
	chmod 600 key
	[[ $(smkeygen -y key) == sm1*' x' ]]
	secret_file pass old
	smkeygen --passphrase-file pass -o - | head -n 1 | grep -qx -e '-----BEGIN SM ENVELOPE-----'
	[ ! -e ./- ]
	[ ! -e "$SM_HOME/config/identity" ]
}

@test "-o - into a file that everybody may read warns" {
	umask 022
	run bash -c 'smkeygen -N -o - 2>&1 >loose'
	[ "$status" -eq 0 ]
	[ "$output" = 'smkeygen: warning: writing a secret key to a file that everybody may read' ]
	run bash -c 'smkeygen -q -N -o - 2>&1 >loose2; umask 077; smkeygen -N -o - 2>&1 >tight'
	[ "$output" = '' ]
}

@test "a place that cannot be written: 73" {
	run smkeygen -N -o nowhere/k
	[ "$status" -eq 73 ]
	[ "$output" = "smkeygen: cannot write 'nowhere/k': No such file or directory" ]
	touch file
	run smkeygen -N -o file/k
	[ "$status" -eq 73 ]
	[[ $output == *'Not a directory' ]]
	SM_HOME=$PWD/file/home run smkeygen -N
	[ "$status" -eq 73 ]
	if [[ $(id -u) -ne 0 ]]; then
		mkdir -m 500 ro
		run smkeygen -N -o ro/k
		[ "$status" -eq 73 ]
		[[ $output == *'Permission denied' ]]
	fi
}

@test "neither SM_HOME nor HOME: 78; a wrong profile name: 65" {
	run env -u SM_HOME -u HOME smkeygen -N
	[ "$status" -eq 78 ]
	run smkeygen -N --profile ../x
	[ "$status" -eq 65 ]
	[ "$output" = "smkeygen: '../x' is not a profile name" ]
}

@test "standard output full, closed, or gone: 74" {
	run bash -c 'smkeygen -N -o k >/dev/full'
	[ "$status" -eq 74 ]
	[ "$output" = "smkeygen: the identity is in 'k', but its public line cannot be written: No space left on device" ]
	smkeygen -y k
	run bash -c 'smkeygen -l k >&-'
	[ "$status" -eq 74 ]
	[ "$output" = 'smkeygen: cannot write to standard output: Bad file descriptor' ]
	run bash -c 'smkeygen -N -o closed >&-'
	[ "$status" -eq 74 ]
	run ! grep -q sm1.*sm1 closed
	smkeygen -y closed
	run bash -c 'smkeygen -h >/dev/full'
	[ "$status" -eq 74 ]
}

@test "options that do not go together: 64" {
	smkeygen -N
	secret_file pass x
	while read -r line; do
		# shellcheck disable=SC2086 # the words of the line are the arguments
		run smkeygen $line
		[ "$status" -eq 64 ] || { echo "$line: $status $output"; return 1; }
		[[ ${#lines[@]} -eq 1 && $output == "smkeygen: "*"; try 'smkeygen -h'" ]] || { echo "$line: $output"; return 1; }
	done <<-'END'
		-y -l
		-l -p
		-p -y
		-y -y
		--unlock 1h --lock
		-y --unlock 1h
		-y -N
		-l -o x
		-p -C x
		--lock -t x25519
		-N -i x
		-N x
		-l a b
		-l -i a b
		-p -
		--lock -i -
		-N --json
		-p --json
		-N --new-passphrase-file pass
		-p -N --new-passphrase-file pass
		-N --passphrase-file pass
		-l --passphrase-file pass --passphrase-fd 3
		-l --passphrase-fd x
		-N -o a -o b
		-N -C a -C b
		--unlock 0
		--unlock tomorrow
		--unlock 9999d
		--nonsense
		-Z
		-o
	END
	run smkeygen -N -o k -C $'two\nlines'
	[ "$status" -eq 64 ]
	run smkeygen -N -o k -C "$(printf 'x%.0s' {1..256})"
	[ "$status" -eq 64 ]
	run smkeygen -N -o ''
	[ "$status" -eq 64 ]
}

@test "-h and --version" {
	run smkeygen -h
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == 'usage: smkeygen '* ]]
	run smkeygen --version
	[[ $output =~ ^smkeygen\ \(sm\)\ [0-9]+\.[0-9]+ ]]
}

# --- The kernel's keyring ---

keyring() {
	protected
	run smkeygen --unlock 1m k --passphrase-file pass
	[[ $status -ne 74 ]] || skip "no kernel keyring here: $output"
	[ "$status" -eq 0 ]
	[ "$output" = '' ]
}

@test "--unlock: tools do not ask until --lock" {
	keyring
	# another session, as a cron job would be
	[ "$(echo hi | setsid -w smsign -i k | head -n 1)" = '-----BEGIN SM SIGNATURE-----' ]
	smkeygen --lock k
	run notty smsign -i k <pass
	[ "$status" -eq 77 ]
	smkeygen --lock k
}

@test "--unlock ends by itself" {
	keyring
	smkeygen --unlock 1 k --passphrase-file pass
	asks() { ! notty smsign -i k <pass >/dev/null 2>&1; }
	wait_until 10 asks
}

@test "-p and --unlock ask while unlocked" {
	keyring
	run notty smkeygen -p -N k
	[ "$status" -eq 77 ]
	run notty smkeygen --unlock 1h k
	[ "$status" -eq 77 ]
	smkeygen --lock k
}

@test "--unlock with a wrong passphrase: 77, and stays locked" {
	keyring
	smkeygen --lock k
	secret_file wrong no
	run smkeygen --unlock 1h k --passphrase-file wrong
	[ "$status" -eq 77 ]
	run notty smsign -i k <pass
	[ "$status" -eq 77 ]
}

@test "--unlock of a plain identity says that there is nothing to do" {
	smkeygen -N
	run smkeygen --unlock 1h
	[ "$status" -eq 0 ]
	[[ $output == *'has no passphrase'* ]]
}

# --- On a terminal ---

# Runs the expect script on standard input; its first word is the exit status that is wanted.
on_terminal() {
	need expect
	cat >script.exp
	run expect -f script.exp
	[ "$status" -eq "$1" ] || { echo "$output"; return 1; }
}

@test "on a terminal the new passphrase is asked for twice, and not shown" {
	on_terminal 0 <<-'END'
		set timeout 20
		spawn smkeygen -o k -C term
		expect "New passphrase: "
		send "open sesame\r"
		expect "The same again: "
		send "open sesame\r"
		expect -re {sm1[a-z0-9]+ term}
		expect eof
		exit [lindex [wait] 3]
	END
	[[ $output != *sesame* ]]
	secret_file pass 'open sesame'
	rm k.pub
	smkeygen -l k --passphrase-file pass
}

@test "on a terminal: two that differ, an empty one, end of input: 77" {
	on_terminal 77 <<-'END'
		set timeout 20
		spawn smkeygen -o k
		expect "New passphrase: "
		send "one\r"
		expect "again: "
		send "two\r"
		expect "the two passphrases differ"
		expect eof
		exit [lindex [wait] 3]
	END
	on_terminal 77 <<-'END'
		set timeout 20
		spawn smkeygen -o k
		expect "New passphrase: "
		send "\r"
		expect "protects nothing"
		expect eof
		exit [lindex [wait] 3]
	END
	on_terminal 77 <<-'END'
		set timeout 20
		spawn smkeygen -o k
		expect "New passphrase: "
		send "\004"
		expect "no passphrase given"
		expect eof
		exit [lindex [wait] 3]
	END
	[ ! -e k ]
}

@test "on a terminal -p asks for the old and the new one" {
	protected
	on_terminal 0 <<-'END'
		set timeout 20
		spawn smkeygen -p k
		expect "Passphrase for 'k': "
		send "old\r"
		expect "New passphrase: "
		send "new\r"
		expect "again: "
		send "new\r"
		expect eof
		exit [lindex [wait] 3]
	END
	rm k.pub
	secret_file new2 new
	smkeygen -l k --passphrase-file new2
}

# dash rather than bash, which mends the terminal itself when a child dies of a signal.
@test "interrupted at the prompt it dies of the signal, and the terminal shows again what is typed" {
	need dash
	on_terminal 0 <<-'END'
		set timeout 20
		set env(PS1) "ready> "
		spawn -noecho dash
		expect "ready> "
		send "smkeygen -o k\r"
		expect "New passphrase: "
		send "\003"
		expect "ready> "
		send "echo status=\$? \$(stty -a | grep -o -e '-*echo ')\r"
		expect {
			"status=130 echo" { exit 0 }
			timeout { exit 1 }
			eof { exit 2 }
		}
	END
	[ ! -e k ]
}

@test "stopped and continued at the prompt it asks again" {
	on_terminal 0 <<-'END'
		set timeout 20
		spawn -noecho bash --norc --noprofile
		send "PS1='\$ '; smkeygen -o k -C x\r"
		expect "New passphrase: "
		send "\032"
		expect "Stopped"
		send "fg\r"
		expect "New passphrase: "
		send "abc\r"
		expect "again: "
		send "abc\r"
		expect {
			-re {sm1[a-z0-9]+ x} { exit 0 }
			timeout { exit 1 }
			eof { exit 2 }
		}
	END
}

@test "no secret key to a terminal: 74" {
	on_terminal 74 <<-'END'
		set timeout 20
		spawn smkeygen -N -o -
		expect "not writing a secret key to a terminal"
		expect eof
		exit [lindex [wait] 3]
	END
	[[ $output != *SM-SECRET* ]]
}

@test "what a comment says does not reach a terminal raw" {
	smkeygen -N -C x -o k
	printf '%s \302\255\342\200\256evil\n' "$(cut -d' ' -f1 k.pub)" >pub
	on_terminal 0 <<-'END'
		set timeout 20
		spawn smkeygen -l pub
		expect eof
		exit [lindex [wait] 3]
	END
	[[ $output == *'\u{'*evil* ]]
}

@test "--recovery prints the code, and --recover makes the same identity of it" {
	smkeygen -N -C kay >line
	smkeygen --recovery >code
	[[ $(cat code) =~ ^[A-Z2-7]{5}(-[A-Z2-7]{5}){11}$ ]]
	chmod 600 code
	[ "$(smkeygen --recover --recovery-file code -N -o again -C kay)" = "$(cat line)" ]
	[ "$(mode again)" = 600 ]
	[ "$(grep ^SM again)" = "$(grep ^SM "$SM_HOME/config/identity")" ]
	# as people type it, over lines, and from a descriptor
	tr 'A-Z-' 'a-z\n' <code | tr oib 018 >typed
	[ "$(smkeygen --recover --recovery-fd 5 -N -o typed.id -C kay 5<typed)" = "$(cat line)" ]
	# under a passphrase, and into the profile
	secret_file pass new
	smkeygen --recover --recovery-file code --passphrase-file pass --profile p -C kay >line2
	cmp line line2
	[ "$(head -n 1 "$SM_HOME/config/profiles/p/identity")" = '-----BEGIN SM ENVELOPE-----' ]
}

@test "--recovery asks for the passphrase, a key of another suite has no code" {
	protected
	run --separate-stderr notty smkeygen --recovery k
	[ "$status" -eq 77 ]
	[ "$output" = '' ]
	smkeygen --recovery k --passphrase-file pass >code
	[ "$(wc -c <code)" -eq 72 ]
	smkeygen -N -t rsa:2048 -o r >/dev/null
	run --separate-stderr smkeygen --recovery r
	[ "$status" -eq 65 ]
	[ "$output" = '' ]
	[[ $stderr == *'too long for a recovery code'* ]]
}

@test "--recovery into a file that everybody may read warns" {
	smkeygen -N >/dev/null
	smkeygen --recovery >code 2>err
	[[ $(cat err) == *'warning: writing a recovery code to a file that everybody may read' ]]
	(umask 077 && smkeygen --recovery >code2 2>err2)
	[ ! -s err2 ]
}

@test "a mistyped recovery code makes nothing: 65" {
	smkeygen -N >/dev/null
	(umask 077 && smkeygen --recovery >code)
	check() {
		run --separate-stderr smkeygen --recover --recovery-file typo -N -o x
		[ "$status" -eq 65 ]
		[ "$output" = '' ]
		[[ $stderr == "smkeygen: $1" ]] || { echo "$stderr"; return 1; }
		[ "${#stderr_lines[@]}" -eq 1 ]
		[ ! -e x ] && [ ! -e x.pub ]
	}
	umask 077
	sed 's/^./9/' code >typo
	check 'not a recovery code: its group 1 has a character that no code has'
	cut -c -70 code >typo
	check 'not a recovery code: 59 characters, where a code has 60'
	sed 's/^\(.\)\(.*\)$/\2\1/' code >typo
	check 'the recovery code has a mistake in it: its checksum is wrong'
	tr A-Z2-7 B-Z2-7A <code >typo
	check 'the recovery code has a mistake in it: its checksum is wrong'
	: >typo
	check 'not a recovery code: 0 characters, where a code has 60'
	cp code typo && chmod 644 typo
	run smkeygen --recover --recovery-file typo -N -o x
	[ "$status" -eq 77 ]
	run notty smkeygen --recover -N -o x
	[ "$status" -eq 77 ]
	[[ $output == *'use --recovery-file or --recovery-fd' ]]
}

@test "on a terminal a mistyped recovery code is asked for again, and no code is shown" {
	smkeygen -N -C kay >line
	CODE=$(smkeygen --recovery)
	export CODE
	on_terminal 0 <<-'END'
		set timeout 20
		spawn smkeygen --recover -N -o k -C kay
		expect "Recovery code: "
		send "AAAAA-$env(CODE)\r"
		expect "65 characters, where a code has 60"
		expect "Recovery code: "
		send "[string map {A B B A} [string tolower $env(CODE)]x]\r"
		expect "Recovery code: "
		send "$env(CODE)\r"
		expect -re {sm1[a-z0-9]+ kay}
		expect eof
		exit [lindex [wait] 3]
	END
	[[ $output != *"${CODE%%-*}-"* ]]
	[ "$(smkeygen -y k)" = "$(cat line)" ]
	on_terminal 65 <<-'END'
		set timeout 20
		spawn smkeygen --recover -N -o x
		for {set i 0} {$i < 3} {incr i} {
			expect "Recovery code: "
			send "no\r"
		}
		expect eof
		exit [lindex [wait] 3]
	END
	[ ! -e x ]
}
