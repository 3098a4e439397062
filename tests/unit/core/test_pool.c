#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/core/pool.h"

struct thing {
    uint64_t id, value;
};

static struct thing *add(struct pool *pool, uint64_t id)
{
    struct thing *thing = pool_add(pool, id);
    if (thing) {
        assert_int_equal(thing->id, 0); /* zeroed, also when used before */
        thing->id = id;
        thing->value = id * 10;
    }
    return thing;
}

static void things_are_found_by_id_and_walked_in_order(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, sizeof(struct thing), 4);
    for (uint64_t id = 3; id < 15; id += 3) {
        assert_non_null(add(&pool, id));
    }
    assert_null(pool_add(&pool, 15)); /* full */
    assert_null(pool_find(&pool, 4));
    const struct thing *found = pool_find(&pool, 9);
    assert_int_equal(found->value, 90);
    for (uint32_t i = 0; i < pool.count; i++) {
        const struct thing *thing = pool_at(&pool, i);
        assert_int_equal(thing->id, 3 * (i + 1));
    }
    pool_release(&pool);
}

static void a_removed_slot_is_used_again_and_others_stay(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, sizeof(struct thing), 3);
    add(&pool, 1);
    const struct thing *kept = add(&pool, 2);
    add(&pool, 3);
    uint64_t next = 4;
    for (int round = 0; round < 20; round++) {
        uint32_t at = (uint32_t)round % 3;
        const struct thing *gone = pool_at(&pool, at);
        if (gone == kept) {
            gone = pool_at(&pool, (at + 1) % 3);
        }
        pool_remove(&pool, gone->id);
        assert_non_null(add(&pool, next++));
        assert_ptr_equal(pool_find(&pool, 2), kept);
        assert_int_equal(kept->value, 20);
        assert_int_equal(pool.count, 3);
    }
    assert_true(pool_slot(&pool, kept) < 3);
    pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_are_found_by_id_and_walked_in_order),
        cmocka_unit_test(a_removed_slot_is_used_again_and_others_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
