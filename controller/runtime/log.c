#include "controller/runtime/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "controller/runtime/clock.h"
#include "controller/runtime/log_writer.h"
#include "policies/memory.h"
#include "policies/problem.h"

#define LINE_MAX_BYTES   (16 * 1024)
#define VALUE_MAX_BYTES  (4 * 1024)
#define LINES_PER_SECOND 200
#define PAIRS_MAX        24
#define EVENTS_MAX       128 /* names told apart; the rest shares the last */
#define EVENT_NAME_MAX   48

/* How often one event was said in the second that began at `since`. */
struct event_rate {
    char name[EVENT_NAME_MAX];
    time_ms since;
    int lines;
    int left_out;
};

struct log {
    struct log_writer *writer;
    size_t dropped; /* lines without room, not yet told */
    enum log_format format;
    enum log_level least;
    struct event_rate rates[EVENTS_MAX];
    size_t rates_count;
    size_t used;
    char line[LINE_MAX_BYTES];
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

struct log *log_new(FILE *out, enum log_format format, enum log_level least)
{
    struct log *log = memory_zeroed(1, sizeof(*log));

    log->writer = log_writer_new(out);
    log->format = format;
    log->least = least;
    return log;
}

/* --- Writing one line ----------------------------------------------------- */

static void put(struct log *log, const char *text)
{
    const size_t length = strlen(text);
    const size_t room = sizeof(log->line) - 2 - log->used;
    const size_t taken = length < room ? length : room;

    memcpy(log->line + log->used, text, taken);
    log->used += taken;
}

/* Both formats quote alike: after text_escape() only '"' and '\' are left to
 * be escaped. */
static void put_quoted(struct log *log, const char *value)
{
    put(log, "\"");
    for (const char *at = value; *at != '\0'; at++) {
        const char byte[] = {*at, '\0'};

        if (*at == '"' || *at == '\\') {
            put(log, "\\");
        }
        put(log, byte);
    }
    put(log, "\"");
}

static void put_pair(struct log *log, const char *name, const char *value)
{
    char escaped[VALUE_MAX_BYTES];

    text_escape(value, escaped, sizeof(escaped));
    if (2 * strlen(escaped) + strlen(name) + 16 >
        sizeof(log->line) - log->used) {
        return; /* a line is cut between pairs only */
    }
    if (log->format == LOG_JSON) {
        put(log, log->used == 0 ? "{" : ",");
        put_quoted(log, name);
        put(log, ":");
        put_quoted(log, escaped);
        return;
    }
    put(log, log->used == 0 ? "" : " ");
    put(log, name);
    put(log, "=");
    if (escaped[0] == '\0' || strpbrk(escaped, " \"\\=") != NULL) {
        put_quoted(log, escaped);
    } else {
        put(log, escaped);
    }
}

/* RFC 3339 with milliseconds always, so that lines align. */
static void print_time(time_ms at, char *ret_text, size_t size)
{
    char seconds[MOMENT_TEXT_MAX];

    moment_print(at - at % SECOND_MS, seconds);
    seconds[strlen(seconds) - 1] = '\0';
    (void)snprintf(ret_text, size, "%s.%03dZ", seconds, (int)(at % SECOND_MS));
}

static void begin(struct log *log, time_ms at, enum log_level level,
                  const char *event)
{
    char time[MOMENT_TEXT_MAX + 8];

    log->used = 0;
    print_time(at, time, sizeof(time));
    put_pair(log, "time", time);
    put_pair(log, "level", level_names[level]);
    put_pair(log, "event", event);
}

/* One write a line, so that lines of several processes do not mix. */
static void end(struct log *log)
{
    if (log->format == LOG_JSON) {
        put(log, "}");
    }
    log->line[log->used] = '\n';
    log->dropped +=
        log_writer_put(log->writer, log->line, log->used + 1) ? 0 : 1;
}

/* As soon as there is room for it and for a line behind it. */
static void say_dropped(struct log *log, time_ms at)
{
    char count[24];

    if (log->dropped == 0 ||
        !log_writer_has_room(log->writer, 2 * sizeof(log->line))) {
        return;
    }
    (void)snprintf(count, sizeof(count), "%zu", log->dropped);
    log->dropped = 0;
    begin(log, at, LOG_WARNING, "log.dropped");
    put_pair(log, "lines", count);
    put_pair(log, "text", "whoever reads the log did not keep up");
    end(log);
}

void log_flush(struct log *log)
{
    log_writer_flush(log->writer);
    say_dropped(log, clock_wall());
}

/* --- Not too many --------------------------------------------------------- */

static struct event_rate *find_rate(struct log *log, const char *event)
{
    for (size_t i = 0; i < log->rates_count; i++) {
        if (strncmp(log->rates[i].name, event, EVENT_NAME_MAX - 1) == 0) {
            return &log->rates[i];
        }
    }
    if (log->rates_count < EVENTS_MAX) {
        struct event_rate *rate = &log->rates[log->rates_count];

        (void)snprintf(rate->name, sizeof(rate->name), "%s", event);
        log->rates_count++;
        return rate;
    }
    return &log->rates[EVENTS_MAX - 1];
}

static void say_left_out(struct log *log, struct event_rate *rate, time_ms at)
{
    char count[16];

    if (rate->left_out == 0) {
        return;
    }
    (void)snprintf(count, sizeof(count), "%d", rate->left_out);
    begin(log, at, LOG_WARNING, "log.left_out");
    put_pair(log, "of", rate->name);
    put_pair(log, "lines", count);
    end(log);
    rate->left_out = 0;
}

/* Say what seconds gone by have left out, then: may @event be said now? */
static bool may_say(struct log *log, const char *event, time_ms at)
{
    struct event_rate *rate = find_rate(log, event);

    for (size_t i = 0; i < log->rates_count; i++) {
        if (at - log->rates[i].since >= SECOND_MS || at < log->rates[i].since) {
            say_left_out(log, &log->rates[i], at);
            log->rates[i].since = at;
            log->rates[i].lines = 0;
        }
    }
    if (rate->lines >= LINES_PER_SECOND) {
        rate->left_out++;
        return false;
    }
    rate->lines++;
    return true;
}

void log_free(struct log *log)
{
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < log->rates_count; i++) {
        say_left_out(log, &log->rates[i], clock_wall());
    }
    log_flush(log);
    log_writer_free(log->writer);
    free(log);
}

