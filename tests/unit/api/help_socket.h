/* A client for tests: raw bytes over a real socket, on the same loop as the
 * server, so that nothing is left to luck. */
#ifndef TESTS_API_HELP_SOCKET_H
#define TESTS_API_HELP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* Everything the server sent, NUL-ended. */
struct heard {
    char *bytes;
    size_t length;
    bool ended; /* the server closed */
};

int socket_open(int port);
int socket_open_unix(const char *path);
void socket_say(int fd, const char *bytes, size_t length);

/* Run the loop until @count whole answers came, or the server closed, or a
 * test's patience (20 s) is over: that fails the test. */
void socket_hear(uv_loop_t *loop, int fd, size_t count, struct heard *heard);

/* Run the loop until the server closed. */
void socket_hear_end(uv_loop_t *loop, int fd, struct heard *heard);
void heard_free(struct heard *heard);

/* One request on a connection of its own. */
void socket_ask(uv_loop_t *loop, int port, const char *request,
                struct heard *ret_heard);

/* Of the first answer: its status, its body, a header's value ("" without). */
int heard_status(const struct heard *heard);
const char *heard_body(const struct heard *heard);
const char *heard_header(const struct heard *heard, const char *name,
                         char value[256]);

/* Turns of the loop until @done says so; fails the test after 20 s. */
void loop_until(uv_loop_t *loop, bool (*done)(void *), void *data);

#endif
