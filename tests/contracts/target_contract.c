/* The contract of a target, held against each kind of them: `target_contract
 * http`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/targets/targets.h"
#include "tests/contracts/target_world.h"

static const struct world_kind *kind;

struct stage {
    struct driver driver;
    struct world *world;
    struct target_adapter *target;
    uint32_t counter;
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    driver_begin(&stage->driver);
    stage->world = kind->begin(&stage->driver);
    stage->target = target_make(&stage->driver, 0);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    if (stage->target != NULL) {
        stage->target->ops->close(stage->target);
    }
    kind->end(stage->world);
    driver_end(&stage->driver);
    free(stage);
    return 0;
}

/* --- Asking --------------------------------------------------------------- */

static struct effect make_effect(struct stage *stage, enum effect_kind effect)
{
    stage->counter++;
    return (struct effect){.kind = effect,
                           .id = {.epoch = 1, .counter = stage->counter},
                           .deadline = TIME_NEVER};
}

/* The one answer to the newest question, with its id. */
static const struct told *answer_of(struct stage *stage)
{
    const struct told *told = NULL;

    driver_wait(&stage->driver, stage->counter);
    assert_int_equal(stage->driver.told_count, stage->counter);
    told = &stage->driver.told[stage->counter - 1];
    assert_int_equal(told->kind, INPUT_TARGET);
    assert_int_equal(told->id.epoch, 1);
    assert_int_equal(told->id.counter, stage->counter);
    assert_string_not_equal(told->text, "");
    return told;
}

static const struct told *observe(struct stage *stage)
{
    struct effect effect = make_effect(stage, EFFECT_OBSERVE);

    stage->target->ops->observe(stage->target, &effect);
    return answer_of(stage);
}

static const struct told *has(struct stage *stage, const char *version)
{
    struct effect effect = make_effect(stage, EFFECT_HAS);

    (void)strcpy(effect.target.target, version);
    stage->target->ops->has(stage->target, &effect);
    return answer_of(stage);
}

static const struct told *revert(struct stage *stage, const char *suspect,
                                 const char *target, const char *key)
{
    struct effect effect = make_effect(stage, EFFECT_REVERT);

    (void)strcpy(effect.target.suspect, suspect);
    (void)strcpy(effect.target.target, target);
    (void)strcpy(effect.target.key, key);
    stage->target->ops->revert(stage->target, &effect);
    return answer_of(stage);
}

static void expect_live(const struct stage *stage, const char *version,
                        int deploys)
{
    assert_string_equal(kind->live(stage->world), version);
    assert_int_equal(kind->deploys(stage->world), deploys);
}

/* --- When all is well ----------------------------------------------------- */

static void it_sees_what_is_live_and_whether_it_is_complete(void **state)
{
    struct stage *stage = *state;
    const struct told *told = observe(stage);

    assert_int_equal(told->result, TARGET_OBSERVED);
    assert_string_equal(told->version, "2.4.0");
    assert_true(told->complete);
    kind->set_live(stage->world, "feature/a+b:c@d", false);
    told = observe(stage);
    assert_int_equal(told->result, TARGET_OBSERVED);
    assert_string_equal(told->version, "feature/a+b:c@d");
    assert_false(told->complete);
}

static void it_knows_which_versions_are_there(void **state)
{
    struct stage *stage = *state;
    const struct told *told = has(stage, "2.3.2");

    assert_int_equal(told->result, TARGET_OBSERVED);
    assert_true(told->has);
    told = has(stage, "9.9.9");
    assert_int_equal(told->result, TARGET_OBSERVED);
    assert_false(told->has);
    assert_true(has(stage, "feature/a+b:c@d")->has);
}

static void it_puts_the_target_live_once(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(revert(stage, "2.4.0", "2.3.2", "key-1")->result,
                     TARGET_ACCEPTED);
    expect_live(stage, "2.3.2", 1);
    assert_string_equal(observe(stage)->version, "2.3.2");
}

static void the_same_key_twice_is_one_deploy(void **state)
{
    struct stage *stage = *state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(revert(stage, "2.4.0", "2.3.2", "key-1")->result,
                         TARGET_ACCEPTED);
    }
    expect_live(stage, "2.3.2", 1);
    assert_int_equal(*kind->calls(stage->world), 2);
}

