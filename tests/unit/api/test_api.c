/* The whole API over real sockets and the real core: every operation, with
 * every answer held against openapi.yaml. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/api/encode.h"
#include "controller/api/routes.h"
#include "help_driver.h"
#include "help_openapi.h"
#include "help_socket.h"

struct fixture {
    uv_loop_t loop;
    struct driver driver;
    struct api *api;
    bool closed;
};

static struct fixture *world;
static json_t *document;
static json_t *seen; /* operations that answered 2xx */

/* --- Asking --------------------------------------------------------------- */

static json_t *check_answer(const char *method, const char *target,
                            const struct heard *heard)
{
    struct target parsed;
    struct refusal refusal;
    const struct route *route = NULL;
    char type[256], operation[128], error[256];
    int status = heard_status(heard);

    assert_true(target_read(target, &parsed, error, sizeof(error)));
    route = route_find(method, &parsed, &refusal);
    (void)heard_header(heard, "Content-Type", type);
    if (route != NULL) {
        openapi_check(document, route->pattern, method, status, type,
                      heard_body(heard));
        (void)snprintf(operation, sizeof(operation), "%s %s", method,
                       route->pattern);
        if (status < 300) {
            (void)json_object_set_new(seen, operation, json_true());
        }
    } else {
        assert_string_equal(type, "application/problem+json");
    }
    return json_loads(heard_body(heard), 0, NULL);
}

/* Ask, expect @status; the answer as JSON (NULL when it is none), owned. */
static json_t *ask(const char *method, const char *target, const char *body,
                   int status)
{
    char request[8192];
    struct heard heard;
    json_t *json = NULL;

    (void)snprintf(request, sizeof(request),
                   "%s %s HTTP/1.1\r\nHost: h\r\nLastgood-By: test:me\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   method, target, body != NULL ? strlen(body) : 0,
                   body != NULL ? body : "");
    socket_ask(&world->loop, api_port(world->api), request, &heard);
    if (heard_status(&heard) != status) {
        fail_msg("%s %s: %d, not %d: %s", method, target, heard_status(&heard),
                 status, heard_body(&heard));
    }
    json = check_answer(method, target, &heard);
    heard_free(&heard);
    return json;
}

static void expect(const char *method, const char *target, const char *body,
                   int status, const char *code)
{
    json_t *json = ask(method, target, body, status);

    if (code != NULL) {
        assert_string_equal(json_string_value(json_object_get(json, "code")),
                            code);
    }
    json_decref(json);
}

static const char *text(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));

    return value != NULL ? value : "";
}

/* "/v1/releases/ID/VERB" of a version. */
static const char *path_of(const char *version, const char *verb)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "/v1/releases/%llu%s%s",
                   (unsigned long long)view_find_release(world->driver.core,
                                                         "user-service",
                                                         "production", version),
                   verb[0] != '\0' ? "/" : "", verb);
    return path;
}

/* --- Fixture -------------------------------------------------------------- */

static int open_world(void **state)
{
    char error[256];

    (void)state;
    world = calloc(1, sizeof(*world));
    assert_non_null(world);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world_open(&world->driver, &world->loop);
    world->api = api_new(&world->driver, error, sizeof(error));
    assert_non_null(world->api);
    return 0;
}

static void on_closed(void *data)
{
    ((struct fixture *)data)->closed = true;
}

static bool is_closed(void *data)
{
    return ((const struct fixture *)data)->closed;
}

static bool has_read_all(void *data)
{
    return ((const struct fixture *)data)->driver.reads_waiting == 0;
}

static int close_world(void **state)
{
    (void)state;
    if (!world->closed) {
        api_close(world->api, on_closed, world);
        loop_until(&world->loop, is_closed, world);
    }
    loop_until(&world->loop, has_read_all, world);
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    world_close(&world->driver);
    free(world);
    return 0;
}

#define BODY_240                                                               \
    "{\"service\":\"user-service\",\"environment\":\"production\","            \
    "\"version\":\"2.4.0\",\"previous\":\"2.3.2\",\"data_change\":\"none\","   \
    "\"labels\":{\"team\":\"x\"}}"
#define ABOUT  "\"service\":\"user-service\",\"environment\":\"production\""
#define QUERY  "?service=user-service&environment=production"
#define REASON "{\"reason\":\"because\"}"

