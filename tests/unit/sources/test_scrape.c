#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/runtime/help_peer.h"
#include "tests/unit/sources/help_driver.h"

#define G     1726669200000 /* 2024-09-18T14:20:00Z, a grid time */
#define EVERY 15000

struct world {
    struct driver driver;
    struct peer peer;
    struct source_adapter *source;
    const char *status, *headers, *body;
    bool hangs;
    int asked;
    char last[4096];
    struct visitor *waits; /* when it hangs */
};

static void serve(struct visitor *visitor)
{
    struct world *world = visitor->peer->data;
    (void)snprintf(world->last, sizeof(world->last), "%s", visitor->request);
    world->asked++;
    world->waits = visitor;
    if (!world->hangs) {
        visitor_answer(visitor, world->status, world->headers, world->body);
    }
}

static void begin(struct world *world, enum fetch fetch, const char *path)
{
    char url[64];
    memset(world, 0, sizeof(*world));
    fake_begin(&world->driver);
    peer_start(&world->peer, &world->driver.loop, serve, world);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", world->peer.port,
                   path);
    (void)fake_source(&world->driver, "page", fetch, url);
    world->driver.now = G;
    world->status = "200 OK";
    world->headers = "Content-Type: text/plain; version=0.0.4\r\n";
    world->body = "used 5\n";
}

static void start(struct world *world)
{
    world->source = source_make(&world->driver, 0);
}

/* It is @time_ms: ask @query at @g. */
static void ask(struct world *world, uint32_t query, time_ms g, time_ms now)
{
    world->driver.now = now;
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

static void one_page_serves_every_signal(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics?x=1");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    uint32_t total = fake_query(driver, 0, "n_total{code=~\"5..\"}", NULL);
    uint32_t series[] = {fake_all(driver, used), fake_all(driver, total)};
    (void)snprintf(driver->sources[0].bearer, CONFIG_SECRET_MAX, "secret");
    world.body = "used 5\n# TYPE n_total counter\nn_total{code=\"500\"} 3\n"
                 "n_total{code=\"503\"} 4\nn_total{code=\"200\"} 9\n";
    start(&world);
    ask(&world, used, G, G + 2000);
    ask(&world, total, G, G + 2000);
    (void)fake_wait(driver, 2);
    assert_true(fake_sample(&driver->told[0], series[0]).number == 5);
    assert_true(fake_sample(&driver->told[1], series[1]).number == 7);
    assert_int_equal(driver->told[0].g, G);
    assert_int_equal(world.asked, 1);
    expect_text(world.last, "GET /metrics?x=1 HTTP/1.1");
    expect_text(world.last, "Accept: text/plain;version=0.0.4");
    expect_text(world.last, "Authorization: Bearer secret");
    /* From memory, and the next step from the next page. */
    ask(&world, used, G, G + 3000);
    assert_true(fake_sample(fake_wait(driver, 3), series[0]).number == 5);
    assert_int_equal(world.asked, 1);
    world.body = "used 6\n";
    ask(&world, used, G + EVERY, G + EVERY + 2000);
    assert_true(fake_sample(fake_wait(driver, 4), series[0]).number == 6);
    ask(&world, total, G + EVERY, G + EVERY + 2000);
    assert_int_equal(fake_sample(fake_wait(driver, 5), series[1]).unknown,
                     UNKNOWN_NO_DATA);
    assert_int_equal(world.asked, 2);
    end(&world);
}

static void a_question_waits_for_the_page_of_its_time(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    uint32_t series = fake_all(driver, used);
    start(&world);
    ask(&world, used, G, G + 2000);
    (void)fake_wait(driver, 1);
    world.hangs = true;
    ask(&world, used, G + EVERY, G + EVERY + 2000);
    fake_wait_for(driver, &world.asked, 2);
    /* What lies before the page that is under way is known. */
    ask(&world, used, G, G + EVERY + 2000);
    assert_int_equal(driver->told_count, 2);
    assert_true(fake_sample(&driver->told[1], series).number == 5);
    visitor_answer(world.waits, "200 OK", "", "used 8\n");
    assert_true(fake_sample(fake_wait(driver, 3), series).number == 8);
    assert_int_equal(driver->told[2].g, G + EVERY);
    end(&world);
}

static void a_page_that_fails_is_a_source_error_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *status, *body, *words;
    } cases[] = {
        {"404 Not Found", "gone", "404 Not Found: gone"},
        {"200 OK", "<html>", "200 OK (text/html): line 1: the page ends"},
        {"200 OK", "<html>\n", "line 1: not a line of metrics: '<html>'"},
        {"200 OK", "used 5\nused", "line 2: the page ends in the middle"},
        {"302 Found", "", "302 Found"},
    };
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    uint32_t series = fake_all(driver, used);
    world.headers = "Content-Type: text/html\r\n";
    start(&world);
    time_ms g = G;
    size_t told = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world.status = cases[i].status;
        world.body = cases[i].body;
        ask(&world, used, g, g + 2000);
        expect_text(fake_wait(driver, ++told)->error, "page: GET http://127.");
        expect_text(driver->told[told - 1].error, cases[i].words);
        g += EVERY;
    }
    world.status = "200 OK";
    world.body = "used 3\n";
    ask(&world, used, g, g + 2000);
    assert_string_equal(fake_wait(driver, ++told)->error, "");
    assert_true(fake_sample(&driver->told[told - 1], series).number == 3);
    end(&world);
}

