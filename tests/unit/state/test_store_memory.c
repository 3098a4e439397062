/* What the store in memory has beyond the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "state/store.h"

static void it_fails_as_often_as_it_was_told(void **state)
{
    struct store *store = store_memory_open();
    const struct entry entry = {
        .sequence = 1, .kind = RECORD_STARTED, .payload = "{}", .length = 2};
    unsigned char chain[CHAIN_BYTES];
    char error[256] = "";
    uint64_t head = 7;
    (void)state;
    store_memory_fail(store, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            store->ops->append(store, &entry, 1, error, sizeof error),
            STORE_UNAVAILABLE);
        assert_non_null(strstr(error, "it was told to fail"));
    }
    assert_int_equal(store->ops->head(store, &head, chain, error, sizeof error),
                     STORE_OK);
    assert_int_equal(head, 0);
    assert_int_equal(store->ops->append(store, &entry, 1, error, sizeof error),
                     STORE_OK);
    store->ops->close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_fails_as_often_as_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
