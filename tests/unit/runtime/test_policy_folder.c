/* The folder of policies and what the core is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "controller/runtime/policy_folder.h"
#include "help_driver.h"

struct shelf {
    struct scene *scene; /* its folder and configuration; it has no driver */
    struct core *core;
    struct policy_folder *folder;
    struct decision decision;
    time_ms now;
};

static void step(struct shelf *shelf, struct input *input)
{
    input->now = ++shelf->now;
    core_step(shelf->core, input, &shelf->decision);
    for (size_t i = 0; i < shelf->decision.effects_count; i++) {
        if (shelf->decision.effects[i].kind == EFFECT_POLICY_RELEASED) {
            policy_free(shelf->decision.effects[i].policy);
        }
    }
}

static int begin(void **state)
{
    struct shelf *shelf = calloc(1, sizeof(*shelf));
    struct input started = {.kind = INPUT_STARTED};

    assert_non_null(shelf);
    shelf->scene = scene_begin();
    shelf->scene->config->core.version = "test";
    shelf->now = 1800000000000;
    shelf->core = core_new(&shelf->scene->config->core);
    shelf->folder = policy_folder_new(shelf->scene->config);
    step(shelf, &started);
    scene_remove(shelf->scene, "policies/svc.yaml");
    *state = shelf;
    return 0;
}

static int end(void **state)
{
    struct shelf *shelf = *state;

    policy_folder_free(shelf->folder);
    core_free(shelf->core);
    scene_end(shelf->scene);
    free(shelf);
    return 0;
}

/* Look, tell the core everything; "+name -name ..." in order. */
static const char *look(struct shelf *shelf)
{
    static char told[1024];
    struct policy *accepted = NULL;
    char removed[NAME_MAX_BYTES + 1];

    told[0] = '\0';
    (void)policy_folder_look(shelf->folder, shelf->core, false);
    while (policy_folder_next(shelf->folder, &accepted, removed)) {
        struct input input = {.kind = INPUT_POLICY_REMOVED};

        if (accepted == NULL) {
            input.policy.name = removed;
        } else {
            input.kind = INPUT_POLICY_ACCEPTED;
            input.policy.block = accepted;
        }
        (void)snprintf(
            told + strlen(told), sizeof(told) - strlen(told), "%s%s%s",
            told[0] == '\0' ? "" : " ", accepted == NULL ? "-" : "+",
            accepted == NULL ? removed : policy_text(accepted, accepted->name));
        step(shelf, &input);
    }
    return told;
}

static void put(struct shelf *shelf, const char *file, const char *policy,
                const char *service, const char *text)
{
    char path[200], content[1024];

    (void)snprintf(path, sizeof(path), "policies/%s", file);
    (void)snprintf(content, sizeof(content),
                   "policy: %s\n"
                   "applies_to: {service: %s, environment: production}\n"
                   "signals: {errors: {prometheus: e, unit: count}}\n"
                   "tree: {question: Bad?, if: errors > 5,\n"
                   "       then: {page: \"%s\"}, else: healthy}\n",
                   policy, service, text);
    scene_write(shelf->scene, path, content);
}

static void drop(struct shelf *shelf, const char *file)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "policies/%s", file);
    scene_remove(shelf->scene, path);
}

static const char *first_error(const struct shelf *shelf)
{
    const struct problems *problems = policy_folder_problems(shelf->folder);

    for (size_t i = 0; i < problems->count; i++) {
        if (problems->list[i].kind == PROBLEM_ERROR) {
            return problems->list[i].text;
        }
    }
    return "";
}

static void what_is_new_is_told_once(void **state)
{
    struct shelf *shelf = *state;

    assert_string_equal(look(shelf), "");
    put(shelf, "b.yaml", "two", "b", "x");
    put(shelf, "a.yml", "one", "a", "x");
    put(shelf, "a.test.yaml", "three", "c", "x");
    put(shelf, ".hidden.yaml", "four", "d", "x");
    put(shelf, "notes.txt", "five", "e", "x");
    assert_string_equal(look(shelf), "+one +two");
    assert_string_equal(look(shelf), "");
    assert_int_equal(policy_folder_files(shelf->folder), 2);
    put(shelf, "b.yaml", "two", "b", "y");
    assert_string_equal(look(shelf), "+two");
    drop(shelf, "a.yml");
    assert_string_equal(look(shelf), "-one");
    assert_int_equal(policy_folder_problems(shelf->folder)->errors, 0);
}

