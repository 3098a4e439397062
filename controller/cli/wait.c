#include "controller/cli/commands.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "controller/runtime/clock.h"
#include "policies/problem.h"
#include "policies/units.h"

#define POLL_LEAST_MS SECOND_MS
#define POLL_MOST_MS  (5 * SECOND_MS)

/* What a look at the release says. */
enum decided { NOT_YET, DECIDED_GOOD, DECIDED_BAD, DECIDED_NEVER };

struct watch {
    const char *id;
    bool good_only, json, line_open, told;
    time_ms timeout, began;
};

static enum decided decide(const struct watch *watch, const json_t *release)
{
    const char *state = client_text(release, "state");
    const char *grade = client_text(release, "grade");
    bool provisional = strcmp(grade, "provisional") == 0;

    /* A revert under way may still fail, and one that is due may not come:
     * their end is the answer, whatever grade was reached before. */
    if (strcmp(state, "reverting") == 0 ||
        (strcmp(state, "suspect") == 0 && strcmp(grade, "tainted") != 0)) {
        return NOT_YET;
    }
    if (strcmp(state, "reverted") == 0 || strcmp(state, "held") == 0 ||
        strcmp(grade, "tainted") == 0) {
        return DECIDED_BAD;
    }
    if (strcmp(grade, "good") == 0 || (provisional && !watch->good_only)) {
        return DECIDED_GOOD;
    }
    if (strcmp(state, "superseded") == 0 || strcmp(state, "unwatched") == 0) {
        return DECIDED_NEVER;
    }
    return NOT_YET;
}

/* One line that is written over on a terminal; nothing into a pipe. */
static void show_progress(struct watch *watch, const char *text)
{
    if (isatty(fileno(stderr)) == 1) {
        (void)fprintf(stderr, "\r\033[K%.78s", text);
        (void)fflush(stderr);
        watch->line_open = true;
    }
}

/* In a pipe nobody sees the progress: that nobody answers is said once. */
static void show_silence(struct watch *watch, const char *text)
{
    show_progress(watch, text);
    if (!watch->line_open && !watch->told) {
        (void)fprintf(stderr, "lastgood wait: %s; asking again\n", text);
        watch->told = true;
    }
}

static void end_progress(struct watch *watch)
{
    if (watch->line_open) {
        (void)fprintf(stderr, "\r\033[K");
        watch->line_open = false;
    }
}

static time_ms number(const json_t *json, const char *name)
{
    return json_integer_value(json_object_get(json, name));
}

static void describe(const json_t *release, char *ret_text, size_t size)
{
    const json_t *verdict = json_object_get(release, "verdict");
    char healthy[SPAN_TEXT_MAX], lasts[SPAN_TEXT_MAX];
    int length = snprintf(
        ret_text, size, "%s %s in %s: %s, grade %s, %s%s",
        client_text(release, "service"), client_text(release, "version"),
        client_text(release, "environment"), client_text(release, "state"),
        client_text(release, "grade"),
        json_is_object(verdict) ? "verdict " : "",
        json_is_object(verdict) ? client_text(verdict, "verdict")
                                : "not judged yet");

    if (number(release, "lasts_ms") > 0 && length > 0 &&
        (size_t)length < size) {
        (void)snprintf(ret_text + length, size - (size_t)length,
                       ", healthy %s of %s",
                       terminal_span(number(release, "healthy_ms"), healthy),
                       terminal_span(number(release, "lasts_ms"), lasts));
    }
}

static int finish(struct watch *watch, const json_t *release, const char *word,
                  int code)
{
    bool colour = terminal_has_colour(stdout);
    enum paint paint = code == EXIT_CODE_DONE  ? PAINT_GOOD
                       : code == EXIT_CODE_BAD ? PAINT_BAD
                                               : PAINT_WARN;
    char text[1024], shown[2048];

    end_progress(watch);
    if (watch->json && release != NULL) {
        client_print_json(release);
        return code;
    }
    if (release == NULL) {
        (void)snprintf(text, sizeof(text), "release %s was never seen",
                       watch->id);
    } else {
        describe(release, text, sizeof(text));
    }
    text_escape(text, shown, sizeof(shown));
    (void)printf("%s%s%s: %s\n", terminal_paint(paint, colour), word,
                 terminal_unpaint(paint, colour), shown);
    return code;
}

