#include "controller/cli/policy_text.h"

#include <string.h>

/* A name in YAML: quoted when it would read as something else. */
static const char *quoted(const char *name, char text[160])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                "uvwxyz0123456789._/-";

    (void)snprintf(text, 160,
                   name[strspn(name, plain)] == '\0' ? "%s" : "\"%s\"", name);
    return text;
}

/* --- The head ------------------------------------------------------------- */

static void print_head(const struct policy_answers *answers, FILE *out)
{
    char name[160], service[160], environment[160];

    (void)fprintf(
        out,
        "# When the queries and the numbers are yours:\n"
        "#   lastgood check %s.yaml --config lastgood.yaml --online\n"
        "#   lastgood test %s.test.yaml\n"
        "#   lastgood replay %s.yaml --samples incident.csv\n"
        "policy: %s\n"
        "applies_to: {service: %s, environment: %s}\n"
        "\n"
        "mode: %-30s# observe, suggest, countdown 60s, auto\n"
        "unsure: suggest                     # when an answer on the way was "
        "unknown\n"
        "watch:\n"
        "  for: 24h\n"
        "  every: 15s\n"
        "  settle: 60s                       # deploy turbulence: never "
        "judged\n"
        "  needs: {known: 90%%, requests: 500}\n"
        "baseline: 1h                        # what \"normal\" means\n"
        "verify: {within: 15m, for: 2m}\n"
        "\n",
        answers->name, answers->name, answers->name,
        quoted(answers->name, name), quoted(answers->service, service),
        quoted(answers->environment, environment), answers->mode);
}

/* --- Signals -------------------------------------------------------------- */

static void print_requests(const struct policy_answers *answers, FILE *out)
{
    (void)fputs("signals:\n", out);
    if (answers->scrapes) {
        (void)fputs("  requests_total: {scrape: http_requests_total, unit: "
                    "count}\n"
                    "  requests: {is: rate(requests_total)}\n",
                    out);
        return;
    }
    (void)fputs("  requests:\n"
                "    prometheus: sum by (service) "
                "(rate(http_requests_total[1m]))\n"
                "    select: {service: release.service}\n"
                "    unit: per_second\n",
                out);
}

static void print_errors(const struct policy_answers *answers, FILE *out)
{
    if (answers->scrapes) {
        (void)fputs("  errors_total: {scrape: "
                    "'http_requests_total{code=~\"5..\"}', unit: count, "
                    "on_no_data: zero}\n"
                    "  errors: {is: rate(errors_total)}\n",
                    out);
    } else {
        (void)fputs("  errors:\n"
                    "    prometheus: sum by (service) "
                    "(rate(http_requests_total{code=~\"5..\"}[1m]))\n"
                    "    select: {service: release.service}\n"
                    "    unit: per_second\n"
                    "    on_no_data: zero                # no 5xx series "
                    "before the first 5xx\n",
                    out);
    }
    (void)fputs("  error_rate: {is: errors / requests}\n"
                "  hurt: {is: (error_rate > 5% and requests > 1/s) for 2m}\n",
                out);
}

/* A page has no quantiles: Prometheus only. */
static void print_latency(FILE *out)
{
    (void)fputs("  latency:\n"
                "    prometheus: |\n"
                "      histogram_quantile(0.99, sum by (service, le) "
                "(rate(http_request_duration_seconds_bucket[1m])))\n"
                "    select: {service: release.service}\n"
                "    unit: seconds\n"
                "  slow: {is: (latency > 500ms and change(latency) > 200%) for "
                "3m}\n",
                out);
}

static void print_pool(const struct policy_answers *answers, FILE *out)
{
    if (answers->scrapes) {
        (void)fputs(
            "  pool_in_use: {scrape: 'db_client_connections_usage{state="
            "\"used\"}', unit: count}\n"
            "  pool_size: {scrape: db_client_connections_max, unit: count}\n",
            out);
    } else {
        (void)fputs("  pool_in_use:\n"
                    "    prometheus: sum by (service) "
                    "(avg_over_time(db_client_connections_usage{state="
                    "\"used\"}[1m]))\n"
                    "    select: {service: release.service}\n"
                    "    unit: count\n"
                    "  pool_size:\n"
                    "    prometheus: sum by (service) "
                    "(db_client_connections_max)\n"
                    "    select: {service: release.service}\n"
                    "    unit: count\n",
                    out);
    }
    (void)fputs("  pool_saturation: {is: pool_in_use / pool_size}\n"
                "  hold_time: {is: pool_in_use / requests}   # how long a "
                "request keeps a connection\n"
                "  filling: {is: pool_saturation > 70% for 2m}\n"
                "  holding:\n"
                "    is: avg(hold_time, 5m) >= 115% * baseline(hold_time)\n",
                out);
}

/* --- The tree ------------------------------------------------------------- */

/* The triggers that were asked for, with words between. */
static void print_triggers(const struct policy_answers *answers,
                           const char *before, const char *between, FILE *out)
{
    const struct {
        bool wanted;
        const char *name;
    } triggers[] = {{answers->errors, "hurt"},
                    {answers->latency, "slow"},
                    {answers->pool, "filling"}};
    bool first = true;

    for (size_t i = 0; i < 3; i++) {
        if (triggers[i].wanted) {
            (void)fprintf(out, "%s%s%s", first ? "" : between, before,
                          triggers[i].name);
            first = false;
        }
    }
}