static void names_with_odd_letters_arrive_as_they_are(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(revert(stage, "2.4.0", "feature/a+b:c@d", "key-1")->result,
                     TARGET_ACCEPTED);
    expect_live(stage, "feature/a+b:c@d", 1);
    assert_int_equal(revert(stage, "feature/a+b:c@d", "2.3.2", "key-2")->result,
                     TARGET_ACCEPTED);
    expect_live(stage, "2.3.2", 2);
}

static void a_slow_answer_is_waited_for(void **state)
{
    struct stage *stage = *state;

    kind->set_trouble(stage->world, TROUBLE_SLOW, true);
    assert_int_equal(observe(stage)->result, TARGET_OBSERVED);
    assert_true(has(stage, "2.3.2")->has);
    assert_int_equal(revert(stage, "2.4.0", "2.3.2", "key-1")->result,
                     TARGET_ACCEPTED);
    expect_live(stage, "2.3.2", 1);
}

static void answers_carry_the_id_of_their_question(void **state)
{
    struct stage *stage = *state;
    bool seen[4] = {false};

    for (int i = 0; i < 3; i++) {
        struct effect effect = make_effect(stage, EFFECT_OBSERVE);

        stage->target->ops->observe(stage->target, &effect);
    }
    driver_wait(&stage->driver, 3);
    for (size_t i = 0; i < 3; i++) {
        uint32_t counter = stage->driver.told[i].id.counter;

        assert_in_range(counter, 1, 3);
        assert_false(seen[counter]);
        seen[counter] = true;
        assert_int_equal(stage->driver.told[i].result, TARGET_OBSERVED);
    }
}

/* --- Refusals ------------------------------------------------------------- */

static void somebody_was_faster(void **state)
{
    struct stage *stage = *state;

    kind->set_live(stage->world, "2.4.1", true);
    assert_int_equal(revert(stage, "2.4.0", "2.3.2", "key-1")->result,
                     TARGET_RACED);
    expect_live(stage, "2.4.1", 0);
}

static void a_version_that_is_not_there_is_rejected(void **state)
{
    struct stage *stage = *state;
    const struct told *told = revert(stage, "2.4.0", "9.9.9", "key-1");

    assert_int_equal(told->result, TARGET_REJECTED);
    assert_non_null(strstr(told->text, "404"));
    expect_live(stage, "2.4.0", 0);
}

static void an_api_that_wants_a_key_refuses_without(void **state)
{
    struct stage *stage = *state;
    const struct told *told = NULL;

    kind->forget_key(stage->world);
    told = revert(stage, "2.4.0", "2.3.2", "key-1");
    assert_int_equal(told->result, TARGET_REJECTED);
    assert_non_null(strstr(told->text, "400"));
    assert_non_null(strstr(told->text, "a key and an object, please"));
    expect_live(stage, "2.4.0", 0);
}

static void without_the_token_nothing_works_and_it_says_so(void **state)
{
    struct stage *stage = *state;
    const struct told *told = NULL;

    kind->forget_token(stage->world);
    told = observe(stage);
    assert_int_equal(told->result, TARGET_REJECTED);
    assert_non_null(strstr(told->text, "401"));
    assert_int_equal(has(stage, "2.3.2")->result, TARGET_UNCLEAR);
    assert_int_equal(revert(stage, "2.4.0", "2.3.2", "key-1")->result,
                     TARGET_REJECTED);
    expect_live(stage, "2.4.0", 0);
}

/* --- Trouble -------------------------------------------------------------- */

static enum target_result usual_result(enum trouble trouble)
{
    return trouble == TROUBLE_REDIRECT ? TARGET_REJECTED : TARGET_UNCLEAR;
}

static void in_trouble_nothing_is_believed(void **state)
{
    struct stage *stage = *state;

    for (int i = TROUBLE_HANG; i < TROUBLE_LAST; i++) {
        enum trouble trouble = (enum trouble)i;

        kind->set_trouble(stage->world, trouble, false);
        assert_int_equal(observe(stage)->result, usual_result(trouble));
        if (trouble != TROUBLE_PAGE && trouble != TROUBLE_NAN) {
            assert_int_equal(has(stage, "2.3.2")->result, TARGET_UNCLEAR);
        }
    }
    expect_live(stage, "2.4.0", 0);
}

