#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/runtime/help_peer.h"
#include "tests/unit/sources/help_driver.h"

#define G     1726669200000 /* 2024-09-18T14:20:00Z, a grid time */
#define EVERY 15000

#define VECTOR(elements)                                                       \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":"  \
    "[" elements "]}}"
#define MATRIX(elements)                                                       \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":"  \
    "[" elements "]}}"

/* What the peer answers to a request whose text holds `when`. */
struct rule {
    const char *when, *status, *headers, *body;
    int asked;
    bool hangs, leaves;
};

struct world {
    struct driver driver;
    struct peer peer;
    struct source_adapter *source;
    struct rule rules[8];
    size_t rules_count;
    char last[8192]; /* the newest request */
};

static void serve(struct visitor *visitor)
{
    struct world *world = visitor->peer->data;
    (void)snprintf(world->last, sizeof(world->last), "%s", visitor->request);
    for (size_t i = 0; i < world->rules_count; i++) {
        struct rule *rule = &world->rules[i];
        if (!strstr(visitor->request, rule->when)) {
            continue;
        }
        rule->asked++;
        if (rule->leaves) {
            visitor_close(visitor);
        } else if (!rule->hangs) {
            visitor_answer(visitor, rule->status, rule->headers, rule->body);
        }
        return;
    }
    visitor_answer(visitor, "404 Not Found", "", "no such rule");
}

static struct rule *rule_add(struct world *world, const char *when,
                             const char *status, const char *body)
{
    struct rule *rule = &world->rules[world->rules_count++];
    *rule = (struct rule){
        .when = when, .status = status, .headers = "", .body = body};
    return rule;
}

static void begin(struct world *world)
{
    char url[64];
    memset(world, 0, sizeof(*world));
    fake_begin(&world->driver);
    peer_start(&world->peer, &world->driver.loop, serve, world);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", world->peer.port);
    (void)fake_source(&world->driver, "prom", FETCH_PROMETHEUS, url);
}

static void start(struct world *world)
{
    world->source = source_make(&world->driver, 0);
}

static void ask(struct world *world, uint32_t query, time_ms g)
{
    world->source->ops->query(world->source, query, g);
}

static void end(struct world *world)
{
    world->source->ops->close(world->source);
    peer_stop(&world->peer);
    fake_end(&world->driver);
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("'%s' does not say '%s'", text, part);
    }
}

static void one_query_serves_every_series_that_selects_from_it(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "sum by (service) (up)", NULL);
    const char *labels[] = {"service", "zone"};
    const char *in_b[] = {"b", "1"};
    uint32_t a = fake_one(driver, query, "service", "a");
    uint32_t b = fake_one(driver, query, "service", "b");
    uint32_t b1 = fake_series(driver, query, 2, labels, in_b);
    uint32_t gone = fake_one(driver, query, "service", "gone");
    uint32_t strange = fake_one(driver, query, "service", "c\xc3\xa9");
    uint32_t none = fake_one(driver, query, "zone", "");
    rule_add(&world, "POST /api/v1/query ", "200 OK",
             VECTOR("{\"metric\":{\"service\":\"a\"},\"value\":[1,\"0.5\"]},"
                    "{\"metric\":{\"service\":\"b\",\"zone\":\"1\"},"
                    "\"value\":[1,\"2\"]},"
                    "{\"metric\":{\"service\":\"b\",\"zone\":\"2\"},"
                    "\"value\":[1,\"3\"]},"
                    "{\"metric\":{\"service\":\"c\\u00e9\",\"zone\":\"1\"},"
                    "\"value\":[1,\"NaN\"]}"));
    start(&world);
    ask(&world, query, G);
    const struct told *told = fake_wait(driver, 1);
    assert_int_equal(told->kind, INPUT_SAMPLES);
    assert_int_equal(told->g, G);
    assert_string_equal(told->error, "");
    assert_int_equal(told->count, 6);
    assert_true(fake_sample(told, a).number == 0.5);
    assert_int_equal(fake_sample(told, a).unknown, KNOWN);
    assert_int_equal(fake_sample(told, b).unknown, UNKNOWN_SEVERAL);
    assert_true(fake_sample(told, b1).number == 2);
    assert_int_equal(fake_sample(told, gone).unknown, UNKNOWN_NO_DATA);
    assert_int_equal(fake_sample(told, strange).unknown, UNKNOWN_NAN);
    /* A release that does not say its zone is not the one without a zone. */
    assert_int_equal(fake_sample(told, none).unknown, UNKNOWN_FACT);
    assert_int_equal(world.rules[0].asked, 1);
    expect_text(world.last, "query=sum%20by%20%28service%29%20%28up%29&time="
                            "1726669200.000&timeout=5000ms");
    expect_text(world.last, "application/x-www-form-urlencoded");
    end(&world);
}

