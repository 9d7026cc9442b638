/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the seeds of fuzz_model and fuzz_caffe: small networks of known weights.
 *     build/dev/tests/make_seeds_model tests/fuzz/seeds */
#include "tests/unit/support_caffe.h"
#include "tests/unit/support_network.h"

#include <stdio.h>

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: make_seeds_model FOLDER\n");
        return 2;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/model/small.safetensors", arguments[1]);
    test_small_network(path);

    test_sketch sketch = test_small_sketch();
    for (int old_format = 0; old_format < 2; old_format++) {
        det_text bytes = {0};
        test_caffe_model(sketch.model, old_format, &bytes, NULL);
        snprintf(path, sizeof path, "%s/caffe/%s.caffemodel", arguments[1],
                 old_format ? "layers" : "layer");
        test_write_file(path, bytes.data, bytes.length);
        det_text_free(&bytes);
    }
    test_sketch_free(&sketch);
    return 0;
}
