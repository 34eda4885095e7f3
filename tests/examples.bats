# The EXAMPLES of the man pages and the commands of the README are run as they are printed.
load helper
load examples

@test "examples: README" { examples_run README.md; }
@test "examples: sm(7)" { examples_run sm.7; }
@test "examples: smkeygen(1)" { examples_run smkeygen.1; }
@test "examples: smencrypt(1)" { examples_run smencrypt.1; }
@test "examples: smsign(1)" { examples_run smsign.1; }
@test "examples: smtotp(1)" { examples_run smtotp.1; }
@test "examples: smsend(1)" { examples_run smsend.1; }
@test "examples: sminbox(1)" { examples_run sminbox.1; }
@test "examples: smaccount(1)" { examples_run smaccount.1; }
@test "examples: smcontact(1)" { examples_run smcontact.1; }
@test "examples: smgroup(1)" { examples_run smgroup.1; }
@test "examples: smserver(8)" { examples_run smserver.8; }
@test "examples: sm-format(5)" { examples_run sm-format.5; }
