/* The core alone: what one look costs as a step, and what a watched release
 * costs in memory, under the printed policy.  Prints a table; nothing is
 * asserted.
 *
 *   bench_core [RELEASES]   (1000) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/core/view.h"
#include "policies/read/policy_read.h"

#define SERVICES_MOST 10000
#define START         (1700000000LL * SECOND_MS / 60000 * 60000)
#define QUEUE_MAX     65536
#define COSTS_MAX     1000000

struct bench {
    struct core *core;
    struct decision decision;
    time_ms now;
    struct effect *queue; /* to be answered, [done, queued) */
    size_t done, queued;
    double *costs; /* of steps that looked, in ns */
    size_t costs_count;
    struct sample *rows;
    uint32_t ids[SERVICES_MOST * 2];
    struct sample samples[SERVICES_MOST * 2];
};

static struct service_option services[SERVICES_MOST];

static double now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long all = 0, resident = 0;

    if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2) {
        abort();
    }
    (void)fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static uint64_t looks(const struct bench *bench)
{
    struct core_counts counts = {0};

    view_counts(bench->core, &counts);
    return counts.looks;
}

/* --- A shell that answers at once ------------------------------------------
 */

static void step(struct bench *bench, struct input *input)
{
    const uint64_t before = looks(bench);
    double begin = 0, end = 0;

    input->now = bench->now;
    begin = now_ns();
    core_step(bench->core, input, &bench->decision);
    end = now_ns();
    if (looks(bench) > before && bench->costs_count < COSTS_MAX) {
        bench->costs[bench->costs_count++] = end - begin;
    }
    for (size_t i = 0; i < bench->decision.effects_count; i++) {
        if (bench->queued == QUEUE_MAX) {
            abort();
        }
        bench->queue[bench->queued++] = bench->decision.effects[i];
    }
}

/* All is well: hardly any errors, and a pool that is half full. */
static double measured(const char *query)
{
    if (strstr(query, "5..") != NULL) {
        return 0.1;
    }
    return strstr(query, "pool_size") != NULL ? 200 : 100;
}

static void answer_query(struct bench *bench, const struct effect *effect)
{
    struct input input = {.kind = INPUT_SAMPLES};
    struct series_view series;
    struct query_view query = {0};
    size_t cursor = 0, count = 0;

    (void)view_query(bench->core, effect->query.query, &query);
    while (
        view_next_series(bench->core, effect->query.query, &cursor, &series)) {
        bench->ids[count] = series.id;
        bench->samples[count++] = (struct sample){measured(query.text), KNOWN};
    }
    input.samples.query = effect->query.query;
    input.samples.g = effect->query.g;
    input.samples.series = bench->ids;
    input.samples.samples = bench->samples;
    input.samples.count = count;
    step(bench, &input);
}

static void answer_history(struct bench *bench, const struct effect *effect)
{
    struct input input = {.kind = INPUT_HISTORY};
    struct history *history = &input.history.history;

    input.history.id = effect->id;
    history->from = effect->history.from;
    history->rows = (size_t)((effect->history.to - effect->history.from) /
                             effect->history.every) +
                    1;
    history->samples = bench->rows;
    step(bench, &input);
}

static void answer_observe(struct bench *bench, const struct effect *effect)
{
    struct input input = {.kind = INPUT_TARGET};

    input.target.id = effect->id;
    input.target.result = TARGET_OBSERVED;
    input.target.version = "2.0";
    input.target.complete = true;
    step(bench, &input);
}

static void answer_all(struct bench *bench)
{
    while (bench->done < bench->queued) {
        const struct effect effect = bench->queue[bench->done++];

        if (effect.kind == EFFECT_QUERY) {
            answer_query(bench, &effect);
        } else if (effect.kind == EFFECT_HISTORY) {
            answer_history(bench, &effect);
        } else if (effect.kind == EFFECT_OBSERVE) {
            answer_observe(bench, &effect);
        }
    }
    bench->done = bench->queued = 0;
}

static void run(struct bench *bench, time_ms span)
{
    const time_ms until = bench->now + span;

    answer_all(bench);
    while (core_deadline(bench->core) <= until) {
        struct input tick = {.kind = INPUT_TICK};
        const time_ms due = core_deadline(bench->core);

        bench->now = due > bench->now ? due : bench->now;
        step(bench, &tick);
        answer_all(bench);
    }
    bench->now = until;
}

/* --- The scene --------------------------------------------------------------
 */