static void without_a_selection_one_element_is_wanted(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    uint32_t one = fake_query(&world.driver, 0, "sum(a)", NULL);
    uint32_t two = fake_query(&world.driver, 0, "b", NULL);
    uint32_t none = fake_query(&world.driver, 0, "c", NULL);
    uint32_t series[] = {fake_all(&world.driver, one),
                         fake_all(&world.driver, two),
                         fake_all(&world.driver, none)};
    rule_add(&world, "query=sum", "200 OK",
             VECTOR("{\"metric\":{},\"value\":[1,\"-Inf\"]}"));
    rule_add(&world, "query=b&", "200 OK",
             VECTOR("{\"metric\":{\"x\":\"1\"},\"value\":[1,\"1\"]},"
                    "{\"metric\":{\"x\":\"2\"},\"value\":[1,\"1\"]}"));
    rule_add(&world, "query=c&", "200 OK", VECTOR(""));
    start(&world);
    ask(&world, one, G);
    assert_int_equal(
        fake_sample(fake_wait(&world.driver, 1), series[0]).unknown,
        UNKNOWN_INFINITE);
    ask(&world, two, G);
    assert_int_equal(
        fake_sample(fake_wait(&world.driver, 2), series[1]).unknown,
        UNKNOWN_SEVERAL);
    ask(&world, none, G);
    assert_int_equal(
        fake_sample(fake_wait(&world.driver, 3), series[2]).unknown,
        UNKNOWN_NO_DATA);
    end(&world);
}

static void an_old_value_is_stale(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "value", "age");
    uint32_t fresh = fake_one(driver, query, "s", "fresh");
    uint32_t old = fake_one(driver, query, "s", "old");
    uint32_t ageless = fake_one(driver, query, "s", "ageless");
    uint32_t absent = fake_one(driver, query, "s", "absent");
    uint32_t quiet = fake_one(driver, query, "s", "quiet");
    rule_add(&world, "query=value", "200 OK",
             VECTOR("{\"metric\":{\"s\":\"fresh\"},\"value\":[1,\"1\"]},"
                    "{\"metric\":{\"s\":\"old\"},\"value\":[1,\"1\"]},"
                    "{\"metric\":{\"s\":\"ageless\"},\"value\":[1,\"1\"]}"));
    rule_add(&world, "query=age", "200 OK",
             VECTOR("{\"metric\":{\"s\":\"fresh\"},\"value\":[1,\"30\"]},"
                    "{\"metric\":{\"s\":\"old\"},\"value\":[1,\"30.1\"]},"
                    "{\"metric\":{\"s\":\"quiet\"},\"value\":[1,\"3\"]}"));
    start(&world);
    ask(&world, query, G);
    const struct told *told = fake_wait(driver, 1);
    assert_int_equal(fake_sample(told, fresh).unknown, KNOWN);
    assert_int_equal(fake_sample(told, old).unknown, UNKNOWN_STALE);
    assert_int_equal(fake_sample(told, ageless).unknown, UNKNOWN_STALE);
    assert_int_equal(fake_sample(told, absent).unknown, UNKNOWN_STALE);
    assert_int_equal(fake_sample(told, quiet).unknown, UNKNOWN_NO_DATA);
    /* Ages that cannot be asked for are a source error. */
    world.rules[1].status = "422 Unprocessable Entity";
    world.rules[1].body = "{\"status\":\"error\",\"errorType\":\"execution\","
                          "\"error\":\"many-to-many\"}";
    ask(&world, query, G + EVERY);
    expect_text(fake_wait(driver, 2)->error, "fresh: prom: http://127.0.0.1:");
    expect_text(driver->told[1].error, "422 execution: many-to-many");
    end(&world);
}

