/* One line an event, logfmt or JSON, on standard error.
 *
 *   log_event(log, LOG_INFO, "rollback.intended",
 *             "service", service, "from", suspect, "to", target, NULL);
 * prints
 *   time=2026-11-24T23:00:00.123Z level=info event=rollback.intended
 * service=...
 *
 * Values are escaped; a value with blanks or quotes is quoted.  One event
 * is limited to 200 lines a second; a line then says how many were left out.
 * A reader that does not keep up holds nobody: lines wait for it, those that
 * find no room are dropped, and a line says how many. */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log;

struct log *log_new(FILE *out, enum log_format format, enum log_level least);
void log_free(struct log *log);

/* Once a second: what waits for the reader, as much as it takes. */
void log_flush(struct log *log);

/* Name and value pairs, ended by NULL. */
void log_event(struct log *log, enum log_level level, const char *event, ...)
    __attribute__((sentinel));

/* The same with an array, likewise ended by NULL. */
void log_pairs(struct log *log, enum log_level level, const char *event,
               const char *const *pairs);

/* The same for what was decided or done: never left out, and its lines leave
 * no others out.  Only for what is bounded by what may happen. */
void log_fact(struct log *log, enum log_level level, const char *event,
              const char *const *pairs);

#endif
