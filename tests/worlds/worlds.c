/* worlds: write made-up worlds as tables for `lastgood replay`, or draw them.
 *
 *   worlds list
 *   worlds write CLASS NUMBER PREFIX [SEED [STRETCH]]
 *                            PREFIX.csv and PREFIX.json
 *   worlds chart POLICY CLASS NUMBER [SEED [STRETCH]]
 */
#include "tests/worlds/chart.h"
#include "tests/worlds/classes.h"
#include "tests/worlds/table.h"

#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    (void)fputs("usage: worlds list\n"
                "       worlds write CLASS NUMBER PREFIX [SEED [STRETCH]]\n"
                "       worlds chart POLICY CLASS NUMBER [SEED [STRETCH]]\n",
                stderr);
    return 2;
}

static const char *wanted_name(enum wanted wanted)
{
    switch (wanted) {
    case WANTED_ROLLBACK:
        return "rollback";
    case WANTED_STAY:
        return "stay";
    case WANTED_HOLD:
        return "hold";
    case WANTED_BLIND_STAY:
        return "stay (blind)";
    }
    return "";
}

static int list(void)
{
    for (size_t i = 0; i < world_classes_count; i++) {
        (void)printf("%-24s %s\n", world_classes[i].name,
                     wanted_name(world_classes[i].wanted));
    }
    return 0;
}

/* The arguments from @at on: SEED and STRETCH. */
static struct world *make(const char *name, const char *number, int argc,
                          char **argv, int at)
{
    const struct world_class *world_class = world_class_named(name);
    uint64_t seed = argc > at ? strtoull(argv[at], NULL, 10) : 1;
    double stretch = argc > at + 1 ? strtod(argv[at + 1], NULL) : 1;

    if (world_class == NULL) {
        (void)fprintf(stderr, "worlds: no class '%s'; see 'worlds list'\n",
                      name);
        exit(1);
    }
    return world_make(world_class, seed, (unsigned)strtoul(number, NULL, 10),
                      stretch);
}

static void write_file(const struct world *world, const char *prefix,
                       const char *suffix,
                       void (*write)(const struct world *, FILE *))
{
    char path[512];
    FILE *out = NULL;

    (void)snprintf(path, sizeof(path), "%s%s", prefix, suffix);
    out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        exit(1);
    }
    write(world, out);
    (void)fclose(out);
}

static int write_world(int argc, char **argv)
{
    struct world *world = make(argv[2], argv[3], argc, argv, 5);

    write_file(world, argv[4], ".csv", world_write_samples);
    write_file(world, argv[4], ".json", world_write_release);
    (void)printf("%s, onset %.0f s\n", wanted_name(world->plan.wanted),
                 world->plan.onset);
    free(world);
    return 0;
}

static int chart_world(int argc, char **argv)
{
    static char source[POLICY_FILE_MAX + 1];
    FILE *file = fopen(argv[2], "r");
    struct world *world = NULL;

    if (file == NULL) {
        perror(argv[2]);
        return 1;
    }
    source[fread(source, 1, POLICY_FILE_MAX, file)] = '\0';
    (void)fclose(file);
    world = make(argv[3], argv[4], argc, argv, 5);
    chart_print(world, argv[2], source, stdout);
    free(world);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "list") == 0) {
        return list();
    }
    if (argc > 4 && strcmp(argv[1], "write") == 0) {
        return write_world(argc, argv);
    }
    if (argc > 4 && strcmp(argv[1], "chart") == 0) {
        return chart_world(argc, argv);
    }
    return usage();
}