static void a_file_that_was_only_touched_tells_nothing(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "");
}

static void a_renamed_policy_is_there_before_the_old_one_goes(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    put(shelf, "a.yaml", "uno", "a", "x");
    assert_string_equal(look(shelf), "+uno -one");
}

static void a_moved_file_tells_nothing(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    put(shelf, "z.yaml", "one", "a", "x");
    drop(shelf, "a.yaml");
    assert_string_equal(look(shelf), "");
}

static void a_broken_file_keeps_what_it_had(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    put(shelf, "b.yaml", "two", "b", "x");
    assert_string_equal(look(shelf), "+one +two");
    scene_write(shelf->scene, "policies/a.yaml", "policy: one\n:\n");
    drop(shelf, "b.yaml");
    assert_string_equal(look(shelf), "-two");
    assert_non_null(view_policy(shelf->core, "one"));
    assert_true(policy_folder_problems(shelf->folder)->errors > 0);
    put(shelf, "a.yaml", "one", "a", "y");
    assert_string_equal(look(shelf), "+one");
    assert_string_equal(first_error(shelf), "");
}

/* At a start the text says whose policy a broken file held: the others may
 * go.  One that does not say it may be anybody's. */
static void a_broken_file_keeps_no_other_at_the_start(void **state)
{
    static const char *const texts[] = {
        "policy: one\n:\n", "# ours\npolicy: \"one\" # it\n\ttree",
        "{\"policy\": \"one\", oops}", "{policy: one, tree"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct shelf *shelf = *state;

        policy_folder_known(shelf->folder, "one", true);
        policy_folder_known(shelf->folder, "two", true);
        scene_write(shelf->scene, "policies/a.yaml", texts[i]);
        assert_string_equal(look(shelf), "-two");
        assert_int_equal(end(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

static void a_broken_file_without_a_name_keeps_them_all(void **state)
{
    struct shelf *shelf = *state;

    policy_folder_known(shelf->folder, "one", true);
    scene_write(shelf->scene, "policies/a.yaml", "polic");
    assert_string_equal(look(shelf), "");
}

/* What stands already wins, whatever the files are called. */
static void two_that_match_equally_are_an_error_in_the_newer(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "m.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    put(shelf, "a.yaml", "two", "a", "x");
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "m.yaml"));
    assert_null(view_policy(shelf->core, "two"));
    /* When the other goes, it may stand. */
    drop(shelf, "m.yaml");
    assert_string_equal(look(shelf), "+two -one");
    assert_string_equal(first_error(shelf), "");
}

static void one_name_in_two_files_is_an_error(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    put(shelf, "b.yaml", "one", "b", "x");
    assert_string_equal(look(shelf), "+one");
    assert_non_null(strstr(first_error(shelf), "'one'"));
    assert_non_null(strstr(first_error(shelf), "a.yaml"));
}

static void a_broken_file_still_holds_its_ground(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    scene_write(shelf->scene, "policies/a.yaml", "policy: one\n:\n");
    put(shelf, "b.yaml", "two", "a", "x");
    assert_string_equal(look(shelf), "");
    assert_null(view_policy(shelf->core, "two"));
}

/* After a restart the journal says "one", and a file that cannot be read may
 * well be the one it came from. */
static void
nothing_is_removed_while_a_file_without_a_past_is_broken(void **state)
{
    struct shelf *shelf = *state;

    policy_folder_known(shelf->folder, "one", true);
    scene_write(shelf->scene, "policies/a.yaml", "policy: one\n:\n");
    assert_string_equal(look(shelf), "");
    put(shelf, "a.yaml", "uno", "a", "x");
    assert_string_equal(look(shelf), "+uno -one");
}

static void a_folder_that_goes_away_changes_nothing(void **state)
{
    struct shelf *shelf = *state;
    char here[2 * FILES_PATH_MAX], there[2 * FILES_PATH_MAX];

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    (void)snprintf(here, sizeof(here), "%s/policies", shelf->scene->folder);
    (void)snprintf(there, sizeof(there), "%s/away", shelf->scene->folder);
    assert_int_equal(rename(here, there), 0);
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "cannot read the folder"));
    assert_non_null(view_policy(shelf->core, "one"));
    assert_int_equal(rename(there, here), 0);
    assert_string_equal(look(shelf), "");
    assert_string_equal(first_error(shelf), "");
}

