/* A scripted TCP server in the test's own loop: it reads whole requests and
 * lets the test answer with any bytes, or with none. */
#ifndef TESTS_RUNTIME_HELP_PEER_H
#define TESTS_RUNTIME_HELP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct peer;

/* One connection; `request` is the whole request just received, as text. */
struct visitor {
    uv_tcp_t tcp;
    struct peer *peer;
    char *request;
    size_t length, size;
    int requests; /* on this connection, this one included */
};

struct peer {
    uv_tcp_t tcp;
    int port;
    int connections, requests;
    int open;                               /* now */
    void (*serve)(struct visitor *visitor); /* NULL: never answer */
    void *data;
};

void peer_start(struct peer *peer, uv_loop_t *loop,
                void (*serve)(struct visitor *visitor), void *data);

/* Stop listening; visitors stay until they leave. */
void peer_stop(struct peer *peer);

void visitor_write(struct visitor *visitor, const void *bytes, size_t length);

/* "HTTP/1.1 STATUS", @headers ("" or lines ended by CRLF), length and body. */
void visitor_answer(struct visitor *visitor, const char *status,
                    const char *headers, const char *body);
void visitor_close(struct visitor *visitor);

#endif
