#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <string.h>

#define SETTLE_MS    100 /* editors write, rename and touch in one go */
#define LOOK_EVERY_S 2   /* network file systems send no events */
#define WRITING_S    10  /* who writes longer is read in the middle */

static void say_problem(struct log *log, const struct problem *problem)
{
    char line[16], column[16];

    (void)snprintf(line, sizeof(line), "%d", problem->line);
    (void)snprintf(column, sizeof(column), "%d", problem->column);
    log_event(log, problem->kind == PROBLEM_ERROR ? LOG_ERROR : LOG_WARNING,
              "policy.problem", "file", problem->path, "line", line, "column",
              column, "text", problem->text, NULL);
}

static bool is_said(const struct problems *said, const struct problem *problem)
{
    for (size_t i = 0; i < said->count; i++) {
        const struct problem *other = &said->list[i];

        if (other->line == problem->line && other->column == problem->column &&
            strcmp(other->path, problem->path) == 0 &&
            strcmp(other->text, problem->text) == 0) {
            return true;
        }
    }
    return false;
}

/* Each problem is said once for as long as it lasts. */
static void say_what_was_found(struct driver *driver)
{
    const struct problems *problems = policy_folder_problems(driver->folder);
    char files[24], errors[24];

    for (size_t i = 0; i < problems->count; i++) {
        if (!is_said(driver->said, &problems->list[i])) {
            say_problem(driver->options.log, &problems->list[i]);
        }
    }
    *driver->said = *problems;
    (void)snprintf(files, sizeof(files), "%zu",
                   policy_folder_files(driver->folder));
    (void)snprintf(errors, sizeof(errors), "%zu", problems->errors);
    log_event(driver->options.log, LOG_INFO, "policy.folder", "path",
              driver->options.config->policies, "files", files, "errors",
              errors, NULL);
}

/* --- Telling the core ----------------------------------------------------- */

/* Is it the first error of its file? */
static bool is_first_error(const struct problems *problems, size_t index)
{
    const struct problem *problem = &problems->list[index];

    if (problem->kind != PROBLEM_ERROR) {
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        if (problems->list[i].kind == PROBLEM_ERROR &&
            strcmp(problems->list[i].path, problem->path) == 0) {
            return false;
        }
    }
    return true;
}

/* One sentence for people: the first error of each file, as many as fit. */
static void say_broken(const struct problems *problems,
                       char ret_text[RECORD_TEXT_MAX])
{
    char where[PROBLEM_PATH_MAX + 64];
    size_t used = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < problems->count && used < RECORD_TEXT_MAX; i++) {
        const struct problem *problem = &problems->list[i];

        if (is_first_error(problems, i)) {
            problem_place(problem, where, sizeof(where));
            used += (size_t)snprintf(
                ret_text + used, RECORD_TEXT_MAX - used, "%s%s: %s",
                used == 0 ? "a policy cannot be used, what was in force "
                            "before stays so: "
                          : "; ",
                where, problem->text);
        }
    }
}

static void tell_broken(struct driver *driver)
{
    char text[RECORD_TEXT_MAX];
    struct input input = {.kind = INPUT_POLICY_BROKEN};

    if (driver->broken_is_untold && driver_may_go_forward(driver)) {
        driver->broken_is_untold = false;
        say_broken(policy_folder_problems(driver->folder), text);
        input.policy.broken = text;
        driver_feed(driver, &input);
    }
}

static void look(struct driver *driver, bool again)
{
    driver->folder_in = LOOK_EVERY_S;
    if (policy_folder_look(driver->folder, driver->core, again)) {
        driver->broken_is_untold = true;
        say_what_was_found(driver);
        policy_watch_feed(driver);
    }
}

void policy_watch_feed(struct driver *driver)
{
    struct policy *accepted = NULL;
    char removed[NAME_MAX_BYTES + 1];

    while (driver_may_go_forward(driver) &&
           policy_folder_next(driver->folder, &accepted, removed)) {
        struct input input = {.kind = INPUT_POLICY_ACCEPTED};

        if (accepted == NULL) {
            input.kind = INPUT_POLICY_REMOVED;
            input.policy.name = removed;
        } else {
            input.policy.block = accepted;
        }
        driver_feed(driver, &input);
    }
    tell_broken(driver);
}

static void on_soon(uv_timer_t *timer)
{
    look(timer->data, false);
}

static void on_event(uv_fs_event_t *event, const char *name, int events,
                     int status)
{
    struct driver *driver = event->data;

    (void)name;
    (void)events;
    (void)status; /* whatever it was: look */
    (void)uv_timer_start(&driver->folder_soon, on_soon, SETTLE_MS, 0);
}

void policy_watch_start(struct driver *driver)
{
    int failed = uv_timer_init(driver->options.loop, &driver->folder_soon);

    assert(failed == 0);
    failed = uv_fs_event_init(driver->options.loop, &driver->folder_event);
    assert(failed == 0);
    driver->folder_soon.data = driver;
    driver->folder_event.data = driver;
    driver->handles += 2;
    /* Without events (no inotify, no folder) the look every 2 s remains. */
    (void)uv_fs_event_start(&driver->folder_event, on_event,
                            driver->options.config->policies, 0);
    look(driver, false);
}

/* While events come in somebody writes, and half of it may well be a policy:
 * the look that follows the last event is soon enough. */
void policy_watch_second(struct driver *driver)
{
    const bool is_written =
        uv_is_active((const uv_handle_t *)&driver->folder_soon) != 0;

    driver->folder_in--;
    if (driver->folder_in <= 0 &&
        (!is_written || driver->folder_in <= -WRITING_S)) {
        look(driver, false);
    }
    policy_watch_feed(driver);
}

void driver_reload(struct driver *driver)
{
    look(driver, true);
}

void policy_watch_close(struct driver *driver)
{
    uv_close((uv_handle_t *)&driver->folder_soon, driver_handle_closed);
    uv_close((uv_handle_t *)&driver->folder_event, driver_handle_closed);
}

const struct problems *driver_policy_problems(const struct driver *driver)
{
    return policy_folder_problems(driver->folder);
}
