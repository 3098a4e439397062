/* The strict fake deployment API over HTTP, on the test's own loop. */
#include "tests/contracts/target_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/unit/runtime/help_peer.h"

#define KEYS_MAX   16
#define TOKEN      "the-deployers-token"
#define KEY_HEADER "Idempotency-Key"
#define LARGE      (10 * 1024 * 1024)
#define SLOW_MS    50

/* What the API answered to a key, to be answered again. */
struct past {
    char key[128], status[64];
};

struct world {
    struct driver *driver;
    struct peer peer;
    struct target_config target;
    struct service_config service;
    char live[NAME_MAX_BYTES + 1];
    bool complete;
    enum trouble trouble;
    bool acts;
    int deploys, calls;
    struct past past[KEYS_MAX];
    size_t past_count;
    uv_timer_t slow;
    struct visitor *slow_visitor;
    char slow_status[64], slow_body[512];
};

static const char *const versions[] = {"2.3.2", "2.4.0", "feature/a+b:c@d"};

static bool exists(const char *version)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (strcmp(versions[i], version) == 0) {
            return true;
        }
    }
    return false;
}

/* --- Reading a request ---------------------------------------------------- */

/* The value of header @name, "" when there is none. */
static void header_of(const char *request, const char *name, char *ret_value,
                      size_t size)
{
    char start[64];
    const char *end = strstr(request, "\r\n\r\n");
    const char *line = NULL;

    (void)snprintf(start, sizeof(start), "\r\n%s: ", name);
    line = strcasestr(request, start);
    ret_value[0] = '\0';
    if (line != NULL && line < end) {
        line += strlen(start);
        (void)snprintf(ret_value, size, "%.*s", (int)strcspn(line, "\r"), line);
    }
}

