#include <stdarg.h>
#include <stdio.h>

#include "tests/simulator/world.h"

static bool is_heard;

void story_listen(bool listen)
{
    is_heard = listen;
}

bool story_is_heard(void)
{
    return is_heard;
}

void story(const char *who, const char *format, ...)
{
    char text[2048];
    va_list list;
    if (!is_heard) {
        return;
    }
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    const time_ms at = clock_boot();
    printf("%02d:%02d.%03d  %-10s  %s\n", (int)(at / MINUTE_MS),
           (int)(at / SECOND_MS % 60), (int)(at % SECOND_MS), who, text);
}
