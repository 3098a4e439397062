#include "controller/runtime/http_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/runtime/clock.h"
#include "policies/memory.h"

#define IN_FLIGHT_MAX   64
#define URGENT_MAX      32 /* more, for what is urgent */
#define PER_HOST_MAX    8
#define WAITING_MAX     20000
#define STARTS_PER_TURN 32 /* adding 1,000 at once holds the loop for 50 ms */
#define CONNECTIONS_MAX 128
#define HOST_BUCKETS    256

TAILQ_HEAD(request_list, http_request);
TAILQ_HEAD(host_list, host);

/* A request waits in its host's list, then flies, then lies in `ended` until
 * its caller is told.  curl's callbacks only note things; everything else
 * happens after curl_multi_socket_action() returned, because curl silently
 * refuses calls from within its own callbacks. */
struct http {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer; /* curl's */
    uv_idle_t turn;   /* runs while there is something to start or to tell */
    size_t handles;   /* libuv handles not yet closed */
    size_t waiting, flying, ended_count;
    struct request_list in_flight, ended;
    struct host_list ready;
    struct host_list hosts[HOST_BUCKETS];
    CURL *spare[IN_FLIGHT_MAX + URGENT_MAX];
    size_t spares;
    bool is_closing, is_closed;
    void (*closed)(void *);
    void *data;
};

/* One uv_poll_t a socket of curl's. */
struct watched_socket {
    uv_poll_t poll;
    struct http *http;
    curl_socket_t fd;
};

static void on_turn(uv_idle_t *turn);

static void wake(struct http *http)
{
    if (!http->is_closed && !uv_is_active((uv_handle_t *)&http->turn)) {
        const int failed = uv_idle_start(&http->turn, on_turn);

        assert(failed == 0);
        (void)failed;
    }
}

/* --- Hosts: who may start next -------------------------------------------- */

static struct host_list *bucket_of(struct http *http, const char *key)
{
    uint32_t hash = 2166136261U;

    for (const char *at = key; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    }
    return &http->hosts[hash % HOST_BUCKETS];
}

static struct host *find_host(struct http *http,
                              const struct http_request *request)
{
    const char *key = request->host_key;
    struct host_list *bucket = bucket_of(http, key);
    struct host *host = TAILQ_FIRST(bucket);

    while (host != NULL && strcmp(host->key, key) != 0) {
        host = TAILQ_NEXT(host, bucket);
    }
    if (host != NULL) {
        return host;
    }
    host = memory_zeroed(1, sizeof(*host));
    host->is_urgent = request->is_urgent;
    host->key = memory_text(key);
    TAILQ_INIT(&host->waiting);
    TAILQ_INSERT_TAIL(bucket, host, bucket);
    return host;
}

/* After its counts changed: list it as ready, or forget it.  Ready hosts take
 * turns, so that a slow one with a long queue keeps nobody waiting; the urgent
 * ones stand before all others. */
static void host_changed(struct http *http, struct host *host)
{
    const bool waits = !TAILQ_EMPTY(&host->waiting);
    const bool may_start = waits && host->in_flight < PER_HOST_MAX;

    if (may_start && !host->is_ready && host->is_urgent) {
        TAILQ_INSERT_HEAD(&http->ready, host, ready);
    } else if (may_start && !host->is_ready) {
        TAILQ_INSERT_TAIL(&http->ready, host, ready);
    } else if (!may_start && host->is_ready) {
        TAILQ_REMOVE(&http->ready, host, ready);
    }
    host->is_ready = may_start;
    if (!waits && host->in_flight == 0) {
        TAILQ_REMOVE(bucket_of(http, host->key), host, bucket);
        free(host->key);
        free(host);
    }
}

static bool can_start(const struct http *http)
{
    const struct host *host = TAILQ_FIRST(&http->ready);

    return host != NULL &&
           http->flying < IN_FLIGHT_MAX + (host->is_urgent ? URGENT_MAX : 0);
}

/* --- The three states of a request ---------------------------------------- */

static void end_request(struct http_request *request)
{
    struct http *http = request->http;

    request->host = NULL;
    request->state = REQUEST_ENDED;
    TAILQ_INSERT_TAIL(&http->ended, request, list);
    http->ended_count++;
    wake(http);
}

/* Whoever asked has given up, or will have before there is an answer. */
static void give_up(struct http_request *request)
{
    char words[120], span[DURATION_TEXT_MAX];

    (void)snprintf(words, sizeof(words),
                   "not sent: others took too long (each may take %s)",
                   duration_print(request->timeout, span));
    request_end(request, HTTP_TIMED_OUT, words);
    end_request(request);
}

