/* SPDX-License-Identifier: Apache-2.0 */
/* The same weights in our engine and in OpenCV's, in turn, in one run:
 *   bench_network MODEL.safetensors WEIGHTS.caffemodel DEPLOY.prototxt [REPEATS]
 * Prints the median milliseconds a crop of both, and the median of the ratios of neighbouring runs.
 */
#include "detect/network.h"

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

const int side = 224;

double now_ms()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void check(det_status status, const det_error &error)
{
    if (status == DET_OK) return;
    char line[2048];
    det_error_format(&error, line, sizeof line);
    std::fprintf(stderr, "bench_network: %s\n", line);
    std::exit(1);
}

/* Our network with its worker, for one batch size and thread count. */
class Ours {
  public:
    Ours(det_model *model, size_t batch, int threads)
    {
        det_error error = {};
        det_network_options options = {};
        options.batch = batch;
        options.threads = threads;
        check(det_network_compile(model, &options, &network_, &error), error);
        const det_network *network = network_;
        check(det_worker_create(&network, 1, &worker_, &error), error);
        output_.resize(batch * static_cast<size_t>(det_network_output_shape(network_, 0).channels));
    }
    Ours(const Ours &) = delete;
    Ours &operator=(const Ours &) = delete;
    ~Ours()
    {
        det_worker_free(worker_);
        det_network_free(network_);
    }

    double run_ms(const std::vector<uint8_t> &pixels, size_t batch)
    {
        det_error error = {};
        float *output = output_.data();
        const double start = now_ms();
        check(det_network_run_pictures(network_, worker_, pixels.data(), batch, &output, &error),
              error);
        return now_ms() - start;
    }
    const std::vector<float> &output() const
    {
        return output_;
    }

  private:
    det_network *network_ = nullptr;
    det_worker *worker_ = nullptr;
    std::vector<float> output_;
};

double run_opencv_ms(cv::dnn::Net &net, const std::vector<cv::Mat> &pictures, cv::Mat &output)
{
    const double start = now_ms();
    net.setInput(
        cv::dnn::blobFromImages(pictures, 1, cv::Size(side, side), cv::Scalar(104, 117, 123)));
    output = net.forward();
    return now_ms() - start;
}

void compare(det_model *model, cv::dnn::Net &net, size_t batch, int threads, int repeats)
{
    std::vector<uint8_t> pixels(batch * side * side * 3);
    std::mt19937 random(1);
    for (uint8_t &value : pixels) value = static_cast<uint8_t>(random());
    std::vector<cv::Mat> pictures;
    for (size_t i = 0; i < batch; i++)
        pictures.emplace_back(side, side, CV_8UC3, pixels.data() + i * side * side * 3);

    Ours ours(model, batch, threads);
    cv::setNumThreads(threads);
    std::vector<double> our_ms, their_ms, ratios;
    cv::Mat theirs;
    ours.run_ms(pixels, batch);
    run_opencv_ms(net, pictures, theirs);
    for (int i = 0; i < repeats; i++) {
        our_ms.push_back(ours.run_ms(pixels, batch) / static_cast<double>(batch));
        their_ms.push_back(run_opencv_ms(net, pictures, theirs) / static_cast<double>(batch));
        ratios.push_back(their_ms.back() / our_ms.back());
    }
    double difference = 0;
    for (size_t i = 0; i < ours.output().size(); i++)
        difference = std::max(
            difference, std::fabs(static_cast<double>(ours.output()[i] - theirs.ptr<float>()[i])));
    std::printf("%5zu %7d %12.2f %12.2f %11.2f %15.1e\n", batch, threads, median(our_ms),
                median(their_ms), median(ratios), difference);
}

} // namespace

int main(int count, char **arguments)
{
    if (count < 4) {
        std::fprintf(stderr, "usage: bench_network MODEL.safetensors WEIGHTS.caffemodel "
                             "DEPLOY.prototxt [REPEATS]\n");
        return 2;
    }
    const int repeats = count > 4 ? std::max(1, std::atoi(arguments[4])) : 9;
    det_model *model = nullptr;
    det_error error = {};
    check(det_model_open(arguments[1], &model, &error), error);
    cv::dnn::Net net = cv::dnn::readNetFromCaffe(arguments[3], arguments[2]);

    std::printf("%5s %7s %12s %12s %11s %15s\n", "batch", "threads", "detect (ms)", "OpenCV (ms)",
                "ratio", "largest change");
    for (int threads = 1; threads <= 2; threads++)
        for (const size_t batch : {1, 8, 32}) compare(model, net, batch, threads, repeats);
    det_model_free(model);
    return 0;
}
