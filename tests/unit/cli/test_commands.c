/* Every command against a scripted server: what it asks, what it prints, and
 * its exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "help_program.h"

static struct ran ran;

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' does not say '%s'", text, part);
    }
}

static void answers(int status, const char *body)
{
    struct scripted script = {status, body};

    server_start(&script, 1);
}

#define PROBLEM(code, text)                                                    \
    "{\"type\":\"urn:lastgood:problem:" code "\",\"title\":\"T\","             \
    "\"status\":0,\"code\":\"" code "\",\"detail\":\"" text "\"}"

/* --- Nobody there --------------------------------------------------------- */

static void nobody_answers_is_one_clear_line(void **state)
{
    (void)state;
    (void)setenv("LASTGOOD_SERVER", "http://127.0.0.1:1", 1);
    run_program(&ran, "status", NULL);
    assert_int_equal(ran.code, 1);
    assert_string_equal(
        ran.err,
        "lastgood status: no lastgood answers at http://127.0.0.1:1: is "
        "'lastgood serve' running? (--server or LASTGOOD_SERVER names "
        "another)\n");
    run_program(&ran, "status", "--server", "unix:/nonexistent/s", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "no lastgood answers at unix:/nonexistent/s");
    run_program(&ran, "status", "--server", "ftp://x", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "'ftp://x' is no server's address");
}

static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    answers(200, "<html>hello</html>");
    run_program(&ran, "status", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "not in lastgood's words");
    answers(0, "");
    run_program(&ran, "status", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
}

/* --- register ------------------------------------------------------------- */

#define REGISTERED(outcome, watched)                                           \
    "{\"outcome\":\"" outcome "\",\"code\":null,\"text\":\"what came of it\",\
\"release\":\"7\",\"watched\":" watched "}"

static void register_posts_what_was_given(void **state)
{
    (void)state;
    answers(201, REGISTERED("done", "true"));
    run_program(&ran, "register", "user-service", "2.4.0", "--environment",
                "production", "--previous", "2.3.2", "--data-change", "none",
                "--label", "team=x", "--label", "tier=1", "--key", "k1",
                "--deployed-at", "2024-09-18T14:20:00Z", "--kind", "app",
                "--rollback-compatible-from", "2.3.0", NULL);
    assert_int_equal(ran.code, 0);
    assert_string_equal(ran.out, "release 7: what came of it\n");
    says(server_finish(),
         "POST /v1/releases {\"service\":\"user-service\",\"environment\":"
         "\"production\",\"version\":\"2.4.0\",\"deployed_at\":"
         "\"2024-09-18T14:20:00Z\",\"previous\":\"2.3.2\",\"kind\":\"app\","
         "\"data_change\":\"none\",\"rollback_compatible_from\":\"2.3.0\","
         "\"labels\":{\"team\":\"x\",\"tier\":\"1\"}} [Lastgood-By: cli:");
}

static void register_sends_the_key(void **state)
{
    (void)state;
    answers(200, REGISTERED("already", "true"));
    run_program(&ran, "register", "a", "1", "--environment", "p", "--key",
                "build-17", NULL);
    assert_int_equal(ran.code, 0);
    assert_string_equal(ran.out, "release 7: what came of it\n");
    says(server_finish(), "[Idempotency-Key: build-17]");
}

static void register_of_an_unwatched_release_is_4(void **state)
{
    (void)state;
    answers(201, REGISTERED("unwatched", "false"));
    run_program(&ran, "register", "a", "1", "--environment", "p", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 4);
    assert_string_equal(ran.out, "release 7: what came of it\n");
    answers(200, REGISTERED("already", "false"));
    run_program(&ran, "register", "a", "1", "--environment", "p", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 4);
    assert_string_equal(ran.out,
                        "release 7: what came of it; it is not watched\n");
}