static void fly(struct http_request *request)
{
    struct http *http = request->http;
    CURL *easy = NULL;
    CURLMcode code = CURLM_OK;

    if (http->spares > 0) {
        http->spares--;
        easy = http->spare[http->spares];
    } else {
        easy = curl_easy_init();
    }
    assert(easy != NULL);
    request_prepare(request, easy);
    request->state = REQUEST_FLIES;
    TAILQ_INSERT_TAIL(&http->in_flight, request, list);
    http->flying++;
    code = curl_multi_add_handle(http->multi, easy);
    assert(code == CURLM_OK);
    (void)code;
}

static void start_next(struct http *http)
{
    struct host *host = TAILQ_FIRST(&http->ready);
    struct http_request *request = TAILQ_FIRST(&host->waiting);
    const bool is_late = clock_boot() > request->sent_until;

    TAILQ_REMOVE(&host->waiting, request, list);
    http->waiting--;
    TAILQ_REMOVE(&http->ready, host, ready);
    host->is_ready = false;
    host->in_flight += is_late ? 0 : 1;
    host_changed(http, host);
    if (is_late) {
        give_up(request);
    } else {
        fly(request);
    }
}

/* Take it from the air.  Never from within a callback of curl. */
static void land(struct http_request *request)
{
    struct http *http = request->http;
    const CURLMcode code = curl_multi_remove_handle(http->multi, request->easy);

    assert(code == CURLM_OK);
    (void)code;
    curl_easy_reset(request->easy);
    assert(http->spares < IN_FLIGHT_MAX + URGENT_MAX);
    http->spare[http->spares] = request->easy;
    http->spares++;
    request->easy = NULL;
    TAILQ_REMOVE(&http->in_flight, request, list);
    http->flying--;
    request->host->in_flight--;
    host_changed(http, request->host);
    end_request(request);
}

/* Tell the caller, and forget it. */
static void tell(struct http_request *request)
{
    struct http *http = request->http;

    TAILQ_REMOVE(&http->ended, request, list);
    http->ended_count--;
    request->answer.content_type = request->content_type;
    request->answer.body = request->answer.length == 0 ? "" : request->received;
    request->done(request->data, &request->answer);
    request_free(request);
}

/* Those that ended up to now; what their callers send is for the next turn. */
static void tell_ended(struct http *http)
{
    for (size_t left = http->ended_count;
         left > 0 && !TAILQ_EMPTY(&http->ended); left--) {
        tell(TAILQ_FIRST(&http->ended));
    }
}

/* --- curl on the loop ----------------------------------------------------- */

/* After curl ran: take what it finished. */
static void collect(struct http *http)
{
    int left = 0;

    for (CURLMsg *message = curl_multi_info_read(http->multi, &left);
         message != NULL; message = curl_multi_info_read(http->multi, &left)) {
        /* The message is gone once its handle is removed. */
        const CURLcode code = message->data.result;
        struct http_request *request = NULL;

        assert(message->msg == CURLMSG_DONE);
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                                &request);
        request_conclude(request, code);
        land(request);
    }
    tell_ended(http);
}

static void run_curl(struct http *http, curl_socket_t fd, int flags)
{
    int running = 0;
    const CURLMcode code =
        curl_multi_socket_action(http->multi, fd, flags, &running);

    assert(code == CURLM_OK);
    (void)code;
    collect(http);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watched_socket *watched = poll->data;
    int flags = 0;

    flags |= status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    /* @watched may be gone when this returns. */
    run_curl(watched->http, watched->fd, flags);
}