/* 2.3.2 is good and 2.4.0 live, registered and watched. */
static void deploy(void)
{
    expect("POST", "/v1/adoptions",
           "{" ABOUT ",\"version\":\"2.3.2\",\"reason\":\"ran for a month\"}",
           201, NULL);
    (void)snprintf(world->driver.live, sizeof(world->driver.live), "2.4.0");
    expect("POST", "/v1/releases", BODY_240, 201, NULL);
    world_pass(&world->driver, 30 * SECOND_MS);
}

/* --- Releases ------------------------------------------------------------- */

static void a_release_is_registered_once(void **state)
{
    json_t *first = NULL, *again = NULL;
    char body[512];

    (void)state;
    (void)snprintf(body, sizeof(body), "%.*s,\"key\":\"k1\"}",
                   (int)strlen(BODY_240) - 1, BODY_240);
    (void)snprintf(world->driver.live, sizeof(world->driver.live), "2.4.0");
    first = ask("POST", "/v1/releases", body, 201);
    again = ask("POST", "/v1/releases", body, 200);
    assert_string_equal(text(first, "outcome"), "done");
    assert_string_equal(text(again, "outcome"), "already");
    assert_string_equal(text(first, "release"), text(again, "release"));
    assert_true(json_is_true(json_object_get(again, "watched")));
    json_decref(first);
    json_decref(again);
    expect("POST", "/v1/releases",
           "{" ABOUT ",\"version\":\"2.5.0\",\"key\":\"k1\"}", 409, NULL);
}

static void a_release_of_a_stranger_is_refused(void **state)
{
    (void)state;
    expect("POST", "/v1/releases",
           "{\"service\":\"nobody\",\"environment\":\"production\","
           "\"version\":\"1\"}",
           422, "unknown_service");
}

static void releases_are_listed_and_filtered(void **state)
{
    json_t *json = NULL;
    const json_t *list = NULL;

    (void)state;
    deploy();
    json =
        ask("GET", "/v1/releases" QUERY "&version=2.4.0&live=true", NULL, 200);
    list = json_object_get(json, "releases");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(text(json_array_get(list, 0), "version"), "2.4.0");
    assert_string_equal(text(json_array_get(list, 0), "state"), "watching");
    json_decref(json);
    json = ask("GET", "/v1/releases?limit=1", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json, "releases")), 1);
    json_decref(json);
    json = ask("GET", "/v1/releases?state=reverted", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json, "releases")), 0);
    json_decref(json);
    json = ask("GET", path_of("2.4.0", ""), NULL, 200);
    assert_string_equal(text(json_object_get(json, "last_good"), "version"),
                        "2.3.2");
    assert_string_equal(text(json_object_get(json, "labels"), "team"), "x");
    json_decref(json);
    expect("GET", "/v1/releases?state=fine", NULL, 400, "bad_value");
    expect("GET", "/v1/releases?live=maybe", NULL, 400, "bad_value");
    expect("GET", "/v1/releases?limit=0", NULL, 400, "bad_value");
    expect("GET", "/v1/releases?limit=1001", NULL, 400, "bad_value");
    expect("GET", "/v1/releases?service=a..b", NULL, 400, "bad_value");
    expect("GET", "/v1/releases/999999", NULL, 404, "no_such_release");
    expect("GET", "/v1/releases/2.4.0", NULL, 404, "no_such_id");
}

static void a_bad_registration_names_its_field(void **state)
{
    json_t *json = NULL;

    (void)state;
    json = ask("POST", "/v1/releases",
               "{" ABOUT ",\"version\":\"2\",\"data_change\":\"expnd\"}", 400);
    assert_string_equal(text(json, "code"), "bad_value");
    assert_string_equal(text(json, "field"), "data_change");
    json_decref(json);
    expect("POST", "/v1/releases", "{", 400, "bad_json");
    expect("POST", "/v1/releases", "{" ABOUT "}", 400, "missing_member");
    expect("POST", "/v1/releases", "{" ABOUT ",\"versoin\":\"1\"}", 400,
           "unknown_member");
}

/* --- Orders --------------------------------------------------------------- */

static void a_release_is_held_and_resumed(void **state)
{
    json_t *json = NULL;

    (void)state;
    deploy();
    expect("POST", path_of("2.4.0", "hold"), REASON, 200, NULL);
    json = ask("GET", "/v1/gate" QUERY, NULL, 423);
    assert_string_equal(text(json, "gate"), "refused");
    json_decref(json);
    expect("POST", path_of("2.4.0", "resume"), REASON, 200, NULL);
    expect("GET", "/v1/gate" QUERY, NULL, 200, NULL);
    expect("POST", path_of("2.4.0", "hold"), "{}", 400, "missing_member");
    expect("POST", path_of("2.4.0", "hold"), NULL, 400, "bad_json");
    expect("POST", "/v1/releases/999999/hold", REASON, 404, NULL);
}

