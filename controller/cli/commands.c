#include "controller/cli/commands.h"

#define SERVER                                                                 \
    {                                                                          \
        "server", "URL", "http://HOST:PORT or unix:PATH", false                \
    }
#define FORMAT                                                                 \
    {                                                                          \
        "format", "text|json", "json prints the API's answer", false           \
    }
#define ENVIRONMENT                                                            \
    {                                                                          \
        "environment", "ENV", "where it is deployed", false                    \
    }
#define REASON                                                                 \
    {                                                                          \
        "reason", "TEXT", "why; it is recorded", false                         \
    }
#define END                                                                    \
    {                                                                          \
        NULL, NULL, NULL, false                                                \
    }

/* --- Options -------------------------------------------------------------- */

static const struct cli_flag register_flags[] = {
    ENVIRONMENT,
    {"previous", "VERSION", "what was live before", false},
    {"data-change", "WORD", "none, expand, contract or irreversible", false},
    {"rollback-compatible-from", "VERSION",
     "oldest version that can still read the data", false},
    {"deployed-at", "TIME", "RFC 3339 or Unix seconds; default now", false},
    {"label", "NAME=VALUE", "for policies to ask; repeats", true},
    {"kind", "WORD", "for policies to ask, e.g. config", false},
    {"key", "TEXT", "idempotency key: twice is one release", false},
    {"body", "FILE", "the whole request as JSON instead; - is stdin", false},
    SERVER,
    FORMAT,
    END,
};

static const struct cli_flag adopt_flags[] = {ENVIRONMENT, REASON, SERVER,
                                              FORMAT, END};

static const struct cli_flag gate_flags[] = {
    ENVIRONMENT,
    {"version", "VERSION", "what is to be deployed", false},
    {"intent", "VERSION", "the same, and announce that it comes now", false},
    {"override", NULL, "let it through a freeze; needs --reason", false},
    REASON,
    {"when-unknown", "go|stop", "exit 0 or 3 instead of 4", false},
    SERVER,
    FORMAT,
    END,
};

static const struct cli_flag wait_flags[] = {
    ENVIRONMENT,
    {"for", "provisional|good", "which grade is enough; provisional", false},
    {"timeout", "SPAN", "give up after this long; default 2h", false},
    SERVER,
    FORMAT,
    END,
};

static const struct cli_flag status_flags[] = {ENVIRONMENT, SERVER, FORMAT,
                                               END};
static const struct cli_flag why_flags[] = {ENVIRONMENT, SERVER, FORMAT, END};
static const struct cli_flag order_flags[] = {ENVIRONMENT, REASON, SERVER,
                                              FORMAT, END};

static const struct cli_flag close_flags[] = {REASON, SERVER, FORMAT, END};

static const struct cli_flag freeze_flags[] = {
    ENVIRONMENT, {"for", "SPAN", "how long, e.g. 2h; default 24h", false},
    REASON,      SERVER,
    FORMAT,      END,
};

static const struct cli_flag mute_flags[] = {
    ENVIRONMENT, {"for", "SPAN", "how long, e.g. 2h; default 30m", false},
    REASON,      SERVER,
    FORMAT,      END,
};

static const struct cli_flag check_flags[] = {
    {"config", "FILE", "check it too, and the names it gives", false},
    {"online", NULL, "ask every query once of its Prometheus", false},
    {"format", "text|json|sarif", "sarif: for annotations in CI", false},
    END,
};

static const struct cli_flag policy_flags[] = {
    {"service", "NAME", "what it applies to, or a prefix*; default NAME",
     false},
    {"environment", "ENV", "where; default production", false},
    {"signals", "LIST", "errors,latency,pool; default errors", false},
    {"from", "prometheus|scrape", "where they come from", false},
    {"mode", "MODE", "observe, suggest, 'countdown 60s', auto", false},
    {"stdout", NULL, "print the policy, write no file", false},
    END,
};

static const struct cli_flag test_flags[] = {
    {"case", "TEXT", "only cases with this in their name", false},
    {"show", NULL, "the tree and a chart of every case", false},
    {"format", "text|json", "json: files, cases, failures", false},
    END,
};

static const struct cli_flag backtest_flags[] = {
    {"prometheus", "URL", "where the past is, as http://HOST:9090", false},
    {"from", "TIME", "releases deployed from then on,", false},
    {"to", "TIME", "until then: RFC 3339 or Unix seconds", false},
    {"releases", "FILE.json", "what was deployed, as above; or", false},
    {"database", "FILE.db", "the journal that knows; the default", false},
    {"timeout", "SPAN", "for one answer of Prometheus; default 30s", false},
    {"format", "text|json", "json: releases, rules, total", false},
    END,
};

