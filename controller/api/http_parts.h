/* What http_server.c and http_exchange.c share. */
#ifndef API_HTTP_PARTS_H
#define API_HTTP_PARTS_H

#include "controller/api/http_server.h"

#include <microhttpd.h>

/* A connection, from accept to close. */
struct peer {
    struct http_server *server;
    struct peer *previous, *next;
    uv_timer_t deadline;
    int fd;
    bool busy; /* a request is under way */
};

struct exchange {
    struct http_server *server;
    struct peer *peer;
    struct MHD_Connection *connection;
    struct MHD_Response *response; /* NULL until it is answered */
    unsigned status;
    const char *method;
    char *target, *body;
    size_t length;
    bool begun, handled, suspended, too_large;
};

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_timer_t timer;    /* when MHD wants to run though nothing came */
    uv_timer_t patience; /* closing: the end of it */
    struct peer *peers;
    struct http_server_counts counts;
    unsigned handles; /* open handles of the loop, ours and the peers' */
    bool run_soon, closing, stopped;
    bool is_full; /* said; until half of the connections are free again */
    void (*closed)(void *);
    void *closed_data;
};

/* Callbacks of the library; @cls is the server. */
void *exchange_begin(void *cls, const char *target,
                     struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_size, void **context);
void exchange_end(void *cls, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode how);

/* The peer's time is up @after now. */
void peer_deadline(struct peer *peer, time_ms after);
void peer_no_deadline(struct peer *peer);

#endif
