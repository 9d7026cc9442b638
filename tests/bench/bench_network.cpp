/* SPDX-License-Identifier: Apache-2.0 */
/* The same weights and crops in our engine, in ONNX Runtime and in OpenCV, in turn, in one run:
 *   bench_network MODEL.safetensors WEIGHTS.caffemodel DEPLOY.prototxt
 *                 [--onnxruntime FOLDER] [--max-isa NAME] [--repeats N]
 * FOLDER is where `npm install onnxruntime-node` was run; without it that peer is left out. NAME is
 * a value of oneDNN's DNNL_MAX_CPU_ISA, such as AVX2.
 *
 * Prints the median milliseconds a crop, the medians of the ratios to the peers' neighbouring runs,
 * and the largest difference of a probability from ours in f32. Ours starts from bytes, the peers
 * from a tensor that is ready. Every run begins after a pause, in which threads of the engine
 * before that still wait for work go to sleep. */
#include "bench.hpp"

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <thread>

namespace {

const size_t side = 224, crop_bytes = 3 * side * side;
const auto pause_between = std::chrono::milliseconds(15);

struct Arguments {
    std::string model, weights, prototxt, onnxruntime, max_isa;
    int repeats = 9;
};

/* One batch of crops, and with how many threads it runs. */
struct Load {
    size_t batch;
    int threads;
    std::vector<uint8_t> pixels; /* batch x H x W x 3, B G R */
};

struct Engine {
    std::string name;
    bool is_peer;
    std::function<double()> run_ms;
    std::vector<float> output; /* of the warm-up */
    std::vector<double> times_ms;
};

/* ---- ONNX Runtime: a process of its own -------------------------------------------------------
 */

class OnnxRuntime {
  public:
    OnnxRuntime(const std::string &folder, const std::string &model)
    {
        int requests[2], answers[2];
        if (pipe(requests) != 0 || pipe(answers) != 0) bench::fail("no pipe");
        process_ = fork();
        if (process_ < 0) bench::fail("no process");
        if (process_ == 0) {
            dup2(requests[0], STDIN_FILENO);
            dup2(answers[1], STDOUT_FILENO);
            for (const int end : {requests[0], requests[1], answers[0], answers[1]}) close(end);
            execlp("node", "node", DETECT_ONNXRUNTIME_PEER, folder.c_str(), model.c_str(), nullptr);
            _exit(127);
        }
        close(requests[0]);
        close(answers[1]);
        to_ = fdopen(requests[1], "w");
        from_ = fdopen(answers[0], "r");
        version = answer();
    }
    OnnxRuntime(const OnnxRuntime &) = delete;
    OnnxRuntime &operator=(const OnnxRuntime &) = delete;
    ~OnnxRuntime()
    {
        std::fclose(to_);
        std::fclose(from_);
        waitpid(process_, nullptr, 0);
    }

    std::vector<float> open(const Load &load)
    {
        std::fprintf(to_, "open %zu %d\n", load.batch, load.threads);
        std::fwrite(load.pixels.data(), 1, load.pixels.size(), to_);
        std::istringstream numbers(answer());
        std::vector<float> values;
        for (float value; numbers >> value;) values.push_back(value);
        return values;
    }
    double run_ms()
    {
        std::fprintf(to_, "run\n");
        return std::strtod(answer().c_str(), nullptr);
    }

    std::string version;

  private:
    std::string answer()
    {
        std::fflush(to_);
        std::string line;
        for (int letter; (letter = std::fgetc(from_)) != '\n';) {
            if (letter == EOF) bench::fail("ONNX Runtime gave no answer");
            line += static_cast<char>(letter);
        }
        return line;
    }