static void a_broken_selector_is_said_and_hurts_nobody_else(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t good = fake_query(driver, 0, "used", NULL);
    uint32_t bad = fake_query(driver, 0, "rate(used[1m])", NULL);
    uint32_t series = fake_all(driver, good);
    (void)fake_all(driver, bad);
    start(&world);
    ask(&world, bad, G, G + 2000);
    ask(&world, good, G, G + 2000);
    (void)fake_wait(driver, 2);
    expect_text(driver->told[0].error, "page: selector, column 5: a selector");
    assert_true(fake_sample(&driver->told[1], series).number == 5);
    end(&world);
}

static void a_time_before_the_first_page_is_not_known(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    (void)fake_all(driver, used);
    start(&world);
    ask(&world, used, G - EVERY, G + 2000);
    expect_text(fake_wait(driver, 1)->error, "page: the page was not read yet");
    end(&world);
}

/* The source did nothing wrong: it is not lost because somebody asks anew. */
static void a_new_selector_has_no_past_and_is_no_error(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    world.body = "used 5\nfree 6\n";
    uint32_t used = fake_query(driver, 0, "used", NULL);
    (void)fake_all(driver, used);
    start(&world);
    ask(&world, used, G, G + 2000);
    (void)fake_wait(driver, 1);
    uint32_t fresh = fake_query(driver, 0, "free", NULL);
    uint32_t series = fake_all(driver, fresh);
    ask(&world, fresh, G, G + 2000);
    const struct told *told = fake_wait(driver, 2);
    assert_string_equal(told->error, "");
    assert_int_equal(fake_sample(told, series).unknown, UNKNOWN_NOT_ASKED);
    ask(&world, fresh, G + EVERY, G + EVERY + 2000);
    assert_true(fake_sample(fake_wait(driver, 3), series).number == 6);
    end(&world);
}

static void a_server_that_asks_for_rest_gets_it(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    (void)fake_all(driver, used);
    world.status = "429 Too Many Requests";
    world.headers = "Retry-After: 3600\r\n";
    start(&world);
    ask(&world, used, G, G + 2000);
    expect_text(fake_wait(driver, 1)->error, "429 Too Many Requests");
    ask(&world, used, G + EVERY, G + EVERY + 2000);
    expect_text(fake_wait(driver, 2)->error, "429 Too Many Requests");
    assert_int_equal(world.asked, 1);
    end(&world);
}

static void each_configured_service_has_a_page_of_its_own(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/");
    struct driver *driver = &world.driver;
    (void)snprintf(driver->sources[0].url, CONFIG_URL_MAX, "{base}/{path}");
    driver->source_options[0].per_service = true;
    driver->config.services_count = 3;
    for (int i = 0; i < 3; i++) {
        struct service_config *service = &driver->services[i];
        service->source = i < 2 ? 0 : 1; /* the third asks elsewhere */
        service->vars_count = 2;
        (void)snprintf(service->vars[0].name, 64, "base");
        (void)snprintf(service->vars[0].value, 1024, "http://127.0.0.1:%d",
                       world.peer.port);
        (void)snprintf(service->vars[1].name, 64, "path");
        (void)snprintf(service->vars[1].value, 1024, "s %d", i);
    }
    start(&world);
    fake_wait_for(driver, &world.asked, 2); /* nobody has asked for anything */
    uint32_t query = fake_query(driver, 0, "used", NULL);
    driver->queries[query].service = 1;
    uint32_t series = fake_all(driver, query);
    ask(&world, query, G + EVERY, G + EVERY + 2000);
    assert_true(fake_sample(fake_wait(driver, 1), series).number == 5);
    fake_wait_for(driver, &world.asked, 4);
    expect_text(world.last, "GET /s%20");
    /* A policy may send a service here that is configured for elsewhere. */
    driver->queries[query].service = 2;
    ask(&world, query, G + 2 * EVERY, G + 2 * EVERY + 2000);
    assert_true(fake_sample(fake_wait(driver, 2), series).number == 5);
    fake_wait_for(driver, &world.asked, 7);
    end(&world);
}

