/* A call of the configuration, filled in for a service and sent. */
#ifndef RUNTIME_CALL_H
#define RUNTIME_CALL_H

#include "controller/config/template.h"
#include "controller/runtime/driver.h"

struct call_order {
    const struct call_config *call;
    uint16_t service;            /* whose variables fill it in */
    const struct variable *more; /* and these */
    size_t more_count;
    const char *bearer; /* "" none */
    const char *key;    /* of the idempotency header; NULL: not sent */
    size_t body_max;    /* of the answer; 0: HTTP_BODY_MAX */
    bool urgent;        /* likewise of http_call */
    time_ms patience;
    http_done *done; /* as of http_send() */
    void *data;
};

/* Send it; everything but a GET changes the world.  NULL with a sentence in
 * @ret_error when it cannot be filled in: then nothing was sent and `done` is
 * not called. */
struct http_request *call_send(struct driver *driver,
                               const struct call_order *order, char *ret_error,
                               size_t error_size);

#endif
