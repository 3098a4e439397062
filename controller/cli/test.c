/* `test`: the cases beside the policies. */
#include "controller/cli/commands.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/cases/case_report.h"
#include "controller/cli/client.h"
#include "controller/cli/folder.h"
#include "controller/cli/terminal.h"

/* False with the line printed. */
static bool test_folder(const struct cli_call *call, const char *path,
                        struct case_report *report)
{
    struct folder folder;
    bool found = false;

    if (!folder_read(&folder, path, true, case_file_is_named)) {
        (void)cli_fail(call, "%s: %s", path, strerror(errno));
        return false;
    }
    found = folder.count > 0;
    if (!found) {
        (void)cli_fail(call, "%s: there are no tests in it (*.test.yaml)",
                       path);
    }
    for (size_t i = 0; i < folder.count; i++) {
        case_report_file(report, folder.paths[i]);
    }
    folder_release(&folder);
    return found;
}

static bool test_path(const struct cli_call *call, const char *path,
                      struct case_report *report)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return test_folder(call, path, report);
    }
    case_report_file(report, path);
    return true;
}

int test_run(const struct cli_call *call)
{
    struct case_report report = {
        .out = stdout,
        .colour = terminal_has_colour(stdout),
        .columns = terminal_columns(stdout),
        .shows = cli_value(call, "show") != NULL,
        .only = cli_value(call, "case"),
    };
    bool json = false, good = true;

    if (!client_format(call, &json)) {
        return EXIT_CODE_ERROR;
    }
    report.files = json ? json_array() : NULL;
    if (call->positionals == 0) {
        good = test_path(call, ".", &report);
    }
    for (size_t i = 0; i < call->positionals; i++) {
        good = test_path(call, call->positional[i], &report) && good;
    }
    case_report_end(&report);
    if (report.only != NULL && report.passed + report.failed == 0 &&
        report.broken == 0) {
        good = false;
        (void)cli_fail(call, "no case has '%s' in its name", report.only);
    }
    return good && report.failed + report.broken == 0 ? EXIT_CODE_DONE
                                                      : EXIT_CODE_ERROR;
}