static const struct cli_flag verify_flags[] = {FORMAT, END};
static const struct cli_flag export_flags[] = {
    {"release", "N", "only what is about this release", false},
    {"incident", "N", "only what is about this incident", false},
    FORMAT,
    END,
};
static const struct cli_flag explain_flags[] = {
    {"at", "TIME", "its newest verdict at or before this time", false},
    {"database", "FILE.db", "the journal (required)", false},
    FORMAT,
    END,
};
static const struct cli_flag erase_flags[] = {
    {"database", "FILE.db", "the journal (required), not in use", false},
    {"reason", "TEXT", "why (required); it is recorded", false},
    END,
};

/* --- Exit codes ----------------------------------------------------------- */

static const struct cli_exit plain_exits[] = {
    {EXIT_CODE_DONE, "done"},
    {EXIT_CODE_ERROR, "refused or failed; the text says why"},
    {0, NULL},
};
static const struct cli_exit register_exits[] = {
    {EXIT_CODE_DONE, "recorded and watched"},
    {EXIT_CODE_ERROR, "error"},
    {EXIT_CODE_UNWATCHED, "recorded, but no policy watches it"},
    {0, NULL},
};
static const struct cli_exit gate_exits[] = {
    {EXIT_CODE_DONE, "go"},
    {EXIT_CODE_ERROR, "error in the call"},
    {EXIT_CODE_REFUSED, "refused: frozen, tainted or held"},
    {EXIT_CODE_UNKNOWN, "unknown: no such service, or no answer"},
    {0, NULL},
};
static const struct cli_exit wait_exits[] = {
    {EXIT_CODE_DONE, "provisional or good (--for good: good)"},
    {EXIT_CODE_ERROR, "error"},
    {EXIT_CODE_BAD, "reverted or held"},
    {EXIT_CODE_TOO_LATE, "not decided in time"},
    {EXIT_CODE_NEVER, "never will be: superseded or unwatched"},
    {0, NULL},
};
static const struct cli_exit check_exits[] = {
    {EXIT_CODE_DONE, "all good (warnings may be printed)"},
    {EXIT_CODE_ERROR, "errors, printed with line and column"},
    {0, NULL},
};
static const struct cli_exit test_exits[] = {
    {EXIT_CODE_DONE, "every case came as expected"},
    {EXIT_CODE_ERROR, "one did not, or a file cannot be read"},
    {0, NULL},
};
static const struct cli_exit backtest_exits[] = {
    {EXIT_CODE_DONE, "judged"},
    {EXIT_CODE_ERROR, "wrong usage, a file of no use, or no answer"},
    {0, NULL},
};
static const struct cli_exit verify_exits[] = {
    {EXIT_CODE_DONE, "whole"},
    {EXIT_CODE_ERROR, "damaged, or not a journal"},
    {0, NULL},
};
static const struct cli_exit explain_exits[] = {
    {EXIT_CODE_DONE, "judged again: the same, byte for byte"},
    {EXIT_CODE_ERROR, "no such verdict, or not kept (any more)"},
    {EXIT_CODE_BAD, "judged again: not the same"},
    {0, NULL},
};

/* --- The table ------------------------------------------------------------ */