static void alive_is_asked_once_for_all_queries_of_a_grid_time(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    (void)snprintf(driver->sources[0].alive, QUERY_TEXT_MAX, "up{job=\"app\"}");
    uint32_t first = fake_query(driver, 0, "first", NULL);
    uint32_t second = fake_query(driver, 0, "second", NULL);
    (void)fake_all(driver, first);
    (void)fake_all(driver, second);
    rule_add(&world, "query=up", "200 OK",
             VECTOR("{\"metric\":{\"i\":\"1\"},\"value\":[1,\"0\"]},"
                    "{\"metric\":{\"i\":\"2\"},\"value\":[1,\"1\"]}"));
    rule_add(&world, "query=", "200 OK",
             VECTOR("{\"metric\":{},\"value\":[1,\"5\"]}"));
    start(&world);
    ask(&world, first, G);
    ask(&world, second, G);
    (void)fake_wait(driver, 2);
    assert_int_equal(world.rules[0].asked, 1);
    assert_string_equal(driver->told[0].error, "");
    assert_string_equal(driver->told[1].error, "");
    ask(&world, first, G); /* again, after it is known */
    assert_string_equal(fake_wait(driver, 3)->error, "");
    assert_int_equal(world.rules[0].asked, 1);

    world.rules[0].body = VECTOR("{\"metric\":{},\"value\":[1,\"0\"]},"
                                 "{\"metric\":{\"i\":\"3\"},"
                                 "\"value\":[1,\"NaN\"]}");
    ask(&world, first, G + EVERY);
    ask(&world, second, G + EVERY);
    expect_text(fake_wait(driver, 4)->error, "alive: no series above 0");
    expect_text(fake_wait(driver, 5)->error, "alive: no series above 0");
    ask(&world, second, G + EVERY);
    expect_text(fake_wait(driver, 6)->error, "alive: no series above 0");
    assert_int_equal(world.rules[0].asked, 2);

    world.rules[0].body = VECTOR("");
    ask(&world, first, G + 2 * EVERY);
    expect_text(fake_wait(driver, 7)->error, "alive: no series above 0");
    world.rules[0].status = "400 Bad Request";
    world.rules[0].body = "{\"status\":\"error\",\"errorType\":\"bad_data\","
                          "\"error\":\"parse error\"}";
    ask(&world, first, G + 3 * EVERY);
    expect_text(fake_wait(driver, 8)->error, "alive: prom: http://127.0.0.1:");
    end(&world);
}

static void errors_say_what_prometheus_said_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *status, *headers, *body, *words;
    } cases[] = {
        {"400 Bad Request", "",
         "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid "
         "parameter \\\"query\\\": 1:3: parse error\"}",
         "/api/v1/query: 400 bad_data: invalid parameter \"query\": 1:3: parse "
         "error; asked: x("},
        {"404 Not Found", "", "404 page not found\n", "404 page not found"},
        {"401 Unauthorized", "", "who are you", "401 Unauthorized"},
        {"302 Found", "Location: http://elsewhere/\r\n", "", "a redirect"},
        {"200 OK", "Content-Type: text/html\r\n", "<html>login</html>",
         "200 with a body (text/html) that is no answer to use: byte 1"},
        {"200 OK", "", "", "it ends in the middle"},
        {"200 OK", "",
         "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\","
         "\"result\":[1,\"5\"]}}",
         "wrap the query in vector()"},
        {"200 OK", "",
         VECTOR("{\"metric\":{\"s\":\"1\",\"s\":\"2\"},\"value\":[1,\"1\"]}"),
         "a label stands twice"},
        {"200 OK", "", VECTOR("") "\x01", "behind the end"},
    };
    struct world world;
    begin(&world);
    uint32_t query = fake_query(&world.driver, 0, "x(", NULL);
    (void)fake_one(&world.driver, query, "s", "1");
    struct rule *rule = rule_add(&world, "POST", "", "");
    start(&world);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rule->status = cases[i].status;
        rule->headers = cases[i].headers;
        rule->body = cases[i].body;
        ask(&world, query, G + (time_ms)i * EVERY);
        const struct told *told = fake_wait(&world.driver, i + 1);
        expect_text(told->error, "prom: ");
        expect_text(told->error, cases[i].words);
        assert_int_equal(told->count, 0);
    }
    assert_int_equal(rule->asked, (int)(sizeof(cases) / sizeof(cases[0])));
    end(&world);
}

