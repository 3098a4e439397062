#include "controller/cli/commands.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policies/read/policy_read.h"

#include "controller/cli/terminal.h"
#include "controller/config/config.h"

#define FILES_MAX      2000
#define PATH_MAX_BYTES 512

struct checked {
    char path[PATH_MAX_BYTES];
    struct policy *policy;
};

struct check {
    const struct cli_call *call;
    const struct config *config; /* NULL: names are not checked */
    struct problems *problems;
    struct checked *files;
    size_t count;
    bool colour, failed;
};

/* --- One policy file ------------------------------------------------------ */

/* The file's bytes, NUL-ended, or NULL with the line printed. */
static char *read_file(struct check *check, const char *path,
                       size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;

    if (file == NULL) {
        (void)cli_fail(check->call, "%s: %s", path, strerror(errno));
        return NULL;
    }
    bytes = calloc(1, POLICY_FILE_MAX + 2);
    if (bytes == NULL) {
        abort();
    }
    *ret_length = fread(bytes, 1, POLICY_FILE_MAX + 1, file);
    if (ferror(file) != 0) {
        (void)cli_fail(check->call, "%s: %s", path, strerror(errno));
        free(bytes);
        bytes = NULL;
    } else if (*ret_length > POLICY_FILE_MAX) {
        (void)cli_fail(check->call,
                       "%s: more than %d KiB: neither a policy nor "
                       "a configuration is that long",
                       path, POLICY_FILE_MAX / 1024);
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    return bytes;
}

/* "Two policies that match equally" are an error: which one would judge? */
static void compare_with_others(struct check *check,
                                const struct policy *policy)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct policy *other = check->files[i].policy;

        if (strcmp(policy_text(policy, policy->name),
                   policy_text(other, other->name)) == 0) {
            problems_error(check->problems, 0, 0,
                           "the policy '%s' is also in %s: give one another "
                           "name",
                           policy_text(policy, policy->name),
                           check->files[i].path);
        } else if (strcmp(policy_text(policy, policy->service),
                          policy_text(other, other->service)) == 0 &&
                   strcmp(policy_text(policy, policy->environment),
                          policy_text(other, other->environment)) == 0) {
            problems_error(check->problems, 0, 0,
                           "applies_to is the same as in %s: make one of them "
                           "more specific",
                           check->files[i].path);
        }
    }
}

static void keep(struct check *check, const char *path, struct policy *policy)
{
    struct checked *file = NULL;

    if (check->count == FILES_MAX) {
        policy_free(policy);
        return;
    }
    file = &check->files[check->count++];
    (void)snprintf(file->path, sizeof(file->path), "%s", path);
    file->policy = policy;
}

static void check_file(struct check *check, const char *path)
{
    size_t length = 0;
    char *source = read_file(check, path, &length);
    struct policy *policy = NULL;

    if (source == NULL) {
        check->failed = true;
        return;
    }
    problems_init(check->problems, path);
    policy = policy_read(path, source, length, check->problems);
    if (policy != NULL && check->config != NULL) {
        config_check_policy(check->config, policy, check->problems);
    }
    if (policy != NULL) {
        compare_with_others(check, policy);
    }
    problems_print(check->problems, source, length, check->colour, stderr);
    if (check->problems->errors > 0) {
        check->failed = true;
    } else {
        (void)printf("%s: ok\n", path);
    }
    if (policy != NULL) {
        keep(check, path, policy);
    }
    free(source);
}

/* --- Folders -------------------------------------------------------------- */

static int is_policy_file(const struct dirent *entry)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    size_t length = strlen(entry->d_name);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = strlen(endings[i]);

        if (entry->d_name[0] != '.' && length > ending &&
            strcmp(entry->d_name + length - ending, endings[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_folder(struct check *check, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_policy_file, by_bytes);
    size_t length = strlen(folder);

    if (count < 0) {
        (void)cli_fail(check->call, "%s: %s", folder, strerror(errno));
        check->failed = true;
        return;
    }
    if (count == 0) {
        (void)cli_fail(check->call,
                       "%s: there is no policy in it (*.yaml, "
                       "*.yml, *.json)",
                       folder);
        check->failed = true;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX_BYTES];

        (void)snprintf(path, sizeof(path), "%s%s%s", folder,
                       length > 0 && folder[length - 1] == '/' ? "" : "/",
                       entries[i]->d_name);
        check_file(check, path);
        free(entries[i]);
    }
    free(entries);
}

static void check_path(struct check *check, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        (void)cli_fail(check->call, "%s: %s", path, strerror(errno));
        check->failed = true;
    } else if (S_ISDIR(status.st_mode)) {
        check_folder(check, path);
    } else {
        check_file(check, path);
    }
}

/* --- The command ---------------------------------------------------------- */

static struct config *check_config(struct check *check, const char *path)
{
    struct config *config = NULL;
    size_t length = 0;
    char *source = read_file(check, path, &length);

    if (source == NULL) {
        check->failed = true;
        return NULL;
    }
    problems_init(check->problems, path);
    config = config_read(path, check->problems);
    problems_print(check->problems, source, length, check->colour, stderr);
    free(source);
    check->failed = check->failed || config == NULL;
    return config;
}

static void check_all(struct check *check)
{
    const struct cli_call *call = check->call;
    const char *path = cli_value(call, "config");
    struct config *config = NULL;

    if (path != NULL) {
        config = check_config(check, path);
        check->config = config;
    }
    if (config != NULL && call->positionals == 0) {
        config_print(config, stdout);
        check_path(check, config->policies);
    } else if (config != NULL) {
        (void)printf("%s: ok\n", path);
    }
    for (size_t i = 0; i < call->positionals; i++) {
        check_path(check, call->positional[i]);
    }
    if (config != NULL) {
        config_free(config);
    }
}

int check_run(const struct cli_call *call)
{
    struct check check = {.call = call, .colour = terminal_has_colour(stderr)};

    if (call->positionals == 0 && cli_value(call, "config") == NULL) {
        return cli_fail(call, "usage: lastgood check FILE|FOLDER... [--config "
                              "FILE]");
    }
    check.problems = malloc(sizeof(*check.problems));
    check.files = calloc(FILES_MAX, sizeof(*check.files));
    if (check.problems == NULL || check.files == NULL) {
        abort();
    }
    check_all(&check);
    for (size_t i = 0; i < check.count; i++) {
        policy_free(check.files[i].policy);
    }
    free(check.files);
    free(check.problems);
    return check.failed ? EXIT_CODE_ERROR : EXIT_CODE_DONE;
}