static void a_mute_ends_and_says_who(void **state)
{
    json_t *json = NULL;

    (void)state;
    deploy();
    json = ask("POST", path_of("2.4.0", "mute"),
               "{\"reason\":\"load test\",\"for\":\"1h\"}", 200);
    assert_non_null(strstr(text(json, "text"), "muted by "));
    json_decref(json);
    json = ask("GET", path_of("2.4.0", ""), NULL, 200);
    assert_string_not_equal(text(json, "muted_until"), "");
    json_decref(json);
    expect("POST", path_of("2.4.0", "mute"),
           "{\"reason\":\"x\",\"for\":\"30d\"}", 400, "invalid");
    expect("POST", path_of("2.4.0", "mute"), "{}", 400, "missing_member");
    expect("POST", "/v1/releases/999999/mute", REASON, 404, "no_release");
}

static void yes_and_no_want_a_rollback_that_waits(void **state)
{
    char path[64];
    json_t *json = NULL;

    (void)state;
    deploy();
    expect("POST", "/v1/rollbacks/999999/approve", "{}", 404, "no_rollback");
    expect("POST", "/v1/rollbacks/999999/cancel", REASON, 404, "no_rollback");
    json = ask("POST", path_of("2.4.0", "rollback"), REASON, 202);
    (void)snprintf(path, sizeof(path), "/v1/rollbacks/%s/cancel",
                   text(json, "rollback"));
    expect("POST", path, "{}", 400, "missing_member");
    expect("POST", path, REASON, 409, NULL);
    (void)snprintf(path, sizeof(path), "/v1/rollbacks/%s/approve",
                   text(json, "rollback"));
    expect("POST", path, "{}", 200, NULL);
    json_decref(json);
}

static void a_refused_rollback_can_be_declined_for_good(void **state)
{
    char path[64];
    json_t *json = NULL;

    (void)state;
    deploy();
    expect("POST", "/v1/gate",
           "{" ABOUT ",\"version\":\"2.5.0\",\"intent\":true}", 200, NULL);
    world->driver.errors = 0.2;
    world_pass(&world->driver, 30 * SECOND_MS);
    json = ask("GET", path_of("2.4.0", ""), NULL, 200);
    (void)snprintf(path, sizeof(path), "/v1/rollbacks/%s/cancel",
                   text(json, "rollback_id"));
    json_decref(json);
    expect("POST", path, REASON, 200, NULL);
    expect("POST", path, REASON, 200, NULL);
}

static void a_rollback_is_told_from_begin_to_end(void **state)
{
    json_t *json = NULL;
    const json_t *timeline = NULL;
    bool requested = false;

    (void)state;
    deploy();
    json = ask("POST", path_of("2.4.0", "rollback"), REASON, 202);
    assert_string_not_equal(text(json, "rollback"), "");
    json_decref(json);
    world_pass(&world->driver, MINUTE_MS);
    json = ask("GET", "/v1/why" QUERY, NULL, 200);
    assert_non_null(strstr(text(json, "sentence"), "rolled back to 2.3.2"));
    assert_string_equal(text(json_object_get(json, "release"), "state"),
                        "reverted");
    timeline = json_object_get(json, "timeline");
    for (size_t i = 0; i < json_array_size(timeline); i++) {
        const json_t *event = json_array_get(timeline, i);

        requested = requested || strcmp(text(event, "state"), "requested") == 0;
        if (i > 0) { /* in order, each once */
            assert_true(
                atoll(text(json_array_get(timeline, i - 1), "sequence")) <
                atoll(text(event, "sequence")));
        }
    }
    assert_true(requested);
    json_decref(json);
    json = ask("GET", "/v1/status" QUERY, NULL, 200);
    timeline = json_array_get(json_object_get(json, "services"), 0);
    assert_string_equal(text(timeline, "live"), "2.3.2");
    assert_non_null(strstr(text(timeline, "did"), "rolled back to 2.3.2"));
    assert_string_equal(text(json_object_get(timeline, "subject"), "version"),
                        "2.4.0");
    assert_int_equal(json_array_size(json_object_get(timeline, "needs")), 0);
    assert_non_null(strstr(text(timeline, "frozen"),
                           "sooner: 'lastgood thaw user-service --environment "
                           "production --reason ...'"));
    json_decref(json);
}