static void a_long_answer_is_read_in_slices(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "many", NULL);
    enum { COUNT = 20000 };
    char(*names)[16] = malloc(COUNT * sizeof(*names));
    char *body = malloc(COUNT * 160 + 200);
    assert_non_null(names);
    assert_non_null(body);
    char *at = body;
    at += sprintf(at, "{\"status\":\"success\",\"data\":{\"resultType\":"
                      "\"vector\",\"result\":[");
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "service-%d", i);
        (void)fake_one(driver, query, "service", names[i]);
        at += sprintf(at,
                      "%s{\"metric\":{\"__name__\":\"http_requests:rate1m\","
                      "\"cluster\":\"production-one\",\"service\":\"%s\"},"
                      "\"value\":[1726669200,\"%d.5\"]}",
                      i ? "," : "", names[i], i);
    }
    (void)sprintf(at, "]}}");
    assert_true(strlen(body) > 2 * 1024 * 1024);
    rule_add(&world, "query=many", "200 OK", body);
    start(&world);
    ask(&world, query, G);
    const struct told *told = fake_wait(driver, 1);
    assert_string_equal(told->error, "");
    assert_int_equal(told->count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(told->series[i], driver->series[i].id);
        assert_true(told->samples[i].number == i + 0.5);
    }
    /* Cut behind many good elements: nothing of it counts. */
    body[strlen(body) - 2] = '\0';
    ask(&world, query, G + EVERY);
    expect_text(fake_wait(driver, 2)->error, "it ends in the middle");
    assert_int_equal(driver->told[1].count, 0);
    end(&world);
    free(names);
    free(body);
}

static void ten_mebibytes_are_too_much(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    uint32_t query = fake_query(&world.driver, 0, "x", NULL);
    char *body = malloc(10 * 1024 * 1024 + 1);
    assert_non_null(body);
    memset(body, ' ', 10 * 1024 * 1024);
    body[10 * 1024 * 1024] = '\0';
    rule_add(&world, "POST", "200 OK", body);
    start(&world);
    ask(&world, query, G);
    expect_text(fake_wait(&world.driver, 1)->error, "larger than");
    end(&world);
    free(body);
}

static void a_refused_connection_is_tried_by_one_then_left_alone(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "x", NULL);
    (void)fake_all(driver, query);
    struct rule *rule =
        rule_add(&world, "POST", "503 Service Unavailable", "overloaded");
    rule->headers = "Retry-After: 3600\r\n";
    start(&world);
    ask(&world, query, G);
    expect_text(fake_wait(driver, 1)->error, "503 Service Unavailable");
    /* Asked to stay away: nothing is sent, all is answered. */
    ask(&world, query, G + EVERY);
    ask(&world, query, G + 2 * EVERY);
    expect_text(fake_wait(driver, 3)->error, "503 Service Unavailable");
    assert_int_equal(driver->told[1].g, G + EVERY);
    assert_int_equal(driver->told[2].g, G + 2 * EVERY);
    assert_int_equal(rule->asked, 1);
    end(&world);
}

static void questions_behind_the_one_that_tries_share_its_end(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "x", NULL);
    uint32_t series = fake_all(driver, query);
    struct rule *rule = rule_add(&world, "POST", "500 Internal Server Error",
                                 "{\"status\":\"error\",\"errorType\":"
                                 "\"internal\",\"error\":\"disk\"}");
    start(&world);
    ask(&world, query, G);
    expect_text(fake_wait(driver, 1)->error, "500 internal: disk");
    /* Within the second that follows it is left alone, then one goes first. */
    size_t told = 1;
    time_ms g = G;
    while (rule->asked == 1) {
        ask(&world, query, g += EVERY);
        ask(&world, query, g += EVERY);
        ask(&world, query, g += EVERY);
        told += 3;
        expect_text(fake_wait(driver, told)->error, "500 internal: disk");
        fake_pause(driver, 50);
    }
    assert_int_equal(rule->asked, 2);
    rule->status = "200 OK";
    rule->body = VECTOR("{\"metric\":{},\"value\":[1,\"7\"]}");
    while (rule->asked == 2) {
        ask(&world, query, g += EVERY);
        ask(&world, query, g += EVERY);
        told += 2;
        (void)fake_wait(driver, told);
        fake_pause(driver, 50);
    }
    assert_int_equal(rule->asked, 4); /* the first, then the one behind it */
    assert_true(fake_sample(&driver->told[told - 1], series).number == 7);
    end(&world);
}

