/* What a month costs: `replay --continue` over 30 days at 15 s, reading
 * included, with two thresholds and with the printed policy.  Prints medians;
 * nothing is asserted. */
#include "controller/replay/replay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "controller/replay/csv.h"

#define DAYS   30
#define EVERY  15
#define ROWS   (DAYS * 86400 / EVERY)
#define START  1725148800LL /* 2024-09-01 */
#define ROUNDS 7

static const char two_thresholds[] =
    "policy: two-thresholds\n"
    "mode: auto\n"
    "signals:\n"
    "  errors: {prometheus: errors, unit: per_second, on_no_data: zero}\n"
    "  requests: {prometheus: requests, unit: per_second}\n"
    "  latency: {prometheus: latency, unit: seconds}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: (errors / requests > 5% and requests > 1/s) for 2m or latency > "
    "500ms for 2m\n"
    "  then: {page: users are hurt}\n"
    "  else: healthy\n";

static char folder[] = "/tmp/bench_replay.XXXXXX";

static double now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double noise(void)
{
    static unsigned seed = 1;

    seed = seed * 1664525U + 1013904223U;
    return seed / 4294967296.0;
}

static FILE *create(const char *name, char path[64])
{
    FILE *file = NULL;

    (void)snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

/* A quiet month: nothing but noise, in 4 decimals or in all that a double
 * has. */
static void write_samples(FILE *file, bool pool, bool all_digits)
{
    (void)fprintf(file, "time,errors,requests,%s\n",
                  pool ? "pool_in_use,pool_size" : "latency");
    for (long long i = 0; i < ROWS; i++) {
        const double numbers[] = {0.02 + 0.06 * noise(), 100 + 20 * noise(),
                                  pool ? 150 + 10 * noise()
                                       : 0.1 + 0.02 * noise()};
        time_t at = (time_t)(START + i * EVERY);
        struct tm tm;
        char moment[32];

        (void)gmtime_r(&at, &tm);
        (void)strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%SZ", &tm);
        (void)fputs(moment, file);
        for (int j = 0; j < 3; j++) {
            (void)fprintf(file, all_digits ? ",%.17g" : ",%.4f", numbers[j]);
        }
        (void)fputs(pool ? ",500\n" : "\n", file);
    }
    (void)fclose(file);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void replay(const char *policy, const char *samples)
{
    char words[][64] = {"replay",     "",         "--samples", "",
                        "--continue", "--format", "json"};
    char *argv[8] = {NULL};
    int kept_out = dup(1), kept_err = dup(2);
    int nothing = open("/dev/null", O_WRONLY);

    (void)snprintf(words[1], sizeof(words[1]), "%s", policy);
    (void)snprintf(words[3], sizeof(words[3]), "%s", samples);
    for (int i = 0; i < 7; i++) {
        argv[i] = words[i];
    }
    (void)fflush(stdout);
    (void)dup2(nothing, 1);
    (void)dup2(nothing, 2);
    if (replay_main(7, argv) != REPLAY_EXIT_DONE) {
        exit(1);
    }
    (void)fflush(stdout);
    (void)dup2(kept_out, 1);
    (void)dup2(kept_err, 2);
    (void)close(kept_out);
    (void)close(kept_err);
    (void)close(nothing);
}

/* Only the table: from its bytes to rows. */
static void load(const char *policy, const char *samples)
{
    static struct problems problems;
    static char bytes[64 * 1024 * 1024];
    FILE *file = fopen(samples, "r");
    size_t length = 0;
    struct csv *csv = NULL;

    (void)policy;
    if (file == NULL) {
        exit(1);
    }
    length = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    problems_init(&problems, samples);
    csv = csv_open(bytes, length, &problems);
    if (csv == NULL || !csv_load(csv, NULL, &problems)) {
        exit(1);
    }
    csv_free(csv);
}

static void measure(const char *what, void (*run)(const char *, const char *),
                    const char *policy, const char *samples)
{
    double rounds[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ms();

        run(policy, samples);
        rounds[i] = now_ms() - begin;
    }
    qsort(rounds, ROUNDS, sizeof(double), compare);
    (void)printf("%-48s %8.0f ms %8.0f ns\n", what, rounds[ROUNDS / 2],
                 rounds[ROUNDS / 2] * 1e6 / ROWS);
}

int main(void)
{
    static const char library[] =
        SOURCE_DIR "/policies/library/user-service.yaml";
    char two[64], few[64], all[64], pool[64];
    FILE *file = NULL;
    struct rusage usage;

    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    file = create("two.yaml", two);
    (void)fputs(two_thresholds, file);
    (void)fclose(file);
    write_samples(create("few.csv", few), false, false);
    write_samples(create("all.csv", all), false, true);
    write_samples(create("pool.csv", pool), true, false);
    (void)printf("%-48s %11s %11s\n", "30 days at 15 s: 172800 looks", "median",
                 "a look");
    measure("reading 3 columns of 4 decimals", load, two, few);
    measure("reading 3 columns of 17 digits", load, two, all);
    measure("two thresholds, 3 columns of 4 decimals", replay, two, few);
    measure("two thresholds, 3 columns of 17 digits", replay, two, all);
    measure("user-service.yaml, 4 columns", replay, library, pool);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("%-48s %8ld KiB\n", "most memory", usage.ru_maxrss);
    (void)unlink(two);
    (void)unlink(few);
    (void)unlink(all);
    (void)unlink(pool);
    (void)rmdir(folder);
    return 0;
}
