/* How well a policy judges made-up worlds (tests/worlds): right and wrong by
 * class, precision, recall and delay, beside those of a plain alert.
 *
 *   bench_judgement [-p POLICY] [-n WORLDS] [-s SEED] [-x STRETCH] [-c CLASS]
 *                   [-w]
 *
 * Without -s it measures the universe that the library's policy was tuned on
 * and then one that it was not: another seed, ranges pulled apart by 30 % at
 * both ends.  -w names the worlds that went wrong.  Nothing is asserted. */
#include "tests/worlds/classes.h"
#include "tests/worlds/measure.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TUNED_SEED    1
#define OTHER_SEED    2026
#define OTHER_STRETCH 1.3
#define WORLDS_MAX    1000

struct options {
    const char *path;
    char *source;
    unsigned worlds;
    uint64_t seed;
    double stretch;
    const char *only;
    bool names;
};

/* What a decider did over many worlds. */
struct score {
    unsigned worlds, right;
    unsigned back_rightly, back_wrongly, back_missed;
    unsigned delays_count;
    double delays[WORLDS_MAX];
};

static void count(struct score *score, const struct plan *plan,
                  const struct outcome *outcome)
{
    bool right = outcome_is_right(plan, outcome);
    bool wanted = plan->wanted == WANTED_ROLLBACK;

    score->worlds++;
    score->right += right;
    score->back_rightly += wanted && right;
    score->back_wrongly += outcome->reverts && !(wanted && right);
    score->back_missed += wanted && !right;
    if (right && (wanted || plan->wanted == WANTED_HOLD) &&
        score->delays_count < WORLDS_MAX) {
        double at = wanted ? outcome->reverted_at : outcome->held_at;

        score->delays[score->delays_count++] = at - plan->onset;
    }
}

static void add(struct score *total, const struct score *score)
{
    total->worlds += score->worlds;
    total->right += score->right;
    total->back_rightly += score->back_rightly;
    total->back_wrongly += score->back_wrongly;
    total->back_missed += score->back_missed;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void print_delay(struct score *score)
{
    if (score->delays_count == 0) {
        (void)printf(" %9s %9s", "", "");
        return;
    }
    qsort(score->delays, score->delays_count, sizeof(double), compare);
    (void)printf(" %7.1f m %7.1f m",
                 score->delays[score->delays_count / 2] / 60,
                 score->delays[score->delays_count * 9 / 10] / 60);
}

static void measure_class(const struct options *options,
                          const struct world_class *world_class,
                          struct score *policy, struct score *alert)
{
    const struct measure_options how = {options->path, options->source, NULL,
                                        NULL};

    for (unsigned i = 0; i < options->worlds; i++) {
        struct world *world =
            world_make(world_class, options->seed, i, options->stretch);
        struct outcome outcome = measure_policy(world, &how);
        struct outcome plain = measure_alert(world);

        count(policy, &world->plan, &outcome);
        count(alert, &world->plan, &plain);
        if (options->names && !outcome_is_right(&world->plan, &outcome)) {
            (void)printf("  wrong: %s %u (onset %.0f s, %s %.0f s)\n",
                         world_class->name, i, world->plan.onset,
                         outcome.reverts ? "reverts at" : "does not revert",
                         outcome.reverted_at);
        }
        free(world);
    }
}

static double share(unsigned part, unsigned other)
{
    return part + other == 0 ? 1 : (double)part / (double)(part + other);
}

static void print_total(const char *name, const struct score *score)
{
    (void)printf("%-24s precision %.4f  recall %.4f  right %u of %u\n", name,
                 share(score->back_rightly, score->back_wrongly),
                 share(score->back_rightly, score->back_missed), score->right,
                 score->worlds);
}

static void measure(const struct options *options)
{
    static struct score policy, alert;
    struct score policy_total = {0}, alert_total = {0};

    (void)printf("%s, seed %llu, ranges x %.2f, %u worlds a class\n\n",
                 options->path, (unsigned long long)options->seed,
                 options->stretch, options->worlds);
    (void)printf("%-24s %9s %9s %9s %9s\n", "class", "right", "median",
                 "9 of 10", "alert");
    for (size_t i = 0; i < world_classes_count; i++) {
        if (options->only != NULL &&
            strcmp(options->only, world_classes[i].name) != 0) {
            continue;
        }
        memset(&policy, 0, sizeof(policy));
        memset(&alert, 0, sizeof(alert));
        measure_class(options, &world_classes[i], &policy, &alert);
        (void)printf("%-24s %8.1f%%", world_classes[i].name,
                     100.0 * policy.right / policy.worlds);
        print_delay(&policy);
        (void)printf(" %8.1f%%\n", 100.0 * alert.right / alert.worlds);
        (void)fflush(stdout);
        add(&policy_total, &policy);
        add(&alert_total, &alert);
    }
    (void)printf("\n");
    print_total("the policy", &policy_total);
    print_total("a plain alert", &alert_total);
    (void)printf("\n");
}

static char *read_source(const char *path)
{
    char *source = calloc(1, POLICY_FILE_MAX + 1);
    FILE *file = fopen(path, "r");

    assert(source != NULL);
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    source[fread(source, 1, POLICY_FILE_MAX, file)] = '\0';
    (void)fclose(file);
    return source;
}

static struct options read_options(int argc, char **argv)
{
    struct options options = {
        .path = SOURCE_DIR "/policies/library/default.yaml",
        .worlds = 40,
        .stretch = 1,
    };
    int letter = 0;

    while ((letter = getopt(argc, argv, "p:n:s:x:c:w")) != -1) {
        switch (letter) {
        case 'p':
            options.path = optarg;
            break;
        case 'n':
            options.worlds = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            options.seed = strtoull(optarg, NULL, 10);
            break;
        case 'x':
            options.stretch = strtod(optarg, NULL);
            break;
        case 'c':
            options.only = optarg;
            break;
        case 'w':
            options.names = true;
            break;
        default:
            exit(2);
        }
    }
    options.source = read_source(options.path);
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);

    if (options.seed != 0) {
        measure(&options);
    } else {
        options.seed = TUNED_SEED;
        measure(&options);
        options.seed = OTHER_SEED;
        options.stretch = OTHER_STRETCH;
        measure(&options);
    }
    free(options.source);
    return 0;
}