/* The first need that status names, "" without one. */
static const char *needed(json_t **ret_json)
{
    const json_t *service = NULL;
    const char *need = NULL;

    *ret_json = ask("GET", "/v1/status" QUERY, NULL, 200);
    service = json_array_get(json_object_get(*ret_json, "services"), 0);
    need =
        json_string_value(json_array_get(json_object_get(service, "needs"), 0));
    return need != NULL ? need : "";
}

static void expect_need(const char *part)
{
    json_t *json = NULL;
    const char *need = needed(&json);

    if (part[0] == '\0' ? need[0] != '\0' : strstr(need, part) == NULL) {
        fail_msg("'%s' does not say '%s'", need, part);
    }
    json_decref(json);
}

static void a_registration_that_came_too_late_is_not_watched(void **state)
{
    json_t *json = NULL;

    (void)state;
    deploy();
    json = ask("POST", "/v1/releases",
               "{" ABOUT ",\"version\":\"2.3.9\",\"deployed_at\":"
               "\"2024-09-18T14:00:00Z\"}",
               201);
    assert_true(json_is_false(json_object_get(json, "watched")));
    assert_non_null(strstr(text(json, "text"), "2.4.0 is live, and newer"));
    json_decref(json);
}

/* The deployment API's own pipeline reports what our rollback put live: 2.3.2,
 * which was adopted, so that no policy judges it. */
static void what_our_rollback_put_live_is_no_unwatched_release(void **state)
{
    json_t *json = NULL;

    (void)state;
    deploy();
    json = ask("POST", path_of("2.4.0", "rollback"), REASON, 202);
    json_decref(json);
    world_pass(&world->driver, 10 * SECOND_MS);
    json =
        ask("POST", "/v1/releases", "{" ABOUT ",\"version\":\"2.3.2\"}", 200);
    assert_string_equal(text(json, "code"), "echo");
    assert_true(json_is_true(json_object_get(json, "watched")));
    json_decref(json);
}

static void status_says_what_is_needed(void **state)
{
    (void)state;
    (void)snprintf(world->driver.live, sizeof(world->driver.live), "2.4.0");
    expect("POST", "/v1/releases", BODY_240, 201, NULL);
    world_pass(&world->driver, 30 * SECOND_MS);
    expect_need("");
    world->driver.errors = 0.2;
    world_pass(&world->driver, 30 * SECOND_MS);
    expect_need("roll forward: there is no version to go back to");
    world->driver.errors = 0.01;
    world_pass(&world->driver, 30 * SECOND_MS);
    expect_need("nothing urgent: it is healthy again");
    expect("POST", path_of("2.4.0", "hold"), REASON, 200, NULL);
    expect_need("deploy a fix for 2.4.0, or 'lastgood resume ");
    expect("POST", path_of("2.4.0", "resume"), REASON, 200, NULL);
}

static bool tells(const json_t *timeline, const char *what)
{
    for (size_t i = 0; i < json_array_size(timeline); i++) {
        if (strcmp(text(json_array_get(timeline, i), "text"), what) == 0) {
            return true;
        }
    }
    return false;
}

/* It happened to everybody: to those who read it, it is their story too. */
static void a_source_that_was_lost_is_part_of_the_story(void **state)
{
    static const char lost[] = "source prom does not answer: POST: 503; "
                               "query errors";
    json_t *json = NULL;

    (void)state;
    deploy();
    world->driver.lose_samples = true;
    world_pass(&world->driver, MINUTE_MS);
    world->driver.lose_samples = false;
    world_pass(&world->driver, MINUTE_MS);
    json = ask("GET", path_of("2.4.0", "why"), NULL, 200);
    assert_true(tells(json_object_get(json, "timeline"), lost));
    assert_true(
        tells(json_object_get(json, "timeline"), "source prom answers again"));
    json_decref(json);
    (void)strcpy(world->driver.source.name, "other");
    json = ask("GET", path_of("2.4.0", "why"), NULL, 200);
    assert_false(tells(json_object_get(json, "timeline"), lost));
    json_decref(json);
}

