/* One binary, sub-commands.  Only here do all rooms meet. */
#include "controller/cli/cli.h"
#include "controller/replay/replay.h"
#include "controller/serve.h"

int main(int argc, char **argv)
{
    static const struct cli_outside outside = {
        .serve = serve_main,
        .replay = replay_main,
    };

    return cli_main(argc, argv, &outside);
}
