/* `check`: policy files, folders of them, and a configuration. */
#include "controller/cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/cli/check_report.h"
#include "controller/cli/folder.h"
#include "controller/cli/online.h"
#include "controller/cli/terminal.h"
#include "controller/config/config.h"
#include "controller/config/config_file.h"
#include "policies/memory.h"
#include "policies/read/policy_read.h"
#include "policies/read/yaml_tree.h"

#define FILES_MAX 10000

struct checked {
    char path[FOLDER_PATH_MAX];
    struct policy *policy;
};

struct check {
    const struct cli_call *call;
    const struct config *config; /* NULL: names are not checked */
    struct check_report report;
    struct problems *problems;
    struct checked *files;
    size_t count;
    bool online;
    char source[POLICY_FILE_MAX + 2];
    size_t length;
};

static bool is_text(const struct check *check)
{
    return check->report.format == CHECK_TEXT;
}

/* --- One policy file ------------------------------------------------------ */

/* The file's bytes into check->source; false with an error in the problems,
 * which begin anew. */
static bool read_source(struct check *check, const char *path)
{
    ssize_t length = 0;

    problems_init(check->problems, path);
    length = config_read_file(path, check->source, sizeof(check->source));
    if (length >= 0 && length <= POLICY_FILE_MAX) {
        check->length = (size_t)length;
        return true;
    }
    if (length >= 0 || errno == EFBIG) {
        (void)problems_error(check->problems, 0, 0,
                             "more than %d KiB: neither a policy nor a "
                             "configuration is that long",
                             POLICY_FILE_MAX / 1024);
    } else {
        (void)problems_error(check->problems, 0, 0, "cannot be read: %s",
                             strerror(errno));
    }
    return false;
}

/* The file that is checked, once more; what is wrong with it is said by
 * others.  NULL when it is no tree; owned by the caller. */
static struct yaml_tree *read_again(const struct check *check)
{
    struct problems *ignored = memory_resized(NULL, sizeof(*ignored));
    struct yaml_tree *tree = NULL;

    problems_init(ignored, check->problems->path);
    tree = yaml_tree_read(check->problems->path, check->source, check->length,
                          ignored);
    free(ignored);
    return tree;
}

/* An error at @key of the file that is checked. */
static struct problem *error_at(struct check *check, const char *key,
                                const char *text)
{
    struct yaml_tree *tree = read_again(check);
    const struct yaml_item *item =
        tree == NULL ? NULL : yaml_get(yaml_root(tree), key);
    struct problem *problem = NULL;

    problem = item == NULL ? problems_error(check->problems, 0, 0, "%s", text)
                           : yaml_key_error(check->problems, item, "%s", text);
    yaml_tree_free(tree);
    return problem;
}

/* A file of another kind, given by mistake: that alone is said about it. */
static bool is_something_else(struct check *check)
{
    static const struct {
        const char *key, *text;
    } others[] = {
        {"cases", "this file holds tests; run them with 'lastgood test FILE'"},
        {"state", "this is the daemon's configuration; check it with "
                  "'lastgood check --config FILE'"},
    };
    struct yaml_tree *tree = read_again(check);
    const char *key = NULL, *text = NULL;

    for (size_t i = 0; tree != NULL && i < 2; i++) {
        const struct yaml_item *root = yaml_root(tree);

        if (yaml_get(root, others[i].key) != NULL &&
            yaml_get(root, "tree") == NULL) {
            key = others[i].key;
            text = others[i].text;
        }
    }
    yaml_tree_free(tree);
    if (key != NULL) {
        (void)error_at(check, key, text);
    }
    return key != NULL;
}