static void an_incident_is_seen_and_closed(void **state)
{
    json_t *json = NULL;
    const json_t *list = NULL;
    char path[128];

    (void)state;
    deploy();
    expect("POST", path_of("2.4.0", "rollback"), REASON, 202, NULL);
    json = ask("GET", "/v1/incidents" QUERY "&open=true", NULL, 200);
    list = json_object_get(json, "incidents");
    assert_int_equal(json_array_size(list), 1);
    (void)snprintf(path, sizeof(path), "/v1/incidents/%s",
                   text(json_array_get(list, 0), "id"));
    json_decref(json);
    json = ask("GET", path, NULL, 200);
    assert_string_equal(text(json_object_get(json, "release"), "version"),
                        "2.4.0");
    assert_string_equal(text(json_object_get(json, "rollback"), "target"),
                        "2.3.2");
    json_decref(json);
    (void)strcat(path, "/close");
    world_pass(&world->driver, 5 * MINUTE_MS);
    json = ask("GET", "/v1/incidents?limit=5&open=false", NULL, 200);
    json_decref(json);
    expect("POST", "/v1/incidents/999999/close", REASON, 404, NULL);
    expect("GET", "/v1/incidents/999999", NULL, 404, "no_such_incident");
    expect("GET", "/v1/incidents?open=x", NULL, 400, "bad_value");
}

static void an_incident_without_rollback_is_closed_by_hand(void **state)
{
    json_t *json = NULL;
    char path[128];

    (void)state;
    deploy();
    expect("POST", "/v1/gate",
           "{" ABOUT ",\"version\":\"2.5.0\",\"intent\":true}", 200, NULL);
    /* A newer deploy was announced: refused, for the policy as for people. */
    world->driver.errors = 0.2;
    world_pass(&world->driver, 3 * MINUTE_MS);
    json = ask("POST", path_of("2.4.0", "rollback"), REASON, 422);
    json_decref(json);
    json = ask("GET", "/v1/incidents?open=true", NULL, 200);
    (void)snprintf(
        path, sizeof(path), "/v1/incidents/%s/close",
        text(json_array_get(json_object_get(json, "incidents"), 0), "id"));
    json_decref(json);
    expect_need("--reason ...' tries again to revert 2.4.0 to 2.3.2");
    expect("POST", path, REASON, 200, NULL);
    expect_need("");
    json = ask("GET", "/v1/incidents?open=true", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json, "incidents")), 0);
    json_decref(json);
}

static void freezes_come_and_go(void **state)
{
    json_t *json = NULL;

    (void)state;
    json = ask("POST", "/v1/freezes",
               "{" ABOUT ",\"for\":\"2h\",\"reason\":\"db work\"}", 201);
    assert_non_null(strstr(text(json, "text"), "until 2024-09-18T16:20:00Z"));
    json_decref(json);
    json = ask("GET", "/v1/freezes" QUERY, NULL, 200);
    json_decref(json);
    json = ask("GET", "/v1/gate" QUERY "&version=2.5.0", NULL, 423);
    assert_string_equal(text(json, "code"), "frozen");
    assert_string_equal(text(json, "until"), "2024-09-18T16:20:00Z");
    json_decref(json);
    expect("POST", "/v1/gate",
           "{" ABOUT ",\"version\":\"2.5.0\",\"intent\":true}", 423, "frozen");
    expect("POST", "/v1/gate",
           "{" ABOUT ",\"version\":\"2.5.0\",\"override\":true,"
           "\"reason\":\"the fix\"}",
           200, NULL);
    expect("POST", "/v1/thaw", "{" ABOUT ",\"reason\":\"done\"}", 200, NULL);
    expect("GET", "/v1/gate" QUERY, NULL, 200, NULL);
    expect("POST", "/v1/freezes", "{" ABOUT ",\"for\":\"2 h\"}", 400,
           "bad_value");
    expect("POST", "/v1/freezes",
           "{" ABOUT ",\"for\":\"0s\",\"reason\":\"none\"}", 400, "bad_value");
}

static void the_gate_says_what_it_does_not_know(void **state)
{
    json_t *json = NULL;

    (void)state;
    json =
        ask("GET", "/v1/gate?service=nobody&environment=production", NULL, 404);
    assert_string_equal(text(json, "gate"), "unknown");
    json_decref(json);
    world->driver.ready = false;
    json = ask("GET", "/v1/gate" QUERY, NULL, 503);
    assert_string_equal(text(json, "gate"), "unknown");
    assert_non_null(strstr(text(json, "detail"), "the disk is full"));
    json_decref(json);
    expect("GET", "/v1/gate?service=a", NULL, 400, "missing_parameter");
    expect("POST", "/v1/gate", "{" ABOUT ",\"version\":\"1\"}", 400,
           "bad_value");
    expect("POST", "/v1/gate",
           "{" ABOUT ",\"version\":\"1\",\"override\":true}", 400,
           "missing_member");
}

