/* `backtest`: what a policy would have done about the releases of a while. */
#include "controller/cli/commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli/backtest_ask.h"
#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "controller/replay/backtest_report.h"
#include "controller/replay/file.h"
#include "policies/memory.h"
#include "policies/read/policy_read.h"

#define DATABASE_DEFAULT "/var/lib/lastgood/lastgood.db"
#define TIMEOUT_DEFAULT  (30 * SECOND_MS)

/* All that may be asked for: some hours of a good Prometheus' work. */
#define POINTS_MAX 100000000

struct backtest {
    const struct cli_call *call;
    time_ms from, to, timeout;
    bool json;
    struct policy *policy;
    struct backtest_server *server;
    struct backtest_releases releases;
    struct backtest_outcome *outcomes;
    size_t slices, asked;              /* of the progress */
    size_t points[POLICY_SIGNALS_MAX]; /* that were found */
};

/* --- The words of the call ------------------------------------------------ */

static bool read_time(struct backtest *backtest, const char *name,
                      time_ms *ret_at)
{
    const char *text = cli_value(backtest->call, name);
    char shown[128];

    if (text == NULL) {
        (void)cli_fail(backtest->call,
                       "--%s is needed: RFC 3339, as 2024-09-18T13:15:00Z, or "
                       "Unix seconds",
                       name);
        return false;
    }
    if (!moment_read(text, ret_at)) {
        text_escape(text, shown, sizeof(shown));
        (void)cli_fail(backtest->call,
                       "--%s: '%s' is not a time; write RFC 3339, as "
                       "2024-09-18T13:15:00Z, or Unix seconds",
                       name, shown);
        return false;
    }
    return true;
}

static bool read_times(struct backtest *backtest)
{
    const char *timeout = cli_value(backtest->call, "timeout");

    if (!read_time(backtest, "from", &backtest->from) ||
        !read_time(backtest, "to", &backtest->to)) {
        return false;
    }
    if (backtest->from >= backtest->to) {
        (void)cli_fail(backtest->call, "--from must be before --to");
        return false;
    }
    backtest->timeout = TIMEOUT_DEFAULT;
    if (timeout != NULL &&
        (!duration_read(timeout, &backtest->timeout) ||
         backtest->timeout == 0 || backtest->timeout > HOUR_MS)) {
        (void)cli_fail(backtest->call,
                       "--timeout is a time such as 30s, at most 1h");
        return false;
    }
    return true;
}

static bool find_server(struct backtest *backtest)
{
    const char *url = cli_value(backtest->call, "prometheus");
    char error[ASK_ERROR_MAX] = "";

    if (url == NULL) {
        (void)cli_fail(backtest->call,
                       "--prometheus is needed: its address, as "
                       "http://127.0.0.1:9090");
        return false;
    }
    backtest->server = backtest_server_new(url, backtest->timeout, error);
    if (backtest->server == NULL) {
        (void)cli_fail(backtest->call, "--prometheus: %s", error);
    }
    return backtest->server != NULL;
}

/* --- What is read --------------------------------------------------------- */

/* A whole file; false with everything about it printed. */
static char *read_file(const char *path, size_t most, size_t *ret_length,
                       struct problems *problems)
{
    char *text = NULL;

    problems_init(problems, path);
    text = file_read(path, most, ret_length, problems);
    if (text == NULL) {
        problems_print(problems, NULL, 0, terminal_has_colour(stderr), stderr);
    }
    return text;
}

static bool read_policy(struct backtest *backtest, struct problems *problems)
{
    const char *path = backtest->call->positional[0];
    size_t length = 0;
    char *text = read_file(path, POLICY_FILE_MAX, &length, problems);

    if (text == NULL) {
        return false;
    }
    backtest->policy = policy_read(path, text, length, problems);
    problems_print(problems, text, length, terminal_has_colour(stderr), stderr);
    free(text);
    return backtest->policy != NULL;
}

static bool read_releases_file(struct backtest *backtest, const char *path,
                               struct problems *problems)
{
    char error[1200] = "", shown[512];
    size_t length = 0;
    char *text = read_file(path, BACKTEST_FILE_MAX, &length, problems);
    bool good = text != NULL &&
                backtest_releases_read(text, length, &backtest->releases, error,
                                       sizeof(error));