static void on_timer(uv_timer_t *timer)
{
    run_curl(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void handle_closed(struct http *http)
{
    http->handles--;
    if (http->handles == 0) {
        void (*closed)(void *) = http->closed;
        void *data = http->data;

        assert(http->is_closed);
        free(http);
        closed(data);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct watched_socket *watched = handle->data;
    struct http *http = watched->http;

    free(watched);
    handle_closed(http);
}

static struct watched_socket *watch_socket(struct http *http, curl_socket_t fd)
{
    struct watched_socket *watched = memory_zeroed(1, sizeof(*watched));
    int failed = 0;

    watched->http = http;
    watched->fd = fd;
    failed = uv_poll_init_socket(http->loop, &watched->poll, fd);
    assert(failed == 0);
    (void)failed;
    watched->poll.data = watched;
    http->handles++;
    (void)curl_multi_assign(http->multi, fd, watched);
    return watched;
}

/* Called by curl, from within: notes only.  CURL_POLL_REMOVE comes before the
 * descriptor is closed and its number used anew. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data,
                     void *assigned)
{
    struct http *http = data;
    struct watched_socket *watched = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watched != NULL) {
            (void)uv_poll_stop(&watched->poll);
            (void)curl_multi_assign(http->multi, fd, NULL);
            uv_close((uv_handle_t *)&watched->poll, on_poll_closed);
        }
        return 0;
    }
    if (watched == NULL) {
        watched = watch_socket(http, fd);
    }
    events |= (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    (void)uv_poll_start(&watched->poll, events, on_poll);
    return 0;
}

static int on_curl_timer(CURLM *multi, long after_ms, void *data)
{
    struct http *http = data;

    (void)multi;
    if (after_ms < 0) {
        (void)uv_timer_stop(&http->timer);
    } else {
        (void)uv_timer_start(&http->timer, on_timer, (uint64_t)after_ms, 0);
    }
    return 0;
}

/* --- Turns ---------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

/* Nothing flies, nobody waits: handles, then multi, then the loop's part. */
static void finish_close(struct http *http)
{
    CURLMcode code = CURLM_OK;

    assert(TAILQ_EMPTY(&http->in_flight));
    assert(TAILQ_EMPTY(&http->ended));
    for (size_t i = 0; i < http->spares; i++) {
        curl_easy_cleanup(http->spare[i]);
    }
    code = curl_multi_cleanup(http->multi); /* may still name sockets */
    assert(code == CURLM_OK);
    (void)code;
    http->is_closed = true;
    uv_close((uv_handle_t *)&http->timer, on_handle_closed);
    uv_close((uv_handle_t *)&http->turn, on_handle_closed);
}

static void on_turn(uv_idle_t *turn)
{
    struct http *http = turn->data;
    int started = 0;

    while (started < STARTS_PER_TURN && can_start(http)) {
        start_next(http);
        started++;
    }
    if (started > 0) {
        run_curl(http, CURL_SOCKET_TIMEOUT, 0);
    }
    tell_ended(http);
    if (!TAILQ_EMPTY(&http->ended) || can_start(http)) {
        return;
    }
    (void)uv_idle_stop(&http->turn);
    if (http->is_closing) {
        finish_close(http);
    }
}

/* --- The door ------------------------------------------------------------- */

static void set_multi(struct http *http)
{
    (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
                            (long)CONNECTIONS_MAX);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                            (long)CONNECTIONS_MAX);
}

struct http *http_new(uv_loop_t *loop)
{
    struct http *http = memory_zeroed(1, sizeof(*http));
    int failed = 0;

    http->loop = loop;
    http->multi = curl_multi_init();
    assert(http->multi != NULL);
    set_multi(http);
    failed = uv_timer_init(loop, &http->timer);
    assert(failed == 0);
    failed = uv_idle_init(loop, &http->turn);
    assert(failed == 0);
    (void)failed;
    http->handles = 2;
    http->timer.data = http;
    http->turn.data = http;
    TAILQ_INIT(&http->in_flight);
    TAILQ_INIT(&http->ended);
    TAILQ_INIT(&http->ready);
    for (size_t i = 0; i < HOST_BUCKETS; i++) {
        TAILQ_INIT(&http->hosts[i]);
    }
    return http;
}

struct http_request *http_send(struct http *http, const struct http_call *call,
                               http_done *done, void *data)
{
    struct http_request *request = request_new(call, done, data);

    assert(!http->is_closed);
    request->http = http;
    if (http->is_closing) {
        request_end(request, HTTP_CANCELLED, "shutting down");
        end_request(request);
        return request;
    }
    if (!request_is_refused(request) && !request->is_urgent &&
        http->waiting >= WAITING_MAX) {
        request_end(request, HTTP_REFUSED,
                    "not sent: too many requests wait already");
    }
    if (request_is_refused(request)) {
        end_request(request);
        return request;
    }
    request->host = find_host(http, request);
    request->state = REQUEST_WAITS;
    TAILQ_INSERT_TAIL(&request->host->waiting, request, list);
    http->waiting++;
    host_changed(http, request->host);
    wake(http);
    return request;
}

void http_cancel(struct http *http, struct http_request *request)
{
    assert(request->http == http);
    switch (request->state) {
    case REQUEST_WAITS:
        TAILQ_REMOVE(&request->host->waiting, request, list);
        http->waiting--;
        host_changed(http, request->host);
        end_request(request);
        break;
    case REQUEST_FLIES:
        land(request);
        break;
    case REQUEST_ENDED:
        break;
    }
    request_end(request, HTTP_CANCELLED, "cancelled");
    tell(request);
}

size_t http_in_flight(const struct http *http)
{
    return http->flying;
}

size_t http_waiting(const struct http *http)
{
    return http->waiting;
}

static void cancel_waiting(struct http *http, struct host_list *bucket)
{
    while (!TAILQ_EMPTY(bucket)) {
        /* A host leaves its bucket with its last request. */
        http_cancel(http, TAILQ_FIRST(&TAILQ_FIRST(bucket)->waiting));
    }
}

void http_close(struct http *http, void (*closed)(void *), void *data)
{
    assert(!http->is_closing);
    http->is_closing = true;
    http->closed = closed;
    http->data = data;
    while (!TAILQ_EMPTY(&http->in_flight)) {
        http_cancel(http, TAILQ_FIRST(&http->in_flight));
    }
    for (size_t i = 0; i < HOST_BUCKETS; i++) {
        cancel_waiting(http, &http->hosts[i]);
    }
    tell_ended(http);
    wake(http);
}
