/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a model file with a small network of known weights: make_small_model FILE */
#include "tests/unit/support_network.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_small_model FILE\n");
        return 2;
    }
    test_small_network(argv[1]);
    return 0;
}
