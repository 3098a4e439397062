/* A real Prometheus scrapes an exporter that lives in this test; the adapter
 * asks it.  One Prometheus for all tests: the first samples take it 5 s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/runtime/help_peer.h"
#include "tests/unit/sources/help_driver.h"

#define SCRAPE_MS  250
#define TIMEOUT_MS 2000
#define TRIES_MAX  300

static struct world {
    struct driver driver;
    struct peer exporter;
    int in_use; /* what the exporter shows for service a */
    bool dead;  /* it answers 503 */
    char folder[64];
    int port;
    uv_process_t prometheus;
    bool ended;
    struct source_adapter *source, *guarded; /* the second one has `alive` */
} world;

/* --- The exporter and Prometheus ------------------------------------------ */

static void serve(struct visitor *visitor)
{
    char page[1024];
    if (world.dead) {
        visitor_answer(visitor, "503 Service Unavailable", "", "dead");
        return;
    }
    (void)snprintf(page, sizeof(page),
                   "# TYPE in_use gauge\n"
                   "in_use{service=\"a\",database=\"users\"} %d\n"
                   "in_use{service=\"b\",database=\"users\"} 4\n"
                   "in_use{service=\"b\",database=\"orders\"} 5\n"
                   "in_use{service=\"we\\\"ird$1\\\\\",database=\"users\"} 6\n"
                   "strange{service=\"a\"} NaN\n"
                   "strange{service=\"b\"} +Inf\n",
                   world.in_use);
    visitor_answer(visitor, "200 OK",
                   "Content-Type: text/plain; version=0.0.4\r\n", page);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static void write_config(char *path, size_t size)
{
    (void)snprintf(path, size, "%s/prometheus.yml", world.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "global: {scrape_interval: %dms, scrape_timeout: %dms}\n"
                  "scrape_configs:\n"
                  "  - job_name: app\n"
                  "    static_configs: [{targets: ['127.0.0.1:%d']}]\n",
                  SCRAPE_MS, SCRAPE_MS, world.exporter.port);
    assert_int_equal(fclose(file), 0);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    (void)status;
    (void)signal;
    world.ended = true;
    uv_close((uv_handle_t *)process, NULL);
}

static void start_prometheus(void)
{
    char config[96], storage[96], address[64];
    char config_option[128], storage_option[128], address_option[128];
    write_config(config, sizeof(config));
    world.port = free_port();
    (void)snprintf(storage, sizeof(storage), "%s/data", world.folder);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%d", world.port);
    (void)snprintf(config_option, 128, "--config.file=%s", config);
    (void)snprintf(storage_option, 128, "--storage.tsdb.path=%s", storage);
    (void)snprintf(address_option, 128, "--web.listen-address=%s", address);
    char name[] = "prometheus", level[] = "--log.level=error";
    char *arguments[] = {name,           config_option, storage_option,
                         address_option, level,         NULL};
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                     {.flags = UV_INHERIT_FD, .data.fd = 1},
                                     {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t options = {.file = name,
                                    .args = arguments,
                                    .exit_cb = on_exit_of,
                                    .stdio = stdio,
                                    .stdio_count = 3};
    int failed = uv_spawn(&world.driver.loop, &world.prometheus, &options);
    if (failed) {
        fail_msg("prometheus does not start (%s): install the package "
                 "'prometheus'",
                 uv_strerror(failed));
    }
}

/* --- Asking ----------------------------------------------------------------
 */

static time_ms now(void)
{
    return driver_now(&world.driver);
}

static const struct told *ask(struct source_adapter *source, uint32_t query,
                              time_ms g)
{
    size_t told = world.driver.told_count;
    source->ops->query(source, query, g);
    const struct told *newest = fake_wait(&world.driver, told + 1);
    assert_int_equal(newest->query, query);
    assert_int_equal(newest->g, g);
    return newest;
}

/* Ask again and again until @series says so; the last answer. */
static const struct told *ask_until(struct source_adapter *source,
                                    uint32_t query, uint32_t series,
                                    enum unknown unknown, double number)
{
    const struct told *told = NULL;
    for (int i = 0; i < TRIES_MAX; i++) {
        assert_false(world.ended); /* Prometheus, ours, is still there */
        told = ask(source, query, now());
        if (told->error[0] == '\0') {
            struct sample sample = fake_sample(told, series);
            if (sample.unknown == unknown &&
                (unknown != KNOWN || sample.number == number)) {
                return told;
            }
        }
        fake_pause(&world.driver, 100);
    }
    fail_msg("not seen: %s", told->error);
    return NULL;
}

static uint32_t add_query(const char *text, const char *fresh)
{
    return fake_query(&world.driver, 0, text, fresh);
}

static uint32_t add_series(uint32_t query, const char *label, const char *value)
{
    return label ? fake_one(&world.driver, query, label, value)
                 : fake_all(&world.driver, query);
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("'%s' does not say '%s'", text, part);
    }
}

static int begin(void **state)
{
    (void)state;
    char url[64];
    uint16_t index;
    memset(&world, 0, sizeof(world));
    world.in_use = 3;
    (void)snprintf(world.folder, sizeof(world.folder), "%s",
                   "/tmp/lastgood-prometheus-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    fake_begin(&world.driver);
    peer_start(&world.exporter, &world.driver.loop, serve, NULL);
    start_prometheus();
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", world.port);
    for (int i = 0; i < 2; i++) {
        index = fake_source(&world.driver, i ? "guarded" : "prom",
                            FETCH_PROMETHEUS, url);
        world.driver.sources[index].timeout = TIMEOUT_MS;
    }
    (void)snprintf(world.driver.sources[1].alive, QUERY_TEXT_MAX,
                   "up{job=\"app\"}");
    world.source = source_make(&world.driver, 0);
    world.guarded = source_make(&world.driver, 1);
    uint32_t up = add_query("up{job=\"app\"}", NULL);
    (void)ask_until(world.source, up, add_series(up, NULL, NULL), KNOWN, 1);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    world.source->ops->close(world.source);
    world.guarded->ops->close(world.guarded);
    if (!world.ended) {
        (void)uv_process_kill(&world.prometheus, SIGCONT);
        (void)uv_process_kill(&world.prometheus, SIGTERM);
    }
    for (int i = 0; i < TRIES_MAX && !world.ended; i++) {
        fake_pause(&world.driver, 50);
    }
    peer_stop(&world.exporter);
    fake_end(&world.driver);
    return nftw(world.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- The tests, in this order ----------------------------------------------
 */

static void several_releases_share_one_query(void **state)
{
    (void)state;
    uint32_t query = add_query("sum by (service) (in_use)", NULL);
    uint32_t a = add_series(query, "service", "a");
    uint32_t b = add_series(query, "service", "b");
    uint32_t weird = add_series(query, "service", "we\"ird$1\\");
    uint32_t gone = add_series(query, "service", "gone");
    const struct told *told =
        ask_until(world.source, query, a, KNOWN, world.in_use);
    assert_true(fake_sample(told, b).number == 9);
    assert_true(fake_sample(told, weird).number == 6);
    assert_int_equal(fake_sample(told, gone).unknown, UNKNOWN_NO_DATA);
}

static void each_unknown_has_its_name(void **state)
{
    (void)state;
    uint32_t query = add_query("strange", NULL);
    uint32_t nan = add_series(query, "service", "a");
    uint32_t infinite = add_series(query, "service", "b");
    const struct told *told = ask(world.source, query, now());
    assert_string_equal(told->error, "");
    assert_int_equal(fake_sample(told, nan).unknown, UNKNOWN_NAN);
    assert_int_equal(fake_sample(told, infinite).unknown, UNKNOWN_INFINITE);
    query = add_query("in_use", NULL);
    uint32_t one = add_series(query, "service", "a");
    uint32_t two = add_series(query, "service", "b");
    uint32_t all = add_series(query, NULL, NULL);
    told = ask(world.source, query, now());
    assert_int_equal(fake_sample(told, one).unknown, KNOWN);
    assert_int_equal(fake_sample(told, two).unknown, UNKNOWN_SEVERAL);
    assert_int_equal(fake_sample(told, all).unknown, UNKNOWN_SEVERAL);
    query = add_query("nobody_exports_this", NULL);
    uint32_t none = add_series(query, NULL, NULL);
    told = ask(world.source, query, now());
    assert_int_equal(fake_sample(told, none).unknown, UNKNOWN_NO_DATA);
}

static void errors_say_what_prometheus_said(void **state)
{
    (void)state;
    static const struct {
        const char *query, *words;
    } cases[] = {
        {"sum(", "400 bad_data: invalid parameter \"query\": 1:5: parse error"},
        {"in_use * on () in_use", "422 execution: found duplicate series"},
        {"5", "the result is a scalar where a vector is wanted"},
        {"in_use[1m]", "the result is a matrix where a vector is wanted"},
        {"\"text\"", "the result is a string where a vector is wanted"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t query = add_query(cases[i].query, NULL);
        (void)add_series(query, NULL, NULL);
        const struct told *told = ask(world.source, query, now());
        expect_text(told->error, "prom: http://127.0.0.1:");
        expect_text(told->error, cases[i].words);
    }
}

static void an_age_above_max_age_is_stale(void **state)
{
    (void)state;
    uint32_t query = add_query("sum by (service) (in_use)",
                               "max by (service) (time() - timestamp(in_use))");
    uint32_t a = add_series(query, "service", "a");
    assert_int_equal(fake_sample(ask(world.source, query, now()), a).unknown,
                     KNOWN);
    /* Prometheus looks back 5 min: without `fresh` this would be a value. */
    time_ms later = now() + MINUTE_MS;
    assert_int_equal(fake_sample(ask(world.source, query, later), a).unknown,
                     UNKNOWN_STALE);
    uint32_t plain = add_query("sum by (service) (in_use)", NULL);
    uint32_t believed = add_series(plain, "service", "a");
    assert_int_equal(
        fake_sample(ask(world.source, plain, later), believed).unknown, KNOWN);
}

static void the_past_is_read_by_ranges(void **state)
{
    (void)state;
    enum { EVERY = 500, ROWS = 40 };
    struct driver *driver = &world.driver;
    uint32_t sum = add_query("sum by (service) (in_use) # by service", NULL);
    uint32_t each = add_query("in_use", "time() - timestamp(in_use)");
    const char *labels[] = {"database", "service"};
    const char *weird[] = {"users", "we\"ird$1\\"};
    driver->signals[0] = add_series(sum, "service", "a");
    driver->signals[1] = fake_series(driver, each, 2, labels, weird);
    driver->signals[2] = add_series(each, "service", "b");
    world.in_use = 8;
    (void)ask_until(world.source, sum, driver->signals[0], KNOWN, 8);
    time_ms to = grid_after(now() + SECOND_MS, EVERY);
    while (now() < to) {
        fake_pause(driver, 20);
    }
    struct effect effect =
        fake_history(driver, 3, to - (ROWS - 1) * EVERY, to, EVERY);
    size_t told_count = driver->told_count;
    world.source->ops->history(world.source, &effect);
    const struct told *told = fake_wait(driver, told_count + 1);
    assert_string_equal(told->error, "");
    assert_int_equal(told->kind, INPUT_HISTORY);
    assert_int_equal(told->rows, ROWS);
    double before = 0;
    size_t known = 0;
    for (size_t row = 0; row < ROWS; row++) {
        struct sample sample = told->samples[row * 3];
        if (sample.unknown == KNOWN) {
            assert_true(sample.number == 3 || sample.number == 8);
            assert_true(sample.number >= before);
            before = sample.number;
            known++;
        } else { /* before Prometheus was there */
            assert_int_equal(sample.unknown, UNKNOWN_NO_DATA);
            assert_int_equal(known, 0);
        }
    }
    assert_true(before == 8);
    assert_true(known > 1);
    assert_true(told->samples[(ROWS - 1) * 3 + 1].number == 6);
    assert_int_equal(told->samples[(ROWS - 1) * 3 + 1].unknown, KNOWN);
    assert_int_equal(told->samples[(ROWS - 1) * 3 + 2].unknown,
                     UNKNOWN_SEVERAL);
}

static void a_bad_query_fails_the_past(void **state)
{
    (void)state;
    struct driver *driver = &world.driver;
    uint32_t query = add_query("sum(", NULL);
    driver->signals[0] = add_series(query, "service", "a");
    struct effect effect = fake_history(driver, 1, 1000, 2000, 500);
    size_t told = driver->told_count;
    world.source->ops->history(world.source, &effect);
    expect_text(fake_wait(driver, told + 1)->error, "400 bad_data");
}

static void a_dead_target_vanishes_and_alive_says_so(void **state)
{
    (void)state;
    uint32_t query = add_query("sum by (service) (in_use)", NULL);
    uint32_t guarded =
        fake_query(&world.driver, 1, "sum by (service) (in_use)", NULL);
    uint32_t a = add_series(query, "service", "a");
    uint32_t same = add_series(guarded, "service", "a");
    assert_int_equal(
        fake_sample(ask(world.guarded, guarded, now()), same).unknown, KNOWN);
    world.dead = true;
    (void)ask_until(world.source, query, a, UNKNOWN_NO_DATA, 0);
    expect_text(ask(world.guarded, guarded, now())->error,
                "guarded: alive: no series above 0; asked: up{job=\"app\"}");
    world.dead = false;
    (void)ask_until(world.guarded, guarded, same, KNOWN, 8);
}

static void a_prometheus_that_hangs_times_out_and_comes_back(void **state)
{
    (void)state;
    uint32_t query = add_query("sum(in_use)", NULL);
    uint32_t series = add_series(query, NULL, NULL);
    (void)uv_process_kill(&world.prometheus, SIGSTOP);
    expect_text(ask(world.source, query, now())->error,
                "no whole answer within 2s");
    /* It is left alone for a moment, then one question tries again. */
    (void)uv_process_kill(&world.prometheus, SIGCONT);
    (void)ask_until(world.source, query, series, KNOWN, 8 + 9 + 6);
}

static void a_prometheus_that_is_gone_is_said(void **state)
{
    (void)state;
    uint32_t query = add_query("sum(in_use)", NULL);
    (void)add_series(query, NULL, NULL);
    (void)uv_process_kill(&world.prometheus, SIGTERM);
    for (int i = 0; i < TRIES_MAX && !world.ended; i++) {
        fake_pause(&world.driver, 50);
    }
    assert_true(world.ended);
    expect_text(ask(world.source, query, now())->error,
                "prom: POST http://127.0.0.1:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_releases_share_one_query),
        cmocka_unit_test(each_unknown_has_its_name),
        cmocka_unit_test(errors_say_what_prometheus_said),
        cmocka_unit_test(an_age_above_max_age_is_stale),
        cmocka_unit_test(the_past_is_read_by_ranges),
        cmocka_unit_test(a_bad_query_fails_the_past),
        cmocka_unit_test(a_dead_target_vanishes_and_alive_says_so),
        cmocka_unit_test(a_prometheus_that_hangs_times_out_and_comes_back),
        cmocka_unit_test(a_prometheus_that_is_gone_is_said),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
