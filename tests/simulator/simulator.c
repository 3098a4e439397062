/* Worlds from seeds, one after the other.
 *
 *   simulator [--seed N] [--worlds N]   so many, beginning with N
 *   simulator --seed N --transcript     one, told as a story
 *   simulator --seed N --shrink         the same with as few acts as suffice
 *   simulator ... --without 3,7         leaves out acts of the plan
 *   simulator ... --keep-going          goes on after a finding, counts them
 *   simulator ... --brief               one line of a finding, not its story
 *
 * Exit code 0: no checker found anything; 1: one did. */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/simulator/world.h"

#define TEXT_MAX     1024
#define CHECKERS_MAX 64

/* What a world tells whoever started it, also from its grave. */
struct report {
    uint64_t seed, steps, looks;
    time_ms lived;
    char checker[32]; /* "" nothing found */
    char sentence[TEXT_MAX];
};

static struct {
    uint64_t seed, worlds;
    bool transcript, shrink, keep_going, brief;
    bool left_out[PLAN_ACTS_MAX];
} options = {.seed = 1, .worlds = 1};

static struct report *report; /* shared with children */

/* ---- findings ----------------------------------------------------------- */

void simulator_found(const char *checker, const char *sentence)
{
    (void)snprintf(report->checker, sizeof report->checker, "%s", checker);
    (void)snprintf(report->sentence, sizeof report->sentence, "%s", sentence);
    story("checker", "%s: %s", checker, sentence);
    (void)fflush(stdout);
    _exit(1);
}

/* An assertion of the core, or of the driver. */
static void on_abort(int signal_number)
{
    (void)signal_number;
    memcpy(report->checker, "assertion", sizeof "assertion");
    memcpy(report->sentence, "see above", sizeof "see above");
    _exit(1);
}

/* ---- worlds ------------------------------------------------------------- */

static struct world world;

static void live(uint64_t seed)
{
    struct plan plan;
    plan_make(&plan, seed);
    for (size_t i = 0; i < plan.acts_count; i++) {
        plan.acts[i].left_out = options.left_out[i];
    }
    report->seed = seed;
    world_live(&world, &plan);
    report->steps += world.steps;
    report->lived += clock_boot();
}

static void live_all(uint64_t first, uint64_t end)
{
    for (uint64_t seed = first; seed < end; seed++) {
        live(seed);
    }
}

/* In a child, so that a finding is not the end.  True: nothing was found. */
static bool live_apart(uint64_t first, uint64_t end, bool silent)
{
    report->checker[0] = '\0';
    (void)fflush(stdout);
    const pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        if (silent && (freopen("/dev/null", "w", stdout) == NULL ||
                       freopen("/dev/null", "w", stderr) == NULL)) {
            _exit(2);
        }
        live_all(first, end);
        exit(0); /* with the leak check of its build */
    }
    int status = 0;
    const pid_t ended = waitpid(child, &status, 0);
    assert(ended == child);
    if (status != 0 && report->checker[0] == '\0') {
        (void)snprintf(report->checker, sizeof report->checker, "crash");
        (void)snprintf(report->sentence, sizeof report->sentence,
                       "the process ended with status %d", status);
    }
    return report->checker[0] == '\0';
}

/* ---- one finding -------------------------------------------------------- */

static void print_plan(void)
{
    struct plan plan;
    plan_make(&plan, report->seed);
    for (size_t i = 0; i < plan.acts_count; i++) {
        const struct act *act = &plan.acts[i];
        if (options.left_out[i]) {
            continue;
        }
        printf("  act %2zu: %s, %s", i, act_text(act->kind),
               moment_text(act->moment));
        if (act->moment == MOMENT_TIME) {
            printf(" %.3f s\n", (double)act->delay / 1000);
        } else {
            printf(" (number %u), %.3f s later\n", act->nth,
                   (double)act->delay / 1000);
        }
    }
}

static void print_without(void)
{
    const char *comma = " --without ";
    for (size_t i = 0; i < PLAN_ACTS_MAX; i++) {
        if (options.left_out[i]) {
            printf("%s%zu", comma, i);
            comma = ",";
        }
    }
}

static void print_finding(void)
{
    printf("seed %" PRIu64 ": %s: %s\n", report->seed, report->checker,
           report->sentence);
    printf("  again: simulator --seed %" PRIu64 " --transcript", report->seed);
    print_without();
    printf("\n");
    (void)fflush(stdout);
}

