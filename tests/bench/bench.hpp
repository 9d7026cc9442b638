/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that compare networks share. */
#ifndef DETECT_TESTS_BENCH_HPP
#define DETECT_TESTS_BENCH_HPP

#include "detect/network.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace bench {

inline double now_ms()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

inline double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

[[noreturn]] inline void fail(const std::string &message)
{
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(1);
}

inline void check(det_status status, const det_error &error)
{
    if (status == DET_OK) return;
    char line[2048];
    det_error_format(&error, line, sizeof line);
    fail(line);
}

inline double largest_change(const std::vector<float> &a, const std::vector<float> &b)
{
    double largest = 0;
    for (size_t i = 0; i < a.size(); i++)
        largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - b[i]));
    return largest;
}

/* Whether a model runs here in that precision; int8 takes a calibrated one. */
inline bool can_run(det_model *model, det_precision precision)
{
    det_error error = {};
    det_network_options options = {};
    options.precision = precision;
    det_network *network = nullptr;
    const det_status status = det_network_compile(model, &options, &network, &error);
    det_network_free(network);
    if (status != DET_OK && status != DET_UNSUPPORTED) check(status, error);
    return status == DET_OK;
}

/* One of our networks with its worker. */
class Ours {
  public:
    Ours(det_model *model, const det_network_options &options)
    {
        det_error error = {};
        check(det_network_compile(model, &options, &network_, &error), error);
        const det_network *network = network_;
        check(det_worker_create(&network, 1, &worker_, &error), error);
        output.resize(det_network_batch(network_) *
                      static_cast<size_t>(det_network_output_shape(network_, 0).channels));
    }
    Ours(const Ours &) = delete;
    Ours &operator=(const Ours &) = delete;
    ~Ours()
    {
        det_worker_free(worker_);
        det_network_free(network_);
    }

    /* count crops of bytes, B G R, through the network into `output`; milliseconds it took. */
    double run_ms(const uint8_t *pixels, size_t count)
    {
        det_error error = {};
        float *values = output.data();
        const double start = now_ms();
        check(det_network_run_pictures(network_, worker_, pixels, count, &values, &error), error);
        return now_ms() - start;
    }

    std::vector<float> output; /* batch x classes */

  private:
    det_network *network_ = nullptr;
    det_worker *worker_ = nullptr;
};

} // namespace bench

#endif