/* --- Folders that are not what they were ---------------------------------- */

/* The path of @name in the scene's folder; two may be in use at once. */
static const char *path_of(const struct shelf *shelf, const char *name)
{
    static char paths[2][2 * FILES_PATH_MAX];
    static size_t turn;

    turn = 1 - turn;
    (void)snprintf(paths[turn], sizeof(paths[turn]), "%s/%s",
                   shelf->scene->folder, name);
    return paths[turn];
}

static void the_last_policy_can_be_removed(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    drop(shelf, "a.yaml");
    assert_string_equal(look(shelf), "-one");
    assert_string_equal(first_error(shelf), "");
}

/* A volume that is unmounted leaves an empty folder in its place. */
static void
an_empty_folder_in_the_place_of_the_other_removes_nothing(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    assert_int_equal(rename(path_of(shelf, "policies"), path_of(shelf, "away")),
                     0);
    assert_int_equal(mkdir(path_of(shelf, "policies"), 0700), 0);
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "is it mounted?"));
    assert_non_null(view_policy(shelf->core, "one"));
    assert_int_equal(rmdir(path_of(shelf, "policies")), 0);
    assert_int_equal(rename(path_of(shelf, "away"), path_of(shelf, "policies")),
                     0);
    assert_string_equal(look(shelf), "");
    assert_string_equal(first_error(shelf), "");
}

/* Nor does one that is empty at a start, when the journal knows policies. */
static void an_empty_folder_at_the_start_removes_nothing(void **state)
{
    struct shelf *shelf = *state;

    policy_folder_known(shelf->folder, "one", true);
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "is it mounted?"));
    put(shelf, "a.yaml", "two", "a", "x");
    assert_string_equal(look(shelf), "+two -one");
    assert_string_equal(first_error(shelf), "");
}

/* How a volume of Kubernetes changes: links through a link that is swapped. */
static void a_folder_of_links_is_swapped_as_one(void **state)
{
    struct shelf *shelf = *state;

    assert_int_equal(mkdir(path_of(shelf, "policies/..1"), 0700), 0);
    assert_int_equal(mkdir(path_of(shelf, "policies/..2"), 0700), 0);
    put(shelf, "..1/a.yaml", "one", "a", "x");
    put(shelf, "..2/a.yaml", "one", "a", "y");
    assert_int_equal(symlink("..1", path_of(shelf, "policies/..data")), 0);
    assert_int_equal(
        symlink("..data/a.yaml", path_of(shelf, "policies/a.yaml")), 0);
    assert_string_equal(look(shelf), "+one");
    assert_int_equal(symlink("..2", path_of(shelf, "policies/..new")), 0);
    assert_int_equal(rename(path_of(shelf, "policies/..new"),
                            path_of(shelf, "policies/..data")),
                     0);
    assert_string_equal(look(shelf), "+one");
    assert_int_equal(policy_folder_files(shelf->folder), 1);
    drop(shelf, "..1/a.yaml");
    drop(shelf, "..2/a.yaml");
    assert_int_equal(rmdir(path_of(shelf, "policies/..1")), 0);
    assert_int_equal(rmdir(path_of(shelf, "policies/..2")), 0);
}

static void a_link_to_nowhere_keeps_what_was_there(void **state)
{
    struct shelf *shelf = *state;

    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    drop(shelf, "a.yaml");
    assert_int_equal(symlink("nowhere", path_of(shelf, "policies/a.yaml")), 0);
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "No such file"));
    assert_non_null(view_policy(shelf->core, "one"));
    assert_false(policy_folder_look(shelf->folder, shelf->core, false));
    drop(shelf, "a.yaml");
    assert_string_equal(look(shelf), "-one");
}

static void what_is_no_file_is_passed_over(void **state)
{
    struct shelf *shelf = *state;

    assert_int_equal(mkdir(path_of(shelf, "policies/d.yaml"), 0700), 0);
    assert_int_equal(mkfifo(path_of(shelf, "policies/f.yaml"), 0600), 0);
    put(shelf, "a.yaml", "one", "a", "x");
    assert_string_equal(look(shelf), "+one");
    assert_string_equal(first_error(shelf), "");
    assert_int_equal(rmdir(path_of(shelf, "policies/d.yaml")), 0);
}