/* Leave out one act after the other, as long as the same checker speaks. */
static void shrink(void)
{
    struct plan plan;
    char checker[sizeof report->checker];
    bool smaller = true;
    plan_make(&plan, options.seed);
    memcpy(checker, report->checker, sizeof checker);
    for (int round = 0; smaller && round < 8; round++) {
        smaller = false;
        for (size_t i = 0; i < plan.acts_count; i++) {
            if (options.left_out[i]) {
                continue;
            }
            options.left_out[i] = true;
            const bool found =
                !live_apart(options.seed, options.seed + 1, true) &&
                strcmp(report->checker, checker) == 0;
            options.left_out[i] = found;
            smaller = smaller || found;
        }
    }
}

static int live_once(void)
{
    if (options.shrink && !live_apart(options.seed, options.seed + 1, true)) {
        shrink();
    }
    story_listen(options.transcript || options.shrink);
    if (live_apart(options.seed, options.seed + options.worlds, false)) {
        return 0;
    }
    print_finding();
    if (options.brief) {
        return 1;
    }
    print_plan();
    if (!options.transcript && !options.shrink) {
        printf("its story:\n");
        story_listen(true);
        (void)live_apart(report->seed, report->seed + 1, false);
    }
    return 1;
}

/* ---- many findings ------------------------------------------------------ */

static struct {
    char checker[32];
    uint64_t count, seed;
} tally[CHECKERS_MAX];

static void count(void)
{
    size_t i = 0;
    while (tally[i].count > 0 &&
           strcmp(tally[i].checker, report->checker) != 0) {
        i++;
        assert(i < CHECKERS_MAX);
    }
    memcpy(tally[i].checker, report->checker, sizeof tally[i].checker);
    tally[i].seed = tally[i].count == 0 ? report->seed : tally[i].seed;
    tally[i].count++;
}

static int live_on(void)
{
    const uint64_t end = options.seed + options.worlds;
    uint64_t first = options.seed, findings = 0;
    while (first < end && !live_apart(first, end, false)) {
        print_finding();
        count();
        findings++;
        first = report->seed + 1;
    }
    for (size_t i = 0; i < CHECKERS_MAX && tally[i].count > 0; i++) {
        printf("%6" PRIu64 "  %-14s first: seed %" PRIu64 "\n", tally[i].count,
               tally[i].checker, tally[i].seed);
    }
    return findings > 0;
}

/* ---- the program -------------------------------------------------------- */

static void leave_out(char *list)
{
    for (char *at = list; *at != '\0';) {
        const unsigned long number = strtoul(at, &at, 10);
        if (number < PLAN_ACTS_MAX) {
            options.left_out[number] = true;
        }
        at += *at == ',';
    }
}

static bool read_options(int argc, char **argv)
{
    static const struct option list[] = {
        {"seed", required_argument, NULL, 's'},
        {"worlds", required_argument, NULL, 'w'},
        {"without", required_argument, NULL, 'o'},
        {"transcript", no_argument, NULL, 't'},
        {"shrink", no_argument, NULL, 'k'},
        {"keep-going", no_argument, NULL, 'g'},
        {"brief", no_argument, NULL, 'b'},
        {NULL, 0, NULL, 0}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", list, NULL)) != -1) {
        switch (option) {
        case 's':
            options.seed = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            options.worlds = strtoull(optarg, NULL, 10);
            break;
        case 'o':
            leave_out(optarg);
            break;
        case 't':
            options.transcript = true;
            break;
        case 'k':
            options.shrink = true;
            break;
        case 'g':
            options.keep_going = true;
            break;
        case 'b':
            options.brief = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

static double seconds_now(void)
{
    struct timespec at = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        (void)fprintf(
            stderr, "usage: simulator [--seed N] [--worlds N] [--transcript]"
                    " [--shrink] [--without LIST] [--keep-going] [--brief]\n");
        return 2;
    }
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(report != MAP_FAILED);
    (void)signal(SIGABRT, on_abort);
    /* A core asks for megabytes that a small world never touches: fresh pages
     * are cheaper than clearing used ones. */
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    const double began = seconds_now();
    const int code = options.keep_going ? live_on() : live_once();
    const double took = seconds_now() - began;
    printf("%" PRIu64 " worlds, %.1f days lived, %" PRIu64
           " steps, in %.1f s: %.0f worlds a second; %s\n",
           report->seed - options.seed + 1, (double)report->lived / DAY_MS,
           report->steps, took,
           (double)(report->seed - options.seed + 1) / took,
           code == 0 ? "nothing found" : "see above");
    return code;
}
