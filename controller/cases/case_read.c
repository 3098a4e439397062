/* A test file, as a tree and then as cases. */
#include "controller/cases/cases_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/replay/file.h"
#include "policies/memory.h"
#include "policies/read/policy_read.h"

/* Noon of a Monday, when a file names no moment. */
#define DEPLOYED_AT (1704110400 * SECOND_MS)

/* --- Names ---------------------------------------------------------------- */

static const char *const endings[] = {".test.yaml", ".test.yml", ".test.json"};

/* How long a test file's name is without its ending; 0: it is none. */
static size_t stem_length(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = strlen(endings[i]);

        if (length > ending &&
            strcmp(name + length - ending, endings[i]) == 0) {
            return length - ending;
        }
    }
    return 0;
}

bool case_file_is_named(const char *name)
{
    return name[0] != '.' && stem_length(name) > 0;
}

/* Beside the test file; without a name, under the name without ".test". */
static bool find_policy(struct case_reader *reader,
                        const struct yaml_item *item)
{
    static const char *const kinds[] = {".yaml", ".yml", ".json"};
    struct case_file *file = reader->file;
    const char *slash = strrchr(file->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - file->path) + 1;
    const char *name = NULL;

    if (item != NULL) {
        name = yaml_expect_text(item, reader->problems);
        folder = name != NULL && name[0] == '/' ? 0 : folder;
        return name != NULL &&
               snprintf(file->policy_path, sizeof(file->policy_path), "%.*s%s",
                        folder, file->path,
                        name) < (int)sizeof(file->policy_path);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(file->policy_path, sizeof(file->policy_path), "%.*s%s",
                       (int)stem_length(file->path), file->path, kinds[i]);
        if (access(file->policy_path, F_OK) == 0) {
            return true;
        }
    }
    (void)problems_error(reader->problems, 0, 0,
                         "there is no policy of this name beside it; write "
                         "'policy: FILE'");
    return false;
}

/* --- The release ---------------------------------------------------------- */

static void read_name(struct case_reader *reader, const struct yaml_item *item,
                      char ret_name[NAME_MAX_BYTES + 1])
{
    ret_name[0] = '\0';
    if (!yaml_is_empty(item) &&
        yaml_expect_name(item, reader->problems) != NULL) {
        memcpy(ret_name, item->text, item->text_length + 1);
    }
}

static void read_change(struct case_reader *reader,
                        const struct yaml_item *item,
                        struct replay_release *release)
{
    static const char *const words[] = {"none", "expand", "contract",
                                        "irreversible"};
    size_t index = 0;

    release->data_change[0] = '\0';
    if (!yaml_is_empty(item) &&
        yaml_expect_word(item, words, 4, &index, reader->problems)) {
        memcpy(release->data_change, words[index], strlen(words[index]) + 1);
    }
}

static void read_moment(struct case_reader *reader,
                        const struct yaml_item *item,
                        struct replay_release *release)
{
    if (yaml_expect_text(item, reader->problems) != NULL &&
        !moment_read(item->text, &release->deployed_at)) {
        (void)yaml_error(reader->problems, item,
                         "'%.80s' is not a time; write RFC 3339, as "
                         "2024-09-18T13:15:00Z",
                         item->text);
    }
}

static void read_labels(struct case_reader *reader,
                        const struct yaml_item *item,
                        struct replay_release *release)
{
    release->labels_count = 0;
    if (yaml_is_empty(item) ||
        !yaml_expect_map(item, NULL, 0, reader->problems)) {
        return;
    }
    for (const struct yaml_item *entry = item->first; entry != NULL;
         entry = entry->next) {
        struct label *label = &release->labels[release->labels_count];
        const char *value = yaml_expect_text(entry, reader->problems);

        if (value == NULL) {
            continue;
        }
        if (!name_is_valid(entry->key) ||
            strlen(entry->key) >= sizeof(label->name) ||
            strlen(value) > NAME_MAX_BYTES ||
            release->labels_count == LABELS_MAX) {
            (void)yaml_key_error(reader->problems, entry,
                                 "at most %d labels, of names of at most %zu "
                                 "bytes and values of at most %d",
                                 LABELS_MAX, sizeof(label->name) - 1,
                                 NAME_MAX_BYTES);
            return;
        }
        memcpy(label->name, entry->key, strlen(entry->key) + 1);
        memcpy(label->value, value, strlen(value) + 1);
        release->labels_count++;
    }
}

void case_read_release(struct case_reader *reader,
                       const struct yaml_item *release,
                       struct replay_release *ret_release)
{
    static const char *const keys[] = {
        "service",   "environment", "version",
        "previous",  "kind",        "rollback_compatible_from",
        "last_good", "data_change", "deployed_at",
        "labels",
    };
    char *const names[] = {
        ret_release->service,   ret_release->environment,
        ret_release->version,   ret_release->previous,
        ret_release->kind,      ret_release->compatible_from,
        ret_release->last_good,
    };

    if (!yaml_expect_map(release, keys, sizeof(keys) / sizeof(keys[0]),
                         reader->problems)) {
        return;
    }
    for (const struct yaml_item *item = release->first; item != NULL;
         item = item->next) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (strcmp(item->key, keys[i]) == 0) {
                read_name(reader, item, names[i]);
            }
        }
        if (strcmp(item->key, "data_change") == 0) {
            read_change(reader, item, ret_release);
        } else if (strcmp(item->key, "deployed_at") == 0) {
            read_moment(reader, item, ret_release);
        } else if (strcmp(item->key, "labels") == 0) {
            read_labels(reader, item, ret_release);
        }
    }
}