static void register_sends_nothing_that_is_no_text(void **state)
{
    (void)state;
    (void)setenv("LASTGOOD_SERVER", "http://127.0.0.1:1", 1);
    run_program(&ran, "register", "a", "1", "--environment", "p", "--label",
                "team=\xff", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "an argument is not UTF-8 text");
    run_program(&ran, "register", "a", "1", "--environment", "p", "--label",
                "team=x", "--label", "team=y", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--label team=y: this name is given twice");
    run_program(&ran, "register", "a", "1", "--environment", "p", "--kind",
                "\xff", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "an argument is not UTF-8 text");
    run_program(&ran, "register", "a", "1", "--environment", "p", "--key",
                "k\r\nLastgood-By: root", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--key holds a control character");
    run_program(&ran, "gate", "a", "--environment", "p", "--intent", "\xff",
                NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "an argument is not UTF-8 text");
}

static void register_that_is_refused_is_1(void **state)
{
    (void)state;
    answers(409, PROBLEM("key_used", "the key was used for another body"));
    run_program(&ran, "register", "a", "1", "--environment", "p", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "lastgood register: the key was used for another body");
}

static void register_reads_a_body_from_a_file(void **state)
{
    char path[] = "/tmp/lastgood-body-XXXXXX";
    int fd = mkstemp(path);
    static const char body[] = "{\"service\": \"a\", \"x\": 1}";

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, body, sizeof(body) - 1), sizeof(body) - 1);
    (void)close(fd);
    answers(201, REGISTERED("done", "true"));
    run_program(&ran, "register", "--body", path, NULL);
    assert_int_equal(ran.code, 0);
    says(server_finish(), "POST /v1/releases {\"service\":\"a\",\"x\":1}");
    run_program(&ran, "register", "a", "--body", path, NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "leave 'a' out");
    run_program(&ran, "register", "--body", path, "--kind", "x", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "leave --kind out");
    (void)unlink(path);
    run_program(&ran, "register", "--body", path, NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "No such file");
}

static void register_needs_its_words(void **state)
{
    (void)state;
    run_program(&ran, "register", "a", "--environment", "p", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "usage: lastgood register SERVICE VERSION");
    run_program(&ran, "register", "a", "1", NULL);
    assert_int_equal(ran.code, 1);
    run_program(&ran, "register", "a", "1", "--environment", "p", "--label",
                "novalue", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "NAME=VALUE");
}

/* --- gate ----------------------------------------------------------------- */

#define GATE_GO "{\"gate\":\"go\",\"code\":\"go\",\"text\":\"go on\"}"
#define GATE_NO(gate, code, text)                                              \
    "{\"gate\":\"" gate "\",\"code\":\"" code "\",\"detail\":\"" text "\"}"

static void gate_exit_codes_are_the_products(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *when_unknown;
        int code;
        const char *out;
    } rows[] = {
        {200, GATE_GO, "stop", 0, "go: go on\n"},
        {423, GATE_NO("refused", "frozen", "until noon"), "go", 3,
         "refused: until noon\n"},
        {404, GATE_NO("unknown", "unknown_service", "never heard"), NULL, 4,
         "unknown: never heard\n"},
        {404, GATE_NO("unknown", "unknown_service", "never heard"), "go", 0,
         "unknown: never heard\n"},
        {404, GATE_NO("unknown", "unknown_service", "never heard"), "stop", 3,
         "unknown: never heard\n"},
        {503, GATE_NO("unknown", "not_ready", "disk full"), NULL, 4,
         "unknown: disk full\n"},
        {500, "<html>proxy</html>", NULL, 4, "not in lastgood's words"},
        {400, PROBLEM("bad_value", "service must be a name"), "go", 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        answers(rows[i].status, rows[i].body);
        if (rows[i].when_unknown != NULL) {
            run_program(&ran, "gate", "a", "--environment", "p",
                        "--when-unknown", rows[i].when_unknown, NULL);
        } else {
            run_program(&ran, "gate", "a", "--environment", "p", NULL);
        }
        says(server_finish(), "GET /v1/gate?service=a&environment=p");
        assert_int_equal(ran.code, rows[i].code);
        says(ran.out, rows[i].out);
    }
}

static void gate_without_an_answer_is_unknown(void **state)
{
    (void)state;
    (void)setenv("LASTGOOD_SERVER", "http://127.0.0.1:1", 1);
    run_program(&ran, "gate", "a", "--environment", "p", NULL);
    assert_int_equal(ran.code, 4);
    says(ran.out, "unknown: no lastgood answers");
    run_program(&ran, "gate", "a", "--environment", "p", "--when-unknown", "go",
                NULL);
    assert_int_equal(ran.code, 0);
    run_program(&ran, "gate", "a", "--environment", "p", "--format", "json",
                NULL);
    assert_int_equal(ran.code, 4);
    says(ran.out, "\"gate\": \"unknown\"");
}

