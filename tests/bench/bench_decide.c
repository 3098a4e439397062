/* From the sample that completes a grid time to the request that reverts: how
 * long, and where the time goes.
 *
 *   bench_decide [ROLLBACKS]   (60: about a minute)
 *
 * decide   samples pushed -> intent, freeze and taint decided and handed over
 * commit   -> durable (one fsync)
 * observe  -> the live version read (one round trip)
 * send     -> the deployment API has received the request (a new connection) */
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "stage.h"

static const char policy[] =
    "policy: bench\n"
    "applies_to: {service: \"*\", environment: production}\n"
    "mode: auto\n"
    "watch: {for: 1h, every: 1s, settle: 1s}\n"
    "baseline: 10s\n"
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

enum part { DECIDE, COMMIT, OBSERVE, SEND, WHOLE, PARTS };
static const char *const part_names[PARTS] = {"decide", "commit", "observe",
                                              "send", "whole"};
static double measured[PARTS][STAGE_SERVICES_MAX];

static int compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double ms(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e6;
}

static void measure(struct stage *stage, size_t service)
{
    const struct revert_timing *timing = driver_revert_timing(stage->driver);
    int64_t received = 0;

    stage->is_bad[service] = true;
    while (stage->received_at[service] == 0) {
        stage_turn(stage);
    }
    received = stage->received_at[service];
    measured[DECIDE][service] = ms(timing->sample_at, timing->decided_at);
    measured[COMMIT][service] = ms(timing->decided_at, timing->durable_at);
    measured[OBSERVE][service] = ms(timing->durable_at, timing->observed_at);
    measured[SEND][service] = ms(timing->observed_at, received);
    measured[WHOLE][service] = ms(timing->sample_at, received);
}

static void print(size_t count)
{
    (void)printf("%zu rollbacks, one at a time, in milliseconds\n", count);
    (void)printf("%-8s %8s %8s %8s\n", "", "p50", "p99", "max");
    for (int part = 0; part < PARTS; part++) {
        double *sorted = measured[part];

        qsort(sorted, count, sizeof(*sorted), compare);
        (void)printf("%-8s %8.3f %8.3f %8.3f\n", part_names[part],
                     sorted[count / 2], sorted[count * 99 / 100],
                     sorted[count - 1]);
    }
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 60;
    struct stage *stage = NULL;

    if (count == 0 || count > STAGE_SERVICES_MAX ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)fprintf(stderr, "usage: bench_decide [ROLLBACKS, 1 to %d]\n",
                      STAGE_SERVICES_MAX);
        return 1;
    }
    stage = stage_begin(count, policy);
    stage_deploy_all(stage);
    while (stage_count(stage, RELEASE_WATCHING) < count) {
        stage_turn(stage);
    }
    for (size_t i = 0; i < count; i++) {
        measure(stage, i);
    }
    print(count);
    stage_end(stage);
    curl_global_cleanup();
    return 0;
}
