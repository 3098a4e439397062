/* The daemon under load, its HTTP door included.
 *
 *   bench_load [RELEASES [ROLLBACKS [RECORDS]]]
 *              (10000, 100 and 1000000: about eight minutes)
 *
 * - So many releases are watched (a look of each every 15 s).  Ten services at
 *   a time go bad, first in peace, then while a hundred pipelines register
 *   1,000 releases a second: from the bad sample to the request that the
 *   deployment API received.
 * - GET /v1/status of them all.
 * - How many registrations a second the same pipelines get when they do nothing
 *   but register.
 * - How long the start takes that reads all their records back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "controller/api/api.h"
#include "crowd.h"
#include "stage.h"

#define TOGETHER    10
#define RATE        1000.0
#define FLOOD_NS    5000000000LL
#define PATIENCE_NS 120000000000LL
#define STATUS_RUNS 3

static const char policy[] =
    "policy: bench\n"
    "applies_to: {service: \"*\", environment: production}\n"
    "mode: auto\n"
    "watch: {for: 1h, every: 15s, settle: 1s}\n"
    "baseline: 1m\n"
    "signals:\n"
    "  errors:\n"
    "    prometheus: sum by (service) "
    "(rate(http_requests{code=~\"5..\"}[1m]))\n"
    "    select: {service: release.service}\n"
    "    unit: per_second\n"
    "  requests:\n"
    "    prometheus: sum by (service) (rate(http_requests[1m]))\n"
    "    select: {service: release.service}\n"
    "    unit: per_second\n"
    "  error_rate: {is: errors / requests}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: error_rate > 5%\n"
    "  else: healthy\n"
    "  then:\n"
    "    question: Is going back safe for the data?\n"
    "    if: release.rollback_safe\n"
    "    then: {rollback: last_good, freeze: 24h}\n"
    "    else: {hold: roll forward}\n";

static int compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* --- Rollbacks ------------------------------------------------------------ */

/* A brake may hold it, as when ten go bad of twenty. */
static void give_up_after(int64_t late, size_t service)
{
    if (clock_boot_ns() > late) {
        (void)fprintf(stderr, "bench_load: service %zu is not rolled back\n",
                      service);
        exit(1);
    }
}

static void go_bad_together(struct stage *stage, size_t first, size_t end)
{
    const int64_t late = clock_boot_ns() + PATIENCE_NS;

    for (size_t i = first; i < end; i++) {
        stage->is_bad[i] = true;
    }
    for (size_t i = first; i < end; i++) {
        while (stage->received_at[i] == 0) {
            stage_turn(stage);
            give_up_after(late, i);
        }
    }
}

static void measure_rollbacks(struct stage *stage, size_t first, size_t count,
                              const char *what)
{
    double *sorted = calloc(count, sizeof(*sorted));

    if (sorted == NULL) {
        abort();
    }
    for (size_t done = 0; done < count; done += TOGETHER) {
        const size_t next = done + TOGETHER < count ? done + TOGETHER : count;

        go_bad_together(stage, first + done, first + next);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (double)(stage->received_at[first + i] -
                             stage->seen_at[first + i]) /
                    1e6;
    }
    qsort(sorted, count, sizeof(*sorted), compare);
    (void)printf("%-28s %8.1f %8.1f %8.1f\n", what, sorted[count / 2],
                 sorted[count * 99 / 100], sorted[count - 1]);
    free(sorted);
}

/* --- Status --------------------------------------------------------------- */

struct asked {
    int port;
    size_t bytes;
    double ms;
    _Atomic bool done;
    uv_thread_t thread;
};

static size_t count_bytes(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    *(size_t *)data += size * count;
    return size * count;
}

static void ask_status(void *data)
{
    struct asked *asked = data;
    CURL *curl = curl_easy_init();
    const uint64_t begin = uv_hrtime();
    char url[128];

    (void)snprintf(url, sizeof(url),
                   "http://127.0.0.1:%d/v1/status?limit=10000", asked->port);
    if (curl == NULL || curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes) !=
            CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &asked->bytes) != CURLE_OK ||
        curl_easy_perform(curl) != CURLE_OK) {
        abort();
    }
    asked->ms = (double)(uv_hrtime() - begin) / 1e6;
    curl_easy_cleanup(curl);
    asked->done = true;
}

