#include "controller/cli/cli.h"

#include <getopt.h>
#include <string.h>

#include "controller/replay/options.h"
#include "policies/problem.h"

#define HELP_COLUMN 34

/* --- Parsing -------------------------------------------------------------- */

static size_t count_flags(const struct cli_command *command)
{
    size_t count = 0;

    while (command->flags != NULL && command->flags[count].name != NULL) {
        count++;
    }
    return count;
}

static bool keep_value(const struct cli_flag *flag, const char *value,
                       struct cli_call *call, char *ret_error, size_t size)
{
    if (!flag->repeats && cli_value(call, flag->name) != NULL) {
        (void)snprintf(ret_error, size, "--%s was given twice", flag->name);
        return false;
    }
    if (call->count == CLI_VALUES_MAX) {
        (void)snprintf(ret_error, size, "more than %d options", CLI_VALUES_MAX);
        return false;
    }
    call->values[call->count].name = flag->name;
    call->values[call->count].value = value != NULL ? value : "";
    call->count++;
    return true;
}

static bool keep_positionals(const struct cli_command *command, int argc,
                             char **argv, struct cli_call *call,
                             char *ret_error, size_t size)
{
    for (int i = optind; i < argc; i++) {
        if (call->positionals == command->most) {
            char shown[128];

            text_escape(argv[i], shown, sizeof(shown));
            (void)snprintf(ret_error, size,
                           "'%s' is one argument too many; usage: lastgood %s "
                           "%s",
                           shown, command->name, command->arguments);
            return false;
        }
        call->positional[call->positionals++] = argv[i];
    }
    if (call->positionals < command->least) {
        (void)snprintf(ret_error, size, "usage: lastgood %s %s", command->name,
                       command->arguments);
        return false;
    }
    return true;
}

static void describe_options(const struct cli_command *command,
                             struct option options[CLI_FLAGS_MAX + 2])
{
    size_t count = count_flags(command);

    for (size_t i = 0; i < count; i++) {
        options[i] = (struct option){
            .name = command->flags[i].name,
            .has_arg = command->flags[i].argument != NULL ? required_argument
                                                          : no_argument,
            .val = 256 + (int)i,
        };
    }
    options[count] =
        (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
    options[count + 1] = (struct option){.name = NULL};
}

static size_t name_flags(const struct cli_command *command,
                         const char *names[CLI_FLAGS_MAX])
{
    size_t count = count_flags(command);

    for (size_t i = 0; i < count; i++) {
        names[i] = command->flags[i].name;
    }
    return count;
}

bool cli_parse(const struct cli_command *command, int argc, char **argv,
               struct cli_call *ret_call, bool *ret_help, char *ret_error,
               size_t size)
{
    const char *names[CLI_FLAGS_MAX];
    const struct options_words words = {argc, argv, command->name, names,
                                        name_flags(command, names)};
    struct option options[CLI_FLAGS_MAX + 2];
    int found = 0;

    memset(ret_call, 0, sizeof(*ret_call));
    ret_call->command = command;
    *ret_help = false;
    describe_options(command, options);
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (found == 'h') {
            *ret_help = true;
            return true;
        }
        if (found == ':' || found == '?') {
            return options_refuse(&words, found, ret_error, size);
        }
        if (!keep_value(&command->flags[found - 256], optarg, ret_call,
                        ret_error, size)) {
            return false;
        }
    }
    return keep_positionals(command, argc, argv, ret_call, ret_error, size);
}

const char *cli_value(const struct cli_call *call, const char *name)
{
    for (size_t i = call->count; i > 0; i--) {
        if (strcmp(call->values[i - 1].name, name) == 0) {
            return call->values[i - 1].value;
        }
    }
    return NULL;
}

const char *cli_next(const struct cli_call *call, const char *name,
                     size_t *cursor)
{
    while (*cursor < call->count) {
        size_t i = (*cursor)++;

        if (strcmp(call->values[i].name, name) == 0) {
            return call->values[i].value;
        }
    }
    return NULL;
}

/* --- Help ----------------------------------------------------------------- */

static void print_flag(const struct cli_flag *flag, FILE *out)
{
    char left[64];

    (void)snprintf(left, sizeof(left), "--%s%s%s", flag->name,
                   flag->argument != NULL ? " " : "",
                   flag->argument != NULL ? flag->argument : "");
    if (strlen(left) + 3 > HELP_COLUMN) {
        (void)fprintf(out, "  %s\n  %-*s%s\n", left, HELP_COLUMN - 2, "",
                      flag->help);
    } else {
        (void)fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, left, flag->help);
    }
}

/* Words of @text from column @indent on, broken before column 80. */
static void print_wrapped(const char *text, int indent, const char *join,
                          FILE *out)
{
    int column = indent;
    const char *word = text;

    (void)fprintf(out, "%*s", indent, "");
    while (*word != '\0') {
        int length = (int)strcspn(word, " ");

        if (column > indent && column + 1 + length > 76) {
            (void)fprintf(out, "%s\n%*s", join, indent + 2, "");
            column = indent + 2;
        } else if (column > indent) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fwrite(word, 1, (size_t)length, out);
        column += length;
        word += length + (word[length] == ' ' ? 1 : 0);
    }
    (void)fputc('\n', out);
}

static void print_exits(const struct cli_command *command, FILE *out)
{
    (void)fprintf(out, "Exit codes:\n");
    for (const struct cli_exit *row = command->exits; row->meaning != NULL;
         row++) {
        (void)fprintf(out, "  %d  %s\n", row->code, row->meaning);
    }
}

void cli_print_help(const struct cli_command *command, FILE *out)
{
    char usage[256];

    (void)snprintf(usage, sizeof(usage), "lastgood %s%s%s%s", command->name,
                   command->arguments[0] != '\0' ? " " : "", command->arguments,
                   command->flags != NULL ? " [OPTIONS]" : "");
    (void)fprintf(out, "%s: %s\n", command->name, command->summary);
    print_wrapped(usage, 2, "", out);
    if (command->about != NULL) {
        (void)fprintf(out, "%s\n", command->about);
    }
    for (const struct cli_flag *flag = command->flags;
         flag != NULL && flag->name != NULL; flag++) {
        print_flag(flag, out);
    }
    (void)fprintf(out, "Example:\n");
    print_wrapped(command->example, 2, " \\", out);
    print_exits(command, out);
}