static void say(struct log *log, time_ms at, enum log_level level,
                const char *event, const char *const *pairs)
{
    log_writer_flush(log->writer);
    say_dropped(log, at);
    begin(log, at, level, event);
    for (size_t i = 0; pairs[i] != NULL; i += 2) {
        put_pair(log, pairs[i], pairs[i + 1]);
    }
    end(log);
}

void log_fact(struct log *log, enum log_level level, const char *event,
              const char *const *pairs)
{
    if (level >= log->least) {
        say(log, clock_wall(), level, event, pairs);
    }
}

void log_pairs(struct log *log, enum log_level level, const char *event,
               const char *const *pairs)
{
    const time_ms at = clock_wall();

    if (level >= log->least && may_say(log, event, at)) {
        say(log, at, level, event, pairs);
    }
}

void log_event(struct log *log, enum log_level level, const char *event, ...)
{
    const char *pairs[2 * PAIRS_MAX + 1];
    size_t count = 0;
    va_list given;

    va_start(given, event);
    for (const char *name = va_arg(given, const char *); name != NULL;
         name = va_arg(given, const char *)) {
        const char *value = va_arg(given, const char *);

        assert(count + 2 <= 2 * PAIRS_MAX);
        pairs[count++] = name;
        pairs[count++] = value == NULL ? "" : value;
    }
    va_end(given);
    pairs[count] = NULL;
    log_pairs(log, level, event, pairs);
}
