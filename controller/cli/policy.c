/* `policy new NAME`: a policy to begin with, and its test. */
#include "controller/cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli/policy_text.h"
#include "controller/cli/terminal.h"
#include "policies/memory.h"
#include "policies/read/policy_read.h"

static const char *or_else(const char *value, const char *otherwise)
{
    return value != NULL ? value : otherwise;
}

/* "errors,pool"; false with the line printed. */
static bool read_signals(const struct cli_call *call,
                         struct policy_answers *answers)
{
    const char *text = or_else(cli_value(call, "signals"), "errors");
    char shown[128];

    while (*text != '\0') {
        size_t length = strcspn(text, ",");

        if (length == 6 && memcmp(text, "errors", 6) == 0) {
            answers->errors = true;
        } else if (length == 7 && memcmp(text, "latency", 7) == 0) {
            answers->latency = true;
        } else if (length == 4 && memcmp(text, "pool", 4) == 0) {
            answers->pool = true;
        } else {
            text_escape(text, shown, sizeof(shown));
            (void)cli_fail(call,
                           "--signals is a list of errors, latency and pool, "
                           "with commas between; not '%s'",
                           shown);
            return false;
        }
        text += length + (text[length] == ',');
    }
    return true;
}

static bool read_source(const struct cli_call *call,
                        struct policy_answers *answers)
{
    const char *word = or_else(cli_value(call, "from"), "prometheus");

    answers->scrapes = strcmp(word, "scrape") == 0;
    if (!answers->scrapes && strcmp(word, "prometheus") != 0) {
        (void)cli_fail(call, "--from is prometheus or scrape");
        return false;
    }
    if (answers->scrapes && answers->latency) {
        (void)cli_fail(call, "latency needs --from prometheus: a page has no "
                             "quantiles");
        return false;
    }
    return true;
}

/* What the reader says about the policy; false when it would not load. */
static bool is_good(const char *text, size_t length)
{
    struct problems *problems = memory_resized(NULL, sizeof(*problems));
    struct policy *policy = NULL;

    problems_init(problems, "");
    policy = policy_read("", text, length, problems);
    problems_print(problems, text, length, terminal_has_colour(stderr), stderr);
    free(problems);
    policy_free(policy);
    return policy != NULL;
}

/* A file that was not there before. */
static bool write_file(const struct cli_call *call, const char *path,
                       const char *text, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = file >= 0 && write(file, text, length) == (ssize_t)length;

    if (file >= 0) {
        good = close(file) == 0 && good;
    }
    if (!good) {
        (void)cli_fail(call, "%s: %s", path, strerror(errno));
        return false;
    }
    (void)printf("%s\n", path);
    return true;
}

struct text {
    char *bytes;
    size_t length;
};

static struct text make_text(const struct policy_answers *answers,
                             void (*print)(const struct policy_answers *,
                                           FILE *))
{
    struct text text = {NULL, 0};
    FILE *out = open_memstream(&text.bytes, &text.length);

    if (out == NULL) {
        abort();
    }
    print(answers, out);
    if (fclose(out) != 0) {
        abort();
    }
    return text;
}

static bool write_both(const struct cli_call *call,
                       const struct policy_answers *answers)
{
    struct text policy = make_text(answers, policy_text_print);
    struct text test = make_text(answers, policy_text_print_test);
    char path[2 * NAME_MAX_BYTES];
    bool good = is_good(policy.bytes, policy.length);

    if (good && cli_value(call, "stdout") != NULL) {
        (void)fwrite(policy.bytes, 1, policy.length, stdout);
    } else if (good) {
        (void)snprintf(path, sizeof(path), "%s.yaml", answers->name);
        good = write_file(call, path, policy.bytes, policy.length);
        (void)snprintf(path, sizeof(path), "%s.test.yaml", answers->name);
        good = good && write_file(call, path, test.bytes, test.length);
    }
    free(policy.bytes);
    free(test.bytes);
    return good;
}

int policy_run(const struct cli_call *call)
{
    struct policy_answers answers = {.mode = "observe"};
    char shown[160];

    if (call->positionals != 2 || strcmp(call->positional[0], "new") != 0) {
        return cli_fail(call, "usage: lastgood policy new NAME");
    }
    answers.name = call->positional[1];
    answers.service = or_else(cli_value(call, "service"), answers.name);
    answers.environment = or_else(cli_value(call, "environment"), "production");
    answers.mode = or_else(cli_value(call, "mode"), "observe");
    if (!name_is_valid(answers.name) || strchr(answers.name, '/') != NULL) {
        text_escape(answers.name, shown, sizeof(shown));
        return cli_fail(call,
                        "'%s' is no name for a policy: letters, digits and . _ "
                        "- after a letter or digit",
                        shown);
    }
    if (!read_signals(call, &answers) || !read_source(call, &answers)) {
        return EXIT_CODE_ERROR;
    }
    return write_both(call, &answers) ? EXIT_CODE_DONE : EXIT_CODE_ERROR;
}
