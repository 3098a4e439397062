/* One binary, sub-commands.  Only here do all rooms meet. */
#include "controller/cli/cli.h"
#if __has_include("controller/replay/replay.h")
#include "controller/replay/replay.h"
#define REPLAY replay_main
#else
#define REPLAY NULL
#endif
#include "controller/serve.h"

int main(int argc, char **argv)
{
    static const struct cli_outside outside = {
        .serve = serve_main,
        .replay = REPLAY,
    };

    return cli_main(argc, argv, &outside);
}
