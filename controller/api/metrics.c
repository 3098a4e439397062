/* /metrics: the Prometheus text format. */
#include "controller/api/api_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void head(FILE *out, const char *name, const char *type,
                 const char *help)
{
    (void)fprintf(out, "# HELP lastgood_%s %s\n# TYPE lastgood_%s %s\n", name,
                  help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help,
                  uint64_t number)
{
    head(out, name, "gauge", help);
    (void)fprintf(out, "lastgood_%s %llu\n", name, (unsigned long long)number);
}

static void counter(FILE *out, const char *name, const char *help,
                    uint64_t number)
{
    head(out, name, "counter", help);
    (void)fprintf(out, "lastgood_%s %llu\n", name, (unsigned long long)number);
}

static void print_core(FILE *out, const struct core_counts *counts)
{
    gauge(out, "services", "Services known.", counts->services);
    gauge(out, "releases", "Releases remembered.", counts->releases);
    gauge(out, "releases_watched", "Releases watched now.", counts->watched);
    gauge(out, "releases_blind", "Watched releases that cannot be judged.",
          counts->blind);
    gauge(out, "series", "Series read.", counts->series);
    gauge(out, "queries", "Distinct queries.", counts->queries);
    gauge(out, "policies", "Policies in force.", counts->policies);
    gauge(out, "freezes", "Freezes in force.", counts->freezes);
    gauge(out, "incidents_open", "Open incidents.", counts->incidents_open);
    gauge(out, "rollbacks_under_way", "Rollbacks under way.",
          counts->rollbacks_under_way);
    gauge(out, "notices_pending", "Notices not yet delivered.",
          counts->notices_pending);
    counter(out, "notices_undelivered_total",
            "Notices that were given up: nobody was told.",
            counts->notices_undelivered);
    gauge(out, "stopped", "1 while the STOP file stands.",
          counts->stopped ? 1 : 0);
    counter(out, "looks_total", "Looks at releases.", counts->looks);
    counter(out, "verdicts_total", "Changes of verdict.", counts->verdicts);
    counter(out, "unknown_answers_total", "Answers nobody waited for.",
            counts->unknown_answers);
    head(out, "rollbacks_total", "counter",
         "Rollbacks by the states they reached.");
    for (int i = 0; i <= ROLLBACK_UNVERIFIED; i++) {
        (void)fprintf(out, "lastgood_rollbacks_total{state=\"%s\"} %llu\n",
                      rollback_state_name((enum rollback_state)i),
                      (unsigned long long)counts->rollbacks_by_state[i]);
    }
    head(out, "ceiling", "gauge", "The most a leaf may do now, as a label.");
    (void)fprintf(out, "lastgood_ceiling{mode=\"%s\"} 1\n",
                  mode_name(counts->ceiling));
}

/* Of the newest revert: seconds of each part, from the completing sample to
 * the written request. */
static void print_revert(FILE *out, const struct revert_timing *timing)
{
    const struct {
        const char *part;
        int64_t from, to;
    } parts[] = {
        {"decide", timing->sample_at, timing->decided_at},
        {"commit", timing->decided_at, timing->durable_at},
        {"observe", timing->durable_at, timing->observed_at},
        {"send", timing->observed_at, timing->sent_at},
    };

    if (timing->sent_at == 0) {
        return;
    }
    head(out, "revert_seconds", "gauge",
         "Parts of the newest revert, sample to request.");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].from > 0 && parts[i].to >= parts[i].from) {
            (void)fprintf(out, "lastgood_revert_seconds{part=\"%s\"} %.9f\n",
                          parts[i].part,
                          (double)(parts[i].to - parts[i].from) / 1e9);
        }
    }
}

static void print_problems(FILE *out, const struct problems *problems)
{
    size_t errors = problems != NULL ? problems->errors : 0;
    size_t count = problems != NULL ? problems->count : 0;

    head(out, "policy_problems", "gauge", "Problems of the policies' folder.");
    (void)fprintf(out,
                  "lastgood_policy_problems{kind=\"error\"} %zu\n"
                  "lastgood_policy_problems{kind=\"warning\"} %zu\n",
                  errors, count > errors ? count - errors : 0);
}

static void print_load(FILE *out, const struct driver *driver)
{
    struct driver_load load;

    driver_load(driver, &load);
    gauge(out, "records_waiting", "Records that are not yet durable.",
          load.records_waiting);
    gauge(out, "effects_waiting", "Effects that wait for records.",
          load.effects_waiting);
    gauge(out, "requests_waiting", "Requests to others that wait their turn.",
          load.requests_waiting);
    head(out, "loop_late_seconds_total", "counter",
         "By how much the loop's seconds were too long.");
    (void)fprintf(out, "lastgood_loop_late_seconds_total %.3f\n",
                  (double)load.late / SECOND_MS);
}

/* Silence is the alarm elsewhere; here is when it began. */
static void print_heartbeat(FILE *out, const struct driver *driver)
{
    struct driver_heartbeat beat;

    driver_heartbeat(driver, &beat);
    if (!beat.given) {
        return;
    }
    head(out, "heartbeat_sent_seconds", "gauge",
         "When the newest heartbeat left, in Unix time; 0: none yet.");
    (void)fprintf(out, "lastgood_heartbeat_sent_seconds %.3f\n",
                  (double)beat.sent_at / SECOND_MS);
    head(out, "heartbeat_taken_seconds", "gauge",
         "When the newest heartbeat was answered with 2xx.");
    (void)fprintf(out, "lastgood_heartbeat_taken_seconds %.3f\n",
                  (double)beat.taken_at / SECOND_MS);
}

static void print_http(FILE *out, const struct api *api)
{
    struct http_server_counts sum = {0}, one;

    for (size_t i = 0; i < api->servers_count; i++) {
        http_server_count(api->servers[i], &one);
        sum.connections += one.connections;
        sum.waiting += one.waiting;
        for (size_t k = 0; k < 6; k++) {
            sum.answered[k] += one.answered[k];
        }
    }
    gauge(out, "http_connections", "Connections to the API.", sum.connections);
    gauge(out, "http_waiting", "Requests that wait for the store.",
          sum.waiting);
    head(out, "http_answers_total", "counter", "Answers of the API.");
    for (int k = 2; k < 6; k++) {
        (void)fprintf(out, "lastgood_http_answers_total{class=\"%dxx\"} %llu\n",
                      k, (unsigned long long)sum.answered[k]);
    }
}

void fleet_metrics(struct api *api, struct exchange *exchange,
                   const struct target *target)
{
    struct http_reply reply = {
        .status = 200,
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
    };
    FILE *out = open_memstream(&reply.body, &reply.length);
    struct core_counts counts;
    const char *why = NULL;

    (void)target;
    if (out == NULL) {
        abort();
    }
    view_counts(driver_core(api->driver), &counts);
    head(out, "build_info", "gauge", "The running version.");
    (void)fprintf(out, "lastgood_build_info{version=\"%s\"} 1\n",
                  LASTGOOD_VERSION);
    gauge(out, "ready", "1 when requests can be recorded.",
          driver_is_ready(api->driver, &why) ? 1 : 0);
    print_core(out, &counts);
    print_revert(out, driver_revert_timing(api->driver));
    print_problems(out, driver_policy_problems(api->driver));
    print_load(out, api->driver);
    print_heartbeat(out, api->driver);
    print_http(out, api);
    if (fclose(out) != 0) {
        abort();
    }
    exchange_answer(exchange, &reply);
}