/* --- A start ---------------------------------------------------------------
 */

static void without_a_folder_and_a_past_there_is_no_start(void **state)
{
    struct shelf *shelf = *state;
    char error[1024] = "";

    assert_true(policy_folder_may_start(shelf->folder, error, sizeof(error)));
    assert_int_equal(rmdir(path_of(shelf, "policies")), 0);
    assert_false(policy_folder_may_start(shelf->folder, error, sizeof(error)));
    assert_non_null(strstr(error, "/policies: cannot read the folder of "
                                  "policies: No such file"));
    assert_non_null(strstr(error, "'policies:' in "));
    policy_folder_known(shelf->folder, "one", true);
    assert_true(policy_folder_may_start(shelf->folder, error, sizeof(error)));
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "those in force stay"));
    assert_int_equal(mkdir(path_of(shelf, "policies"), 0700), 0);
}

/* --- Many and large ------------------------------------------------------- */

static void a_thousand_files_are_told_and_one_that_changes(void **state)
{
    struct shelf *shelf = *state;
    struct policy *accepted = NULL;
    char removed[NAME_MAX_BYTES + 1], file[32], name[32], service[32];
    int count = 0;

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(file, sizeof(file), "p%03d.yaml", i);
        (void)snprintf(name, sizeof(name), "policy-%d", i);
        (void)snprintf(service, sizeof(service), "service-%d", i);
        put(shelf, file, name, service, "x");
    }
    assert_true(policy_folder_look(shelf->folder, shelf->core, false));
    while (policy_folder_next(shelf->folder, &accepted, removed)) {
        struct input input = {.kind = INPUT_POLICY_ACCEPTED};

        assert_non_null(accepted);
        input.policy.block = accepted;
        step(shelf, &input);
        count++;
    }
    assert_int_equal(count, 1000);
    assert_false(policy_folder_look(shelf->folder, shelf->core, false));
    put(shelf, "p500.yaml", "policy-500", "service-500", "y");
    drop(shelf, "p501.yaml");
    put(shelf, "p500a.yaml", "another", "service-500a", "x");
    assert_string_equal(look(shelf), "+policy-500 +another -policy-501");
    assert_string_equal(look(shelf), "");
}

static void a_huge_file_is_refused(void **state)
{
    struct shelf *shelf = *state;
    char *text = malloc(POLICY_FILE_MAX + 100);

    assert_non_null(text);
    memset(text, '#', POLICY_FILE_MAX + 99);
    text[POLICY_FILE_MAX + 99] = '\0';
    scene_write(shelf->scene, "policies/a.yaml", text);
    free(text);
    assert_string_equal(look(shelf), "");
    assert_non_null(strstr(first_error(shelf), "64 KiB"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(what_is_new_is_told_once),
        STORY(a_file_that_was_only_touched_tells_nothing),
        STORY(a_renamed_policy_is_there_before_the_old_one_goes),
        STORY(a_moved_file_tells_nothing),
        STORY(a_broken_file_keeps_what_it_had),
        STORY(a_broken_file_keeps_no_other_at_the_start),
        STORY(a_broken_file_without_a_name_keeps_them_all),
        STORY(two_that_match_equally_are_an_error_in_the_newer),
        STORY(one_name_in_two_files_is_an_error),
        STORY(a_broken_file_still_holds_its_ground),
        STORY(nothing_is_removed_while_a_file_without_a_past_is_broken),
        STORY(a_folder_that_goes_away_changes_nothing),
        STORY(the_last_policy_can_be_removed),
        STORY(an_empty_folder_in_the_place_of_the_other_removes_nothing),
        STORY(an_empty_folder_at_the_start_removes_nothing),
        STORY(a_folder_of_links_is_swapped_as_one),
        STORY(a_link_to_nowhere_keeps_what_was_there),
        STORY(what_is_no_file_is_passed_over),
        STORY(without_a_folder_and_a_past_there_is_no_start),
        STORY(a_thousand_files_are_told_and_one_that_changes),
        STORY(a_huge_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