static void measure_status(struct stage *stage, int port)
{
    for (int i = 0; i < STATUS_RUNS; i++) {
        struct asked asked = {.port = port};

        if (uv_thread_create(&asked.thread, ask_status, &asked) != 0) {
            abort();
        }
        while (!asked.done) {
            (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
        }
        (void)uv_thread_join(&asked.thread);
        (void)printf("status of %zu services: %.0f ms, %.1f MB\n",
                     stage->services, asked.ms, (double)asked.bytes / 1e6);
    }
}

/* --- Registrations -------------------------------------------------------- */

/* Its thread ends when it has looked at its clients once more. */
static void stop_crowd(struct stage *stage, struct crowd *crowd)
{
    crowd->enough = true;
    stage_turn(stage);
    crowd_stop(crowd);
}

static void print_crowd(const struct crowd *crowd, const char *what)
{
    (void)printf("%-28s %8.0f a second, %llu refused; answered in p50 %.1f, "
                 "p99 %.1f ms\n",
                 what, (double)crowd->registered / crowd->seconds,
                 (unsigned long long)crowd->refused, crowd->p50_ms,
                 crowd->p99_ms);
}

/* Five seconds are measured; then on until the journal holds @records. */
static void flood(struct stage *stage, int port, uint64_t records)
{
    struct crowd crowd;
    const int64_t end = clock_boot_ns() + FLOOD_NS;

    crowd_start(&crowd, port, 0);
    while (clock_boot_ns() < end) {
        stage_turn(stage);
    }
    stop_crowd(stage, &crowd);
    print_crowd(&crowd, "registrations, 100 clients");
    crowd_start(&crowd, port, 0);
    while (core_sequence(driver_core(stage->driver)) < records) {
        stage_turn(stage);
    }
    stop_crowd(stage, &crowd);
}

static void on_closed(void *data)
{
    *(bool *)data = true;
}

static void close_api(struct stage *stage, struct api *api)
{
    bool closed = false;

    api_close(api, on_closed, &closed);
    while (!closed) {
        stage_turn(stage);
    }
}

static struct api *open_api(struct stage *stage)
{
    char error[512] = "";
    struct api *api = api_new(stage->driver, error, sizeof(error));

    if (api == NULL) {
        (void)fprintf(stderr, "bench_load: %s\n", error);
        abort();
    }
    return api;
}

static void run(struct stage *stage, size_t rollbacks, uint64_t records)
{
    struct crowd crowd;
    double seconds = 0;
    struct api *api = NULL;

    stage_deploy_all(stage);
    while (stage_count(stage, RELEASE_WATCHING) < stage->services) {
        stage_turn(stage);
    }
    api = open_api(stage);
    (void)printf("%-28s %8s %8s %8s  ms\n", "sample to revert", "p50", "p99",
                 "max");
    measure_rollbacks(stage, 0, rollbacks, "in peace");
    crowd_start(&crowd, api_port(api), RATE);
    measure_rollbacks(stage, rollbacks, rollbacks, "1,000 registrations/s");
    stop_crowd(stage, &crowd);
    print_crowd(&crowd, "registrations meanwhile");
    measure_status(stage, api_port(api));
    flood(stage, api_port(api), records);
    close_api(stage, api);
    seconds = stage_restart(stage, &records);
    (void)printf("a start with %llu records: %.2f s\n",
                 (unsigned long long)records, seconds);
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    const size_t rollbacks = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    uint64_t records = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000;
    struct stage *stage = NULL;

    if (count > STAGE_SERVICES_MAX || rollbacks == 0 || 2 * rollbacks > count ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)fprintf(stderr,
                      "usage: bench_load [RELEASES, to %d [ROLLBACKS, to half "
                      "of them [RECORDS]]]\n",
                      STAGE_SERVICES_MAX);
        return 1;
    }
    stage = stage_begin(count, policy);
    run(stage, rollbacks, records);
    stage_end(stage);
    curl_global_cleanup();
    return 0;
}
