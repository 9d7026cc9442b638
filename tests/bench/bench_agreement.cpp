/* SPDX-License-Identifier: Apache-2.0 */
/* How far our network agrees with OpenCV's, and our other precisions with f32, on region crops:
 *   bench_agreement MODEL.safetensors WEIGHTS.caffemodel DEPLOY.prototxt [--crops N] PICTURES ...
 * PICTURES are files and folders, which are searched through. N crops (5000) are taken evenly: as
 * many of each picture, at even distances in the order of its regions (selective search, "fast").
 *
 * Prints for each engine how often it names the class that f32 names, and how far the probability
 * of that class moves; a tie is a crop of which the engine gives both classes the same within 1e-4.
 * Exits 1 where f32 and OpenCV disagree beyond ties, or bf16 or int8 beyond its limits. */
#include "bench.hpp"

#include "detect/data.h"
#include "detect/image.h"
#include "detect/proposals.h"
extern "C" {
#include "src/image/crop.h"
}

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <functional>
#include <memory>

namespace {

const int side = 224;
const size_t crop_bytes = 3 * side * side, batch = 8;
const double tie = 1e-4;
/* Of the network under comparison: its mean, and R-CNN's 16 pixels of context. */
const det_crop_options crop_options = {side, side, 16, {104, 117, 123}};

struct Arguments {
    std::string model, weights, prototxt;
    std::vector<const char *> pictures;
    size_t crops = 5000;
};

struct Engine {
    std::string name;
    double least_share, most_change; /* limits; 0 and 1: none */
    bool ties_allowed;
    std::function<const float *(const uint8_t *pixels, size_t count)> run;
    size_t same = 0, ties = 0;
    double change = 0, largest_error = 0, error = 0; /* sums, but for the largest */
};

/* ---- Crops ----------------------------------------------------------------------------------- */

std::vector<det_region> propose(const det_image &image)
{
    det_selective_search_options options = {};
    det_error error = {};
    bench::check(det_selective_search_preset("fast", &options, &error), error);
    det_region *regions = nullptr;
    size_t count = 0;
    bench::check(det_selective_search(&image, &options, nullptr, &regions, &count, &error), error);
    const std::vector<det_region> found(regions, regions + count);
    det_regions_free(regions);
    return found;
}

/* `wanted` crops of a picture, fewer where it has fewer regions. */
void add_crops(const char *path, size_t wanted, std::vector<uint8_t> &pixels)
{
    det_image image = {};
    det_error error = {};
    bench::check(det_image_read(path, nullptr, &image, &error), error);
    const std::vector<det_region> regions = propose(image);
    wanted = std::min(wanted, regions.size());
    for (size_t i = 0; i < wanted; i++) {
        const size_t at = pixels.size();
        pixels.resize(at + crop_bytes);
        const det_box box = regions[i * regions.size() / wanted].box;
        if (det_crop(&image, box, &crop_options, pixels.data() + at) < 0)
            bench::fail("no crop of " + std::string(path));
    }
    det_image_free(&image);
}

/* ---- Engines --------------------------------------------------------------------------------- */

Engine our_engine(const std::string &name, det_model *model, det_precision precision, bool winograd)
{
    det_network_options options = {};
    options.precision = precision;
    options.batch = batch;
    options.winograd = winograd;
    const auto ours = std::make_shared<bench::Ours>(model, options);
    Engine engine = {name, 0, 1, false, {}};
    engine.run = [ours](const uint8_t *pixels, size_t count) {
        ours->run_ms(pixels, count);
        return ours->output.data();
    };
    return engine;
}

Engine opencv_engine(cv::dnn::Net &net)
{
    const auto output = std::make_shared<cv::Mat>();
    Engine engine = {"OpenCV " CV_VERSION, 1, 1, true, {}};
    engine.run = [&net, output](const uint8_t *pixels, size_t count) {
        std::vector<cv::Mat> pictures;
        for (size_t i = 0; i < count; i++)
            pictures.emplace_back(side, side, CV_8UC3,
                                  const_cast<uint8_t *>(pixels) + i * crop_bytes);
        net.setInput(
            cv::dnn::blobFromImages(pictures, 1, cv::Size(side, side), cv::Scalar(104, 117, 123)));
        *output = net.forward();
        return output->ptr<float>();
    };
    return engine;
}

std::vector<Engine> make_engines(det_model *model, cv::dnn::Net &net)
{
    std::vector<Engine> engines = {opencv_engine(net)};
    engines.push_back(our_engine("f32, Winograd", model, DET_F32, true));
    if (bench::can_run(model, DET_BF16)) {
        engines.push_back(our_engine("bf16", model, DET_BF16, false));
        engines.back().least_share = .985;
        engines.back().most_change = .01;
    }
    if (bench::can_run(model, DET_INT8)) {
        engines.push_back(our_engine("int8", model, DET_INT8, false));
        engines.back().least_share = .97;
        engines.back().most_change = .02;
    }
    return engines;
}

/* ---- Agreement ------------------------------------------------------------------------------- */

void count_row(Engine &engine, const float *expected, const float *found, size_t classes)
{
    const size_t best =
        static_cast<size_t>(std::max_element(expected, expected + classes) - expected);
    const size_t theirs = static_cast<size_t>(std::max_element(found, found + classes) - found);
    engine.same += theirs == best;
    engine.ties += theirs != best && found[theirs] - found[best] <= tie;
    engine.change += std::fabs(static_cast<double>(found[best]) - expected[best]);
    for (size_t i = 0; i < classes; i++) {
        const double error = std::fabs(static_cast<double>(found[i]) - expected[i]);
        engine.largest_error = std::max(engine.largest_error, error);
        engine.error += error / static_cast<double>(classes);
    }
}

void compare(const std::vector<uint8_t> &pixels, size_t count, Engine &reference,
             std::vector<Engine> &engines, size_t classes)
{
    for (size_t first = 0; first < count; first += batch) {
        const size_t some = std::min(batch, count - first);
        const uint8_t *crops = pixels.data() + first * crop_bytes;
        const float *expected = reference.run(crops, some);
        for (Engine &engine : engines) {
            const float *found = engine.run(crops, some);
            for (size_t i = 0; i < some; i++)
                count_row(engine, expected + i * classes, found + i * classes, classes);
        }
    }
}

/* @return whether the engine keeps its limits. */
bool print_engine(const Engine &engine, size_t count)
{
    const double all = static_cast<double>(count), share = static_cast<double>(engine.same) / all;
    const double counted =
        static_cast<double>(engine.same + (engine.ties_allowed ? engine.ties : 0)) / all;
    const bool good = counted >= engine.least_share && engine.change / all <= engine.most_change;
    std::printf("%-16s %9.2f %7zu %9zu %14.2e %12.2e %12.2e%s\n", engine.name.c_str(), 100 * share,
                count - engine.same - engine.ties, engine.ties, engine.change / all,
                engine.error / all, engine.largest_error, good ? "" : "  beyond its limits");
    return good;
}

Arguments parse(int count, char **values)
{
    Arguments a;
    std::vector<std::string> operands;
    for (int i = 1; i < count; i++) {
        if (std::string(values[i]) == "--crops" && i + 1 < count)
            a.crops = std::strtoul(values[++i], nullptr, 10);
        else if (operands.size() < 3)
            operands.push_back(values[i]);
        else
            a.pictures.push_back(values[i]);
    }
    if (a.pictures.empty() || a.crops == 0) {
        std::fprintf(stderr, "usage: bench_agreement MODEL.safetensors WEIGHTS.caffemodel "
                             "DEPLOY.prototxt [--crops N] PICTURES ...\n");
        std::exit(2);
    }
    a.model = operands[0];
    a.weights = operands[1];
    a.prototxt = operands[2];
    return a;
}

} // namespace