static void trouble_is_told_in_words(void **state)
{
    static const struct {
        enum trouble trouble;
        const char *words;
    } wanted[] = {
        {TROUBLE_PAGE, "this is a page, not JSON; is the address right?"},
        {TROUBLE_NAN, "this is not JSON"},
        {TROUBLE_REDIRECT, "redirects are not followed"},
        {TROUBLE_ERROR, "500"},
        {TROUBLE_DOWN, "503"},
        {TROUBLE_BUSY, "429"},
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct told *told = NULL;

        kind->set_trouble(stage->world, wanted[i].trouble, false);
        told = observe(stage);
        assert_non_null(strstr(told->text, wanted[i].words));
        assert_int_equal(strncmp(told->text, "GET http://127.0.0.1:", 21), 0);
    }
}

/* Whatever the API's trouble is: one call, no second one by itself, nothing
 * taken for a yes that was none. */
static void a_revert_in_trouble_is_unclear_and_sent_once(void **state)
{
    struct stage *stage = *state;

    for (int i = TROUBLE_HANG; i < TROUBLE_LAST; i++) {
        enum trouble trouble = (enum trouble)i;
        int calls = *kind->calls(stage->world);

        if (trouble == TROUBLE_PAGE || trouble == TROUBLE_NAN) {
            continue; /* its words do not matter: the status says yes */
        }
        kind->set_trouble(stage->world, trouble, false);
        assert_int_equal(revert(stage, "2.4.0", "2.3.2", "key-1")->result,
                         usual_result(trouble));
        assert_int_equal(*kind->calls(stage->world), calls + 1);
    }
    expect_live(stage, "2.4.0", 0);
}

/* It did what we asked, and we could not know: the retry is the same key. */
static void what_happened_unseen_happens_once(void **state)
{
    static const enum trouble troubles[] = {
        TROUBLE_HANG,  TROUBLE_CLOSE, TROUBLE_CUT,  TROUBLE_CUT_HEAD,
        TROUBLE_LARGE, TROUBLE_ERROR, TROUBLE_DOWN, TROUBLE_BUSY};
    struct stage *stage = *state;

    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "key-%zu", i);
        kind->set_live(stage->world, "2.4.0", true);
        kind->set_trouble(stage->world, troubles[i], true);
        assert_int_equal(revert(stage, "2.4.0", "2.3.2", key)->result,
                         TARGET_UNCLEAR);
        expect_live(stage, "2.3.2", (int)i + 1);
        kind->set_trouble(stage->world, TROUBLE_NONE, false);
        assert_int_equal(revert(stage, "2.4.0", "2.3.2", key)->result,
                         TARGET_ACCEPTED);
        expect_live(stage, "2.3.2", (int)i + 1);
    }
}

/* --- The end -------------------------------------------------------------- */

static void closing_says_nothing_and_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    struct effect effect = make_effect(stage, EFFECT_REVERT);

    kind->set_trouble(stage->world, TROUBLE_SLOW, true);
    (void)strcpy(effect.target.suspect, "2.4.0");
    (void)strcpy(effect.target.target, "2.3.2");
    stage->target->ops->revert(stage->target, &effect);
    stage->target->ops->observe(stage->target, &effect);
    stage->target->ops->close(stage->target);
    stage->target = NULL;
    assert_int_equal(stage->driver.told_count, 0);
}

int main(int argc, char **argv)
{
    static const struct world_kind *const kinds[] = {&world_http};
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_sees_what_is_live_and_whether_it_is_complete),
        TEST(it_knows_which_versions_are_there),
        TEST(it_puts_the_target_live_once),
        TEST(the_same_key_twice_is_one_deploy),
        TEST(names_with_odd_letters_arrive_as_they_are),
        TEST(a_slow_answer_is_waited_for),
        TEST(answers_carry_the_id_of_their_question),
        TEST(somebody_was_faster),
        TEST(a_version_that_is_not_there_is_rejected),
        TEST(an_api_that_wants_a_key_refuses_without),
        TEST(without_the_token_nothing_works_and_it_says_so),
        TEST(in_trouble_nothing_is_believed),
        TEST(trouble_is_told_in_words),
        TEST(a_revert_in_trouble_is_unclear_and_sent_once),
        TEST(what_happened_unseen_happens_once),
        TEST(closing_says_nothing_and_leaves_nothing),
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (argc == 2 && strcmp(argv[1], kinds[i]->name) == 0) {
            kind = kinds[i];
        }
    }
    if (kind == NULL) {
        (void)fprintf(stderr, "usage: %s http\n", argv[0]);
        return 2;
    }
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
