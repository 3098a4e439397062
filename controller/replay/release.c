#include "controller/replay/release.h"

#include <assert.h>
#include <string.h>

#include "policies/read/yaml_tree.h"

/* When nobody says what was good before, something was. */
static const char *const last_good_names[] = {"last-good", "before"};

#define KEY_MAX 199 /* bytes of an idempotency key */

static const char *const members[] = {
    "service",   "environment", "version",
    "previous",  "kind",        "rollback_compatible_from",
    "last_good", "data_change", "deployed_at",
    "labels",    "key",
};
#define MEMBERS  (sizeof(members) / sizeof(members[0]))
#define REQUIRED 3 /* the first of them */

static bool is_null(const struct yaml_item *item)
{
    return item == NULL || yaml_is_empty(item);
}

/* JSON's texts stand in quotes; its numbers and true do not. */
static const char *expect_text(const struct yaml_item *item,
                               struct problems *problems)
{
    if (item->kind == YAML_TEXT && item->style == YAML_PLAIN) {
        (void)yaml_error(problems, item, "'%s' must be a text, in quotes",
                         item->key);
        return NULL;
    }
    return yaml_expect_text(item, problems);
}

static void read_name(const struct yaml_item *item,
                      char ret_name[NAME_MAX_BYTES + 1],
                      struct problems *problems)
{
    ret_name[0] = '\0';
    if (!is_null(item) && expect_text(item, problems) != NULL &&
        yaml_expect_name(item, problems) != NULL) {
        memcpy(ret_name, item->text, item->text_length + 1);
    }
}

static void read_change(const struct yaml_item *item,
                        struct replay_release *release,
                        struct problems *problems)
{
    static const char *const words[] = {"none", "expand", "contract",
                                        "irreversible"};
    size_t index = 0;

    if (!is_null(item) && expect_text(item, problems) != NULL &&
        yaml_expect_word(item, words, 4, &index, problems)) {
        memcpy(release->data_change, words[index], strlen(words[index]) + 1);
    }
}

static void read_moment(const struct yaml_item *item,
                        struct replay_release *release,
                        struct problems *problems)
{
    if (is_null(item) || yaml_expect_text(item, problems) == NULL) {
        return;
    }
    release->line = item->line;
    release->column = item->column;
    if (!moment_read(item->text, &release->deployed_at)) {
        (void)yaml_error(problems, item,
                         "'%.80s' is not a time; write RFC 3339, as "
                         "2024-09-18T13:15:00Z, or Unix seconds",
                         item->text);
    }
}

static void read_label(const struct yaml_item *item,
                       struct replay_release *release,
                       struct problems *problems)
{
    struct label *label = &release->labels[release->labels_count];
    const char *value = item->kind == YAML_TEXT && item->text_length == 0 &&
                                item->style != YAML_PLAIN
                            ? ""
                            : expect_text(item, problems);

    if (value == NULL) {
        return;
    }
    if (!name_is_valid(item->key) || strlen(item->key) >= sizeof(label->name)) {
        (void)yaml_key_error(problems, item,
                             "a label is a name of at most %zu bytes, such as "
                             "team",
                             sizeof(label->name) - 1);
    } else if (strlen(value) > NAME_MAX_BYTES || text_has_control(value)) {
        (void)yaml_error(problems, item,
                         "a label's value has at most %d bytes and no control "
                         "characters",
                         NAME_MAX_BYTES);
    } else {
        memcpy(label->name, item->key, strlen(item->key) + 1);
        memcpy(label->value, value, strlen(value) + 1);
        release->labels_count++;
    }
}

static void read_labels(const struct yaml_item *labels,
                        struct replay_release *release,
                        struct problems *problems)
{
    if (is_null(labels) || !yaml_expect_map(labels, NULL, 0, problems)) {
        return;
    }
    if (labels->count > LABELS_MAX) {
        (void)yaml_error(problems, labels, "at most %d labels", LABELS_MAX);
        return;
    }
    for (const struct yaml_item *item = labels->first; item != NULL;
         item = item->next) {
        read_label(item, release, problems);
    }
}

static void read_key(const struct yaml_item *item, struct problems *problems)
{
    if (!is_null(item) && expect_text(item, problems) != NULL &&
        (item->text_length > KEY_MAX || text_has_control(item->text))) {
        (void)yaml_error(problems, item,
                         "a key has 1 to %d bytes and no control characters",
                         KEY_MAX);
    }
}

static void read_members(const struct yaml_item *root,
                         struct replay_release *release,
                         struct problems *problems)
{
    const struct {
        const char *member;
        char *name;
    } names[] = {
        {"service", release->service},
        {"environment", release->environment},
        {"version", release->version},
        {"previous", release->previous},
        {"kind", release->kind},
        {"rollback_compatible_from", release->compatible_from},
        {"last_good", release->last_good},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct yaml_item *item = yaml_get(root, names[i].member);

        if (i < REQUIRED && is_null(item)) {
            (void)problems_error(problems, root->line, root->column,
                                 "'%s' is needed", names[i].member);
        }
        read_name(item, names[i].name, problems);
    }
    read_change(yaml_get(root, "data_change"), release, problems);
    read_moment(yaml_get(root, "deployed_at"), release, problems);
    read_labels(yaml_get(root, "labels"), release, problems);
    read_key(yaml_get(root, "key"), problems);
}

/* What was good before; never the version itself. */
static void settle_last_good(struct replay_release *release)
{
    if (release->last_good[0] != '\0') {
        return;
    }
    if (release->previous[0] != '\0' &&
        strcmp(release->previous, release->version) != 0) {
        memcpy(release->last_good, release->previous,
               sizeof(release->last_good));
    } else {
        size_t taken = strcmp(release->version, last_good_names[0]) == 0;

        (void)snprintf(release->last_good, sizeof(release->last_good), "%s",
                       last_good_names[taken]);
    }
}

bool release_read(const char *source, size_t length,
                  struct replay_release *ret_release, struct problems *problems)
{
    /* The path says that it is JSON. */
    struct yaml_tree *tree =
        yaml_tree_read("release.json", source, length, problems);
    const struct yaml_item *root = NULL;

    memset(ret_release, 0, sizeof(*ret_release));
    if (tree == NULL) {
        return false;
    }
    root = yaml_root(tree);
    if (yaml_expect_map(root, members, MEMBERS, problems)) {
        read_members(root, ret_release, problems);
    }
    if (ret_release->last_good[0] != '\0' &&
        strcmp(ret_release->last_good, ret_release->version) == 0) {
        (void)yaml_error(problems, yaml_get(root, "last_good"),
                         "last_good is the version itself; name the one to go "
                         "back to");
    }
    yaml_tree_free(tree);
    settle_last_good(ret_release);
    return problems->errors == 0;
}

/* A pattern that is a name, else @otherwise. */
static void name_of(const struct policy *policy, uint32_t pattern,
                    const char *otherwise, char ret_name[NAME_MAX_BYTES + 1])
{
    const char *text = policy_text(policy, pattern);

    (void)snprintf(ret_name, NAME_MAX_BYTES + 1, "%s",
                   name_is_valid(text) ? text : otherwise);
}

void release_make(const struct policy *policy,
                  struct replay_release *ret_release)
{
    memset(ret_release, 0, sizeof(*ret_release));
    name_of(policy, policy->service, policy_text(policy, policy->name),
            ret_release->service);
    name_of(policy, policy->environment, "production",
            ret_release->environment);
    (void)snprintf(ret_release->version, sizeof(ret_release->version), "new");
    settle_last_good(ret_release);
    assert(ret_release->last_good[0] != '\0');
}
