#include "controller/sources/prometheus_ask.h"

#include "controller/config/template.h"
#include "controller/sources/backoff.h"
#include "policies/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* What one turn of the loop reads of a long answer: 3 to 4 ms. */
#define SLICE_BYTES (1024 * 1024)

#define ADDRESS_MAX (CONFIG_URL_MAX + 32)

/* One address: the source's, or a service's when it has variables. */
struct server {
    struct backoff backoff;
    char error[RECORD_TEXT_MAX]; /* the last failure */
};

enum ask_state {
    ASK_WAITS, /* for the question that went first */
    ASK_FLIES,
    ASK_READS, /* its own copy of the body, in slices */
    ASK_ENDS   /* in the next turn */
};

struct ask {
    TAILQ_ENTRY(ask) open; /* in the order they were asked */
    TAILQ_ENTRY(ask) turn; /* READS and ENDS */
    struct prometheus_client *client;
    struct server *server;
    enum ask_state state;
    time_ms asked_at, sent_at;
    char *query, *address, *form;
    struct http_request *request; /* while it flies */
    ask_element *element;
    ask_done *done;
    void *data;
    int status; /* of the answer that is read, and more of its head */
    time_ms retry_after;
    char type[64];
    struct prometheus_answer answer;
    char *body; /* own copy, or NULL */
    bool good;
    char error[RECORD_TEXT_MAX];
};

struct prometheus_client {
    struct driver *driver;
    const struct source_config *config;
    uv_idle_t idle;   /* runs while `turns` holds something */
    uv_timer_t timer; /* the oldest open question's time-out */
    size_t handles;
    bool closing;
    TAILQ_HEAD(, ask) open, turns;
    struct server shared;
    struct server **servers; /* by service, made when first asked */
    size_t servers_size;
};

static void on_turn(uv_idle_t *idle);
static void on_time(uv_timer_t *timer);
static void on_http(void *data, const struct http_answer *answer);

static void on_handle_closed(uv_handle_t *handle)
{
    struct prometheus_client *client = handle->data;
    if (--client->handles > 0) {
        return;
    }
    for (size_t i = 0; i < client->servers_size; i++) {
        free(client->servers[i]);
    }
    free(client->servers);
    free(client);
}

struct prometheus_client *prometheus_client_new(struct driver *driver,
                                                uint16_t index)
{
    struct prometheus_client *client = memory_zeroed(1, sizeof(*client));
    client->driver = driver;
    client->config = &driver_config(driver)->sources[index];
    int failed = uv_idle_init(driver_loop(driver), &client->idle);
    assert(failed == 0);
    failed = uv_timer_init(driver_loop(driver), &client->timer);
    assert(failed == 0);
    client->idle.data = client;
    client->timer.data = client;
    client->handles = 2;
    TAILQ_INIT(&client->open);
    TAILQ_INIT(&client->turns);
    return client;
}

static struct server *server_of(struct prometheus_client *client,
                                uint16_t service)
{
    if (service == NONE_INDEX) {
        return &client->shared;
    }
    size_t size = client->servers_size;
    client->servers = memory_grow(client->servers, &client->servers_size,
                                  service + 1U, sizeof(struct server *));
    for (size_t i = size; i < client->servers_size; i++) {
        client->servers[i] = NULL;
    }
    if (!client->servers[service]) {
        client->servers[service] = memory_zeroed(1, sizeof(struct server));
    }
    return client->servers[service];
}

/* --- The call ------------------------------------------------------------ */

static char *form_of(const struct ask_call *call, time_ms timeout)
{
    static const char name[] = "query=";
    size_t size = sizeof(name) + 3 * strlen(call->query) + 256;
    char *form = memory_zeroed(1, size);
    memcpy(form, name, sizeof(name));
    char *end = form + strlen(name);
    end += template_encode(call->query, end, size - strlen(name));
    size_t left = size - (size_t)(end - form);
    long long from = call->from, to = call->to, step = call->step;
    if (call->want == WANT_VECTOR) {
        (void)snprintf(end, left, "&time=%lld.%03lld&timeout=%lldms",
                       from / 1000, from % 1000, (long long)timeout);
    } else {
        (void)snprintf(end, left,
                       "&start=%lld.%03lld&end=%lld.%03lld&step=%lld.%03lld"
                       "&timeout=%lldms",
                       from / 1000, from % 1000, to / 1000, to % 1000,
                       step / 1000, step % 1000, (long long)timeout);
    }
    return form;
}