static void a_number_beyond_all_numbers_is_null(void **state)
{
    struct release_view release;
    json_t *json = NULL;
    size_t cursor = 0;

    (void)state;
    deploy();
    assert_true(view_next_release(world->driver.core, &cursor, &release));
    release.requests = (double)INFINITY;
    json = encode_release(world->driver.core, &release);
    assert_true(json_is_null(json_object_get(json, "requests")));
    json_decref(json);
}

/* --- The fleet ------------------------------------------------------------ */

static void the_fleet_is_described(void **state)
{
    json_t *json = NULL;

    (void)state;
    deploy();
    json = ask("GET", "/v1/policies", NULL, 200);
    assert_string_equal(
        text(json_array_get(json_object_get(json, "policies"), 0), "name"),
        "user-service");
    json_decref(json);
    json = ask("GET", "/v1/status?limit=1", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json, "services")), 1);
    json_decref(json);
    json = ask("GET", "/v1/status?service=nobody", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json, "services")), 0);
    json_decref(json);
    json = ask("GET", path_of("2.4.0", "why"), NULL, 200);
    assert_true(json_is_object(json_object_get(json, "explanation")));
    json_decref(json);
    expect("GET", "/v1/why?service=nobody&environment=production", NULL, 404,
           "no_live_release");
    expect("GET", "/v1/releases/999999/why", NULL, 404, "no_such_release");
}

static void health_follows_the_store(void **state)
{
    (void)state;
    expect("GET", "/healthz", NULL, 200, NULL);
    world->driver.ready = false;
    expect("GET", "/healthz", NULL, 503, "not_ready");
}

static void metrics_are_prometheus_text(void **state)
{
    struct heard heard;

    (void)state;
    deploy();
    expect("GET", "/metrics", NULL, 200, NULL);
    world->driver.timing = (struct revert_timing){1, 2, 1000000002, 0, 5};
    socket_ask(&world->loop, api_port(world->api),
               "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", &heard);
    assert_non_null(strstr(heard.bytes, "\nlastgood_releases_watched 1\n"));
    assert_non_null(strstr(heard.bytes, "\nlastgood_ready 1\n"));
    assert_non_null(strstr(heard.bytes, "\nlastgood_records_waiting 3\n"));
    assert_non_null(
        strstr(heard.bytes, "\nlastgood_loop_late_seconds_total 1.500\n"));
    assert_non_null(strstr(
        heard.bytes, "\nlastgood_revert_seconds{part=\"commit\"} 1.000000000"));
    assert_null(strstr(heard.bytes, "part=\"send\""));
    assert_non_null(strstr(heard.bytes, "lastgood_rollbacks_total{state=\"not "
                                        "recovered\"} 0\n"));
    heard_free(&heard);
}

/* --- The store ------------------------------------------------------------ */

static void without_a_store_orders_are_refused_and_say_when(void **state)
{
    struct heard heard;
    char request[512], value[256];
    static const char body[] = "{" ABOUT ",\"reason\":\"done\"}";

    (void)state;
    deploy();
    world->driver.ready = false;
    (void)snprintf(request, sizeof(request),
                   "POST /v1/thaw HTTP/1.1\r\nHost: h\r\nContent-Length: "
                   "%zu\r\n\r\n%s",
                   sizeof(body) - 1, body);
    socket_ask(&world->loop, api_port(world->api), request, &heard);
    assert_int_equal(heard_status(&heard), 503);
    assert_string_equal(heard_header(&heard, "Retry-After", value), "5");
    assert_non_null(strstr(heard.bytes, "the disk is full"));
    heard_free(&heard);
    world->driver.ready = true;
    world->driver.refuse_reads = true;
    expect("GET", path_of("2.4.0", "why"), NULL, 503, NULL);
    world->driver.refuse_reads = false;
    world->driver.break_reads = true;
    expect("GET", path_of("2.4.0", "why"), NULL, 503, "store");
    expect("GET", "/v1/policies", NULL, 200, NULL); /* asks no store */
}

static bool is_held(void *data)
{
    return ((const struct fixture *)data)->driver.held_count > 0;
}

static void an_answer_waits_until_it_is_durable(void **state)
{
    struct heard heard = {0};
    char request[512];
    int fd = -1;

    (void)state;
    world->driver.hold_answers = true;
    fd = socket_open(api_port(world->api));
    (void)snprintf(request, sizeof(request),
                   "POST /v1/releases HTTP/1.1\r\nHost: h\r\nContent-Length: "
                   "%zu\r\n\r\n%s",
                   strlen(BODY_240), BODY_240);
    socket_say(fd, request, strlen(request));
    loop_until(&world->loop, is_held, world);
    assert_int_equal(heard.length, 0);
    world_release(&world->driver);
    socket_hear(&world->loop, fd, 1, &heard);
    assert_int_equal(heard_status(&heard), 201);
    (void)close(fd);
    heard_free(&heard);
}