static void print_new(const struct policy_answers *answers, FILE *out)
{
    const struct {
        bool wanted;
        const char *condition;
    } parts[] = {{answers->errors, "surely(hurt) and not before(hurt)"},
                 {answers->latency, "surely(slow) and not before(slow)"},
                 {answers->pool, "surely(filling) and not before(filling)"}};
    bool first = true;

    (void)fputs("    question: Is it new with this release?\n"
                "    if: |\n"
                "      ",
                out);
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].wanted) {
            (void)fprintf(out, "%s%s", first ? "" : "\n      or ",
                          parts[i].condition);
            first = false;
        }
    }
    (void)fputs("\n"
                "    else: {page: \"{{service}} was already so before "
                "{{version}}\", blame: none}\n"
                "    unknown: then                   # nothing known of the "
                "time before: go on asking\n"
                "    then:\n",
                out);
}

/* Traffic may excuse a full pool; never errors, nor slowness of others. */
static const char *print_traffic(const struct policy_answers *answers,
                                 FILE *out)
{
    if (!answers->pool) {
        return "      ";
    }
    (void)fputs("      question: Does the traffic explain it?\n"
                "      if: not holding",
                out);
    if (answers->errors) {
        (void)fputs(" and not hurt", out);
    }
    if (answers->latency) {
        (void)fputs(" and not slow", out);
    }
    (void)fputs("\n"
                "      then: {page: \"load, not the release: raise the pool or "
                "shed\", blame: none}\n"
                "      unknown: else\n"
                "      else:\n",
                out);
    return "        ";
}

static void print_tree(const struct policy_answers *answers, FILE *out)
{
    const char *indent = NULL;

    (void)fputs("\n"
                "tree:\n"
                "  question: Are users hurt, or about to be?\n"
                "  if: ",
                out);
    print_triggers(answers, "", " or ", out);
    (void)fputs("\n"
                "  else: healthy\n"
                "  then:\n",
                out);
    print_new(answers, out);
    indent = print_traffic(answers, out);
    (void)fprintf(out,
                  "%squestion: Is going back safe for the data?\n"
                  "%sif: release.rollback_safe\n"
                  "%sthen: {rollback: last_good, freeze: 24h}\n"
                  "%selse: {hold: \"{{version}} changed data one way: roll "
                  "forward\"}\n"
                  "%sunknown: then\n",
                  indent, indent, indent, indent, indent);
}

void policy_text_print(const struct policy_answers *answers, FILE *out)
{
    print_head(answers, out);
    print_requests(answers, out);
    if (answers->errors) {
        print_errors(answers, out);
    }
    if (answers->latency) {
        print_latency(out);
    }
    if (answers->pool) {
        print_pool(answers, out);
    }
    print_tree(answers, out);
}

/* --- The test ------------------------------------------------------------- */

static void print_case(const char *name, const char *series,
                       const char *expected, FILE *out)
{
    (void)fprintf(out,
                  "\n"
                  "  - case: %s\n"
                  "    series:\n"
                  "%s%s",
                  name, series, expected);
}

void policy_text_print_test(const struct policy_answers *answers, FILE *out)
{
    static const char rollback[] =
        "    expect: {20m: {verdict: rollback, path: [yes, yes, yes]}}\n";
    static const char rollback_of_load[] =
        "    expect: {20m: {verdict: rollback, path: [yes, yes, no, yes]}}\n";
    const char *guilty = answers->pool ? rollback_of_load : rollback;

    (void)fputs("# before the deploy | after it; see lastgood test --help\n"
                "release: {version: new, previous: old, data_change: none}\n"
                "series:\n"
                "  requests: 100/s\n",
                out);
    (void)fputs(answers->errors ? "  errors: 0.1/s\n" : "", out);
    (void)fputs(answers->latency ? "  latency: 200ms\n" : "", out);
    (void)fputs(answers->pool ? "  pool_in_use: 20\n"
                                "  pool_size: 100\n"
                              : "",
                out);
    (void)fputs("\n"
                "cases:\n"
                "  - case: a healthy release stays\n"
                "    expect: {10m .. 1h: healthy}\n"
                "    acts: never\n",
                out);
    if (answers->errors) {
        print_case("one in ten requests fails", "      errors: 0.1/s | 10/s\n",
                   guilty, out);
        print_case("they failed before", "      errors: 10/s\n",
                   "    expect: {20m: page}\n", out);
    }
    if (answers->latency) {
        print_case("four times as slow", "      latency: 200ms | 800ms\n",
                   guilty, out);
    }
    if (answers->pool) {
        print_case("a leak", "      pool_in_use: 20 | 20 .. 90 for 15m, 90\n",
                   guilty, out);
        print_case("load",
                   "      requests: 100/s | 100 .. 400 for 15m, 400\n"
                   "      pool_in_use: 20 | 20 .. 80 for 15m, 80\n",
                   "    expect: {20m: page}\n", out);
    }
}
