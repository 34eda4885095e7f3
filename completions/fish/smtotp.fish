# fish completion for smtotp(1)

# The names: without asking for a passphrase in the middle of a line.
function __smtotp_names
    smtotp list --passphrase-file /dev/null 2>/dev/null | sed 's|\t.*||'
end
complete -c smtotp -f
complete -c smtotp -n __fish_use_subcommand -a add -d 'keep a secret'
complete -c smtotp -n __fish_use_subcommand -a code -d 'print a code'
complete -c smtotp -n __fish_use_subcommand -a list -d 'print the names'
complete -c smtotp -n __fish_use_subcommand -a remove -d 'forget a secret'
complete -c smtotp -n '__fish_seen_subcommand_from code remove' -a '(__smtotp_names)'
complete -c smtotp -n '__fish_seen_subcommand_from add' -l digits -x -a '6 7 8' -d 'digits of a code'
complete -c smtotp -n '__fish_seen_subcommand_from add' -l period -x -d 'how long a code lasts'
complete -c smtotp -n '__fish_seen_subcommand_from add' -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'hash'
complete -c smtotp -n '__fish_seen_subcommand_from code' -l time -x -d 'the code at SECONDS since 1970'
complete -c smtotp -n '__fish_seen_subcommand_from code list' -l json -d 'JSON'
complete -c smtotp -s i -l identity -r -F -d 'the identity that protects the secrets'
complete -c smtotp -s q -l quiet -d 'no warnings'
complete -c smtotp -s v -l verbose -d 'say more'
complete -c smtotp -l profile -x -d 'use the profile NAME'
complete -c smtotp -l passphrase-file -r -F -d 'read the passphrase from FILE'
complete -c smtotp -l passphrase-fd -x -d 'read the passphrase from descriptor N'
complete -c smtotp -s h -l help -d 'show the options'
complete -c smtotp -l version -d 'show the version'