static void an_answer_that_does_not_become_durable_is_503(void **state)
{
    (void)state;
    deploy();
    world->driver.hold_answers = true;
    world->api->wait = 20;
    expect("POST", "/v1/releases", BODY_240, 503, "not_durable");
    world_release(&world->driver); /* too late: nobody waits */
    world->driver.hold_answers = false;
    world->driver.lose_reads = true;
    expect("GET", path_of("2.4.0", "why"), NULL, 503, "not_durable");
}

static void closing_waits_for_what_is_under_way(void **state)
{
    struct heard heard = {0};
    char request[512];
    int fd = -1;

    (void)state;
    world->driver.hold_answers = true;
    fd = socket_open(api_port(world->api));
    (void)snprintf(request, sizeof(request),
                   "POST /v1/releases HTTP/1.1\r\nHost: h\r\nContent-Length: "
                   "%zu\r\n\r\n%s",
                   strlen(BODY_240), BODY_240);
    socket_say(fd, request, strlen(request));
    loop_until(&world->loop, is_held, world);
    api_close(world->api, on_closed, world);
    (void)uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_false(world->closed);
    world_release(&world->driver);
    socket_hear_end(&world->loop, fd, &heard);
    assert_int_equal(heard_status(&heard), 201);
    loop_until(&world->loop, is_closed, world);
    (void)close(fd);
    heard_free(&heard);
}

static bool is_idle(void *data)
{
    struct http_server_counts counts;

    http_server_count(((const struct fixture *)data)->api->servers[0], &counts);
    return counts.connections == 0;
}

static bool is_busy(void *data)
{
    struct http_server_counts counts;

    http_server_count(((const struct fixture *)data)->api->servers[0], &counts);
    return counts.connections == 1;
}

/* It would wait beyond the end of the server. */
static void nothing_is_read_once_it_closes(void **state)
{
    struct heard heard = {0};
    char head[256];
    int fd = -1;

    (void)state;
    deploy();
    (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: h\r\n",
                   path_of("2.4.0", "why"));
    loop_until(&world->loop, is_idle, world);
    fd = socket_open(api_port(world->api));
    world->driver.lose_reads = true;
    socket_say(fd, head, strlen(head));
    loop_until(&world->loop, is_busy, world);
    (void)uv_run(&world->loop, UV_RUN_NOWAIT); /* the head's begin is read */
    api_close(world->api, on_closed, world);
    socket_say(fd, "\r\n", 2);
    socket_hear_end(&world->loop, fd, &heard);
    assert_int_equal(heard_status(&heard), 503);
    assert_non_null(strstr(heard.bytes, "shutting down"));
    loop_until(&world->loop, is_closed, world);
    (void)close(fd);
    heard_free(&heard);
}

/* --- Doors ---------------------------------------------------------------- */

static void paths_methods_and_principals_are_checked(void **state)
{
    (void)state;
    expect("GET", "/v1/nothing", NULL, 404, "no_such_path");
    expect("DELETE", "/v1/releases", NULL, 405, "method_not_allowed");
    expect("GET", "/v1/gate?x=1", NULL, 400, "unknown_parameter");
}

static void a_bad_principal_is_refused(void **state)
{
    struct heard heard;

    (void)state;
    socket_ask(&world->loop, api_port(world->api),
               "POST /v1/thaw HTTP/1.1\r\nHost: h\r\nLastgood-By: a b\r\n"
               "Content-Length: 0\r\n\r\n",
               &heard);
    assert_int_equal(heard_status(&heard), 400);
    assert_non_null(strstr(heard.bytes, "Lastgood-By"));
    heard_free(&heard);
    socket_ask(&world->loop, api_port(world->api),
               "POST /v1/thaw HTTP/1.1\r\nHost: h\r\nLastgood-By: lastgood\r\n"
               "Content-Length: 0\r\n\r\n",
               &heard);
    assert_int_equal(heard_status(&heard), 400);
    assert_non_null(strstr(heard.bytes, "the controller's own name"));
    heard_free(&heard);
}