static int hex_of(char digit)
{
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* The path's last part, decoded; a slash in it must have come encoded. */
static void last_part(const char *path, char *ret_text, size_t size)
{
    size_t used = 0;

    for (const char *at = path; *at != ' ' && used + 1 < size; at++) {
        char byte = *at;

        assert(byte != '/');
        if (byte == '%') {
            byte = (char)(hex_of(at[1]) * 16 + hex_of(at[2]));
            at += 2;
        }
        ret_text[used] = byte;
        used++;
    }
    ret_text[used] = '\0';
}

/* --- What it does --------------------------------------------------------- */

/* An answer before any misbehaviour. */
struct reply {
    char status[64], body[512];
};

static struct reply reply_with(const char *status)
{
    struct reply reply = {.body = "{}"};

    (void)snprintf(reply.status, sizeof(reply.status), "%s", status);
    return reply;
}

static struct reply tell_live(const struct world *world)
{
    struct reply reply = reply_with("200 OK");

    (void)snprintf(reply.body, sizeof(reply.body),
                   "{\"service\": \"user-service\", \"version\": \"%s\", "
                   "\"ready\": %s}",
                   world->live, world->complete ? "true" : "false");
    return reply;
}

static const char *member(const json_t *body, const char *name)
{
    return json_string_value(json_object_get(body, name));
}

static const char *deploy(struct world *world, const json_t *body)
{
    const char *service = member(body, "service");
    const char *version = member(body, "version");
    const char *expected = member(body, "expected_version");

    if (json_object_size(body) != 3 || service == NULL || version == NULL ||
        expected == NULL || strcmp(service, "user-service") != 0) {
        return "400 Bad Request";
    }
    if (!exists(version)) {
        return "404 Not Found";
    }
    if (strcmp(expected, world->live) != 0) {
        return "409 Conflict";
    }
    (void)snprintf(world->live, sizeof(world->live), "%s", version);
    world->deploys++;
    return "202 Accepted";
}

/* The same key gets the same answer, whatever the body. */
static const char *deploy_once(struct world *world, const char *key,
                               const json_t *body)
{
    struct past *past = NULL;

    for (size_t i = 0; i < world->past_count; i++) {
        if (strcmp(world->past[i].key, key) == 0) {
            return world->past[i].status;
        }
    }
    assert(world->past_count < KEYS_MAX);
    past = &world->past[world->past_count];
    world->past_count++;
    (void)snprintf(past->key, sizeof(past->key), "%s", key);
    (void)snprintf(past->status, sizeof(past->status), "%s",
                   deploy(world, body));
    return past->status;
}

static struct reply take_deploy(struct world *world, const char *request)
{
    char key[128], type[64];
    json_t *body = json_loads(strstr(request, "\r\n\r\n") + 4,
                              JSON_REJECT_DUPLICATES, NULL);
    struct reply reply = {0};

    header_of(request, KEY_HEADER, key, sizeof(key));
    header_of(request, "Content-Type", type, sizeof(type));
    if (strcmp(type, "application/json") != 0) {
        reply = reply_with("415 Unsupported Media Type");
    } else if (key[0] == '\0' || !json_is_object(body)) {
        reply = reply_with("400 Bad Request");
        (void)snprintf(reply.body, sizeof(reply.body),
                       "{\"error\": \"a key and an object, please\"}");
    } else {
        reply = reply_with(deploy_once(world, key, body));
    }
    json_decref(body);
    return reply;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static struct reply handle(struct world *world, const char *request)
{
    static const char has[] = "GET /versions/";
    char authorization[64], version[NAME_MAX_BYTES + 1];

    header_of(request, "Authorization", authorization, sizeof(authorization));
    if (strcmp(authorization, "Bearer " TOKEN) != 0) {
        return reply_with("401 Unauthorized");
    }
    if (starts_with(request, "GET /version ")) {
        return tell_live(world);
    }
    if (starts_with(request, has)) {
        last_part(request + strlen(has), version, sizeof(version));
        return reply_with(exists(version) ? "200 OK" : "404 Not Found");
    }
    if (starts_with(request, "POST /deploy ")) {
        return take_deploy(world, request);
    }
    return reply_with("404 Not Found");
}

/* --- How it misbehaves ---------------------------------------------------- */

static void on_slow(uv_timer_t *timer)
{
    struct world *world = timer->data;

    visitor_answer(world->slow_visitor, world->slow_status,
                   "Content-Type: application/json\r\n", world->slow_body);
}

static void answer_slowly(struct world *world, struct visitor *visitor,
                          const struct reply *reply)
{
    world->slow_visitor = visitor;
    memcpy(world->slow_status, reply->status, sizeof(reply->status));
    memcpy(world->slow_body, reply->body, sizeof(reply->body));
    (void)uv_timer_start(&world->slow, on_slow, SLOW_MS, 0);
}

static void answer_large(struct visitor *visitor, const char *status)
{
    char *body = malloc(LARGE + 1);

    assert(body != NULL);
    memset(body, ' ', LARGE);
    body[LARGE] = '\0';
    visitor_answer(visitor, status, "Content-Type: application/json\r\n", body);
    free(body);
}

static void cut_short(struct visitor *visitor)
{
    static const char start[] = "HTTP/1.1 200 OK\r\n"
                                "Content-Type: application/json\r\n"
                                "Content-Length: 40\r\n\r\n"
                                "{\"version\": \"2.4.0\"";

    visitor_write(visitor, start, strlen(start));
    visitor_close(visitor);
}

static void cut_head(struct visitor *visitor)
{
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Le";

    visitor_write(visitor, start, strlen(start));
    visitor_close(visitor);
}

static void redirect(struct world *world, struct visitor *visitor)
{
    char headers[128];

    (void)snprintf(headers, sizeof(headers),
                   "Location: http://127.0.0.1:%d/version\r\n",
                   world->peer.port);
    visitor_answer(visitor, "307 Temporary Redirect", headers, "");
}

static void serve(struct visitor *visitor)
{
    static const char json[] = "Content-Type: application/json\r\n";
    struct world *world = visitor->peer->data;
    struct reply reply = {.status = "200 OK"};

    world->calls++;
    if (world->trouble <= TROUBLE_SLOW || world->acts) {
        reply = handle(world, visitor->request);
    }
    switch (world->trouble) {
    case TROUBLE_NONE:
        visitor_answer(visitor, reply.status, json, reply.body);
        break;
    case TROUBLE_SLOW:
        answer_slowly(world, visitor, &reply);
        break;
    case TROUBLE_HANG:
        break;
    case TROUBLE_CLOSE:
        visitor_close(visitor);
        break;
    case TROUBLE_CUT:
        cut_short(visitor);
        break;
    case TROUBLE_CUT_HEAD:
        cut_head(visitor);
        break;
    case TROUBLE_LARGE:
        answer_large(visitor, reply.status);
        break;
    case TROUBLE_PAGE:
        visitor_answer(visitor, "200 OK", "Content-Type: text/html\r\n",
                       "<!doctype html><title>Sign in</title>");
        break;
    case TROUBLE_NAN:
        visitor_answer(visitor, "200 OK", json,
                       "{\"version\": NaN, \"ready\": NaN}");
        break;
    case TROUBLE_REDIRECT:
        redirect(world, visitor);
        break;
    case TROUBLE_ERROR:
        visitor_answer(visitor, "500 Internal Server Error", "", "oops");
        break;
    case TROUBLE_DOWN:
        visitor_answer(visitor, "503 Service Unavailable", "Retry-After: 1\r\n",
                       "");
        break;
    case TROUBLE_BUSY:
        visitor_answer(visitor, "429 Too Many Requests", "", "");
        break;
    case TROUBLE_LAST:
        abort();
    }
}

/* --- The world ------------------------------------------------------------ */

static void set_call(struct call_config *call, const char *method,
                     const char *url)
{
    call->given = true;
    call->method = method;
    call->timeout = 20 * SECOND_MS;
    (void)snprintf(call->url, sizeof(call->url), "%s", url);
}

static void set_target(struct target_config *target)
{
    set_call(&target->live, "GET", "{deploy_url}/version");
    (void)strcpy(target->live.version_pointer, "/version");
    (void)strcpy(target->live.complete_pointer, "/ready");
    set_call(&target->has, "GET", "{deploy_url}/versions/{target}");
    set_call(&target->revert, "POST", "{deploy_url}/deploy");
    (void)strcpy(target->revert.json,
                 "{\"service\":\"{service}\",\"version\":\"{target}\","
                 "\"expected_version\":\"{suspect}\"}");
    target->revert.ok[0] = 200;
    target->revert.ok[1] = 202;
    target->revert.ok_count = 2;
    target->revert.raced[0] = 409;
    target->revert.raced_count = 1;
    (void)strcpy(target->revert.idempotency_header, KEY_HEADER);
    (void)strcpy(target->bearer, TOKEN);
}

static struct world *begin(struct driver *driver)
{
    struct world *world = calloc(1, sizeof(*world));

    assert(world != NULL);
    world->driver = driver;
    peer_start(&world->peer, &driver->loop, serve, world);
    (void)uv_timer_init(&driver->loop, &world->slow);
    world->slow.data = world;
    (void)strcpy(world->live, "2.4.0");
    world->complete = true;
    set_target(&world->target);
    (void)strcpy(world->service.vars[0].name, "deploy_url");
    (void)snprintf(world->service.vars[0].value,
                   sizeof(world->service.vars[0].value), "http://127.0.0.1:%d",
                   world->peer.port);
    world->service.vars_count = 1;
    driver->config.targets = &world->target;
    driver->config.targets_count = 1;
    driver->config.services = &world->service;
    driver->config.services_count = 1;
    return world;
}

static void close_visitor(uv_handle_t *handle, void *data)
{
    struct world *world = data;

    if (handle->type == UV_TCP && handle->data != &world->peer &&
        !uv_is_closing(handle)) {
        visitor_close(handle->data);
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end(struct world *world)
{
    uv_walk(&world->driver->loop, close_visitor, world);
    /* Handles close newest first; the world goes with the older one. */
    uv_close((uv_handle_t *)&world->slow, on_closed);
    peer_stop(&world->peer);
}

static void set_live(struct world *world, const char *version, bool complete)
{
    (void)snprintf(world->live, sizeof(world->live), "%s", version);
    world->complete = complete;
}

static void set_trouble(struct world *world, enum trouble trouble, bool acts)
{
    time_ms timeout = trouble == TROUBLE_HANG ? 200 : 20 * SECOND_MS;

    world->trouble = trouble;
    world->acts = acts;
    world->target.live.timeout = timeout;
    world->target.has.timeout = timeout;
    world->target.revert.timeout = timeout;
}

static void forget_key(struct world *world)
{
    world->target.revert.idempotency_header[0] = '\0';
}

static void forget_token(struct world *world)
{
    world->target.bearer[0] = '\0';
}

static const char *live(const struct world *world)
{
    return world->live;
}

static int deploys(const struct world *world)
{
    return world->deploys;
}

static const int *calls(const struct world *world)
{
    return &world->calls;
}

const struct world_kind world_http = {.name = "http",
                                      .begin = begin,
                                      .end = end,
                                      .set_live = set_live,
                                      .set_trouble = set_trouble,
                                      .forget_key = forget_key,
                                      .forget_token = forget_token,
                                      .live = live,
                                      .deploys = deploys,
                                      .calls = calls};
