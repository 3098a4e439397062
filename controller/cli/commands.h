/* What each command does; the table in commands.c says how they are called. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "controller/cli/cli.h"

/* Exit codes, the same words for every command that has them. */
enum exit_code {
    EXIT_CODE_DONE = 0,
    EXIT_CODE_ERROR = 1,
    EXIT_CODE_BAD = 2,      /* wait: reverted or held */
    EXIT_CODE_REFUSED = 3,  /* gate */
    EXIT_CODE_TOO_LATE = 3, /* wait: not decided in time */
    EXIT_CODE_UNKNOWN = 4,  /* gate */
    EXIT_CODE_NEVER = 4,    /* wait: will never be decided */
    EXIT_CODE_UNWATCHED = 4 /* register */
};

int register_run(const struct cli_call *call);
int adopt_run(const struct cli_call *call);
int gate_run(const struct cli_call *call);
int wait_run(const struct cli_call *call);
int status_run(const struct cli_call *call);
int why_run(const struct cli_call *call);
int hold_run(const struct cli_call *call);
int resume_run(const struct cli_call *call);
int rollback_run(const struct cli_call *call);
int approve_run(const struct cli_call *call);
int cancel_run(const struct cli_call *call);
int mute_run(const struct cli_call *call);
int close_run(const struct cli_call *call);
int freeze_run(const struct cli_call *call);
int thaw_run(const struct cli_call *call);
int check_run(const struct cli_call *call);
int policy_run(const struct cli_call *call);
int test_run(const struct cli_call *call);
int backtest_run(const struct cli_call *call);
int verify_run(const struct cli_call *call);
int export_run(const struct cli_call *call);
int explain_run(const struct cli_call *call);
int erase_run(const struct cli_call *call);

#endif
