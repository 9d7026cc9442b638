/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a model file with a small network of known weights: make_small_model FILE [multibox] */
#include "tests/unit/support_network.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2) {
        test_small_network(argv[1]);
        return 0;
    }
    if (argc == 3 && strcmp(argv[2], "multibox") == 0) {
        test_multibox_network(argv[1], NULL);
        return 0;
    }
    fprintf(stderr, "usage: make_small_model FILE [multibox]\n");
    return 2;
}
