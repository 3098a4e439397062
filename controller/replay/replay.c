#include "controller/replay/replay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "controller/replay/chart.h"
#include "controller/replay/file.h"
#include "controller/replay/run.h"
#include "policies/memory.h"

/* Looks that a table may hold: a year of 15 s five times over. */
#define LOOKS_MAX 10000000

#define COLUMNS_DEFAULT 100

/* Everything that was read; what was not is NULL. */
struct replay {
    struct replay_options options;
    struct problems problems;
    bool colour; /* of standard error */
    char *text;  /* of the table, until it is loaded */
    size_t length;
    struct csv *csv;
    struct policy *policy;
    struct replay_release release;
};

/* --- The terminal --------------------------------------------------------- */

static bool has_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fileno(out)) == 1 &&
           (no_color == NULL || no_color[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static int columns_of(FILE *out)
{
    struct winsize size;

    if (isatty(fileno(out)) == 1 &&
        ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
        return size.ws_col;
    }
    return COLUMNS_DEFAULT;
}

/* --- Reading -------------------------------------------------------------- */

/* Print what was found in a file; true when it can be used. */
static bool tell_problems(struct replay *replay, const char *source,
                          size_t length)
{
    problems_print(&replay->problems, source, length, replay->colour, stderr);
    return replay->problems.errors == 0;
}

static bool open_samples(struct replay *replay)
{
    size_t length = 0;

    problems_init(&replay->problems, replay->options.samples);
    replay->text = file_read(replay->options.samples, CSV_BYTES_MAX, &length,
                             &replay->problems);
    replay->length = length;
    if (replay->text != NULL) {
        replay->csv = csv_open(replay->text, length, &replay->problems);
    }
    return tell_problems(replay, replay->text, replay->length);
}

static bool read_policy(struct replay *replay)
{
    const struct replay_options *options = &replay->options;
    size_t length = 0;
    char *source = NULL;

    problems_init(&replay->problems, options->policy);
    source =
        file_read(options->policy, POLICY_FILE_MAX, &length, &replay->problems);
    if (source != NULL) {
        replay->policy =
            table_policy(options->policy, source, length, replay->csv,
                         options->every, &replay->problems);
    }
    (void)tell_problems(replay, source, length);
    free(source);
    return replay->policy != NULL;
}

/* The rows of the columns that the policy reads; then the text is done with. */
static bool load_samples(struct replay *replay)
{
    bool wanted[CSV_COLUMNS_MAX];
    bool good = false;

    problems_init(&replay->problems, replay->options.samples);
    table_want(replay->policy, replay->csv, wanted);
    if (csv_load(replay->csv, wanted, &replay->problems)) {
        table_warn(replay->policy, replay->csv, &replay->problems);
    }
    good = tell_problems(replay, replay->text, replay->length);
    free(replay->text);
    replay->text = NULL;
    return good;
}

/* Deployed when?  The first row, unless the file says.  Then something must be
 * left to judge, and not for ever. */
static void settle_deploy(struct replay *replay)
{
    struct replay_release *release = &replay->release;
    time_ms first = csv_time(replay->csv, 0);
    time_ms last = csv_time(replay->csv, csv_rows(replay->csv) - 1);
    time_ms every = replay->policy->watch.every;
    char at[MOMENT_TEXT_MAX];

    if (release->deployed_at == 0) {
        /* To the core 0 is "not said"; a table may well begin there. */
        release->deployed_at = first > 0 ? first : 1;
    }
    if (release->deployed_at >= last && csv_rows(replay->csv) > 1) {
        (void)problems_error(&replay->problems, release->line, release->column,
                             "deployed_at is not before the table's last row, "
                             "%s: there is nothing to judge",
                             moment_print(last, at));
    } else if ((last - release->deployed_at) / every > LOOKS_MAX) {
        (void)problems_error(&replay->problems, release->line, release->column,
                             "from the deploy to the table's end there are "
                             "more than %d grid times; write --every with a "
                             "longer time",
                             LOOKS_MAX);
    }
}

static bool read_release(struct replay *replay)
{
    const char *path = replay->options.release;
    size_t length = 0;
    char *source = NULL;

    problems_init(&replay->problems,
                  path != NULL ? path : replay->options.samples);
    if (path == NULL) {
        release_make(replay->policy, &replay->release);
        settle_deploy(replay);
        return tell_problems(replay, NULL, 0);
    }
    source = file_read(path, RELEASE_FILE_MAX, &length, &replay->problems);
    if (source != NULL &&
        release_read(source, length, &replay->release, &replay->problems)) {
        settle_deploy(replay);
    }
    (void)tell_problems(replay, source, length);
    free(source);
    return replay->problems.errors == 0;
}

/* --- All of it ------------------------------------------------------------ */

static int fail(const char *error, int code)
{
    (void)fprintf(stderr, "lastgood replay: %s\n", error);
    return code;
}

static bool draw(const struct replay *replay, const struct picture *picture,
                 char *ret_error, size_t size)
{
    const struct replay_release *release = &replay->release;
    const char *path = replay->options.svg;
    FILE *out = fopen(path, "w");
    char title[4 * NAME_MAX_BYTES], shown[512];
    bool written = false;

    if (out != NULL) {
        (void)snprintf(title, sizeof(title), "%s %s, judged by %s",
                       release->service, release->version,
                       policy_text(replay->policy, replay->policy->name));
        picture_draw(picture, title, out);
        written = ferror(out) == 0;
        written = fclose(out) == 0 && written;
    }
    text_escape(path, shown, sizeof(shown));
    (void)snprintf(ret_error, size, "cannot write %s: %s", shown,
                   strerror(errno));
    return written;
}

static bool show_chart(const struct replay *replay, const struct chart *chart,
                       char *ret_error, size_t size)
{
    if (replay->options.chart) {
        (void)putchar('\n');
        picture_print(chart_picture(chart), columns_of(stdout), stdout);
    }
    return replay->options.svg == NULL ||
           draw(replay, chart_picture(chart), ret_error, size);
}

static int judge(struct replay *replay)
{
    struct report report = {
        .out = stdout,
        .json = replay->options.json,
        .colour = has_colour(stdout),
        .columns = columns_of(stdout),
        .release = &replay->release,
        .csv = replay->csv,
    };
    const struct run_options options = {
        .csv = replay->csv,
        .fill = replay->options.linear ? CSV_LINEAR : CSV_STEP,
        .policy = replay->policy,
        .release = &replay->release,
        .goes_on = replay->options.goes_on,
    };
    const bool draws = replay->options.chart || replay->options.svg != NULL;
    const struct report_watcher watcher = {
        .data = draws ? chart_new(&options) : NULL,
        .look = chart_look,
        .end = chart_end,
    };
    char error[1200] = "";
    bool good = false;

    report.watcher = draws ? &watcher : NULL;
    report_begin(&report, replay->policy, &replay->options);
    good = run_judge(&options, &report, error, sizeof(error)) &&
           (!draws || show_chart(replay, watcher.data, error, sizeof(error)));
    chart_free(watcher.data);
    if (!good) {
        return fail(error, REPLAY_EXIT_ERROR);
    }
    return fflush(stdout) == 0
               ? REPLAY_EXIT_DONE
               : fail("cannot write the output", REPLAY_EXIT_ERROR);
}

int replay_main(int argc, char **argv)
{
    struct replay *replay = memory_zeroed(1, sizeof(*replay));
    char error[256];
    int code = REPLAY_EXIT_ERROR;

    replay->colour = has_colour(stderr);
    if (!options_read(argc, argv, &replay->options, error, sizeof(error))) {
        code = fail(error, REPLAY_EXIT_ERROR);
    } else if (replay->options.help) {
        options_print_help(stdout);
        code = REPLAY_EXIT_DONE;
    } else if (open_samples(replay) && read_policy(replay) &&
               load_samples(replay) && read_release(replay)) {
        code = judge(replay);
    }
    free(replay->text);
    csv_free(replay->csv);
    policy_free(replay->policy);
    free(replay);
    return code;
}