    if (text != NULL && !good) {
        text_escape(path, shown, sizeof(shown));
        (void)cli_fail(backtest->call, "%s: %s", shown, error);
    }
    free(text);
    return good;
}

static bool read_releases(struct backtest *backtest, struct problems *problems)
{
    const char *file = cli_value(backtest->call, "releases");
    const char *database = cli_value(backtest->call, "database");
    char error[1200] = "";

    if (file != NULL && database != NULL) {
        (void)cli_fail(backtest->call,
                       "--releases or --database, not both of them");
        return false;
    }
    if (file != NULL) {
        return read_releases_file(backtest, file, problems);
    }
    if (!backtest_releases_of_store(
            database != NULL ? database : DATABASE_DEFAULT, &backtest->releases,
            error, sizeof(error))) {
        (void)cli_fail(backtest->call, "%s%s", error,
                       database != NULL ? ""
                                        : " (--database or --releases names "
                                          "another)");
        return false;
    }
    return true;
}

/* --- How much it is ------------------------------------------------------- */

static bool is_judged(const struct backtest *backtest,
                      const struct backtest_release *release)
{
    return release->ends - release->release.deployed_at >=
           backtest->policy->watch.every;
}

static bool refuse_much(const struct backtest *backtest,
                        const struct backtest_release *release)
{
    (void)cli_fail(backtest->call,
                   "%s %s needs more than %d grid times or %d values: a longer "
                   "'every' or a "
                   "shorter 'for' in the policy's watch would do",
                   release->release.service, release->release.version,
                   CSV_ROWS_MAX, PAST_CELLS_MAX);
    return false;
}

/* Count the slices; false with the line printed when they are too many. */
static bool measure(struct backtest *backtest)
{
    size_t columns = past_columns(backtest->policy), points = 0;
    const struct backtest_releases *releases = &backtest->releases;

    if (releases->count == 0) {
        (void)cli_fail(backtest->call,
                       "no release to judge: of those that are known, the "
                       "policy does not apply to %zu, and %zu were deployed "
                       "before --from or after --to",
                       releases->not_ours, releases->not_then);
        return false;
    }
    for (size_t i = 0; i < releases->count; i++) {
        const struct backtest_release *release = &releases->list[i];
        time_ms from = 0;
        size_t rows = past_rows(backtest->policy, release, &from);

        if (rows > PAST_CELLS_MAX / (columns + 1) || rows > CSV_ROWS_MAX) {
            return refuse_much(backtest, release);
        }
        if (is_judged(backtest, release)) {
            points += rows * columns;
            backtest->slices +=
                columns * ((rows + SLICE_POINTS_MAX - 1) / SLICE_POINTS_MAX);
        }
    }
    if (points > POINTS_MAX) {
        (void)cli_fail(backtest->call,
                       "%zu points would be asked for, at most %d are: move "
                       "--from and --to closer together, or name fewer "
                       "releases",
                       points, POINTS_MAX);
        return false;
    }
    return true;
}

/* --- Progress ------------------------------------------------------------- */

#define BAR_COLUMNS 30

static void show_progress(const struct backtest *backtest, size_t release)
{
    size_t done = backtest->slices == 0
                      ? BAR_COLUMNS
                      : BAR_COLUMNS * backtest->asked / backtest->slices;
    static const char bar[] = "##############################"
                              "..............................";

    if (isatty(fileno(stderr)) == 1) {
        (void)fprintf(stderr, "\r[%.*s] %zu of %zu releases\033[K", BAR_COLUMNS,
                      bar + BAR_COLUMNS - done, release,
                      backtest->releases.count);
        (void)fflush(stderr);
    }
}

static void clear_progress(void)
{
    if (isatty(fileno(stderr)) == 1) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
    }
}

/* --- All of it ------------------------------------------------------------ */

static const char *signal_name(const struct backtest *backtest, uint16_t signal)
{
    return policy_text(backtest->policy,
                       policy_signal(backtest->policy, signal)->name);
}

