#include "controller/replay/options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "policies/problem.h"

enum flag {
    FLAG_SAMPLES,
    FLAG_RELEASE,
    FLAG_INTERPOLATE,
    FLAG_EVERY,
    FLAG_CONTINUE,
    FLAG_FORMAT,
    FLAG_CHART,
    FLAG_SVG,
    FLAG_HELP,
    FLAGS
};

static const char *const names[FLAGS] = {
    [FLAG_SAMPLES] = "samples",
    [FLAG_RELEASE] = "release",
    [FLAG_INTERPOLATE] = "interpolate",
    [FLAG_EVERY] = "every",
    [FLAG_CONTINUE] = "continue",
    [FLAG_FORMAT] = "format",
    [FLAG_CHART] = "chart",
    [FLAG_SVG] = "svg",
    [FLAG_HELP] = "help",
};

static bool takes_value(enum flag flag)
{
    return flag != FLAG_CONTINUE && flag != FLAG_CHART && flag != FLAG_HELP;
}

/* What a policy's `watch.every` may be. */
#define EVERY_LEAST 100LL
#define EVERY_MOST  HOUR_MS

/* --- Errors --------------------------------------------------------------- */

/* The option as it was written, without "=...". */
static void offending(const struct options_words *words, char *ret_name,
                      size_t size)
{
    int index =
        optind > 1 && optind <= words->argc ? optind - 1 : words->argc - 1;
    const char *written = words->argv[index];
    char word[128];

    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(written, "="),
                   written);
    text_escape(word, ret_name, size);
}

bool options_refuse(const struct options_words *words, int found,
                    char *ret_error, size_t size)
{
    const char *nearest = NULL;
    char name[160];

    offending(words, name, sizeof(name));
    if (found == ':') {
        (void)snprintf(ret_error, size, "%s needs a value", name);
        return false;
    }
    if (strncmp(name, "--", 2) == 0) {
        nearest = nearest_name(name + 2, words->names, words->count);
    }
    if (nearest != NULL) {
        (void)snprintf(ret_error, size,
                       "there is no option '%s'; did you mean '--%s'?", name,
                       nearest);
    } else {
        (void)snprintf(ret_error, size,
                       "there is no option '%s' ('lastgood %s --help' lists "
                       "them)",
                       name, words->command);
    }
    return false;
}

static bool refuse_word(enum flag flag, const char *value, const char *wanted,
                        char *ret_error, size_t size)
{
    char shown[128];

    text_escape(value, shown, sizeof(shown));
    (void)snprintf(ret_error, size, "--%s is %s, not '%s'", names[flag], wanted,
                   shown);
    return false;
}

/* --- Values --------------------------------------------------------------- */

static bool keep_value(struct replay_options *options, enum flag flag,
                       const char *value, char *ret_error, size_t size)
{
    switch (flag) {
    case FLAG_SAMPLES:
        options->samples = value;
        return true;
    case FLAG_RELEASE:
        options->release = value;
        return true;
    case FLAG_INTERPOLATE:
        options->linear = true;
        return strcmp(value, "linear") == 0 ||
               refuse_word(flag, value, "'linear'", ret_error, size);
    case FLAG_EVERY:
        return (duration_read(value, &options->every) &&
                options->every >= EVERY_LEAST &&
                options->every <= EVERY_MOST) ||
               refuse_word(flag, value, "a time from 100ms to 1h, such as 15s",
                           ret_error, size);
    case FLAG_CONTINUE:
        options->goes_on = true;
        return true;
    case FLAG_FORMAT:
        options->json = strcmp(value, "json") == 0;
        return options->json || strcmp(value, "text") == 0 ||
               refuse_word(flag, value, "'text' or 'json'", ret_error, size);
    case FLAG_CHART:
        options->chart = true;
        return true;
    case FLAG_SVG:
        options->svg = value;
        return true;
    case FLAG_HELP:
        options->help = true;
        return true;
    case FLAGS:
        break;
    }
    assert(flag < FLAGS);
    return false;
}

static bool check_paths(int argc, char **argv, struct replay_options *options,
                        char *ret_error, size_t size)
{
    char shown[128];

    if (argc - optind > 1) {
        text_escape(argv[optind + 1], shown, sizeof(shown));
        (void)snprintf(ret_error, size,
                       "'%s' is one argument too many; one policy is judged "
                       "with",
                       shown);
        return false;
    }
    if (argc - optind < 1 || options->samples == NULL) {
        (void)snprintf(ret_error, size,
                       "usage: lastgood replay POLICY --samples FILE.csv "
                       "[--release FILE.json]");
        return false;
    }
    if (options->chart && options->json) {
        (void)snprintf(ret_error, size,
                       "--chart is for people; with --format json, --svg FILE "
                       "draws it");
        return false;
    }
    options->policy = argv[optind];
    return true;
}

bool options_read(int argc, char **argv, struct replay_options *ret_options,
                  char *ret_error, size_t size)
{
    const struct options_words words = {argc, argv, "replay", names, FLAGS};
    struct option known[FLAGS + 1];
    bool given[FLAGS] = {false};
    int found = 0;

    *ret_options = (struct replay_options){.policy = NULL};
    for (enum flag i = 0; i < FLAGS; i++) {
        known[i] = (struct option){
            .name = names[i],
            .has_arg = takes_value(i) ? required_argument : no_argument,
            .val = 256 + (int)i,
        };
    }
    known[FLAGS] = (struct option){.name = NULL};
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        enum flag flag = found == 'h' ? FLAG_HELP : (enum flag)(found - 256);

        if (found == ':' || found == '?') {
            return options_refuse(&words, found, ret_error, size);
        }
        if (given[flag]) {
            (void)snprintf(ret_error, size, "--%s was given twice",
                           names[flag]);
            return false;
        }
        given[flag] = true;
        if (!keep_value(ret_options, flag, optarg, ret_error, size)) {
            return false;
        }
        if (ret_options->help) {
            return true;
        }
    }
    return check_paths(argc, argv, ret_options, ret_error, size);
}

/* --- Help ----------------------------------------------------------------- */

void options_print_help(FILE *out)
{
    (void)fputs(
        "replay: judge a table of samples with a policy, offline\n"
        "  lastgood replay POLICY --samples FILE.csv [OPTIONS]\n"
        "The table: a column 'time' (RFC 3339 or Unix seconds), then one for "
        "each signal.\n"
        "A column named as an 'is' signal stands for its expression. Empty: no "
        "data.\n"
        "A canary: column 'x' is its side of signal x, 'x:control' the other "
        "version's.\n"
        "  --samples FILE.csv    the table; rows before the deploy are the "
        "baseline\n"
        "  --release FILE.json   what 'register' posts, and maybe last_good;\n"
        "                        without it the first row is the deploy\n"
        "  --interpolate linear  fill between two values of a column\n"
        "  --every SPAN          another grid than the policy's, e.g. 15s\n"
        "  --continue            to the table's end: past a rollback and the "
        "watch\n"
        "  --format text|json    json: decisions, first_action_at, final\n"
        "  --chart, --svg FILE   signals, limits and verdicts: as text, as a "
        "drawing\n"
        "The first rollback that would be carried out ends it: final is "
        "'rollback'. Else\n"
        "final is the last verdict: healthy, wait, page, hold, or 'rollback "
        "(WHY)' with\n"
        "why it is not carried out: observe, suggest, countdown (not run "
        "down), refused.\n"
        "Example:\n"
        "  lastgood replay user-service.yaml --samples incident.csv "
        "--interpolate linear\n"
        "Exit codes:\n"
        "  0  judged   1  wrong usage, or a file that is of no use\n",
        out);
}