static const struct cli_command commands[] = {
    {
        .name = "register",
        .arguments = "SERVICE VERSION --environment ENV",
        .summary = "tell lastgood that a release was deployed",
        .example = "lastgood register user-service 2.4.0 --environment "
                   "production --data-change none",
        .flags = register_flags,
        .exits = register_exits,
        .least = 0,
        .most = 2,
        .run = register_run,
    },
    {
        .name = "gate",
        .arguments = "SERVICE --environment ENV",
        .summary = "ask whether a deploy may start",
        .example = "lastgood gate user-service --environment production "
                   "--intent 2.4.1",
        .flags = gate_flags,
        .exits = gate_exits,
        .least = 1,
        .most = 1,
        .run = gate_run,
    },
    {
        .name = "wait",
        .arguments = "[RELEASE | SERVICE [VERSION] --environment ENV]",
        .summary = "wait until a release is decided",
        .example = "lastgood wait user-service 2.4.0 --environment production "
                   "--timeout 90m",
        .flags = wait_flags,
        .exits = wait_exits,
        .least = 1,
        .most = 2,
        .run = wait_run,
    },
    {
        .name = "status",
        .arguments = "[SERVICE]",
        .summary = "what is live, what happened, what is needed from you",
        .example = "lastgood status user-service --environment production",
        .flags = status_flags,
        .exits = plain_exits,
        .least = 0,
        .most = 1,
        .run = status_run,
    },
    {
        .name = "why",
        .arguments = "[RELEASE | SERVICE [VERSION] --environment ENV]",
        .summary = "the verdict's tree, values and story",
        .about = "Without VERSION: the live release.",
        .example = "lastgood why user-service --environment production",
        .flags = why_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 2,
        .run = why_run,
    },
    {
        .name = "adopt",
        .arguments = "SERVICE VERSION --environment ENV --reason TEXT",
        .summary = "vouch for a live version: it becomes good",
        .example = "lastgood adopt user-service 2.3.2 --environment production "
                   "--reason \"ran for a month\"",
        .flags = adopt_flags,
        .exits = plain_exits,
        .least = 2,
        .most = 2,
        .run = adopt_run,
    },
    {
        .name = "hold",
        .arguments = "[RELEASE | SERVICE [VERSION] --environment ENV] --reason "
                     "TEXT",
        .summary = "keep a release live, never good, gate closed",
        .example = "lastgood hold user-service --environment production "
                   "--reason \"looking at it\"",
        .flags = order_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 2,
        .run = hold_run,
    },
    {
        .name = "resume",
        .arguments = "[RELEASE | SERVICE [VERSION] --environment ENV] --reason "
                     "TEXT",
        .summary = "end a hold",
        .example = "lastgood resume 42 --reason \"was the cache, fixed\"",
        .flags = order_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 2,
        .run = resume_run,
    },
    {
        .name = "rollback",
        .arguments = "[RELEASE | SERVICE [VERSION] --environment ENV] --reason "
                     "TEXT",
        .summary = "revert a release to its last good version now",
        .about = "Every interlock but the mode is asked; a refusal says which.",
        .example = "lastgood rollback user-service --environment production "
                   "--reason \"users complain\"",
        .flags = order_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 2,
        .run = rollback_run,
    },
    {
        .name = "approve",
        .arguments = "ROLLBACK",
        .summary = "yes to a rollback that waits for people",
        .about = "It leaves at once, or as soon as the policy says so again. "
                 "Every interlock but\nthe mode is asked. 'lastgood status' "
                 "shows its number.",
        .example = "lastgood approve 57",
        .flags = close_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = approve_run,
    },
    {
        .name = "cancel",
        .arguments = "ROLLBACK --reason TEXT",
        .summary = "no to a rollback that waits or counts down",
        .about = "What asked for it is muted for 30 minutes. One that has left "
                 "cannot be\ncancelled.",
        .example = "lastgood cancel 57 --reason \"it is the load test\"",
        .flags = close_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = cancel_run,
    },
    {
        .name = "mute",
        .arguments = "[RELEASE | SERVICE [VERSION] --environment ENV] --reason "
                     "TEXT",
        .summary = "let no policy roll a release back for a while",
        .about = "It is still judged, and people are still told; a "
                 "person's\n'lastgood rollback' goes.",
        .example = "lastgood mute user-service --environment production --for "
                   "1h --reason \"load test\"",
        .flags = mute_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 2,
        .run = mute_run,
    },
    {
        .name = "close",
        .arguments = "INCIDENT --reason TEXT",
        .summary = "end an incident by hand",
        .about = "'lastgood status' shows its number.",
        .example = "lastgood close 17 --reason \"fixed by hand\"",
        .flags = close_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = close_run,
    },
    {
        .name = "freeze",
        .arguments = "SERVICE --environment ENV --reason TEXT",
        .summary = "refuse deploys of a service for a while",
        .example = "lastgood freeze user-service --environment production "
                   "--for 2h --reason \"database work\"",
        .flags = freeze_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = freeze_run,
    },
    {
        .name = "thaw",
        .arguments = "SERVICE --environment ENV --reason TEXT",
        .summary = "end all freezes of a service",
        .example = "lastgood thaw user-service --environment production "
                   "--reason \"done\"",
        .flags = order_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = thaw_run,
    },
    {
        .name = "check",
        .arguments = "FILE|FOLDER...",
        .summary = "check policy files and a configuration",
        .about = "A folder means its *.yaml, *.yml and *.json files and those "
                 "of the folders in\nit, but not *.test.yaml. Without FILE: "
                 "the configuration's folder of policies.",
        .example = "lastgood check policies/ --config lastgood.yaml",
        .flags = check_flags,
        .exits = check_exits,
        .least = 0,
        .most = CLI_POSITIONALS_MAX,
        .run = check_run,
    },
    {
        .name = "policy",
        .arguments = "new NAME",
        .summary = "write a policy to begin with, and its test",
        .about = "Writes NAME.yaml and NAME.test.yaml here; never over a file "
                 "that is there.",
        .example = "lastgood policy new checkout --signals errors,pool",
        .flags = policy_flags,
        .exits = plain_exits,
        .least = 2,
        .most = 2,
        .run = policy_run,
    },
    {
        .name = "test",
        .arguments = "[FILE|FOLDER...]",
        .summary = "judge made-up series and compare: *.test.yaml",
        .about =
            "  cases:                         # policy: FILE, else the name "
            "without .test\n"
            "    - case: a leak fills the pool\n"
            "      release: {data_change: none}         # what 'register' "
            "posts\n"
            "      series:                              # before | after the "
            "deploy\n"
            "        requests: 142/s                    # all the time\n"
            "        error_rate: 0.1% | 0.1% x20, _ x5, 8%    # xN grid times, "
            "_ no data\n"
            "        pool_in_use: 180 .. 480 for 50m    # a line; else error, "
            "nan, inf\n"
            "        release.stuck: false               # facts too, as the "
            "policy asks them\n"
            "      expect: {5m .. 9m: healthy, 40m: {verdict: rollback, mode: "
            "auto}}\n"
            "      final: rollback                      # acts: never, or 25m "
            ".. 40m",
        .example = "lastgood test policies/",
        .flags = test_flags,
        .exits = test_exits,
        .least = 0,
        .most = CLI_POSITIONALS_MAX,
        .run = test_run,
    },
    {
        .name = "backtest",
        .arguments = "POLICY --prometheus URL --from TIME --to TIME",
        .summary = "what a policy would have done about past releases",
        .about =
            "FILE.json: [{what 'register' posts, with deployed_at, and as a "
            "label\n\"incident\": true|false, \"began\": TIME}, ...]. "
            "Labelled: "
            "precision, recall and\ndelay of each rule.",
        .example = "lastgood backtest user-service.yaml --prometheus "
                   "http://127.0.0.1:9090 --from 2024-09-01T00:00:00Z --to "
                   "2024-10-01T00:00:00Z --releases releases.json",
        .flags = backtest_flags,
        .exits = backtest_exits,
        .least = 1,
        .most = 1,
        .run = backtest_run,
    },
    {
        .name = "verify",
        .arguments = "FILE.db",
        .summary = "walk a journal's hash chain, offline",
        .example = "lastgood verify /var/lib/lastgood/lastgood.db",
        .flags = verify_flags,
        .exits = verify_exits,
        .least = 1,
        .most = 1,
        .run = verify_run,
    },
    {
        .name = "export",
        .arguments = "FILE.db",
        .summary = "print a journal's records as JSON lines, with the chain",
        .example = "lastgood export /var/lib/lastgood/lastgood.db --release 7",
        .flags = export_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = export_run,
    },
    {
        .name = "explain",
        .arguments = "RELEASE --database FILE.db",
        .summary = "judge a verdict of the past again, from what was recorded",
        .about = "What a verdict was judged from (its samples and windows) is "
                 "kept for 30 days.",
        .example = "lastgood explain 7 --at 2024-09-18T14:23:00Z --database "
                   "/var/lib/lastgood/lastgood.db",
        .flags = explain_flags,
        .exits = explain_exits,
        .least = 1,
        .most = 1,
        .run = explain_run,
    },
    {
        .name = "erase",
        .arguments = "RECORD --database FILE.db --reason TEXT",
        .summary = "erase a record's text; the chain still holds",
        .about = "Only what people said and were told may go: recovery needs "
                 "all else. What a\nverdict was judged from may go, too; its "
                 "explanation stays. The erasure is\nrecorded.",
        .example = "lastgood erase 812 --database "
                   "/var/lib/lastgood/lastgood.db --reason \"asked to\"",
        .flags = erase_flags,
        .exits = plain_exits,
        .least = 1,
        .most = 1,
        .run = erase_run,
    },
    {.name = NULL},
};

const struct cli_command *cli_commands(void)
{
    return commands;
}