    pid_t process_ = -1;
    FILE *to_ = nullptr, *from_ = nullptr;
};

/* ---- The engines of one load ------------------------------------------------------------------
 */

Engine our_engine(det_model *model, det_precision precision, const Load &load)
{
    det_network_options options = {};
    options.precision = precision;
    options.batch = load.batch;
    options.threads = load.threads;
    const auto ours = std::make_shared<bench::Ours>(model, options);
    const auto run = [ours, &load] { return ours->run_ms(load.pixels.data(), load.batch); };
    run();
    return {std::string("detect ") + det_precision_name(precision), false, run, ours->output, {}};
}

Engine opencv_engine(cv::dnn::Net &net, const Load &load)
{
    std::vector<cv::Mat> pictures;
    for (size_t i = 0; i < load.batch; i++)
        pictures.emplace_back(static_cast<int>(side), static_cast<int>(side), CV_8UC3,
                              const_cast<uint8_t *>(load.pixels.data()) + i * crop_bytes);
    const cv::Mat tensor =
        cv::dnn::blobFromImages(pictures, 1, cv::Size(side, side), cv::Scalar(104, 117, 123));
    const auto output = std::make_shared<cv::Mat>();
    const auto run = [&net, tensor, output] {
        const double start = bench::now_ms();
        net.setInput(tensor);
        *output = net.forward();
        return bench::now_ms() - start;
    };
    cv::setNumThreads(load.threads);
    run();
    return {"OpenCV " CV_VERSION,
            true,
            run,
            {output->ptr<float>(), output->ptr<float>() + output->total()},
            {}};
}

Load make_load(size_t batch, int threads)
{
    Load load = {batch, threads, std::vector<uint8_t>(batch * crop_bytes)};
    std::mt19937 random(1);
    for (uint8_t &value : load.pixels) value = static_cast<uint8_t>(random());
    return load;
}

/* ---- The table -------------------------------------------------------------------------------
 */

void print_ratio(const Engine &engine, const Engine *peer)
{
    std::vector<double> ratios;
    for (size_t i = 0; peer && i < engine.times_ms.size(); i++)
        ratios.push_back(peer->times_ms[i] / engine.times_ms[i]);
    if (peer)
        std::printf(" %13.2f", bench::median(ratios));
    else
        std::printf(" %13s", "n/a");
}

void compare(const Load &load, std::vector<Engine> &engines, int repeats, bool with_onnxruntime)
{
    for (int i = 0; i < repeats; i++)
        for (Engine &engine : engines) {
            std::this_thread::sleep_for(pause_between);
            engine.times_ms.push_back(engine.run_ms());
        }
    const Engine *opencv = &engines.back();
    const Engine *onnxruntime = with_onnxruntime ? opencv - 1 : nullptr;
    for (const Engine &engine : engines) {
        std::printf("%5zu %7d  %-20s %9.2f", load.batch, load.threads, engine.name.c_str(),
                    bench::median(engine.times_ms) / static_cast<double>(load.batch));
        print_ratio(engine, onnxruntime);
        print_ratio(engine, opencv);
        const double change = bench::largest_change(engines[0].output, engine.output);
        std::printf(" %12.1e%s\n", change,
                    engine.is_peer && change > 1e-4 ? "  not the same network!" : "");
    }
    std::fflush(stdout);
}

Arguments parse(int count, char **values)
{
    Arguments a;
    std::vector<std::string *> operands = {&a.model, &a.weights, &a.prototxt};
    size_t operand = 0;
    for (int i = 1; i < count; i++) {
        const std::string word = values[i];
        const bool more = i + 1 < count;
        if (word == "--onnxruntime" && more)
            a.onnxruntime = values[++i];
        else if (word == "--max-isa" && more)
            a.max_isa = values[++i];
        else if (word == "--repeats" && more)
            a.repeats = std::max(1, std::atoi(values[++i]));
        else if (word[0] != '-' && operand < operands.size())
            *operands[operand++] = word;
        else
            operand = operands.size() + 1;
    }
    if (operand != operands.size()) {
        std::fprintf(stderr, "usage: bench_network MODEL.safetensors WEIGHTS.caffemodel "
                             "DEPLOY.prototxt [--onnxruntime FOLDER] [--max-isa NAME] "
                             "[--repeats N]\n");
        std::exit(2);
    }
    return a;
}

void run_all(const Arguments &a, det_model *model)
{
    cv::dnn::Net net = cv::dnn::readNetFromCaffe(a.prototxt, a.weights);
    std::unique_ptr<OnnxRuntime> onnxruntime;
    if (!a.onnxruntime.empty()) onnxruntime.reset(new OnnxRuntime(a.onnxruntime, a.model));
    std::vector<det_precision> precisions;
    for (const det_precision precision : {DET_F32, DET_BF16, DET_INT8})
        if (bench::can_run(model, precision)) precisions.push_back(precision);

    std::printf("%5s %7s  %-20s %9s %13s %13s %12s\n", "", "", "", "a crop", "times ONNX", "times",
                "largest");
    std::printf("%5s %7s  %-20s %9s %13s %13s %12s\n", "batch", "threads", "engine", "(ms)",
                "Runtime", "OpenCV", "change");
    for (const int threads : {1, 2})
        for (const size_t batch : {1, 8, 32}) {
            const Load load = make_load(batch, threads);
            std::vector<Engine> engines;
            for (const det_precision precision : precisions)
                engines.push_back(our_engine(model, precision, load));
            if (onnxruntime) {
                const std::vector<float> output = onnxruntime->open(load);
                engines.push_back({"ONNX Runtime " + onnxruntime->version,
                                   true,
                                   [&onnxruntime] { return onnxruntime->run_ms(); },
                                   output,
                                   {}});
            }
            engines.push_back(opencv_engine(net, load));
            compare(load, engines, a.repeats, onnxruntime != nullptr);
        }
}

} // namespace

int main(int count, char **values)
{
    const Arguments arguments = parse(count, values);
    if (!arguments.max_isa.empty()) { /* oneDNN reads it once, at its first call */
        setenv("DNNL_MAX_CPU_ISA", arguments.max_isa.c_str(), 1);
        std::printf("DNNL_MAX_CPU_ISA=%s holds for detect alone: ONNX Runtime and OpenCV do not "
                    "know it and use all that the processor has, so the ratios are lower than on a "
                    "machine that has no more.\n",
                    arguments.max_isa.c_str());
    }
    if (arguments.onnxruntime.empty())
        std::printf("ONNX Runtime is left out: --onnxruntime names no folder\n");
    det_model *model = nullptr;
    det_error error = {};
    bench::check(det_model_open(arguments.model.c_str(), &model, &error), error);
    run_all(arguments, model);
    det_model_free(model);
    return 0;
}
