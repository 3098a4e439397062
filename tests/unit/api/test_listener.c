/* Sockets that listen: ports, stale socket files, modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/api/listener.h"

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/lastgood-listener-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void a_taken_port_says_so(void **state)
{
    char error[256] = "";
    int port = 0, other = 0;
    int fd = listener_tcp("127.0.0.1", 0, &port, error, sizeof(error));

    (void)state;
    assert_true(fd >= 0);
    assert_true(port > 0);
    assert_int_equal(
        listener_tcp("127.0.0.1", port, &other, error, sizeof(error)), -1);
    assert_non_null(strstr(error, "is another lastgood running?"));
    (void)close(fd);
}

static void an_address_of_nobody_says_so(void **state)
{
    char error[256] = "";
    int port = 0;

    (void)state;
    assert_int_equal(listener_tcp("192.0.2.1", 0, &port, error, sizeof(error)),
                     -1);
    assert_non_null(strstr(error, "192.0.2.1"));
}

static void a_socket_file_is_for_owner_and_group(void **state)
{
    char error[256] = "";
    struct stat status;
    int fd = listener_unix(path, error, sizeof(error));

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    (void)close(fd);
}

static void a_dead_socket_is_replaced_a_living_one_is_not(void **state)
{
    char error[256] = "";
    int first = listener_unix(path, error, sizeof(error));
    int second = -1;

    (void)state;
    assert_true(first >= 0);
    assert_int_equal(listener_unix(path, error, sizeof(error)), -1);
    assert_non_null(strstr(error, "somebody answers"));
    (void)close(first); /* the file stays: that is what a crash leaves */
    second = listener_unix(path, error, sizeof(error));
    assert_true(second >= 0);
    (void)close(second);
}

static void a_file_of_another_kind_is_left_alone(void **state)
{
    char error[256] = "";
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(listener_unix(path, error, sizeof(error)), -1);
    assert_non_null(strstr(error, "is no socket"));
    assert_int_equal(access(path, F_OK), 0);
}

static void a_missing_folder_says_so(void **state)
{
    char error[256] = "";

    (void)state;
    assert_int_equal(
        listener_unix("/nonexistent/lastgood.sock", error, sizeof(error)), -1);
    assert_non_null(strstr(error, "/nonexistent/lastgood.sock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_port_says_so),
        cmocka_unit_test(an_address_of_nobody_says_so),
        cmocka_unit_test_setup_teardown(a_socket_file_is_for_owner_and_group,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            a_dead_socket_is_replaced_a_living_one_is_not, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(a_file_of_another_kind_is_left_alone,
                                        make_folder, remove_folder),
        cmocka_unit_test(a_missing_folder_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