/* What the file says, then what the case says, then what nobody said. */
static void find_release(struct case_reader *reader,
                         const struct yaml_item *item,
                         struct test_case *test_case)
{
    const struct yaml_item *own = yaml_get(item, "release");
    struct replay_release *release = &test_case->release;
    char assumed[NAME_MAX_BYTES + 1];

    release_make(reader->policy, release);
    memcpy(assumed, release->last_good, sizeof(assumed));
    release->last_good[0] = '\0';
    if (reader->release != NULL) {
        case_read_release(reader, reader->release, release);
    }
    if (own != NULL) {
        case_read_release(reader, own, release);
    }
    if (release->last_good[0] == '\0') {
        memcpy(release->last_good,
               release->previous[0] != '\0' ? release->previous : assumed,
               sizeof(release->last_good));
    }
    if (strcmp(release->last_good, release->version) == 0) {
        (void)yaml_error(reader->problems, own != NULL ? own : item,
                         "last_good and version are both '%s'; name another "
                         "version to go back to",
                         release->version);
    }
    if (release->deployed_at == 0) {
        release->deployed_at =
            grid_at_or_before(DEPLOYED_AT, reader->policy->watch.every);
    }
}

/* --- A case --------------------------------------------------------------- */

static void read_case(struct case_reader *reader, const struct yaml_item *item,
                      struct test_case *test_case)
{
    static const char *const keys[] = {"case",  "release", "series", "expect",
                                       "final", "acts",    "lasts"};
    const struct yaml_item *name = yaml_get(item, "case");

    if (!yaml_expect_map(item, keys, sizeof(keys) / sizeof(keys[0]),
                         reader->problems)) {
        return;
    }
    test_case->place = case_place_of(item);
    if (name == NULL) {
        (void)yaml_error(reader->problems, item,
                         "a case begins with its name: 'case: a leak fills "
                         "the pool'");
    } else if (yaml_expect_text(name, reader->problems) != NULL) {
        text_escape(name->text, test_case->name, sizeof(test_case->name));
        test_case->place = case_place_of(name);
    }
    find_release(reader, item, test_case);
    case_read_expects(reader, item, test_case);
    case_read_series(reader, item, test_case);
}

static void read_cases(struct case_reader *reader, const struct yaml_item *list)
{
    struct case_file *file = reader->file;

    if (!yaml_expect_list(list, reader->problems)) {
        return;
    }
    if (list->count == 0 || list->count > CASES_MAX) {
        (void)yaml_key_error(reader->problems, list,
                             "a file holds 1 to %d cases, this one %zu",
                             CASES_MAX, list->count);
        return;
    }
    file->cases = memory_zeroed(list->count, sizeof(*file->cases));
    for (const struct yaml_item *item = list->first; item != NULL;
         item = item->next) {
        read_case(reader, item, &file->cases[file->count++]);
    }
}

/* --- The file ------------------------------------------------------------- */

static struct policy *read_policy(struct case_reader *reader,
                                  struct problems *problems)
{
    struct case_file *file = reader->file;

    problems_init(problems, file->policy_path);
    file->policy_source = file_read(file->policy_path, POLICY_FILE_MAX,
                                    &file->policy_length, problems);
    if (file->policy_source == NULL) {
        return NULL;
    }
    return policy_read(file->policy_path, file->policy_source,
                       file->policy_length, problems);
}

static void read_root(struct case_reader *reader, const struct yaml_item *root,
                      struct problems *policy_problems)
{
    static const char *const keys[] = {"policy", "release", "series", "cases"};
    const struct yaml_item *cases = NULL;
    struct policy *policy = NULL;

    if (!yaml_expect_map(root, keys, 4, reader->problems)) {
        return;
    }
    cases = yaml_get(root, "cases");
    reader->release = yaml_get(root, "release");
    reader->series = yaml_get(root, "series");
    if (cases == NULL) {
        (void)problems_error(reader->problems, root->line, root->column,
                             "'cases' is missing: a list of '- case: NAME'");
    }
    if (!find_policy(reader, yaml_get(root, "policy"))) {
        return;
    }
    policy = read_policy(reader, policy_problems);
    reader->policy = policy;
    if (policy != NULL && cases != NULL) {
        read_cases(reader, cases);
    }
    policy_free(policy);
    reader->policy = NULL;
}

bool case_file_read(const char *path, struct case_file *ret_file,
                    struct problems *problems, struct problems *policy_problems)
{
    struct case_reader reader = {.file = ret_file, .problems = problems};

    memset(ret_file, 0, sizeof(*ret_file));
    (void)snprintf(ret_file->path, sizeof(ret_file->path), "%s", path);
    problems_init(problems, path);
    problems_init(policy_problems, "");
    ret_file->source =
        file_read(path, YAML_BYTES_MAX, &ret_file->length, problems);
    if (ret_file->source == NULL) {
        return false;
    }
    ret_file->tree =
        yaml_tree_read(path, ret_file->source, ret_file->length, problems);
    if (ret_file->tree != NULL) {
        read_root(&reader, yaml_root(ret_file->tree), policy_problems);
    }
    return problems->errors == 0 && policy_problems->errors == 0;
}

void case_file_release(struct case_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        policy_free(file->cases[i].policy);
        free(file->cases[i].columns);
    }
    free(file->cases);
    free(file->source);
    free(file->policy_source);
    yaml_tree_free(file->tree);
    memset(file, 0, sizeof(*file));
}
