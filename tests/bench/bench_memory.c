/* Resident memory with many watched releases, under the printed policy.
 *
 *   bench_memory [RELEASES]   (1000: about three minutes, until every one was
 *                              looked at several times) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "stage.h"

#define LOOKS 6

static double resident_mib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long all = 0, resident = 0;

    if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2) {
        abort();
    }
    (void)fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* The policy of the library, for every service. */
static char *read_policy(void)
{
    static const char place[] = "service: user-service,";
    static char text[POLICY_FILE_MAX];
    FILE *file = fopen(SOURCE_DIR "/policies/library/user-service.yaml", "r");
    char *at = NULL;

    if (file == NULL || fread(text, 1, sizeof(text) - 1, file) == 0) {
        abort();
    }
    (void)fclose(file);
    at = strstr(text, place);
    if (at == NULL) {
        abort();
    }
    memset(at, ' ', strlen(place));
    memcpy(at, "service: \"*\",", strlen("service: \"*\","));
    return text;
}

static bool all_looked(const struct stage *stage, uint64_t looks)
{
    struct core_counts counts = {0};

    view_counts(driver_core(stage->driver), &counts);
    return counts.looks >= looks;
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    struct stage *stage = NULL;
    double before = 0, after = 0;

    if (count == 0 || count > STAGE_SERVICES_MAX ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)fprintf(stderr, "usage: bench_memory [RELEASES, 1 to %d]\n",
                      STAGE_SERVICES_MAX);
        return 1;
    }
    stage = stage_begin(count, read_policy());
    before = resident_mib();
    stage_deploy_all(stage);
    while (!all_looked(stage, LOOKS * count)) {
        stage_turn(stage);
    }
    after = resident_mib();
    (void)printf("%-28s %8.1f MiB\n", "before the first release", before);
    (void)printf("with %4zu watched releases    %8.1f MiB\n", count, after);
    (void)printf("%-28s %8.1f KiB\n", "per watched release",
                 (after - before) * 1024 / (double)count);
    stage_end(stage);
    curl_global_cleanup();
    return 0;
}
