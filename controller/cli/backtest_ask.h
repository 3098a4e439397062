/* Range queries to a Prometheus, blocking, a slice at a time. */
#ifndef CLI_BACKTEST_ASK_H
#define CLI_BACKTEST_ASK_H

#include "controller/replay/backtest_past.h"

/* Prometheus refuses more points a series in one answer. */
#define SLICE_POINTS_MAX 11000
#define SLICE_BYTES_MAX  (64 * 1024 * 1024)

#define ASK_ERROR_MAX 1024

struct backtest_server;

/* @url is http(s)://HOST:PORT, perhaps with a path.  NULL with one line in
 * @ret_error when it is none.  The caller frees it. */
struct backtest_server *backtest_server_new(const char *url, time_ms timeout,
                                            char ret_error[ASK_ERROR_MAX]);
void backtest_server_free(struct backtest_server *server);

/* One slice: the grid times from, + every, ... up to `to`, at most
 * SLICE_POINTS_MAX. */
struct backtest_slice {
    const struct past_question *question;
    time_ms from, to, every;
};

/* Ask, and give what is selected to @past.  *ret_points: how many there were.
 * False with one line for people, escaped, in @ret_error. */
bool backtest_ask(struct backtest_server *server,
                  const struct backtest_slice *slice, struct past *past,
                  size_t *ret_points, char ret_error[ASK_ERROR_MAX]);

#endif