static void the_past_comes_from_memory(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    uint32_t other = fake_query(driver, 1, "x", NULL);
    driver->signals[0] = fake_all(driver, used);
    driver->signals[1] = fake_all(driver, other);
    start(&world);
    for (int step = 0; step < 4; step++) {
        static const char *const bodies[] = {"used 1\n", "used 2\n", "free 3\n",
                                             "used"};
        world.body = bodies[step];
        ask(&world, used, G + step * EVERY, G + step * EVERY + 2000);
        (void)fake_wait(driver, (size_t)step + 1);
    }
    struct effect effect =
        fake_history(driver, 2, G - EVERY, G + 3 * EVERY, EVERY);
    world.source->ops->history(world.source, &effect);
    const struct told *told = fake_wait(driver, 5);
    assert_int_equal(told->kind, INPUT_HISTORY);
    assert_int_equal(told->id.counter, 14);
    assert_int_equal(told->from, G - EVERY);
    assert_int_equal(told->rows, 5);
    assert_int_equal(told->samples[0].unknown, UNKNOWN_NOT_ASKED);
    assert_true(told->samples[2].number == 1);
    assert_true(told->samples[4].number == 2);
    assert_int_equal(told->samples[6].unknown, UNKNOWN_NO_DATA);
    assert_int_equal(told->samples[8].unknown, UNKNOWN_SOURCE_ERROR);
    assert_int_equal(told->samples[3].unknown, UNKNOWN_NOT_ASKED);
    assert_int_equal(world.asked, 4);
    end(&world);
}

static void a_json_document_is_asked_the_same_way(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_JSON, "/status");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "/pool/used", NULL);
    uint32_t series = fake_all(driver, used);
    world.body = "{\"pool\":{\"used\":12}}";
    start(&world);
    ask(&world, used, G, G + 2000);
    assert_true(fake_sample(fake_wait(driver, 1), series).number == 12);
    expect_text(world.last, "Accept: application/json");
    world.body = "<html>";
    ask(&world, used, G + EVERY, G + EVERY + 2000);
    expect_text(fake_wait(driver, 2)->error, "byte 1: a number is not");
    end(&world);
}

static void closing_answers_those_who_wait(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    (void)fake_all(driver, used);
    world.hangs = true;
    start(&world);
    ask(&world, used, G, G + 2000);
    ask(&world, used, G, G + 2000);
    fake_wait_for(driver, &world.asked, 1);
    assert_int_equal(driver->told_count, 0);
    world.source->ops->close(world.source);
    assert_int_equal(driver->told_count, 2);
    expect_text(driver->told[1].error, "the controller is stopping");
    peer_stop(&world.peer);
    fake_end(driver);
}

/* Pages are due again at once, not only when the old time is reached. */
static void a_clock_that_is_set_back_stops_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    struct driver *driver = &world.driver;
    uint32_t used = fake_query(driver, 0, "used", NULL);
    uint32_t series = fake_all(driver, used);
    time_ms back = G - HOUR_MS;
    start(&world);
    ask(&world, used, G, G + 2000);
    assert_true(fake_sample(fake_wait(driver, 1), series).number == 5);
    world.body = "used 6\n";
    ask(&world, used, back, back + 2000);
    assert_true(fake_sample(fake_wait(driver, 2), series).number == 6);
    /* Under way while it is set back once more. */
    world.hangs = true;
    ask(&world, used, back + EVERY, back + EVERY + 2000);
    fake_wait_for(driver, &world.asked, 3);
    back -= HOUR_MS;
    ask(&world, used, back, back + 2000);
    world.hangs = false;
    visitor_answer(world.waits, "200 OK", "", "used 7\n");
    assert_true(fake_sample(fake_wait(driver, 4), series).number == 7);
    ask(&world, used, back + EVERY, back + EVERY + 2000);
    assert_true(fake_sample(fake_wait(driver, 5), series).number == 6);
    end(&world);
}

/* By the real clock: the timer alone, without a question, at grid times. */
static void pages_are_fetched_though_nobody_asks(void **state)
{
    (void)state;
    struct world world;
    begin(&world, FETCH_SCRAPE, "/metrics");
    world.driver.now = 0;
    world.driver.sources[0].every = 200;
    start(&world);
    fake_wait_for(&world.driver, &world.asked, 4);
    assert_int_equal(world.driver.told_count, 0);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page_serves_every_signal),
        cmocka_unit_test(a_question_waits_for_the_page_of_its_time),
        cmocka_unit_test(a_page_that_fails_is_a_source_error_with_its_reason),
        cmocka_unit_test(a_broken_selector_is_said_and_hurts_nobody_else),
        cmocka_unit_test(a_time_before_the_first_page_is_not_known),
        cmocka_unit_test(a_new_selector_has_no_past_and_is_no_error),
        cmocka_unit_test(a_server_that_asks_for_rest_gets_it),
        cmocka_unit_test(each_configured_service_has_a_page_of_its_own),
        cmocka_unit_test(the_past_comes_from_memory),
        cmocka_unit_test(a_json_document_is_asked_the_same_way),
        cmocka_unit_test(closing_answers_those_who_wait),
        cmocka_unit_test(a_clock_that_is_set_back_stops_nothing),
        cmocka_unit_test(pages_are_fetched_though_nobody_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