static void a_slow_query_is_not_a_source_that_fails(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    driver->sources[0].timeout = 300;
    uint32_t slow = fake_query(driver, 0, "slow", NULL);
    uint32_t quick = fake_query(driver, 0, "quick", NULL);
    (void)fake_all(driver, slow);
    uint32_t series = fake_all(driver, quick);
    rule_add(&world, "query=slow", "", "")->hangs = true;
    rule_add(&world, "query=quick", "200 OK",
             VECTOR("{\"metric\":{},\"value\":[1,\"7\"]}"));
    start(&world);
    ask(&world, slow, G);
    ask(&world, quick, G);
    expect_text(fake_wait(driver, 2)->error, "no whole answer within 300ms");
    assert_int_equal(driver->told[0].query, quick);
    ask(&world, quick, G + EVERY);
    assert_true(fake_sample(fake_wait(driver, 3), series).number == 7);
    /* Nor is a query that Prometheus itself gave up. */
    world.rules[0].hangs = false;
    world.rules[0].status = "503 Service Unavailable";
    world.rules[0].body = "{\"status\":\"error\",\"errorType\":\"timeout\","
                          "\"error\":\"query timed out\"}";
    ask(&world, slow, G + 2 * EVERY);
    expect_text(fake_wait(driver, 4)->error, "503 timeout: query timed out");
    ask(&world, quick, G + 3 * EVERY);
    assert_true(fake_sample(fake_wait(driver, 5), series).number == 7);
    end(&world);
}

static void waiting_for_a_turn_ends_with_the_time_out_too(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    driver->sources[0].timeout = 300;
    uint32_t query = fake_query(driver, 0, "x", NULL);
    (void)fake_all(driver, query);
    rule_add(&world, "POST", "", "")->hangs = true;
    start(&world);
    for (int i = 0; i < 40; i++) { /* eight fly, the others wait */
        ask(&world, query, G + i * EVERY);
    }
    (void)fake_wait(driver, 40);
    assert_int_equal(driver->told_count, 40);
    for (int i = 0; i < 40; i++) {
        expect_text(driver->told[i].error, "no whole answer within 300ms");
    }
    end(&world);
}

static void a_connection_that_breaks_is_an_error(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    uint32_t query = fake_query(&world.driver, 0, "x", NULL);
    (void)fake_all(&world.driver, query);
    rule_add(&world, "POST", "", "")->leaves = true;
    start(&world);
    ask(&world, query, G);
    expect_text(fake_wait(&world.driver, 1)->error, "prom: POST http://");
    end(&world);
}

static void closing_answers_every_question_once(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    (void)snprintf(driver->sources[0].alive, QUERY_TEXT_MAX, "up");
    uint32_t query = fake_query(driver, 0, "x", "age");
    driver->signals[0] = fake_all(driver, query);
    struct rule *rule = rule_add(&world, "POST", "", "");
    rule->hangs = true;
    start(&world);
    for (int i = 0; i < 20; i++) {
        ask(&world, query, G + i * EVERY);
    }
    struct effect effect = fake_history(driver, 1, G, G + EVERY, EVERY);
    world.source->ops->history(world.source, &effect);
    fake_wait_for(driver, &rule->asked, 8);
    assert_int_equal(driver->told_count, 0);
    world.source->ops->close(world.source);
    assert_int_equal(driver->told_count, 21);
    for (size_t i = 0; i < driver->told_count; i++) {
        expect_text(driver->told[i].error, "the controller is stopping");
    }
    peer_stop(&world.peer);
    fake_end(driver);
}

/* A late answer must not be given to whoever has the id now. */
static void an_id_that_was_used_again_gets_nobody_elses_number(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "x", NULL);
    uint32_t other = fake_query(driver, 0, "y", NULL);
    (void)fake_all(driver, query);
    (void)fake_all(driver, other);
    struct rule *rule = rule_add(&world, "query=x", "200 OK",
                                 VECTOR("{\"metric\":{},\"value\":[1,\"7\"]}"));
    rule_add(&world, "query=y", "200 OK",
             VECTOR("{\"metric\":{},\"value\":[1,\"8\"]}"));
    start(&world);
    ask(&world, query, G);
    driver->queries[query].text = "z";
    fake_wait_for(driver, &rule->asked, 1);
    ask(&world, other, G);
    assert_int_equal(fake_wait(driver, 1)->query, other);
    end(&world);
    assert_int_equal(driver->told_count, 1);
}

