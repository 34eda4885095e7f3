/* The administrator's verbs: init, user, invite. */
#ifndef SM_SMSERVER_CLI_H
#define SM_SMSERVER_CLI_H

/* argv[0] is the verb. Returns an exit code. */
int sm_cli_init(int argc, char **argv);
int sm_cli_user(int argc, char **argv);
int sm_cli_invite(int argc, char **argv);

#endif
