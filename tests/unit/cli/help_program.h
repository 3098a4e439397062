/* The program as a person runs it: arguments in, exit code, output and errors
 * out; and a server in a process of its own that answers from a script. */
#ifndef TESTS_CLI_HELP_PROGRAM_H
#define TESTS_CLI_HELP_PROGRAM_H

#include <stddef.h>

#define OUTPUT_MAX 65536

struct ran {
    int code;
    char out[OUTPUT_MAX], err[OUTPUT_MAX];
};

/* Run "lastgood" with these words (ended by NULL). */
void run_program(struct ran *ret_ran, ...) __attribute__((sentinel));

/* What the server answers, in order; a status of 0 closes the connection. */
struct scripted {
    int status;
    const char *body;
};

/* Start it and set LASTGOOD_SERVER to it. */
void server_start(const struct scripted *script, size_t count);

/* Wait until it has answered everything; the requests it got: "METHOD TARGET
 * BODY" one a line, with the Lastgood-By and Idempotency-Key headers. */
const char *server_finish(void);

#endif