static void gate_with_a_wrong_address_is_an_error(void **state)
{
    (void)state;
    run_program(&ran, "gate", "a", "--environment", "p", "--server", "here",
                "--when-unknown", "go", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "'here' is no server's address");
    run_program(&ran, "wait", "7", "--server", "here", NULL);
    assert_int_equal(ran.code, 1);
}

static void gate_announces_and_overrides(void **state)
{
    (void)state;
    answers(200, GATE_GO);
    run_program(&ran, "gate", "a", "--environment", "p", "--intent", "2", NULL);
    assert_int_equal(ran.code, 0);
    says(server_finish(), "POST /v1/gate {\"service\":\"a\",\"environment\":"
                          "\"p\",\"version\":\"2\",\"intent\":true}");
    answers(200, GATE_GO);
    run_program(&ran, "gate", "a", "--environment", "p", "--version", "2",
                "--override", "--reason", "fix", NULL);
    assert_int_equal(ran.code, 0);
    says(server_finish(), "\"override\":true,\"reason\":\"fix\"}");
    run_program(&ran, "gate", "a", "--environment", "p", "--version", "2",
                "--override", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--override needs --reason");
    run_program(&ran, "gate", "a", "--environment", "p", "--override",
                "--reason", "fix", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--override needs --version");
}

/* --- wait ----------------------------------------------------------------- */

#define READY "{\"status\":\"ready\"}"
#define RELEASE(state, grade)                                                  \
    "{\"id\":\"7\",\"service\":\"a\",\"version\":\"1\",\"environment\":\"p\"," \
    "\"state\":\"" state "\",\"grade\":\"" grade "\",\"verdict\":null,"        \
    "\"healthy_ms\":60000,\"lasts_ms\":3600000}"

static void wait_exit_codes_are_the_products(void **state)
{
    static const struct {
        const char *body;
        const char *grade;
        int code;
    } rows[] = {
        {RELEASE("watching", "provisional"), "provisional", 0},
        {RELEASE("good", "good"), "good", 0},
        {RELEASE("superseded", "provisional"), "provisional", 0},
        {RELEASE("reverted", "tainted"), "provisional", 2},
        {RELEASE("held", "none"), "provisional", 2},
        {RELEASE("suspect", "tainted"), "provisional", 2},
        {RELEASE("watching", "none"), "provisional", 3},
        {RELEASE("reverting", "tainted"), "provisional", 3},
        {RELEASE("suspect", "provisional"), "provisional", 3},
        {RELEASE("watching", "provisional"), "good", 3},
        {RELEASE("superseded", "none"), "provisional", 4},
        {RELEASE("superseded", "provisional"), "good", 4},
        {RELEASE("unwatched", "none"), "provisional", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct scripted script[] = {{200, rows[i].body}, {200, READY}};

        server_start(script, rows[i].code == 0 ? 2 : 1);
        run_program(&ran, "wait", "7", "--for", rows[i].grade, "--timeout",
                    "0s", NULL);
        says(server_finish(), "GET /v1/releases/7 ");
        if (ran.code != rows[i].code) {
            fail_msg("%s: %d, not %d", rows[i].body, ran.code, rows[i].code);
        }
        says(ran.out, "a 1 in p: ");
    }
}

static void wait_goes_on_while_the_controller_restarts(void **state)
{
    static const struct scripted script[] = {
        {503, PROBLEM("not_ready", "recovering")},
        {200, RELEASE("good", "good")},
        {200, READY},
    };

    (void)state;
    server_start(script, 3);
    run_program(&ran, "wait", "7", "--timeout", "1m", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 0);
    assert_string_equal(ran.err, "lastgood wait: recovering; asking again\n");
}

/* What cannot be recorded is no promise: nothing goes forward without a disk.
 */
static void wait_believes_no_grade_that_is_not_durable(void **state)
{
    static const struct scripted script[] = {
        {200, RELEASE("good", "good")},
        {503, PROBLEM("not_ready", "the disk is full")},
        {200, RELEASE("good", "good")},
        {200, READY},
    };
    const char *asked = NULL;

    (void)state;
    server_start(script, 4);
    run_program(&ran, "wait", "7", "--timeout", "1m", NULL);
    asked = server_finish();
    assert_int_equal(ran.code, 0);
    says(asked, "GET /healthz");
    assert_string_equal(ran.err,
                        "lastgood wait: the disk is full; asking again\n");
}

static void wait_for_nothing_is_an_error(void **state)
{
    (void)state;
    answers(404, PROBLEM("no_such_release", "there is no release 7"));
    run_program(&ran, "wait", "7", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    run_program(&ran, "wait", "7", "--timeout", "soon", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "write a time like 90s");
    run_program(&ran, "wait", "7", "--for", "ever", NULL);
    assert_int_equal(ran.code, 1);
    run_program(&ran, "wait", "a", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "say --environment ENV too");
}

static void wait_finds_a_release_by_its_version(void **state)
{
    static const struct scripted script[] = {
        {200, "{\"releases\":[{\"id\":\"7\"}]}"},
        {200, RELEASE("good", "good")},
        {200, READY},
    };
    const char *asked = NULL;

    (void)state;
    server_start(script, 3);
    run_program(&ran, "wait", "a/b", "1+2", "--environment", "p", NULL);
    asked = server_finish();
    assert_int_equal(ran.code, 0);
    says(asked, "GET /v1/releases?limit=1&service=a%2Fb&environment=p&version="
                "1%2B2");
    answers(200, "{\"releases\":[]}");
    run_program(&ran, "wait", "a", "9", "--environment", "p", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "no release 9 of a in p is known");
}

/* --- Orders --------------------------------------------------------------- */

#define DONE "{\"outcome\":\"done\",\"text\":\"it is so\"}"

static void orders_post_their_reason(void **state)
{
    (void)state;
    answers(200, DONE);
    run_program(&ran, "hold", "7", "--reason", "why not", NULL);
    assert_int_equal(ran.code, 0);
    assert_string_equal(ran.out, "it is so\n");
    says(server_finish(), "POST /v1/releases/7/hold {\"reason\":\"why not\"}");
    answers(200, DONE);
    run_program(&ran, "resume", "7", "--reason", "r", NULL);
    says(server_finish(), "POST /v1/releases/7/resume ");
    answers(202, DONE);
    run_program(&ran, "rollback", "7", "--reason", "r", "--format", "json",
                NULL);
    assert_int_equal(ran.code, 0);
    says(ran.out, "\"outcome\": \"done\"");
    says(server_finish(), "POST /v1/releases/7/rollback ");
    answers(200, DONE);
    run_program(&ran, "close", "9", "--reason", "r", NULL);
    assert_int_equal(ran.code, 0);
    says(server_finish(), "POST /v1/incidents/9/close {\"reason\":\"r\"}");
    run_program(&ran, "close", "user-service", "--reason", "r", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "incident is its number");
    answers(201, DONE);
    run_program(&ran, "adopt", "a", "1", "--environment", "p", "--reason", "r",
                NULL);
    says(server_finish(), "POST /v1/adoptions {\"service\":\"a\","
                          "\"environment\":\"p\",\"version\":\"1\","
                          "\"reason\":\"r\"}");
    answers(201, DONE);
    run_program(&ran, "freeze", "a", "--environment", "p", "--reason", "r",
                "--for", "2h", NULL);
    says(server_finish(), "POST /v1/freezes {\"service\":\"a\","
                          "\"environment\":\"p\",\"for\":\"2h\","
                          "\"reason\":\"r\"}");
    answers(200, DONE);
    run_program(&ran, "thaw", "a", "--environment", "p", "--reason", "r", NULL);
    says(server_finish(), "POST /v1/thaw {\"service\":\"a\",");
}

static void a_yes_needs_no_reason_and_a_no_does(void **state)
{
    (void)state;
    answers(202, DONE);
    run_program(&ran, "approve", "57", NULL);
    says(server_finish(), "POST /v1/rollbacks/57/approve {\"reason\":");
    answers(200, DONE);
    run_program(&ran, "cancel", "57", "--reason", "load test", NULL);
    says(server_finish(),
         "POST /v1/rollbacks/57/cancel {\"reason\":\"load test\"}");
    answers(200, DONE);
    run_program(&ran, "mute", "7", "--for", "1h", "--reason", "r", NULL);
    says(server_finish(), "POST /v1/releases/7/mute "
                          "{\"reason\":\"r\",\"for\":\"1h\"}");
    run_program(&ran, "approve", "shop", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "rollback is its number; 'lastgood status' shows it");
}

static void orders_need_a_reason_and_a_place(void **state)
{
    static const char *const verbs[] = {"hold",  "resume", "rollback",
                                        "close", "cancel", "mute"};

    (void)state;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        run_program(&ran, verbs[i], "7", NULL);
        assert_int_equal(ran.code, 1);
        says(ran.err, "--reason TEXT is needed");
    }
    run_program(&ran, "freeze", "a", "--environment", "p", NULL);
    assert_int_equal(ran.code, 1);
    run_program(&ran, "thaw", "a", "--reason", "r", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--environment ENV is needed");
    answers(422, PROBLEM("no_last_good", "there is no last good version"));
    run_program(&ran, "rollback", "7", "--reason", "r", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "lastgood rollback: there is no last good version");
}

/* --- status and why ------------------------------------------------------- */

static const char status_answer[] =
    "{\"version\":\"0.1.0\",\"ready\":true,\"ceiling\":\"auto\","
    "\"stopped\":false,\"counts\":{\"services\":3,\"watched\":1,"
    "\"incidents_open\":1,\"rollbacks_under_way\":0,\"blind\":0},"
    "\"policy_problems\":[{\"kind\":\"error\",\"path\":\"p.yaml\",\"line\":3,"
    "\"text\":\"unknown signal\"}],\"cut\":false,"
    "\"heartbeat\":{\"sent_at\":\"2024-09-18T14:23:00Z\",\"taken_at\":null,"
    "\"fails\":true},\"undelivered\":[{\"at\":\"2024-09-18T14:20:00Z\","
    "\"sink\":\"oncall\",\"text\":\"pool\\u001b full\",\"why\":\"404 Not "
    "Found\"},{\"at\":\"2024-09-18T13:00:00Z\",\"sink\":\"oncall\","
    "\"text\":\"x\",\"why\":\"y\"}],\"services\":["
    "{\"service\":\"user-service\",\"environment\":\"production\","
    "\"live\":\"2.3.2\",\"release\":{\"state\":\"good\",\"grade\":\"good\","
    "\"healthy_ms\":86400000,\"lasts_ms\":86400000,"
    "\"verdict\":{\"verdict\":\"healthy\"}},"
    "\"gate\":{\"gate\":\"refused\",\"code\":\"frozen\"},"
    "\"subject\":{\"release_id\":\"7\",\"version\":\"2.4.0\",\"incident_id\":"
    "\"9\"},\"happened\":\"pool ran full\",\"did\":\"was rolled back\","
    "\"needs\":[\"a fix\\u001b[2J\"],\"frozen\":\"until noon\"},"
    "{\"service\":\"b\",\"environment\":\"p\",\"live\":\"1\","
    "\"release\":{\"state\":\"unwatched\",\"grade\":\"none\"},"
    "\"gate\":{\"gate\":\"go\"},\"subject\":null,\"happened\":null,"
    "\"did\":null,\"needs\":[],\"frozen\":null},"
    "{\"service\":\"c\",\"environment\":\"p\",\"live\":\"2\","
    "\"release\":{\"state\":\"watching\",\"grade\":\"none\","
    "\"healthy_ms\":61000,\"lasts_ms\":86400000},"
    "\"gate\":{\"gate\":\"go\"},\"subject\":null,\"happened\":null,"
    "\"did\":null,\"needs\":[],\"frozen\":null}]}";

static void status_is_an_aligned_table_without_surprises(void **state)
{
    (void)state;
    answers(200, status_answer);
    run_program(&ran, "status", "user-service", "--environment", "p", NULL);
    says(server_finish(), "GET /v1/status?service=user-service&environment=p");
    assert_int_equal(ran.code, 0);
    assert_string_equal(
        ran.out,
        "lastgood 0.1.0: ready, ceiling auto\n"
        "3 services, 1 release watched, 1 incident open\n"
        "policy error p.yaml:3: unknown signal\n"
        "nobody was told at 2024-09-18T14:20:00Z by oncall: pool\\x1b full "
        "(404 Not Found)\n"
        "  and 1 more in the last day: --format json lists them\n"
        "the heartbeat is not taken: the last time never\n"
        "\n"
        "SERVICE       ENVIRONMENT  LIVE   STATE      GRADE  WATCH        "
        "VERDICT  GATE\n"
        "user-service  production   2.3.2  good       good   -            "
        "healthy  frozen\n"
        "b             p            1      unwatched  none   -            "
        "-        go\n"
        "c             p            2      watching   none   1m 1s of 1d  "
        "-        go\n"
        "\n"
        "user-service in production, release 7, incident 9\n"
        "  happened  pool ran full\n"
        "  did       was rolled back\n"
        "  needs     a fix\\x1b[2J\n"
        "  frozen    until noon\n"
        "\n"
        "1 service is not watched: no policy's applies_to matches\n"
        "needs you: the policies, a notice that nobody got, user-service in "
        "production\n");
}

static void status_of_nothing_says_what_next(void **state)
{
    (void)state;
    answers(200, "{\"version\":\"0.1.0\",\"ready\":false,\"why_not\":\"disk "
                 "full\",\"ceiling\":\"observe\",\"stopped\":true,"
                 "\"services\":[]}");
    run_program(&ran, "status", NULL);
    (void)server_finish();
    says(ran.out, "not ready: disk full, ceiling observe (the STOP file "
                  "stands)");
    says(ran.out, "'lastgood register --help'");
}

static void a_calm_fleet_needs_nobody(void **state)
{
    (void)state;
    answers(200, "{\"version\":\"0.1.0\",\"ready\":true,\"ceiling\":\"auto\","
                 "\"counts\":{\"services\":1},\"services\":[{\"service\":\"a\","
                 "\"environment\":\"p\",\"live\":\"1\",\"release\":{\"state\":"
                 "\"good\",\"grade\":\"good\"},\"gate\":{\"gate\":\"go\"},"
                 "\"happened\":\"x\",\"needs\":[]}]}");
    run_program(&ran, "status", NULL);
    (void)server_finish();
    assert_string_equal(ran.out,
                        "lastgood 0.1.0: ready, ceiling auto\n"
                        "1 service\n"
                        "\n"
                        "SERVICE  ENVIRONMENT  LIVE  STATE  GRADE  WATCH  "
                        "VERDICT  GATE\n"
                        "a        p            1     good   good   -      "
                        "-        go\n"
                        "\n"
                        "a in p\n"
                        "  happened  x\n"
                        "  needs     nothing from you now\n"
                        "\n"
                        "nothing needs you\n");
}

static void status_says_which_brakes_are_on(void **state)
{
#define SERVICE(name, brakes)                                                  \
    "{\"service\":\"" name                                                     \
    "\",\"environment\":\"p\",\"live\":\"1\",\"needs\":"                       \
    "[],\"brakes\":[" brakes "]}"
#define STOP "{\"code\":\"stop\",\"text\":\"the STOP file stands\"}"

    (void)state;
    answers(200, "{\"version\":\"0.1.0\",\"ready\":true,\"ceiling\":\"auto\","
                 "\"services\":[" SERVICE("a", STOP) "," SERVICE(
                     "b", STOP ",{\"code\":\"no_last_good\",\"text\":\"adopt "
                               "one\"}") "]}");
    run_program(&ran, "status", NULL);
    (void)server_finish();
    says(ran.out, "\nbrakes that are on: no policy would roll back\n"
                  "  stop          2 services\n"
                  "                the STOP file stands\n"
                  "  no_last_good  b in p\n"
                  "                adopt one\n");
}

static void status_of_an_unknown_service_is_an_error(void **state)
{
    (void)state;
    answers(200, "{\"version\":\"0.1.0\",\"ready\":true,\"services\":[]}");
    run_program(&ran, "status", "a", "--environment", "p", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    assert_string_equal(ran.out, "");
    assert_string_equal(ran.err, "lastgood status: a in p is not known here; "
                                 "'lastgood status' shows what is\n");
}

static void why_begins_with_what_happened(void **state)
{
    (void)state;
    answers(200,
            "{\"sentence\":\"not shown\",\"release\":{\"service\":\"a\","
            "\"version\":\"1\",\"environment\":\"p\"},\"subject\":{"
            "\"release_id\":\"7\",\"incident_id\":\"9\"},\"happened\":\"it "
            "broke\",\"did\":\"rolled back\",\"needs\":[\"a look\"],"
            "\"explanation\":{\"verdict\":\"rollback\",\"signals\":[{\"name\":"
            "\"used\",\"value\":5,\"from\":\"scrape\",\"query\":\"u\"}]},"
            "\"timeline\":[{\"at\":\"2024-09-18T14:20:00Z\","
            "\"since_deploy_ms\":0,\"text\":\"registered\"}]}");
    run_program(&ran, "why", "7", NULL);
    (void)server_finish();
    assert_int_equal(ran.code, 0);
    assert_memory_equal(ran.out,
                        "a 1 in p, release 7, incident 9\n"
                        "  happened  it broke\n"
                        "  did       rolled back\n"
                        "  needs     a look\n"
                        "\n"
                        "rollback\n",
                        96);
    assert_null(strstr(ran.out, "not shown"));
    assert_true(strstr(ran.out, "registered") < strstr(ran.out, "\nsignals\n"));
}

static void why_prints_sentence_and_timeline(void **state)
{
    (void)state;
    answers(200,
            "{\"sentence\":\"a 1 in p: rolled back to 0: recovered\","
            "\"explanation\":null,\"cut\":true,\"timeline\":["
            "{\"at\":\"2024-09-18T14:20:00Z\",\"since_deploy_ms\":130000,"
            "\"by\":null,\"state\":\"rollback\",\"text\":\"verdict\"},"
            "{\"at\":\"2024-09-18T14:20:01.250Z\",\"since_deploy_ms\":-5000,"
            "\"by\":\"cli:root\",\"state\":null,\"text\":\"asked\"},"
            "{\"at\":\"2024-09-19T00:00:00Z\",\"since_deploy_ms\":34200000,"
            "\"text\":\"a sentence that is longer than a line of one hundred "
            "columns and so it goes on below\"}]}");
    run_program(&ran, "why", "a", "--environment", "p", NULL);
    says(server_finish(), "GET /v1/why?service=a&environment=p");
    assert_int_equal(ran.code, 0);
    assert_string_equal(
        ran.out,
        "a 1 in p: rolled back to 0: recovered\n"
        "\n"
        "2024-09-18 (what was before is left out)\n"
        "14:20:00Z    +2m 10s  verdict\n"
        "14:20:01Z        -5s  asked (cli:root)\n"
        "\n"
        "2024-09-19\n"
        "00:00:00Z    +9h 30m  a sentence that is longer than a line of one "
        "hundred columns and so it goes on\n"
        "                      below\n");
    answers(404, PROBLEM("no_such_release", "there is no release 7"));
    run_program(&ran, "why", "7", NULL);
    says(server_finish(), "GET /v1/releases/7/why");
    assert_int_equal(ran.code, 1);
}

static void formats_are_text_or_json(void **state)
{
    (void)state;
    run_program(&ran, "status", "--format", "xml", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--format is text or json");
}

static int no_environment(void **state)
{
    (void)state;
    return unsetenv("LASTGOOD_SERVER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_answers_is_one_clear_line),
        cmocka_unit_test(a_stranger_is_not_believed),
        cmocka_unit_test(register_posts_what_was_given),
        cmocka_unit_test(register_sends_the_key),
        cmocka_unit_test(register_of_an_unwatched_release_is_4),
        cmocka_unit_test(register_sends_nothing_that_is_no_text),
        cmocka_unit_test(register_that_is_refused_is_1),
        cmocka_unit_test(register_reads_a_body_from_a_file),
        cmocka_unit_test(register_needs_its_words),
        cmocka_unit_test(gate_exit_codes_are_the_products),
        cmocka_unit_test(gate_without_an_answer_is_unknown),
        cmocka_unit_test(gate_with_a_wrong_address_is_an_error),
        cmocka_unit_test(gate_announces_and_overrides),
        cmocka_unit_test(wait_exit_codes_are_the_products),
        cmocka_unit_test(wait_believes_no_grade_that_is_not_durable),
        cmocka_unit_test(wait_goes_on_while_the_controller_restarts),
        cmocka_unit_test(wait_for_nothing_is_an_error),
        cmocka_unit_test(wait_finds_a_release_by_its_version),
        cmocka_unit_test(orders_post_their_reason),
        cmocka_unit_test(a_yes_needs_no_reason_and_a_no_does),
        cmocka_unit_test(orders_need_a_reason_and_a_place),
        cmocka_unit_test(status_is_an_aligned_table_without_surprises),
        cmocka_unit_test(status_of_nothing_says_what_next),
        cmocka_unit_test(a_calm_fleet_needs_nobody),
        cmocka_unit_test(status_says_which_brakes_are_on),
        cmocka_unit_test(status_of_an_unknown_service_is_an_error),
        cmocka_unit_test(why_begins_with_what_happened),
        cmocka_unit_test(why_prints_sentence_and_timeline),
        cmocka_unit_test(formats_are_text_or_json),
    };

    return cmocka_run_group_tests(tests, NULL, no_environment);
}