/* The policy of the library, for every service. */
static struct policy *read_policy(void)
{
    static const char place[] = "service: user-service,";
    static char text[POLICY_FILE_MAX];
    static struct problems problems;
    FILE *file = fopen(SOURCE_DIR "/policies/library/user-service.yaml", "r");
    char *at = NULL;
    size_t length = 0;

    if (file == NULL) {
        abort();
    }
    length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    at = strstr(text, place);
    if (at == NULL) {
        abort();
    }
    memset(at, ' ', strlen(place));
    memcpy(at, "service: \"*\",", strlen("service: \"*\","));
    problems_init(&problems, "user-service.yaml");
    return policy_read("user-service.yaml", text, length, &problems);
}

static struct core *make_core(size_t count)
{
    static const struct source_option source = {.name = "prom",
                                                .fetch = FETCH_PROMETHEUS,
                                                .lag = 2 * SECOND_MS,
                                                .timeout = 5 * SECOND_MS};
    static const struct target_option target = {.name = "deployer",
                                                .deadline = 10 * MINUTE_MS,
                                                .timeout = 10 * SECOND_MS};

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(services[i].service, sizeof(services[i].service), "s%zu",
                       i);
        (void)snprintf(services[i].environment, sizeof(services[i].environment),
                       "production");
        services[i].ceiling = MODE_AUTO;
    }
    const struct core_options options = {
        .services_max = (uint32_t)count,
        .releases_max = 10000,
        .series_max = 20000,
        .ceiling = MODE_AUTO,
        .services = services,
        .sources = &source,
        .targets = &target,
        .services_count = count,
        .sources_count = 1,
        .targets_count = 1,
        .version = "bench",
    };
    return core_new(&options);
}

static void deploy_all(struct bench *bench, size_t count)
{
    static const struct label labels[] = {{"team", "shop"},
                                          {"commit", "0123456789abcdef"}};

    for (size_t i = 0; i < count; i++) {
        struct input input = {.kind = INPUT_REGISTER, .by = "ci"};

        input.registration.service = services[i].service;
        input.registration.environment = "production";
        input.registration.version = "2.0";
        input.registration.data_change = "none";
        input.registration.labels = labels;
        input.registration.labels_count = 2;
        step(bench, &input);
        answer_all(bench);
    }
}

/* --- The table --------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void print_table(struct bench *bench, size_t count, double empty,
                        double after)
{
    struct core_counts counts = {0};
    const size_t all = bench->costs_count;

    view_counts(bench->core, &counts);
    qsort(bench->costs, all, sizeof(double), compare);
    (void)printf("%-34s %10u\n", "watched releases", counts.watched);
    (void)printf("%-34s %10.1f us\n", "core_step of one look, p50",
                 bench->costs[all / 2] / 1000);
    (void)printf("%-34s %10.1f us\n", "core_step of one look, p99",
                 bench->costs[all * 99 / 100] / 1000);
    (void)printf("%-34s %10.1f MiB\n", "resident memory of the core",
                 (after - empty) / 1024);
    (void)printf("%-34s %10.1f KiB\n", "per watched release, all told",
                 (after - empty) / (double)count);
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    struct bench *bench = calloc(1, sizeof(*bench));
    struct policy *policy = read_policy();
    struct input input = {.kind = INPUT_STARTED};
    double empty = 0;

    if (bench == NULL || policy == NULL || count == 0 ||
        count > SERVICES_MOST) {
        (void)fprintf(stderr, "usage: bench_core [RELEASES, 1 to %d]\n",
                      SERVICES_MOST);
        return 1;
    }
    bench->now = START;
    bench->queue = calloc(QUEUE_MAX, sizeof(*bench->queue));
    bench->costs = calloc(COSTS_MAX, sizeof(*bench->costs));
    bench->rows = calloc((size_t)HISTORY_ROWS_MAX * POLICY_SIGNALS_MAX,
                         sizeof(*bench->rows));
    memset(bench->queue, 1, QUEUE_MAX * sizeof(*bench->queue));
    memset(bench->costs, 1, COSTS_MAX * sizeof(*bench->costs));
    empty = resident_kib();
    bench->core = make_core(count);
    step(bench, &input);
    input = (struct input){.kind = INPUT_POLICY_ACCEPTED};
    input.policy.block = policy;
    step(bench, &input);
    bench->done = bench->queued = 0; /* not observed yet */
    deploy_all(bench, count);
    run(bench, 15 * MINUTE_MS);
    print_table(bench, count, empty, resident_kib());
    core_free(bench->core);
    free(bench->rows);
    free(bench->costs);
    free(bench->queue);
    free(bench);
    return 0;
}