/* The address to call, or NULL with the reason. */
static char *address_of(struct prometheus_client *client,
                        const struct ask_call *call, char *ret_error,
                        size_t size)
{
    char address[ADDRESS_MAX];
    if (call->service == NONE_INDEX) {
        (void)snprintf(address, CONFIG_URL_MAX, "%s", client->config->url);
    } else if (!driver_expand(client->driver, call->service,
                              client->config->url, true, NULL, 0, address,
                              CONFIG_URL_MAX, ret_error, size)) {
        return NULL;
    }
    size_t length = strlen(address);
    while (length > 0 && address[length - 1] == '/') {
        length--;
    }
    (void)snprintf(address + length, sizeof(address) - length, "/api/v1/%s",
                   call->want == WANT_VECTOR ? "query" : "query_range");
    return memory_text(address);
}

/* Without the user and password that an address may hold. */
static const char *address_shown(const char *address, char *shown, size_t size)
{
    const char *host = strstr(address, "://");
    host = host ? host + 3 : address;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    (void)snprintf(shown, size, "%.*s%s", (int)(host - address), address,
                   at ? at + 1 : host);
    return shown;
}

/* --- The life of a question ---------------------------------------------- */

static void rearm(struct prometheus_client *client)
{
    const struct ask *oldest = TAILQ_FIRST(&client->open);
    if (client->closing) {
        return;
    }
    if (!oldest) {
        (void)uv_timer_stop(&client->timer);
        return;
    }
    time_ms left = oldest->asked_at + client->config->timeout - clock_boot();
    (void)uv_timer_start(&client->timer, on_time, left > 0 ? (uint64_t)left : 0,
                         0);
}

static void take_turn(struct ask *ask, enum ask_state state)
{
    ask->state = state;
    TAILQ_INSERT_TAIL(&ask->client->turns, ask, turn);
    if (!ask->client->closing) {
        (void)uv_idle_start(&ask->client->idle, on_turn);
    }
}

static void let_fly(struct ask *ask)
{
    const struct source_config *config = ask->client->config;
    static const char *const headers[] = {
        "Content-Type: application/x-www-form-urlencoded",
        "Accept: application/json", NULL};
    struct http_call call = {
        .method = "POST",
        .url = ask->address,
        .headers = headers,
        .body = ask->form,
        .length = strlen(ask->form),
        .bearer = config->bearer[0] ? config->bearer : NULL,
        .timeout = config->timeout,
    };
    ask->state = ASK_FLIES;
    ask->sent_at = clock_boot();
    ask->request =
        http_send(driver_http(ask->client->driver), &call, on_http, ask);
}

/* End it with a sentence about what went wrong, in the next turn. */
static void fail_soon(struct ask *ask, const char *error)
{
    (void)snprintf(ask->error, sizeof(ask->error), "%s", error);
    take_turn(ask, ASK_ENDS);
}

/* The question that went first has ended: so do those behind it, or they go. */
static void release_waiting(struct prometheus_client *client,
                            struct server *server)
{
    struct ask *ask;
    TAILQ_FOREACH(ask, &client->open, open)
    {
        if (ask->server != server || ask->state != ASK_WAITS) {
            continue;
        }
        if (server->backoff.failures == 0) {
            let_fly(ask);
        } else {
            fail_soon(ask, server->error);
        }
    }
}

/* It is out of every list: tell, and forget. */
static void end(struct ask *ask)
{
    struct prometheus_client *client = ask->client;
    TAILQ_REMOVE(&client->open, ask, open);
    rearm(client);
    ask->done(ask->data, ask->good ? NULL : ask->error);
    free(ask->query);
    free(ask->address);
    free(ask->form);
    free(ask->body);
    free(ask);
}

/* --- What came back ------------------------------------------------------ */

/* "prom: http://h:9090/api/v1/query: 422 execution: many-to-many ..." */
static void say(struct ask *ask, const char *what)
{
    char shown[ADDRESS_MAX], text[RECORD_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%s: %.300s: %s",
                   ask->client->config->name,
                   address_shown(ask->address, shown, sizeof(shown)), what);
    text_escape(text, ask->error, sizeof(ask->error));
}