static void each_service_has_its_own_prometheus(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    (void)snprintf(driver->sources[0].url, CONFIG_URL_MAX, "{prom}/x/");
    (void)snprintf(driver->sources[0].alive, QUERY_TEXT_MAX, "up");
    for (int i = 0; i < 2; i++) {
        struct service_config *service = &driver->services[i];
        service->vars_count = 1;
        (void)snprintf(service->vars[0].name, 64, "prom");
        (void)snprintf(service->vars[0].value, 1024, "http://127.0.0.1:%d/%d",
                       world.peer.port, i);
    }
    uint32_t query[2], series[2];
    for (uint16_t i = 0; i < 2; i++) {
        query[i] = fake_query(driver, 0, "x", NULL);
        driver->queries[query[i]].service = i;
        series[i] = fake_all(driver, query[i]);
    }
    rule_add(&world, "POST /0/x/api", "200 OK",
             VECTOR("{\"metric\":{},\"value\":[1,\"7\"]}"));
    rule_add(&world, "POST /1/x/api", "503 Service Unavailable", "no");
    start(&world);
    ask(&world, query[1], G);
    expect_text(fake_wait(driver, 1)->error, "503");
    ask(&world, query[0], G); /* the other's trouble is not its own */
    assert_true(fake_sample(fake_wait(driver, 2), series[0]).number == 7);
    /* A variable that is not there is said, not sent. */
    driver->services[0].vars_count = 0;
    ask(&world, query[0], G + EVERY);
    expect_text(fake_wait(driver, 3)->error, "prom");
    assert_int_equal(driver->told[2].count, 0);
    end(&world);
}

/* --- The past ------------------------------------------------------------ */

static struct sample at(const struct told *told, size_t row, size_t signal,
                        size_t signals)
{
    return told->samples[row * signals + signal];
}

static void the_past_is_rows_of_signals(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    (void)fake_source(driver, "other", FETCH_SCRAPE, "http://127.0.0.1:1/");
    (void)snprintf(driver->sources[0].alive, QUERY_TEXT_MAX, "up");
    uint32_t query = fake_query(driver, 0, "a # of mine", "age");
    uint32_t foreign = fake_query(driver, 1, "b", NULL);
    driver->signals[0] = fake_one(driver, query, "service", "x\"$1\\");
    driver->signals[1] = fake_all(driver, foreign);
    rule_add(&world,
             "query=%28a%20%23%20of%20mine%0A%29%20and%20on%20%28"
             "service%29%20label_replace%28vector%281%29%2C%20%22"
             "service%22%2C%20%22x%5C%22%24%241%5C%5C%22%2C%20%22%22"
             "%2C%20%22%22%29&start=1726669200.000&end=1726669290.000&"
             "step=15.000&timeout=5000ms",
             "200 OK",
             MATRIX("{\"metric\":{\"service\":\"x\\\"$1\\\\\"},\"values\":["
                    "[1726669200,\"1\"],[1726669215,\"2\"],"
                    "[1726669245,\"NaN\"],[1726669260,\"5\"],"
                    "[1726669275,\"6\"],[1726669290,\"7\"]]},"
                    "{\"metric\":{\"service\":\"x\\\"$1\\\\\",\"z\":\"\"},"
                    "\"values\":[[1726669215,\"2\"]]},"
                    "{\"metric\":{\"service\":\"nobody\"},"
                    "\"values\":[[1726669200,\"9\"]]}"));
    rule_add(&world, "query=%28age", "200 OK",
             MATRIX("{\"metric\":{\"service\":\"x\\\"$1\\\\\"},\"values\":["
                    "[1726669200,\"1\"],[1726669215,\"2\"],[1726669230,\"2\"],"
                    "[1726669245,\"3\"],[1726669260,\"31\"],"
                    "[1726669290,\"3\"]]}"));
    rule_add(&world, "query=up&start", "200 OK",
             MATRIX("{\"metric\":{\"i\":\"1\"},\"values\":["
                    "[1726669200,\"1\"],[1726669215,\"1\"],[1726669230,\"1\"],"
                    "[1726669245,\"1\"],[1726669260,\"1\"],[1726669275,\"1\"],"
                    "[1726669290,\"0\"]]}"));
    start(&world);
    struct effect effect = fake_history(driver, 2, G, G + 6 * EVERY, EVERY);
    world.source->ops->history(world.source, &effect);
    const struct told *told = fake_wait(driver, 1);
    assert_int_equal(told->kind, INPUT_HISTORY);
    assert_string_equal(told->error, "");
    assert_int_equal(told->id.epoch, 3);
    assert_int_equal(told->id.counter, 14);
    assert_int_equal(told->from, G);
    assert_int_equal(told->rows, 7);
    assert_true(at(told, 0, 0, 2).number == 1);
    assert_int_equal(at(told, 0, 0, 2).unknown, KNOWN);
    assert_int_equal(at(told, 1, 0, 2).unknown, UNKNOWN_SEVERAL);
    assert_int_equal(at(told, 2, 0, 2).unknown, UNKNOWN_NO_DATA);
    assert_int_equal(at(told, 3, 0, 2).unknown, UNKNOWN_NAN);
    assert_int_equal(at(told, 4, 0, 2).unknown, UNKNOWN_STALE);
    assert_int_equal(at(told, 5, 0, 2).unknown, UNKNOWN_STALE);
    assert_int_equal(at(told, 6, 0, 2).unknown, UNKNOWN_SOURCE_ERROR);
    for (size_t row = 0; row < 7; row++) {
        assert_int_equal(at(told, row, 1, 2).unknown, UNKNOWN_NOT_ASKED);
    }
    end(&world);
}