/* A folder is one daemon's; files of others are no rivals. */
static bool same_folder(const char *a, const char *b)
{
    const char *a_slash = strrchr(a, '/'), *b_slash = strrchr(b, '/');
    size_t a_length = a_slash == NULL ? 0 : (size_t)(a_slash - a);
    size_t b_length = b_slash == NULL ? 0 : (size_t)(b_slash - b);

    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* "Two policies that match equally" are an error: which one would judge? */
static void compare_with_others(struct check *check, const char *path,
                                const struct policy *policy)
{
    char text[PROBLEM_TEXT_MAX];

    for (size_t i = 0; i < check->count; i++) {
        const struct policy *other = check->files[i].policy;
        const char *name = policy_text(policy, policy->name);

        if (!same_folder(path, check->files[i].path)) {
            continue;
        }
        if (strcmp(name, policy_text(other, other->name)) == 0) {
            (void)snprintf(text, sizeof(text),
                           "the policy '%s' is also in another file: give one "
                           "of them another name",
                           name);
            problem_note(error_at(check, "policy", text), 0, 0,
                         "the other is %.200s", check->files[i].path);
        } else if (strcmp(policy_text(policy, policy->service),
                          policy_text(other, other->service)) == 0 &&
                   strcmp(policy_text(policy, policy->environment),
                          policy_text(other, other->environment)) == 0) {
            problem_note(error_at(check, "applies_to",
                                  "another policy applies to the same: make "
                                  "one of them more specific"),
                         0, 0, "the other is %.200s", check->files[i].path);
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

static json_t *ask_queries(struct check *check, const char *path,
                           const struct policy *policy)
{
    const struct online_policy asked = {policy, path, check->source,
                                        check->length};

    return online_check(check->config, &asked, check->problems);
}

static void check_file(struct check *check, const char *path)
{
    struct policy *policy = NULL;
    json_t *queries = NULL;
    bool has_source = read_source(check, path);

    (void)problems_about(check->problems, RULE_FORM);
    if (has_source && !is_something_else(check)) {
        policy =
            policy_read(path, check->source, check->length, check->problems);
    }
    (void)problems_about(check->problems, RULE_REFERENCE);
    if (policy != NULL && check->config != NULL) {
        config_check_policy(check->config, policy, check->problems);
    }
    (void)problems_about(check->problems, RULE_RIVALS);
    if (policy != NULL) {
        compare_with_others(check, path, policy);
    }
    (void)problems_about(check->problems, RULE_QUERY);
    if (check->online && policy != NULL && check->problems->errors == 0) {
        queries = ask_queries(check, path, policy);
    }
    if (is_text(check) && check->problems->errors == 0) {
        (void)printf("%s: ok\n", path);
    }
    if (is_text(check) && queries != NULL) {
        online_print(queries, stdout);
        (void)fflush(stdout);
    }
    check_report_file(&check->report, check->problems,
                      has_source ? check->source : NULL, check->length,
                      queries);
    if (policy != NULL) {
        keep(check, path, policy);
    }
}

/* --- Folders -------------------------------------------------------------- */

static void complain(struct check *check, const char *path, const char *text)
{
    problems_init(check->problems, path);
    (void)problems_error(check->problems, 0, 0, "%s", text);
    check_report_file(&check->report, check->problems, NULL, 0, NULL);
}

static void check_folder(struct check *check, const char *path, bool deep)
{
    struct folder folder;
    char text[256];

    if (!folder_read(&folder, path, deep, policy_file_is_named)) {
        (void)snprintf(text, sizeof(text), "cannot be read: %s",
                       strerror(errno));
        complain(check, path, text);
        return;
    }
    if (folder.count == 0) {
        complain(check, path,
                 "there is no policy in it (*.yaml, *.yml, *.json)");
    }
    for (size_t i = 0; i < folder.count; i++) {
        check_file(check, folder.paths[i]);
    }
    folder_release(&folder);
}

static void check_path(struct check *check, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        check_folder(check, path, true);
    } else {
        check_file(check, path);
    }
}

/* --- The command ---------------------------------------------------------- */

/* The configuration, or NULL when it has errors. */
static struct config *check_config(struct check *check, const char *path)
{
    struct config *config = NULL;
    bool has_source = read_source(check, path);

    if (has_source) {
        config = config_read(path, check->problems);
    }
    check_report_file(&check->report, check->problems,
                      has_source ? check->source : NULL, check->length, NULL);
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
        check->online = config != NULL && cli_value(call, "online") != NULL;
    }
    if (config != NULL && is_text(check)) {
        if (call->positionals == 0) {
            config_print(config, stdout);
        } else {
            (void)printf("%s: ok\n", path);
        }
    }
    if (config != NULL && call->positionals == 0) {
        check_folder(check, config->policies, false); /* as the daemon does */
    }
    for (size_t i = 0; i < call->positionals; i++) {
        check_path(check, call->positional[i]);
    }
    config_free(config);
}

int check_run(const struct cli_call *call)
{
    struct check *check = NULL;
    enum check_format format = CHECK_TEXT;
    bool failed = false;

    if (call->positionals == 0 && cli_value(call, "config") == NULL) {
        return cli_fail(call, "usage: lastgood check FILE|FOLDER... [--config "
                              "FILE]");
    }
    if (!check_report_format(cli_value(call, "format"), &format)) {
        return cli_fail(call, "--format is text, json or sarif");
    }
    if (cli_value(call, "online") != NULL &&
        cli_value(call, "config") == NULL) {
        return cli_fail(call, "--online needs --config: it says where the "
                              "sources are");
    }
    check = memory_zeroed(1, sizeof(*check));
    check->call = call;
    check->problems = memory_resized(NULL, sizeof(*check->problems));
    check->files = memory_zeroed(FILES_MAX, sizeof(*check->files));
    check_report_begin(&check->report, format);
    check->report.colour = terminal_has_colour(stderr);
    check_all(check);
    check_report_end(&check->report);
    failed = check->report.errors > 0;
    for (size_t i = 0; i < check->count; i++) {
        policy_free(check->files[i].policy);
    }
    free(check->files);
    free(check->problems);
    free(check);
    return failed ? EXIT_CODE_ERROR : EXIT_CODE_DONE;
}
