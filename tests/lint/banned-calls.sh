#!/usr/bin/env bash
# Calls that have no place here: unbounded copies, shells, weak randomness, variable stack memory. popen and system would run a shell;
# sm runs an argv by posix_spawn.
set -u
calls='strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|strtok_r|atoi|atol|atoll|atof|system|popen|rand|srand|random|drand48|alloca|mktemp|tmpnam|tempnam|tmpfile|asctime|ctime|localtime|gmtime|vfork|setjmp|longjmp'
find lib tools -name '*.[ch]' -exec grep -HnE "(^|[^A-Za-z0-9_.>\"])($calls)\(" {} + | grep -vE '^[^:]*:[0-9]*:[[:space:]]*(\*|/\*|//)' | { ! grep .; }
