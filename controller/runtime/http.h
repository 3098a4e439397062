/* HTTP requests to others: libcurl's multi interface on the loop.
 *
 * Every request has a time-out, a cap on the decoded body, no redirects, no
 * environment proxy, http and https only.  At most 64 are in flight and 8 a
 * host; the rest waits here, its time-out starts when it is sent.  What waited
 * too long for its turn is not sent any more (HTTP_TIMED_OUT), so that a host
 * that hangs has a short queue.  The queue holds 20,000; beyond it a request is
 * answered at once with HTTP_REFUSED.  Urgent requests go first, have 32 places
 * and 8 a host of their own, and are never refused for others' sake.
 * Requests that change the world use a fresh connection and are never sent
 * twice by the library. */
#ifndef RUNTIME_HTTP_H
#define RUNTIME_HTTP_H

#include "policies/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define HTTP_BODY_MAX (8 * 1024 * 1024)

enum http_end {
    HTTP_ANSWERED, /* a whole answer came: status says which */
    HTTP_TIMED_OUT,
    HTTP_UNREACHABLE, /* no name, refused, TLS: the request never left */
    HTTP_BROKEN,      /* cut or garbled after it may have left */
    HTTP_TOO_LARGE,
    HTTP_REFUSED, /* not sent: queue full, bad URL */
    HTTP_CANCELLED
};

struct http_answer {
    enum http_end end;
    int status;               /* ANSWERED only */
    const char *content_type; /* "" when none */
    const char *body;         /* lent; NUL-ended, may hold NULs */
    size_t length;
    time_ms retry_after; /* of a Retry-After header, 0: none */
    char text[256];      /* for people: "POST http://h/x: 503 Service
                            Unavailable: <start of body>" or curl's words;
                            no credentials */
};

/* The first words of @answer's body on one line, for people; not escaped. */
#define HTTP_BEGIN_MAX 120
void http_begin_of(const struct http_answer *answer,
                   char ret_text[HTTP_BEGIN_MAX]);

struct http;
struct http_request;

typedef void http_done(void *data, const struct http_answer *answer);

struct http_call {
    const char *method; /* GET, POST, PUT, PATCH, DELETE */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
    const char *body;           /* copied; NULL: none */
    size_t length;
    const char *bearer;      /* token, or NULL */
    const char *unix_socket; /* path, or NULL */
    time_ms timeout;
    size_t body_max; /* 0: HTTP_BODY_MAX */
    bool changes_world;
    bool urgent;      /* of a rollback: it does not wait behind others */
    time_ms patience; /* the longest wait for its turn; 0: twice the time-out */
};

/* curl_global_init() must have been called by main. */
struct http *http_new(uv_loop_t *loop);

/* Everything is copied; @done is called exactly once, from the loop, never
 * from inside http_send() itself. */
struct http_request *http_send(struct http *http, const struct http_call *call,
                               http_done *done, void *data);

/* @done is called with HTTP_CANCELLED before this returns. */
void http_cancel(struct http *http, struct http_request *request);

size_t http_in_flight(const struct http *http);
size_t http_waiting(const struct http *http);

/* Cancel all; @closed when every handle is closed and @http is freed. */
void http_close(struct http *http, void (*closed)(void *), void *data);

#endif
