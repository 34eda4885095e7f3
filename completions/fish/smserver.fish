# fish completion for smserver(8)
set -l verbs init user invite
set -l serving "not __fish_seen_subcommand_from $verbs"
complete -c smserver -f
complete -c smserver -n "$serving" -a init -d 'make a data directory and a configuration'
complete -c smserver -n "$serving" -a user -d 'add, list, disable, enable'
complete -c smserver -n "$serving" -a invite -d 'print a code for registering'
complete -c smserver -n '__fish_seen_subcommand_from user' -a 'add list disable enable'
complete -c smserver -n 'not __fish_seen_subcommand_from init' -s c -l config -r -F -d 'the configuration'
complete -c smserver -n "$serving" -s t -l test -d 'check the configuration and exit'
complete -c smserver -l data -x -a '(__fish_complete_directories)' -d 'the data directory'
complete -c smserver -n "$serving" -l listen -x -d 'where to listen'
complete -c smserver -n 'not __fish_seen_subcommand_from user invite' -l name -x -d 'what stands after the @ of addresses'
complete -c smserver -n "$serving" -l registration -x -a 'invite open closed' -d 'who may register'
complete -c smserver -n "$serving" -l log-level -x -a 'debug info warn error' -d 'how much to log'
complete -c smserver -n '__fish_seen_subcommand_from invite' -l uses -x -d 'how many people may register with it'
complete -c smserver -n '__fish_seen_subcommand_from user invite' -l expires -x -d 'how long it lasts'
complete -c smserver -s h -l help -d 'show the options'
complete -c smserver -l version -d 'show the version'