static void a_bad_target_is_refused(void **state)
{
    struct heard heard;

    (void)state;
    socket_ask(&world->loop, api_port(world->api),
               "GET /v1/%2e%2e/healthz HTTP/1.1\r\nHost: h\r\n\r\n", &heard);
    assert_int_equal(heard_status(&heard), 400);
    assert_non_null(strstr(heard.bytes, "bad_target"));
    heard_free(&heard);
}

/* --- Listening ------------------------------------------------------------ */

static char socket_path[64];

static void open_twice(void)
{
    char folder[] = "/tmp/lastgood-api-XXXXXX";

    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
    world = calloc(1, sizeof(*world));
    assert_non_null(world);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world_open(&world->driver, &world->loop);
    (void)snprintf(world->driver.config.listen_unix,
                   sizeof(world->driver.config.listen_unix), "%s", socket_path);
}

static void a_unix_socket_answers_too_and_goes_with_the_daemon(void **state)
{
    struct heard heard = {0};
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    char error[256];
    int fd = -1;

    open_twice();
    world->api = api_new(&world->driver, error, sizeof(error));
    assert_non_null(world->api);
    expect("GET", "/healthz", NULL, 200, NULL);
    fd = socket_open_unix(socket_path);
    socket_say(fd, request, sizeof(request) - 1);
    socket_hear(&world->loop, fd, 1, &heard);
    assert_int_equal(heard_status(&heard), 200);
    (void)close(fd);
    heard_free(&heard);
    close_world(state);
    assert_int_equal(access(socket_path, F_OK), -1);
    socket_path[strlen(socket_path) - 2] = '\0';
    assert_int_equal(rmdir(socket_path), 0);
}

static void an_address_that_cannot_be_had_is_one_line(void **state)
{
    char error[256] = "";

    open_twice();
    (void)snprintf(world->driver.config.listen_unix,
                   sizeof(world->driver.config.listen_unix), "/nonexistent/s");
    assert_null(api_new(&world->driver, error, sizeof(error)));
    assert_non_null(strstr(error, "cannot listen on /nonexistent/s"));
    world->closed = true; /* it closes what it had opened by itself */
    close_world(state);
    socket_path[strlen(socket_path) - 2] = '\0';
    assert_int_equal(rmdir(socket_path), 0);
}

static void every_operation_was_seen(void **state)
{
    (void)state;
    for (const struct route *route = routes(); route->method != NULL; route++) {
        char operation[128];

        (void)snprintf(operation, sizeof(operation), "%s %s", route->method,
                       route->pattern);
        if (json_object_get(seen, operation) == NULL) {
            fail_msg("%s never answered 2xx", operation);
        }
    }
}

static int load(void **state)
{
    (void)state;
    document = openapi_load();
    seen = json_object();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(document);
    json_decref(seen);
    return 0;
}

#define STORY(name)                                                            \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_release_is_registered_once),
        STORY(a_release_of_a_stranger_is_refused),
        STORY(releases_are_listed_and_filtered),
        STORY(a_bad_registration_names_its_field),
        STORY(a_release_is_held_and_resumed),
        STORY(a_mute_ends_and_says_who),
        STORY(yes_and_no_want_a_rollback_that_waits),
        STORY(a_refused_rollback_can_be_declined_for_good),
        STORY(a_rollback_is_told_from_begin_to_end),
        STORY(a_registration_that_came_too_late_is_not_watched),
        STORY(what_our_rollback_put_live_is_no_unwatched_release),
        STORY(status_says_what_is_needed),
        STORY(a_source_that_was_lost_is_part_of_the_story),
        STORY(an_incident_is_seen_and_closed),
        STORY(an_incident_without_rollback_is_closed_by_hand),
        STORY(freezes_come_and_go),
        STORY(the_gate_says_what_it_does_not_know),
        STORY(the_fleet_is_described),
        STORY(health_follows_the_store),
        STORY(metrics_are_prometheus_text),
        STORY(without_a_store_orders_are_refused_and_say_when),
        STORY(an_answer_waits_until_it_is_durable),
        STORY(an_answer_that_does_not_become_durable_is_503),
        STORY(closing_waits_for_what_is_under_way),
        STORY(nothing_is_read_once_it_closes),
        STORY(a_number_beyond_all_numbers_is_null),
        STORY(paths_methods_and_principals_are_checked),
        STORY(a_bad_principal_is_refused),
        STORY(a_bad_target_is_refused),
        cmocka_unit_test(a_unix_socket_answers_too_and_goes_with_the_daemon),
        cmocka_unit_test(an_address_that_cannot_be_had_is_one_line),
        cmocka_unit_test(every_operation_was_seen),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
