/* The commands of the binary: one table says their names, options, examples
 * and exit codes; parsing and every --help are made from it. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_FLAGS_MAX       16
#define CLI_VALUES_MAX      40 /* options given in one call */
#define CLI_POSITIONALS_MAX 64

/* An option: "--name ARGUMENT", or a switch when @argument is NULL. */
struct cli_flag {
    const char *name;
    const char *argument;
    const char *help;
    bool repeats;
};

struct cli_exit {
    int code;
    const char *meaning;
};

struct cli_call;

struct cli_command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;   /* one line of the overview */
    const char *about;     /* what to know before using it; may be NULL */
    const char *example;
    const struct cli_flag *flags; /* ended by a name of NULL; may be NULL */
    const struct cli_exit *exits; /* ended by a meaning of NULL */
    size_t least, most;           /* how many positional arguments */
    int (*run)(const struct cli_call *call);
    int (*outside)(int argc, char **argv); /* instead of run: parses itself */
};

/* What was given on the command line, by name. */
struct cli_call {
    const struct cli_command *command;
    const char *positional[CLI_POSITIONALS_MAX];
    size_t positionals;
    struct {
        const char *name, *value; /* value "" for a switch */
    } values[CLI_VALUES_MAX];
    size_t count;
};

/* The commands that live in rooms of their own. */
struct cli_outside {
    int (*serve)(int argc, char **argv);
    int (*replay)(int argc, char **argv);
};

/* The whole program.  Returns the process's exit code. */
int cli_main(int argc, char **argv, const struct cli_outside *outside);

/* The table, ended by a name of NULL, without the outside ones. */
const struct cli_command *cli_commands(void);

/* Parse @argv (its first is the command's name).  False with one line in
 * @ret_error; *ret_help is set when --help was asked. */
bool cli_parse(const struct cli_command *command, int argc, char **argv,
               struct cli_call *ret_call, bool *ret_help, char *ret_error,
               size_t size);

/* The last value given for @name, NULL when it was not given. */
const char *cli_value(const struct cli_call *call, const char *name);

/* The next value of a repeated option; start with *@cursor 0. */
const char *cli_next(const struct cli_call *call, const char *name,
                     size_t *cursor);

/* --help of one command: fits 80 x 24. */
void cli_print_help(const struct cli_command *command, FILE *out);

/* "lastgood NAME: text" on standard error; returns 1, the exit code. */
int cli_fail(const struct cli_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
