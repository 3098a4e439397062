#include "controller/cli/cli.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <curl/curl.h>

#include "policies/problem.h"

#define COMMANDS_MAX 40

static const struct cli_command serve_row = {
    .name = "serve",
    .arguments = "--config FILE",
    .summary = "run the controller",
};
static const struct cli_command replay_row = {
    .name = "replay",
    .arguments = "POLICY --samples FILE.csv",
    .summary = "judge a table of samples with a policy, offline",
};

/* Every command, in the order of the overview. */
struct overview {
    struct cli_command rows[COMMANDS_MAX];
    size_t count;
};

static void collect(struct overview *overview,
                    const struct cli_outside *outside)
{
    overview->count = 0;
    overview->rows[overview->count] = serve_row;
    overview->rows[overview->count++].outside = outside->serve;
    for (const struct cli_command *row = cli_commands(); row->name != NULL;
         row++) {
        assert(overview->count < COMMANDS_MAX - 1);
        overview->rows[overview->count++] = *row;
    }
    overview->rows[overview->count] = replay_row;
    overview->rows[overview->count++].outside = outside->replay;
}

static const struct cli_command *find(const struct overview *overview,
                                      const char *name)
{
    for (size_t i = 0; i < overview->count; i++) {
        if (strcmp(overview->rows[i].name, name) == 0) {
            return &overview->rows[i];
        }
    }
    return NULL;
}

static void print_overview(const struct overview *overview, FILE *out)
{
    (void)fprintf(out, "lastgood " LASTGOOD_VERSION
                       ": stays on watch after every deploy and goes back "
                       "when it must\n"
                       "Usage: lastgood COMMAND ...; 'lastgood COMMAND "
                       "--help' tells more\n\n");
    for (size_t i = 0; i < overview->count; i++) {
        (void)fprintf(out, "  %-10s %s\n", overview->rows[i].name,
                      overview->rows[i].summary);
    }
    (void)fprintf(out, "\nThe controller is asked at --server, "
                       "LASTGOOD_SERVER or http://127.0.0.1:7333.\n");
}

static int unknown_command(const struct overview *overview, const char *word)
{
    const char *names[COMMANDS_MAX];
    const char *nearest = NULL;
    char shown[128];

    for (size_t i = 0; i < overview->count; i++) {
        names[i] = overview->rows[i].name;
    }
    nearest = nearest_name(word, names, overview->count);
    text_escape(word, shown, sizeof(shown));
    if (nearest != NULL) {
        (void)fprintf(stderr,
                      "lastgood: there is no command '%s'; did you mean "
                      "'%s'?\n",
                      shown, nearest);
    } else {
        (void)fprintf(stderr,
                      "lastgood: there is no command '%s'; 'lastgood help' "
                      "lists them\n",
                      shown);
    }
    return 1;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_call call;
    bool help = false;
    char error[256];

    if (command->outside != NULL) {
        return command->outside(argc, argv);
    }
    if (!cli_parse(command, argc, argv, &call, &help, error, sizeof(error))) {
        (void)fprintf(stderr, "lastgood %s: %s\n", command->name, error);
        return 1;
    }
    if (help) {
        cli_print_help(command, stdout);
        return 0;
    }
    return command->run(&call);
}

/* "lastgood help [COMMAND]" is "lastgood COMMAND --help". */
static int run_help(const struct overview *overview, int argc, char **argv)
{
    static char help_flag[] = "--help";
    const struct cli_command *command = NULL;
    char *arguments[] = {NULL, help_flag, NULL};

    if (argc < 3) {
        print_overview(overview, stdout);
        return 0;
    }
    command = find(overview, argv[2]);
    if (command == NULL) {
        return unknown_command(overview, argv[2]);
    }
    arguments[0] = argv[2];
    return run(command, 2, arguments);
}

static int dispatch(const struct overview *overview, int argc, char **argv)
{
    const struct cli_command *command = NULL;

    if (argc < 2) {
        print_overview(overview, stdout);
        return 0;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        return run_help(overview, argc, argv);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        (void)printf("lastgood " LASTGOOD_VERSION "\n");
        return 0;
    }
    command = find(overview, argv[1]);
    if (command == NULL) {
        return unknown_command(overview, argv[1]);
    }
    return run(command, argc - 1, argv + 1);
}

int cli_main(int argc, char **argv, const struct cli_outside *outside)
{
    struct overview overview;
    int code = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)fprintf(stderr, "lastgood: libcurl cannot start\n");
        return 1;
    }
    collect(&overview, outside);
    code = dispatch(&overview, argc, argv);
    curl_global_cleanup();
    if (fflush(stdout) != 0 && code == 0) {
        (void)fprintf(stderr, "lastgood: cannot write the output\n");
        return 1;
    }
    return code;
}

int cli_fail(const struct cli_call *call, const char *format, ...)
{
    va_list arguments;

    (void)fprintf(stderr, "lastgood %s: ", call->command->name);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return 1;
}