static void server_failed(struct ask *ask, bool timed_out)
{
    struct server *server = ask->server;
    time_ms now = clock_boot();
    if (!timed_out) {
        backoff_failed(&server->backoff, now, ask->sent_at, ask->retry_after);
    } else if (!backoff_timed_out(&server->backoff, now, ask->sent_at)) {
        return;
    }
    (void)snprintf(server->error, sizeof(server->error), "%s", ask->error);
    release_waiting(ask->client, server);
}

static void server_works(struct ask *ask)
{
    bool failed = ask->server->backoff.failures > 0;
    backoff_works(&ask->server->backoff, clock_boot());
    if (failed) {
        release_waiting(ask->client, ask->server);
    }
}

/* Do these status and words mean that the server itself is in trouble?  A
 * query that took too long is a 503 as well, and nobody else's fault. */
static bool means_trouble(const struct ask *ask)
{
    if (ask->status == 503 && ask->retry_after == 0 &&
        (strcmp(ask->answer.error_type, "timeout") == 0 ||
         strcmp(ask->answer.error_type, "canceled") == 0)) {
        return false;
    }
    return ask->status == 429 || ask->status >= 500;
}

/* The answer was read to its end.  What is wrong with it? */
static void say_answer(struct ask *ask)
{
    char what[ANSWER_TEXT_MAX + 512];
    const struct prometheus_answer *answer = &ask->answer;
    if (answer->state == ANSWER_ERROR) {
        (void)snprintf(what, sizeof(what), "%d %s%s%s; asked: %.300s",
                       ask->status, answer->error_type,
                       answer->error_type[0] ? ": " : "", answer->text,
                       ask->query);
        say(ask, what);
    } else if (ask->status == 200) {
        (void)snprintf(what, sizeof(what),
                       "200 with a body (%s) that is no answer to use: %s",
                       ask->type[0] ? ask->type : "no content type",
                       answer->text);
        say(ask, what);
    } else if (ask->status >= 300 && ask->status < 400) {
        (void)snprintf(
            what, sizeof(what),
            "%d, a redirect: give the source the address it leads to",
            ask->status);
        say(ask, what);
    }
}

static void conclude(struct ask *ask)
{
    ask->good = ask->answer.state == ANSWER_WHOLE && ask->status == 200;
    if (!ask->good) {
        say_answer(ask);
    }
    if (means_trouble(ask)) {
        server_failed(ask, false);
    } else {
        server_works(ask);
    }
}

/* Read up to a slice.  True when the end is reached. */
static bool read_slice(struct ask *ask)
{
    struct prometheus_answer *answer = &ask->answer;
    struct prometheus_element element;
    size_t from = prometheus_answer_read(answer);
    while (prometheus_answer_next(answer, &element) == ANSWER_ELEMENT) {
        if (!ask->element(ask->data, &element)) {
            answer->state = ANSWER_BROKEN;
            (void)snprintf(answer->text, sizeof(answer->text),
                           "a label stands twice in one series");
            break;
        }
        if (prometheus_answer_read(answer) - from >= SLICE_BYTES) {
            return false;
        }
    }
    return true;
}

/* An answer with a status and a body, which is lent. */
static void answered(struct ask *ask, enum prometheus_want want,
                     const struct http_answer *answer)
{
    ask->status = answer->status;
    ask->retry_after = answer->retry_after;
    (void)snprintf(ask->type, sizeof(ask->type), "%s", answer->content_type);
    prometheus_answer_begin(&ask->answer, want, answer->body, answer->length);
    if (read_slice(ask)) {
        conclude(ask);
        end(ask);
        return;
    }
    ask->body = memory_copy(answer->body, answer->length);
    prometheus_answer_moved(&ask->answer, ask->body);
    take_turn(ask, ASK_READS);
}

static void on_http(void *data, const struct http_answer *answer)
{
    struct ask *ask = data;
    if (!ask->request) {
        return; /* cancelled by us */
    }
    ask->request = NULL;
    (void)snprintf(ask->error, sizeof(ask->error), "%s: %s",
                   ask->client->config->name, answer->text);
    if (answer->end == HTTP_ANSWERED) {
        answered(ask, ask->answer.want, answer);
        return;
    }
    if (answer->end == HTTP_TOO_LARGE) {
        server_works(ask);
    } else {
        server_failed(ask, answer->end == HTTP_TIMED_OUT);
    }
    end(ask);
}

