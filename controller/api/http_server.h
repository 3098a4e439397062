/* HTTP/1.1 on one listening socket: request in, response out.
 *
 * Nothing above this file knows libmicrohttpd.  A request is handed over once,
 * whole, with its framing checked; it is answered from inside the handler or
 * at any later time, from the loop.  What is refused here (bad framing, a body
 * over the limit) is answered with problem details; only what the library
 * itself refuses before we see it (400, 414, 431, 505) is its own HTML.
 *
 * Every connection has a deadline: for a request to come, to arrive whole, and
 * for its answer to be taken.  A request that waits for its answer has none
 * here: whoever keeps an exchange must answer it, for ever is a leak. */
#ifndef API_HTTP_SERVER_H
#define API_HTTP_SERVER_H

#include "controller/api/refusal.h"
#include "policies/units.h"

#include <uv.h>

/* Above this an answer is written in pieces, so that one slow or big answer
 * never holds the loop. */
#define ANSWER_PIECE_BYTES (32 * 1024)

struct http_server;
struct exchange; /* one request and its answer */

struct http_server_options {
    uv_loop_t *loop;
    int listen_fd;            /* taken, also on failure */
    unsigned connections_max; /* more wait in the backlog: `full` is told */
    size_t body_max;          /* beyond it: 413 */
    time_ms idle;             /* for the next request to begin */
    time_ms arrive;           /* for a begun one, or the first, to be whole */
    time_ms take;             /* for an answer to be taken */
    void (*handle)(void *data, struct exchange *exchange);
    void (*log)(void *data, const char *line);  /* the library's, escaped */
    void (*full)(void *data, const char *line); /* for people; either NULL */
    void *data;
};

/* NULL with one line in @ret_error. */
struct http_server *http_server_new(const struct http_server_options *options,
                                    char *ret_error, size_t size);

/* Stop accepting, close idle connections, let exchanges under way be answered
 * and taken (@patience at most, then cut), free.  Exchanges must be answered
 * by their keepers before that. */
void http_server_close(struct http_server *server, time_ms patience,
                       void (*closed)(void *), void *data);

struct http_server_counts {
    unsigned connections, waiting;
    uint64_t answered[6]; /* by hundreds of the status: [2] is 2xx */
};
void http_server_count(const struct http_server *server,
                       struct http_server_counts *ret_counts);

/* The request.  Texts live until it is answered. */
const char *exchange_method(const struct exchange *exchange);
const char *exchange_target(const struct exchange *exchange); /* raw */
const char *exchange_header(const struct exchange *exchange, const char *name);
const char *exchange_body(const struct exchange *exchange, size_t *ret_length);

struct http_reply {
    int status;
    const char *content_type;
    char *body; /* malloc'd, taken; NULL: none */
    size_t length;
    const char *allow; /* NULL: no such header; likewise below */
    const char *location;
    int retry_after; /* seconds; 0: none */
};

/* Answer, once.  After this the exchange is no longer the caller's. */
void exchange_answer(struct exchange *exchange,
                     const struct http_reply *answer);

/* The same with problem details; @more (taken, may be NULL) are its further
 * members. */
void exchange_refuse(struct exchange *exchange, const struct refusal *refusal,
                     json_t *more);

/* And with JSON (taken). */
void exchange_answer_json(struct exchange *exchange, int status, json_t *json,
                          const char *location);

#endif