/* A grade counts when it is durable: a controller whose store is down may know
 * one that it will have forgotten after a crash. */
static bool is_confirmed(const struct cli_call *call, struct watch *watch)
{
    struct reply reply;
    bool confirmed = false;

    client_ask(call, "GET", "/healthz", NULL, NULL, &reply);
    confirmed = reply.end == REPLY_OK;
    if (!confirmed) {
        show_silence(watch, reply.text);
    }
    reply_release(&reply);
    return confirmed;
}

/* Ask once; true when the waiting is over, with the exit code. */
static bool look(const struct cli_call *call, struct watch *watch,
                 json_t **last, int *ret_code)
{
    char path[64], text[1024], shown[1024];
    struct reply reply;
    enum decided decided = NOT_YET;

    (void)snprintf(path, sizeof(path), "/v1/releases/%s", watch->id);
    client_ask(call, "GET", path, NULL, NULL, &reply);
    if (reply.end == REPLY_PROBLEM && reply.status < 500) {
        end_progress(watch);
        *ret_code = client_fail(call, &reply);
        reply_release(&reply);
        return true;
    }
    if (reply.end != REPLY_OK) {
        /* A controller that restarts is back in a moment: go on asking. */
        show_silence(watch, reply.text);
        reply_release(&reply);
        return false;
    }
    json_decref(*last);
    *last = json_incref(reply.json);
    reply_release(&reply);
    decided = decide(watch, *last);
    if (decided == NOT_YET) {
        describe(*last, text, sizeof(text));
        text_escape(text, shown, sizeof(shown));
        show_progress(watch, shown);
        return false;
    }
    if (decided == DECIDED_GOOD && !is_confirmed(call, watch)) {
        return false;
    }
    *ret_code = decided == DECIDED_GOOD
                    ? finish(watch, *last, "good", EXIT_CODE_DONE)
                : decided == DECIDED_BAD
                    ? finish(watch, *last, "bad", EXIT_CODE_BAD)
                    : finish(watch, *last, "undecided", EXIT_CODE_NEVER);
    return true;
}

static int wait_for(const struct cli_call *call, struct watch *watch)
{
    time_ms pause = POLL_LEAST_MS;
    json_t *last = NULL;
    int code = EXIT_CODE_ERROR;

    watch->began = clock_boot();
    while (!look(call, watch, &last, &code)) {
        time_ms left = watch->began + watch->timeout - clock_boot();
        struct timespec rest;

        if (left <= 0) {
            code =
                finish(watch, last, "not decided in time", EXIT_CODE_TOO_LATE);
            break;
        }
        pause = left < pause ? left : pause;
        rest.tv_sec = (time_t)(pause / SECOND_MS);
        rest.tv_nsec = (long)(pause % SECOND_MS) * 1000000L;
        (void)nanosleep(&rest, NULL);
        pause =
            pause + SECOND_MS > POLL_MOST_MS ? POLL_MOST_MS : pause + SECOND_MS;
    }
    json_decref(last);
    return code;
}

int wait_run(const struct cli_call *call)
{
    const char *grade = cli_value(call, "for");
    const char *timeout = cli_value(call, "timeout");
    struct watch watch = {.timeout = 2 * HOUR_MS};
    char id[32];

    if (!client_format(call, &watch.json)) {
        return EXIT_CODE_ERROR;
    }
    if (grade != NULL && strcmp(grade, "good") != 0 &&
        strcmp(grade, "provisional") != 0) {
        return cli_fail(call, "--for is provisional or good");
    }
    watch.good_only = grade != NULL && strcmp(grade, "good") == 0;
    if (timeout != NULL && !duration_read(timeout, &watch.timeout)) {
        return cli_fail(call, "--timeout %s: write a time like 90s, 30m or 2h",
                        timeout);
    }
    if (!client_release(call, id, sizeof(id))) {
        return EXIT_CODE_ERROR;
    }
    watch.id = id;
    return wait_for(call, &watch);
}