int main(int argument_count, char **values)
{
    const Arguments arguments = parse(argument_count, values);
    det_model *model = nullptr;
    det_inputs inputs = {};
    det_error error = {};
    bench::check(det_model_open(arguments.model.c_str(), &model, &error), error);
    bench::check(det_inputs_expand(arguments.pictures.data(), arguments.pictures.size(), true,
                                   &inputs, &error),
                 error);
    cv::dnn::Net net = cv::dnn::readNetFromCaffe(arguments.prototxt, arguments.weights);
    Engine reference = our_engine("f32", model, DET_F32, false);
    std::vector<Engine> engines = make_engines(model, net);
    const size_t classes = det_model_class_count(model);

    size_t count = 0;
    for (size_t i = 0; i < inputs.count; i++) {
        const size_t until = arguments.crops * (i + 1) / inputs.count;
        std::vector<uint8_t> pixels;
        if (until > count) add_crops(inputs.paths[i], until - count, pixels);
        const size_t some = pixels.size() / crop_bytes;
        compare(pixels, some, reference, engines, classes);
        count += some;
    }

    std::printf("%zu region crops of %zu pictures, beside f32\n\n", count, inputs.count);
    std::printf("%-16s %9s %7s %9s %14s %12s %12s\n", "", "same", "other", "ties", "change of the",
                "mean", "largest");
    std::printf("%-16s %9s %7s %9s %14s %12s %12s\n", "engine", "class (%)", "class", "in 1e-4",
                "f32 class", "error", "error");
    bool good = count > 0;
    for (const Engine &engine : engines) good = print_engine(engine, count) && good;
    det_inputs_free(&inputs);
    det_model_free(model);
    return good ? 0 : 1;
}