/* All slices of one question. */
static bool fetch_question(struct backtest *backtest, struct past *past,
                           const struct past_question *question, size_t i)
{
    const struct backtest_release *release = &backtest->releases.list[i];
    time_ms every = backtest->policy->watch.every, from = 0;
    size_t rows = past_rows(backtest->policy, release, &from);
    char error[ASK_ERROR_MAX] = "";

    for (size_t row = 0; row < rows; row += SLICE_POINTS_MAX) {
        size_t count =
            rows - row < SLICE_POINTS_MAX ? rows - row : SLICE_POINTS_MAX;
        const struct backtest_slice slice = {
            .question = question,
            .from = from + (time_ms)row * every,
            .to = from + (time_ms)(row + count - 1) * every,
            .every = every,
        };
        size_t points = 0;

        show_progress(backtest, i);
        if (!backtest_ask(backtest->server, &slice, past, &points, error)) {
            clear_progress();
            (void)cli_fail(backtest->call, "%s of %s %s: %s",
                           signal_name(backtest, question->signal),
                           release->release.service, release->release.version,
                           error);
            return false;
        }
        backtest->points[question->signal] += question->ages ? 0 : points;
        backtest->asked++;
    }
    return true;
}

static bool judge_release(struct backtest *backtest, size_t i)
{
    const struct backtest_release *release = &backtest->releases.list[i];
    struct backtest_outcome *outcome = &backtest->outcomes[i];
    struct past *past = NULL;
    bool good = true;

    if (!is_judged(backtest, release)) {
        (void)snprintf(outcome->refusal, sizeof(outcome->refusal), "%s",
                       release->superseded
                           ? "the next one came before the first look"
                           : "there is no look between its deploy and --to");
        return true;
    }
    past = past_new(backtest->policy, release);
    for (size_t k = 0; good && k < past_questions(past); k++) {
        good = fetch_question(backtest, past, past_question(past, k), i);
    }
    if (good) {
        backtest_judge(backtest->policy, release, past_table(past), outcome);
    }
    past_free(past);
    return good;
}

static void warn_of_silence(const struct backtest *backtest)
{
    for (uint16_t i = 0; i < backtest->policy->signals; i++) {
        const struct signal *signal = policy_signal(backtest->policy, i);

        if (signal->node == NONE_INDEX || backtest->points[i] > 0) {
            continue;
        }
        (void)fprintf(stderr, "lastgood backtest: %s: %s\n",
                      signal_name(backtest, i),
                      signal->fetch == FETCH_PROMETHEUS
                          ? "no data for any release; is the query right, and "
                            "does this Prometheus remember that time?"
                          : "unknown at every look: only Prometheus remembers "
                            "the past");
    }
}

static int judge_all(struct backtest *backtest)
{
    struct backtest_report report = {
        .out = stdout,
        .json = backtest->json,
        .colour = terminal_has_colour(stdout),
        .policy = backtest->policy,
        .from = backtest->from,
        .to = backtest->to,
        .releases = &backtest->releases,
    };

    backtest->outcomes =
        memory_zeroed(backtest->releases.count, sizeof(*backtest->outcomes));
    for (size_t i = 0; i < backtest->releases.count; i++) {
        if (!judge_release(backtest, i)) {
            return EXIT_CODE_ERROR;
        }
    }
    clear_progress();
    warn_of_silence(backtest);
    report.outcomes = backtest->outcomes;
    backtest_report(&report);
    return EXIT_CODE_DONE;
}

int backtest_run(const struct cli_call *call)
{
    struct backtest *backtest = memory_zeroed(1, sizeof(*backtest));
    struct problems *problems = memory_resized(NULL, sizeof(*problems));
    int code = EXIT_CODE_ERROR;

    backtest->call = call;
    if (client_format(call, &backtest->json) && read_times(backtest) &&
        find_server(backtest) && read_policy(backtest, problems) &&
        read_releases(backtest, problems)) {
        backtest_releases_settle(&backtest->releases, backtest->policy,
                                 backtest->from, backtest->to);
        code = measure(backtest) ? judge_all(backtest) : EXIT_CODE_ERROR;
    }
    free(backtest->outcomes);
    backtest_releases_release(&backtest->releases);
    backtest_server_free(backtest->server);
    policy_free(backtest->policy);
    free(problems);
    free(backtest);
    return code;
}
