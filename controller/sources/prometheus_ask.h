/* Asking Prometheus: one HTTP call a question, read in slices, answered once.
 *
 * Every question ends within the source's time-out, waiting for its turn
 * included: later nobody wants the answer.  A server that fails is left alone
 * for a while (backoff.h); questions meanwhile end at once with what it said.
 * Errors are one sentence: which source, where, what it said. */
#ifndef SOURCES_PROMETHEUS_ASK_H
#define SOURCES_PROMETHEUS_ASK_H

#include "controller/prometheus/prometheus_answer.h"
#include "controller/runtime/driver.h"

struct prometheus_client;

struct ask_call {
    uint16_t service; /* whose variables the address has; NONE_INDEX: none */
    enum prometheus_want want;
    const char *query;
    time_ms from;     /* WANT_VECTOR: the moment */
    time_ms to, step; /* WANT_MATRIX: both ends included */
};

/* One element; it counts only when ask_done() comes without an error.  False:
 * a label stands twice in it. */
typedef bool ask_element(void *data, const struct prometheus_element *element);

/* The end, exactly once, never from within prometheus_client_ask(); @error is
 * NULL when the whole answer was good. */
typedef void ask_done(void *data, const char *error);

struct prometheus_client *prometheus_client_new(struct driver *driver,
                                                uint16_t index);

/* @call is copied as far as it is needed.  After prometheus_client_close()
 * nothing is asked and nobody is called. */
void prometheus_client_ask(struct prometheus_client *client,
                           const struct ask_call *call, ask_element *element,
                           ask_done *done, void *data);

/* Call @done from the loop, soon, without an error. */
void prometheus_client_soon(struct prometheus_client *client, ask_done *done,
                            void *data);

/* Every open question ends with an error before this returns; the client is
 * freed when its handles are closed. */
void prometheus_client_close(struct prometheus_client *client);

#endif