/* One thing a turn: the next slice of a long answer, or one question's end. */
static void on_turn(uv_idle_t *idle)
{
    struct prometheus_client *client = idle->data;
    struct ask *ask = TAILQ_FIRST(&client->turns);
    if (ask) {
        TAILQ_REMOVE(&client->turns, ask, turn);
        if (ask->state == ASK_READS && !read_slice(ask)) {
            take_turn(ask, ASK_READS);
        } else {
            if (ask->state == ASK_READS) {
                conclude(ask);
            }
            end(ask);
        }
    }
    if (TAILQ_EMPTY(&client->turns)) {
        (void)uv_idle_stop(&client->idle);
    }
}

/* Take it out of whatever it waits for, without a word to anybody. */
static void withdraw(struct ask *ask)
{
    if (ask->state == ASK_READS || ask->state == ASK_ENDS) {
        TAILQ_REMOVE(&ask->client->turns, ask, turn);
    }
    if (ask->request) {
        struct http_request *request = ask->request;
        ask->request = NULL;
        http_cancel(driver_http(ask->client->driver), request);
    }
}

/* Nobody wants the answers of the oldest any more. */
static void on_time(uv_timer_t *timer)
{
    struct prometheus_client *client = timer->data;
    time_ms timeout = client->config->timeout, now = clock_boot();
    struct ask *ask = TAILQ_FIRST(&client->open);
    while (ask && ask->asked_at + timeout <= now) {
        bool flew = ask->state == ASK_FLIES, ended = ask->state == ASK_ENDS;
        withdraw(ask);
        if (!ended) {
            char span[DURATION_TEXT_MAX], what[128];
            (void)snprintf(what, sizeof(what), "no whole answer within %s",
                           duration_print(timeout, span));
            say(ask, what);
        }
        if (flew) {
            server_failed(ask, true);
        }
        end(ask);
        ask = TAILQ_FIRST(&client->open);
    }
    rearm(client);
}

/* --- The doors ----------------------------------------------------------- */

static struct ask *ask_new(struct prometheus_client *client, ask_done *done,
                           void *data)
{
    struct ask *ask = memory_zeroed(1, sizeof(*ask));
    ask->client = client;
    ask->done = done;
    ask->data = data;
    ask->asked_at = clock_boot();
    TAILQ_INSERT_TAIL(&client->open, ask, open);
    rearm(client);
    return ask;
}

void prometheus_client_ask(struct prometheus_client *client,
                           const struct ask_call *call, ask_element *element,
                           ask_done *done, void *data)
{
    if (client->closing) {
        return;
    }
    struct ask *ask = ask_new(client, done, data);
    char error[256];
    ask->element = element;
    ask->answer.want = call->want;
    ask->query = memory_text(call->query);
    ask->server = server_of(client, call->service);
    ask->address = address_of(client, call, error, sizeof(error));
    if (!ask->address) {
        (void)snprintf(ask->error, sizeof(ask->error), "%s: %s",
                       client->config->name, error);
        take_turn(ask, ASK_ENDS);
        return;
    }
    ask->form = form_of(call, client->config->timeout);
    switch (backoff_ask(&ask->server->backoff, ask->asked_at)) {
    case BACKOFF_SEND:
    case BACKOFF_TRY:
        let_fly(ask);
        break;
    case BACKOFF_WAIT:
        ask->state = ASK_WAITS;
        break;
    case BACKOFF_REFUSE:
        fail_soon(ask, ask->server->error);
        break;
    }
}

void prometheus_client_soon(struct prometheus_client *client, ask_done *done,
                            void *data)
{
    if (client->closing) {
        return;
    }
    struct ask *ask = ask_new(client, done, data);
    ask->good = true;
    take_turn(ask, ASK_ENDS);
}

void prometheus_client_close(struct prometheus_client *client)
{
    client->closing = true;
    struct ask *ask = TAILQ_FIRST(&client->open);
    while (ask) { /* nothing new comes in */
        withdraw(ask);
        ask->good = false;
        (void)snprintf(ask->error, sizeof(ask->error),
                       "%s: the controller is stopping", client->config->name);
        end(ask);
        ask = TAILQ_FIRST(&client->open);
    }
    uv_close((uv_handle_t *)&client->idle, on_handle_closed);
    uv_close((uv_handle_t *)&client->timer, on_handle_closed);
}