static void a_past_by_a_fact_that_is_not_there_is_not_asked(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t query = fake_query(driver, 0, "x", NULL);
    driver->signals[0] = fake_one(driver, query, "zone", "");
    start(&world);
    struct effect effect = fake_history(driver, 1, G, G + EVERY, EVERY);
    world.source->ops->history(world.source, &effect);
    const struct told *told = fake_wait(driver, 1);
    assert_string_equal(told->error, "");
    assert_int_equal(told->samples[0].unknown, UNKNOWN_FACT);
    assert_int_equal(told->samples[1].unknown, UNKNOWN_FACT);
    assert_int_equal(world.peer.requests, 0);
    end(&world);
}

static void one_failed_range_fails_the_past(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct driver *driver = &world.driver;
    uint32_t good = fake_query(driver, 0, "good", NULL);
    uint32_t bad = fake_query(driver, 0, "bad", NULL);
    driver->signals[0] = fake_all(driver, good);
    driver->signals[1] = fake_all(driver, bad);
    rule_add(&world, "query=good", "200 OK", MATRIX(""));
    rule_add(&world, "query=bad", "400 Bad Request",
             "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":"
             "\"exceeded maximum resolution\"}");
    start(&world);
    struct effect effect = fake_history(driver, 2, G, G + EVERY, EVERY);
    world.source->ops->history(world.source, &effect);
    const struct told *told = fake_wait(driver, 1);
    expect_text(told->error, "query_range: 400 bad_data: exceeded maximum");
    assert_int_equal(told->rows, 0);
    end(&world);
}

static void a_past_without_signals_of_ours_is_answered(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    start(&world);
    struct effect effect = fake_history(&world.driver, 0, G, G, EVERY);
    world.source->ops->history(world.source, &effect);
    assert_int_equal(world.driver.told_count, 0);
    assert_int_equal(fake_wait(&world.driver, 1)->rows, 1);
    assert_int_equal(world.peer.requests, 0);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_query_serves_every_series_that_selects_from_it),
        cmocka_unit_test(without_a_selection_one_element_is_wanted),
        cmocka_unit_test(an_old_value_is_stale),
        cmocka_unit_test(alive_is_asked_once_for_all_queries_of_a_grid_time),
        cmocka_unit_test(errors_say_what_prometheus_said_and_where),
        cmocka_unit_test(a_long_answer_is_read_in_slices),
        cmocka_unit_test(ten_mebibytes_are_too_much),
        cmocka_unit_test(a_refused_connection_is_tried_by_one_then_left_alone),
        cmocka_unit_test(questions_behind_the_one_that_tries_share_its_end),
        cmocka_unit_test(a_slow_query_is_not_a_source_that_fails),
        cmocka_unit_test(waiting_for_a_turn_ends_with_the_time_out_too),
        cmocka_unit_test(a_connection_that_breaks_is_an_error),
        cmocka_unit_test(closing_answers_every_question_once),
        cmocka_unit_test(an_id_that_was_used_again_gets_nobody_elses_number),
        cmocka_unit_test(each_service_has_its_own_prometheus),
        cmocka_unit_test(the_past_is_rows_of_signals),
        cmocka_unit_test(a_past_by_a_fact_that_is_not_there_is_not_asked),
        cmocka_unit_test(one_failed_range_fails_the_past),
        cmocka_unit_test(a_past_without_signals_of_ours_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
