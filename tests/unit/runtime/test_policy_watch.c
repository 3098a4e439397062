/* When the driver looks at the folder of policies, and starts without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "help_driver.h"

#define OTHER_POLICY                                                           \
    "policy: other\n"                                                          \
    "applies_to: {service: other, environment: production}\n"                  \
    "signals: {errors: {prometheus: e, unit: count, source: prom}}\n"          \
    "tree: {question: Bad?, if: errors > 5, then: {page: bad}, else: "         \
    "healthy}\n"

static int begin(void **state)
{
    *state = scene_begin();
    return 0;
}

static int end(void **state)
{
    scene_end(*state);
    return 0;
}

static bool is_in_force(struct scene *scene, const char *name)
{
    return view_policy(driver_core(scene->driver), name) != NULL;
}

static bool other_is_in_force(struct scene *scene)
{
    return is_in_force(scene, "other");
}

static void on_never(uv_timer_t *timer)
{
    (void)timer;
}

/* The events of a file that is being written put off the look that follows
 * them; here the test is the writer, and never done. */
static void nothing_is_read_while_somebody_writes(void **state)
{
    struct scene *scene = *state;
    int seconds = 0;

    scene_start(scene);
    scene_write(scene, "policies/other.yaml", OTHER_POLICY);
    assert_int_equal(
        uv_timer_start(&scene->driver->folder_soon, on_never, HOUR_MS, 0), 0);
    while (!other_is_in_force(scene) && seconds < 100) {
        policy_watch_second(scene->driver);
        seconds++;
    }
    /* Not at the next look, and not never. */
    assert_true(seconds > 5);
    assert_true(seconds < 20);
}

static void without_a_writer_the_next_look_is_soon(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    scene_write(scene, "policies/other.yaml", OTHER_POLICY);
    policy_watch_second(scene->driver);
    policy_watch_second(scene->driver);
    assert_true(other_is_in_force(scene));
}

/* --- Broken files --------------------------------------------------------- */

static bool is_paged(struct scene *scene)
{
    return scene->notices > 0;
}

static bool is_paged_again(struct scene *scene)
{
    return scene->notices > 1;
}

/* Journal, log and page: once for each change, also over a restart. */
static void a_broken_file_is_recorded_and_paged_once(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    scene_write(scene, "policies/svc.yaml", "policy: svc\nmode: quick\n");
    driver_reload(scene->driver);
    scene_until(scene, is_paged);
    assert_non_null(strstr(scene->noticed,
                           "a policy cannot be used, what was in force before "
                           "stays so: "));
    assert_non_null(strstr(scene->noticed, "/policies/svc.yaml:2:7: "));
    assert_non_null(strstr(scene_said(scene), "event=policy.broken"));
    assert_true(is_in_force(scene, "svc"));
    driver_reload(scene->driver);
    scene_stop(scene);
    scene_start(scene);
    scene_turns(scene, 5);
    assert_int_equal(scene_stored(scene, RECORD_POLICY_BROKEN, NULL, 0), 1);
    assert_int_equal(scene->notices, 1);
    scene_write(scene, "policies/svc.yaml", SCENE_POLICY);
    driver_reload(scene->driver);
    assert_non_null(
        strstr(scene_said(scene), "every policy file can be used again"));
    scene_write(scene, "policies/svc.yaml", "policy: svc\nmode: slow\n");
    driver_reload(scene->driver);
    scene_until(scene, is_paged_again);
    assert_int_equal(scene_stored(scene, RECORD_POLICY_BROKEN, NULL, 0), 3);
}

/* --- Starts without a folder ---------------------------------------------- */

static void make_folder(struct scene *scene)
{
    char path[2 * FILES_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/policies", scene->folder);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void remove_folder(struct scene *scene)
{
    char path[2 * FILES_PATH_MAX];

    scene_remove(scene, "policies/svc.yaml");
    (void)snprintf(path, sizeof(path), "%s/policies", scene->folder);
    assert_int_equal(rmdir(path), 0);
}

static void a_first_start_without_the_folder_is_refused(void **state)
{
    struct scene *scene = *state;
    char error[1024] = "";

    remove_folder(scene);
    assert_false(scene_try_start(scene, error, sizeof(error)));
    assert_non_null(strstr(error, "/policies: cannot read the folder"));
    make_folder(scene);
    scene_write(scene, "policies/svc.yaml", SCENE_POLICY);
    scene_start(scene);
    assert_true(is_in_force(scene, "svc"));
}

/* What watched before the restart watches after it. */
static void a_later_start_goes_on_with_what_is_in_force(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    scene_stop(scene);
    remove_folder(scene);
    scene_start(scene);
    assert_true(is_in_force(scene, "svc"));
    assert_int_equal(driver_policy_problems(scene->driver)->errors, 1);
    /* It is seen when it comes, empty first and then with policies. */
    make_folder(scene);
    driver_reload(scene->driver);
    assert_true(is_in_force(scene, "svc"));
    assert_int_equal(driver_policy_problems(scene->driver)->errors, 1);
    scene_write(scene, "policies/svc.yaml", SCENE_POLICY);
    scene_write(scene, "policies/other.yaml", OTHER_POLICY);
    scene_until(scene, other_is_in_force);
    assert_true(is_in_force(scene, "svc"));
    assert_int_equal(driver_policy_problems(scene->driver)->errors, 0);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(nothing_is_read_while_somebody_writes),
        STORY(without_a_writer_the_next_look_is_soon),
        STORY(a_broken_file_is_recorded_and_paged_once),
        STORY(a_first_start_without_the_folder_is_refused),
        STORY(a_later_start_goes_on_with_what_is_in_force),
    };
    int failed = 0;

    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
