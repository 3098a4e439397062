/* What the files of this room share.  Nobody else includes it. */
#ifndef API_API_PARTS_H
#define API_API_PARTS_H

#include "controller/api/api.h"
#include "controller/api/body.h"
#include "controller/api/http_server.h"
#include "controller/api/target.h"

#define API_SERVERS_MAX 2
#define API_WAIT_MS     (10 * SECOND_MS)

struct waiting;

struct api {
    struct driver *driver;
    struct http_server *servers[API_SERVERS_MAX];
    size_t servers_count, servers_open;
    int port;
    char unix_path[108]; /* to remove at the end, "" none */

    /* Exchanges that wait, oldest first; all wait equally long. */
    time_ms wait;
    struct waiting *first, *last;
    uv_timer_t timer;
    uint64_t replies;
    bool hears; /* the driver's answers */
    bool closing;
    void (*closed)(void *);
    void *closed_data;
};

/* --- Waiting for the driver ------------------------------------------------
 */

typedef void order_done(struct api *api, struct exchange *exchange,
                        const struct effect *effect);

/* Hand @input to the driver for @exchange; @done answers it when what was
 * ordered is durable and done.  Refusals, a store that is down, and an answer
 * that does not come in time are answered here. */
void waiting_order(struct api *api, struct exchange *exchange,
                   struct input *input, order_done *done);

/* Entries of the journal for @exchange.  @done is called once with the
 * entries, or never when the exchange was answered meanwhile (too late, read
 * failed); then @forget frees @data.  Otherwise @data is @done's. */
typedef void reading_done(struct api *api, struct exchange *exchange,
                          const struct store_event *event, void *data);
void waiting_read(struct api *api, struct exchange *exchange,
                  const struct store_query *query, reading_done *done,
                  void (*forget)(void *), void *data);

/* Hear the driver's answers, and no longer. */
void waiting_start(struct api *api);
void waiting_stop(struct api *api);

/* Answer all that still wait with 503. */
void waiting_give_up(struct api *api);

/* --- Handlers ---------------------------------------------------------------
 */

typedef void handler(struct api *api, struct exchange *exchange,
                     const struct target *target);

handler releases_list, releases_register, releases_one, releases_hold,
    releases_resume, releases_rollback, releases_mute;
handler rollbacks_approve, rollbacks_cancel;
handler why_release, why_service;
handler gate_ask, gate_order;
handler adoptions_order, freezes_list, freezes_order, thaw_order;
handler incidents_list, incidents_one, incidents_close;
handler fleet_status, fleet_policies, fleet_health, fleet_metrics;

/* --- What handlers share ----------------------------------------------------
 */

/* Answer 400, 404 ... in one call; printf-like. */
void answer_refusal(struct exchange *exchange, int status, const char *code,
                    const char *field, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* 404: release @id is not, or no longer, remembered. */
void answer_no_release(struct exchange *exchange, uint64_t id);

/* The body, or NULL when it was refused and answered. */
json_t *read_order(struct exchange *exchange, const struct member *members);

/* The id in path segment @index, 0 when it was refused and answered. */
uint64_t read_id(struct exchange *exchange, const struct target *target,
                 size_t index);

/* service= and environment= of the query; false when refused and answered.
 * Each may be missing unless @needed; then it is NULL. */
struct about {
    const char *service, *environment, *version;
};
bool read_about(struct exchange *exchange, const struct target *target,
                bool needed, struct about *ret_about);

/* limit= of the query, @otherwise when missing; 0 when refused. */
size_t read_limit(struct exchange *exchange, const struct target *target,
                  size_t otherwise, size_t most);

/* Who asks: the Lastgood-By header, "local" without.  False when refused. */
bool read_principal(struct exchange *exchange, const char **ret_by);

/* The usual answer to an order: outcome, text and ids. */
void answer_order(struct api *api, struct exchange *exchange,
                  const struct effect *effect, int status, json_t *more);

#endif
